# SPDX-License-Identifier: MIT
"""Ends as a program does: threads at work, at-exit handlers, finalization."""
import atexit
import threading

FINALIZE = True


def work(x):
    return x + 1


def loop():
    count = 0
    while True:
        count = work(count)


class Farewell:
    def __del__(self):
        work(1)


KEPT = Farewell()


@atexit.register
def at_exit():
    work(2)


def main(args):
    for _ in range(2):
        threading.Thread(target=loop, daemon=True).start()
