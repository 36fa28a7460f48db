# SPDX-License-Identifier: MIT
"""several.py LIBRARY...: an interpreter, and the libraries of others, as a
module that was linked with the wrong one brings them. They are not initialized,
and their symbols lead to the first."""
import ctypes
import os
import sys
import threading
import time

LOADED = []


def tick(number):
    return number + 1


def loop():
    number = 0
    while True:
        number = tick(number)
        time.sleep(0.01)


def loaded():
    return len(LOADED)


def report():
    return {"rounds": {}, "bad": []}


def main(paths):
    for path in paths:
        if os.path.exists(path):
            LOADED.append(ctypes.CDLL(path))
    threading.Thread(target=loop, daemon=True).start()
