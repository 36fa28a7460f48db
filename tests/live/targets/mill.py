# SPDX-License-Identifier: MIT
"""A small program that does the same again and again: `turn`, so many times a
second (20, or the first argument), its sums checked."""
import sys
import threading
import time

ROUNDS = {"turns": 0}
BAD = []
RATE = 20.0


def turn(number, grain):
    flour = {"number": number, "grain": grain, "bags": [number] * 4}
    return sum(flour["bags"]) + len(grain)


def run():
    number = 0
    while True:
        number += 1
        if turn(number, "wheat") != 4 * number + 5:
            BAD.append(number)
        ROUNDS["turns"] = number
        time.sleep(1 / RATE)


def main(args):
    global RATE
    if args:
        RATE = float(args[0])
    # The test may run many of us: none is to hurry.
    getattr(sys, "setswitchinterval")(0.05)
    threading.Thread(target=run, name="mill", daemon=True).start()


def report():
    return {"rounds": dict(ROUNDS), "bad": list(BAD)}
