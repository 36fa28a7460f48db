# SPDX-License-Identifier: MIT
"""waits.py: one thread, which waits in the system call that it is told to.

{"wait": NAME, "ms": N} is answered with the result and the time it took,
{"names": true} with the names of all waits. Runs on CPython 3.7-3.15."""
import asyncio
import ctypes
import json
import os
import select
import signal
import time

LIBRARY = ctypes.CDLL(os.path.join(os.environ["NOPDB_PROGRAMS"], "waits.so"))
LIBRARY.wait_name.restype = ctypes.c_char_p


def names():
    found = []
    while True:
        name = LIBRARY.wait_name(len(found))
        if name is None:
            return found
        found.append(name.decode())


def wait(name, milliseconds):
    took = ctypes.c_int64()
    result = LIBRARY.wait_run(name.encode(), milliseconds,
                              ctypes.byref(took))
    return {"result": result, "took_ms": took.value / 1000}


def poll_epoll(seconds):
    with select.epoll() as poll:
        return len(poll.poll(seconds))


def wait_signal(seconds):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    found = signal.sigtimedwait([signal.SIGUSR2], seconds)
    return 0 if found is None else 1


async def sleep_in_loop(seconds):
    await asyncio.sleep(seconds)
    return 0


# The same waits by Python's own means.
OURS = {
    "python-epoll": poll_epoll, "python-sigtimedwait": wait_signal,
    "python-asyncio": lambda seconds: asyncio.new_event_loop()
    .run_until_complete(sleep_in_loop(seconds)),
}


def wait_ours(name, milliseconds):
    began = time.monotonic()
    result = OURS[name](milliseconds / 1000)
    return {"result": result, "took_ms": (time.monotonic() - began) * 1000}


def answer(command):
    if "names" in command:
        return {"names": names() + sorted(OURS)}
    if command["wait"] in OURS:
        return wait_ours(command["wait"], command["ms"])
    return wait(command["wait"], command["ms"])


def say(message):
    os.write(1, json.dumps(message).encode() + b"\n")


def main():
    say({"ready": os.getpid()})
    while True:
        select.select([0], [], [])
        line = os.read(0, 65536)
        if not line:
            os._exit(0)
        say(answer(json.loads(line.decode())))


if __name__ == "__main__":
    main()
