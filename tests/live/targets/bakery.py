# SPDX-License-Identifier: MIT
"""bakery.py: a program for classic_use.py to look into: evaluates the lines
of its stdin, and answers on stderr; its stdout is the program's own."""
import functools
import sys


def price(loaves, each):
    total = loaves * each
    label = "%d loaves" % loaves
    return total, label


def order(loaves):
    return price(loaves, 3)[0]


def sift(flour):
    if flour < 0:
        raise ValueError("no flour: %d" % flour)
    return flour // 2


def counted(function):
    @functools.wraps(function)
    def counting(*args):
        return function(*args)
    return counting


@counted
def knead(minutes):
    return minutes + 1


def rise(hours):
    for hour in range(hours):
        yield hour


class Oven:
    def __init__(self, heat):
        self.heat = heat

    def bake(self, what):
        done = "%s at %d" % (what, self.heat)
        return done

    def __call__(self, more):
        self.heat += more
        return self.heat


small, large = Oven(180), Oven(220)


def seen(frame):
    """A callback in the target."""
    return sorted(frame.f_locals)


def serve():
    print("ready", file=sys.stderr, flush=True)
    for line in sys.stdin:
        print(repr(eval(line)), file=sys.stderr, flush=True)


if __name__ == "__main__":
    serve()
