# SPDX-License-Identifier: MIT
"""ends.py KIND: a program that says it is ready, and ends at the first line
on stdin, while other threads work: by exit (3), by exec of seven (7) or of a
program that goes on, by SIGKILL, or by a finalization that takes its time
(3)."""
import atexit
import json
import os
import signal
import sys
import threading
import time

SEVEN = os.path.join(os.environ["NOPDB_PROGRAMS"], "seven")


def tick(number):
    return number + 1


def loop():
    number = 0
    while True:
        number = tick(number)


class Slow:
    """Ends with the interpreter, and slowly."""

    def __del__(self):
        time.sleep(0.03)


def linger():
    time.sleep(0.03)


def end(kind):
    if kind == "exec":
        os.execv(SEVEN, [SEVEN])
    if kind == "become":
        os.execv(SEVEN, [SEVEN, "on"])
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "finalize":
        atexit.register(linger)
        sys.modules["kept"] = Slow()
    sys.exit(3)


def main():
    threading.Thread(target=loop, daemon=True).start()
    os.write(1, json.dumps({"ready": os.getpid()}).encode() + b"\n")
    os.read(0, 100)
    end(sys.argv[1])


if __name__ == "__main__":
    main()
