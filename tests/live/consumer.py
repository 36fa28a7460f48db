# SPDX-License-Identifier: MIT
"""consumer.py PID SOCKET COUNT: a client that takes so many calls of
paced.item, one after the other, and says what that took.

consume(python, ...) runs it against a target and returns its report.
"""
import json
import os
import resource
import subprocess
import sys
import time

PYTHON = "/usr/bin/python3"


def peak_kb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(pid, socket, count):
    import nopdb
    right, early = 0, None
    with nopdb.attach(pid, socket) as process:
        with process.capture_calls("item", module="paced", hits=0, rate=0,
                                   seconds=0, stack=0, keep=False) as calls:
            print("ready", flush=True)
            start = time.perf_counter()
            for number, call in enumerate(calls.follow(60), 1):
                right += call.return_value == 3 * call.args["number"]
                if number == count // 5:
                    early = peak_kb()
                if number + calls.lost >= count:
                    break
            seconds = time.perf_counter() - start
    print(json.dumps({"taken": number, "right": right, "lost": calls.lost,
                      "why": calls.lost_by_reason, "seconds": seconds,
                      "early_kb": early, "peak_kb": peak_kb()}))


def consume(target, socket, count, rate, client):
    """What the consumer reports of so many calls at that rate. client: the
    folder of the package nopdb."""
    consumer = subprocess.Popen(
        [PYTHON, __file__, str(target.pid), str(socket), str(count)],
        env=dict(os.environ, PYTHONPATH=str(client)), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        universal_newlines=True)
    try:
        ready = consumer.stdout.readline()
        assert ready == "ready\n", ready + consumer.stdout.read()
        target.ask(60 + 3 * count / rate, call="produce", args=[count, rate])
        out, _ = consumer.communicate(timeout=120 + 3 * count / rate)
    finally:
        consumer.kill()
        consumer.wait()
        consumer.stdout.close()
    assert consumer.returncode == 0, out
    return json.loads(out.splitlines()[-1])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
