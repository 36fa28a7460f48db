# SPDX-License-Identifier: MIT
"""The only thread is in an allocator nearly all the time."""
import ctypes
import os
import select

LIBRARY = ctypes.CDLL(os.path.join(os.environ["NOPDB_PROGRAMS"], "dawdle.so"))


def tick(number):
    return number + 1


def dawdle_until_asked(milliseconds):
    """So long at a time, until the next command comes."""
    rounds = 0
    while not select.select([0], [], [], 0)[0]:
        LIBRARY.malloc(milliseconds)
        rounds = tick(rounds)
    return rounds


def report():
    """Nothing goes on between commands."""
    return {"rounds": {}, "bad": []}
