# SPDX-License-Identifier: MIT
"""native.py KIND THREADS: C threads without Python state beside a Python
thread that ticks. $NOPDB_PROGRAMS has native.so, made of native.c."""
import ctypes
import os
import threading
import time

PATH = os.path.join(os.environ["NOPDB_PROGRAMS"], "native.so")
LIBRARY = ctypes.CDLL(PATH)
HOLDING = ctypes.PyDLL(PATH)
TICKS = {"python": 0}


def tick(number):
    return number + 1


def loop():
    while True:
        TICKS["python"] = tick(TICKS["python"])
        time.sleep(0.002)


def hold(milliseconds):
    """Keeps the GIL in C, as a badly behaved extension does."""
    HOLDING.native_spin(milliseconds)
    return milliseconds


def hog():
    while True:
        hold(50)
        tick(0)
        time.sleep(0.001)


def main(args):
    kind, threads = args
    if kind == "hog":
        threading.Thread(target=hog, daemon=True).start()
    elif LIBRARY.native_start(kind.encode(), int(threads)):
        raise SystemExit("native.py: no threads of kind " + kind)
    threading.Thread(target=loop, daemon=True).start()


def report():
    rounds = dict(TICKS)
    if LIBRARY.native_rounds():
        rounds["native"] = LIBRARY.native_rounds()
    return {"rounds": rounds,
            "bad": ["native"] * LIBRARY.native_bad()}
