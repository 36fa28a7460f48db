# SPDX-License-Identifier: MIT
"""A program that changes its ids, to what they are, as one that acts for its
users does: the C library has each of its threads do so, and waits for all."""
import ctypes
import os
import threading
import time

SAME = 0xffffffff
ROUNDS = {}
LIBC = ctypes.CDLL(None)


def change(times=1):
    for _ in range(times):
        os.setresuid(-1, -1, -1)
        os.setresgid(-1, -1, -1)
    return times


def change_in_c(times=1):
    """Without the GIL."""
    for _ in range(times):
        if LIBC.setresuid(SAME, SAME, SAME):
            raise OSError("setresuid")
    return times


def loop(function, name):
    while True:
        ROUNDS[name] += function()
        time.sleep(0.0002)


def main(args):
    """With "storm" two threads do nothing else, and two wait."""
    if args == ["storm"]:
        for function in (change, change_in_c):
            ROUNDS[function.__name__] = 0
            threading.Thread(target=loop, daemon=True,
                             args=(function, function.__name__)).start()
        for _ in range(2):
            threading.Thread(target=time.sleep, args=(999,),
                             daemon=True).start()


def report():
    return {"rounds": dict(ROUNDS), "bad": []}
