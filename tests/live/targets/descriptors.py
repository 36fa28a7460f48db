# SPDX-License-Identifier: MIT
"""A program that closes and opens its first three descriptors by number, as
programs do that redirect themselves."""
import os
import time

HIGH = 400


def redirect(seconds):
    """Each in turn is closed for a while, and must then be the lowest free
    number, and stay what was opened. Returns how often, and what was wrong."""
    end = time.monotonic() + seconds
    rounds, bad = 0, []
    while time.monotonic() < end:
        for number in range(3):
            saved = os.dup(number)
            os.dup2(saved, HIGH)
            os.close(saved)
            os.close(number)
            time.sleep(0.004)
            again = os.dup(HIGH)
            if again != number:
                bad.append("%d became %d" % (number, again))
                os.dup2(HIGH, number)
                os.close(again)
            time.sleep(0.004)
            if not os.path.sameopenfile(number, HIGH):
                bad.append("%d is another file" % number)
                os.dup2(HIGH, number)
            os.close(HIGH)
        rounds += 1
    return rounds, bad[:5]


def report():
    return {"rounds": {}, "bad": []}
