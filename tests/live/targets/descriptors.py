# SPDX-License-Identifier: MIT
"""A program that closes and opens its first three descriptors by number, as
programs do that redirect themselves."""
import os
import time

HIGH = 400


def now(number):
    """What a descriptor is of."""
    try:
        return os.readlink("/proc/self/fd/%d" % number)
    except OSError as error:
        return str(error)


def is_of(number, other):
    """Are both of one file? Not, when one is closed."""
    try:
        return os.path.sameopenfile(number, other)
    except OSError:
        return False


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
                bad.append("%d became %d, it is %s" % (
                    number, again, now(number)))
                os.dup2(HIGH, number)
                os.close(again)
            time.sleep(0.004)
            if not is_of(number, HIGH):
                bad.append("%d is %s" % (number, now(number)))
                os.dup2(HIGH, number)
            os.close(HIGH)
        rounds += 1
    return rounds, bad[:5]


def fill(count):
    """Opens all numbers below count."""
    while os.dup(0) < count - 1:
        pass


def report():
    return {"rounds": {}, "bad": []}
