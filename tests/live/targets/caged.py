# SPDX-License-Identifier: MIT
"""A program that puts itself, or a thread of it, under a seccomp filter."""
import ctypes
import os
import select
import threading
import time

LIBRARY = ctypes.CDLL(os.path.join(os.environ["NOPDB_PROGRAMS"], "cage.so"))
ROOM = 200
COUNTS = {}
GO = threading.Event()


def ping(number):
    return number + 1


def cage(numbers, listed, otherwise, catches=False, everybody=False):
    """Actions for these system calls, and for all others; the errno."""
    array = (ctypes.c_int * len(numbers))(*numbers)
    return LIBRARY.cage(array, len(numbers), int(catches),
                        ctypes.c_uint(listed), ctypes.c_uint(otherwise),
                        int(everybody))


def trapped():
    """Numbers of the calls that were trapped."""
    array = (ctypes.c_int * ROOM)()
    count = LIBRARY.cage_trapped(array, ROOM)
    return sorted(set(array[:min(count, ROOM)]))


def work(name):
    """What a caged thread does: calls ping until the program ends."""
    COUNTS[name] = 0
    while True:
        COUNTS[name] = ping(COUNTS[name])
        GO.wait(0.005)


def cage_thread(name, *arguments):
    """A thread that cages itself alone, and then works."""
    def run():
        answer.append(cage(*arguments))
        done.set()
        work(name)
    answer, done = [], threading.Event()
    threading.Thread(target=run, name=name, daemon=True).start()
    done.wait()
    return answer[0]


def strict_thread():
    """A thread in the strict mode, for good."""
    threading.Thread(target=LIBRARY.cage_strict, args=(os.pipe()[0],),
                     daemon=True).start()


def wait(seconds):
    """A timed wait that nobody ends: its answer, and how long it took."""
    began = time.monotonic()
    ended = GO.wait(seconds)
    return ended, time.monotonic() - began


def poll(seconds):
    select.poll().poll(seconds * 1000)


def start_thread(name):
    threading.Thread(target=work, args=(name,), name=name,
                     daemon=True).start()


def report():
    return {"rounds": dict(COUNTS), "bad": []}
