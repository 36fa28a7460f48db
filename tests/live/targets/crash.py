# SPDX-License-Identifier: MIT
"""crash.py HOW FOLDER: a program that leaves its core file in a folder: by a
crash once its stdin ends, or (deadlock) by a signal of the test."""
import ctypes
import json
import os
import sys
import threading
import time

SYS_FUTEX = "202"
first, second = threading.Lock(), threading.Lock()


def started(function):
    thread = threading.Thread(target=function, name=function.__name__,
                              daemon=True)
    thread.start()
    return thread


def napper():
    time.sleep(1000)


def wait_for_nap():
    """Until the other thread is in a call that is not about a lock."""
    others = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
    path = "/proc/self/task/%s/syscall" % others.pop()
    while True:
        with open(path) as file:
            if file.read().split()[0] not in ("running", SYS_FUTEX, "-1"):
                return
        time.sleep(0.01)


def take_both(one, other, mine, theirs):
    with one:
        mine.set()
        theirs.wait()
        with other:
            pass


def deadlock():
    a, b = threading.Event(), threading.Event()

    def left():
        take_both(first, second, a, b)

    def right():
        take_both(second, first, b, a)
    started(left)
    started(right).join()


def fall(how, depth, password="hunter2"):
    if how == "abort":
        os.abort()
    ctypes.string_at(0x10)


def main(how, folder):
    os.chdir(folder)
    print(json.dumps({"ready": os.getpid()}), flush=True)
    if how == "deadlock":
        deadlock()
    sys.stdin.read()
    started(napper)
    wait_for_nap()
    fall(how, 3)


main(*sys.argv[1:])
