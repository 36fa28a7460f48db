# SPDX-License-Identifier: MIT
"""lone.py KIND: a program whose only thread does one kind of thing, and ticks
in between. Answers {"status": true} on stdin like run.py; runs on 3.7-3.15."""
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time

import busy
import view

ROUNDS = {"main": 0}
BAD = []
EXPECTED = {name: work() for name, work in busy.WORK.items()}
SIGNALS = {"alarms": 0, "users": 0}
SEVEN = os.path.join(os.environ.get("NOPDB_PROGRAMS", ""), "seven")


def tick(number):
    return number + 1


def asleep():
    time.sleep(0.005)


def selecting():
    select.select([], [], [], 0.005)


def polling(poll=select.epoll()):
    poll.poll(0.005)


def computing():
    for name, work in busy.WORK.items():
        if work() != EXPECTED[name]:
            BAD.append(name)


def spawning():
    """subprocess forks or vforks, whichever the version prefers."""
    if subprocess.run([SEVEN], close_fds=False).returncode != 7:
        BAD.append("subprocess")
    if not hasattr(os, "posix_spawn"):
        return
    pid = os.posix_spawn(SEVEN, [SEVEN], os.environ)
    if os.waitpid(pid, 0)[1] >> 8 != 7:
        BAD.append("posix_spawn")


def forking(fork=os.fork):
    """The child computes, too, and says whether it was right."""
    pid = fork()
    if not pid:
        right = busy.work_json() == EXPECTED["json"] and tick(1) == 2
        os._exit(0 if right else 9)
    if os.waitpid(pid, 0)[1]:
        BAD.append("fork")


def forking_in_c():
    """Python is not told: with the GIL, and without."""
    for library in (ctypes.PyDLL(None), ctypes.CDLL(None)):
        forking(library.fork)


def on_signal(number, frame):
    SIGNALS["alarms" if number == signal.SIGALRM else "users"] += 1


def start_storm():
    """1 kHz of SIGALRM from a timer, and a child that adds SIGUSR1."""
    signal.signal(signal.SIGALRM, on_signal)
    signal.signal(signal.SIGUSR1, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    parent = os.getpid()
    if os.fork():
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    while os.getppid() == parent:
        os.kill(parent, signal.SIGUSR1)
        time.sleep(0.0005)
    os._exit(0)


def alarm_after(count):
    """Did another alarm come within a second?"""
    end = time.monotonic() + 1
    while SIGNALS["alarms"] == count and time.monotonic() < end:
        time.sleep(0.001)
    return SIGNALS["alarms"] != count


def storming():
    before = SIGNALS["alarms"]
    computing()
    if not alarm_after(before):
        BAD.append("alarms")


SUMS = {}


def numeric():
    """Vector registers full of numbers, the sums exact."""
    import numpy
    size = 96
    left = numpy.arange(size * size, dtype=numpy.float64).reshape(size, size)
    product = left @ left.T
    if float(product.sum()) != SUMS.setdefault(size, float(product.sum())):
        BAD.append("numpy")
    whole = (left.astype(numpy.int64) * 3 + 1).sum()
    if int(whole) != 3 * (size * size - 1) * size * size // 2 + size * size:
        BAD.append("numpy whole numbers")


KINDS = {"asleep": asleep, "select": selecting, "epoll": polling,
         "busy": computing, "spawn": spawning, "fork": forking,
         "fork-c": forking_in_c,
         "signals": storming, "numpy": numeric}


def report():
    return {"rounds": dict(ROUNDS), "bad": list(BAD)}


def answer_commands():
    """False once stdin has ended."""
    if not select.select([0], [], [], 0)[0]:
        return True
    commands = os.read(0, 65536)
    for _ in commands.splitlines():
        os.write(1, json.dumps(view.status(sys.modules[__name__])).encode()
                 + b"\n")
    return bool(commands)


def main():
    kind = sys.argv[1]
    if kind == "signals":
        start_storm()
    os.write(1, json.dumps({"ready": os.getpid()}).encode() + b"\n")
    while answer_commands():
        KINDS[kind]()
        ROUNDS["main"] = tick(ROUNDS["main"])


if __name__ == "__main__":
    main()
    os._exit(0)
