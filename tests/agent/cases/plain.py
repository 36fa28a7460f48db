# SPDX-License-Identifier: MIT
"""Conditions that C answers (agent/plain.h) say what Python says, for values
of all kinds; so do those that it leaves to the interpreter in the middle."""
import itertools
import sys

from host import Agent


class Number(int):
    """Its own idea of everything."""

    def __eq__(self, other):
        return True

    def __lt__(self, other):
        return True

    def __bool__(self):
        return False

    __hash__ = int.__hash__


VALUES = [None, True, False, 0, 1, -1, 3, 7, -7, 2 ** 62, 2 ** 53, 2 ** 53 + 1,
          -2 ** 53 - 1, 2 ** 63 - 1, -2 ** 63, 2 ** 63, 10 ** 30, 0.0, -0.0,
          0.5, -3.5, 3.0, 1e16, 9007199254740993.0, float("inf"),
          float("nan"), "", "a", "ann", "Ann", "\xe9", "\U0001f600", b"a", (),
          [], [1], {}, Number(5), object()]
CONDITIONS = [
    "x", "not x", "x is None", "x is not None", "x is True", "not x is y",
    "x == y", "x != y", "x < y", "x <= y", "x > y", "x >= y", "x is y",
    "x == 'ann'", "'ann' != x", "x == ''", "x == None", "x != None",
    "x == 3", "x < 3", "x <= 0.5", "x >= -7", "0 < x < 10", "-8 < x < y <= 7",
    "x + y > 3", "x - y == 0", "x * y == 49", "x // y == -1", "x % y == 1",
    "x % 2 == 1", "x // 3 * 3 + x % 3 == x", "-x < y", "--x == x",
    "x and y", "x or y", "x > 3 and y", "not (x or y)", "x == True",
    "x == 9007199254740993", "x > 0.1", "x == 3.0 or y is None and x",
    "(x > 3) == (y > 3)", "(x is None) + (y is None) == 1", "later",
    "x > 0 or later", "nowhere", "sys", "x.real == 3", "len(x) == 3"]


def place(x, y):
    yes = True
    if x is place:
        later = 1
    return yes, later


def expected(condition, x, y):
    """What Python says of it; an error counts as false."""
    source = "lambda x, y: bool(%s)" % condition
    if "later" in condition:
        source = "lambda x, y: bool(%s)" % condition.replace("later", "(1/0)")
    try:
        return eval(source)(x, y)
    except Exception:
        return False


def pairs():
    few = VALUES[::4] + [3, 7, "ann"]
    return list(itertools.product(VALUES, few))


def check(agent, condition):
    line = place.__code__.co_firstlineno + 2
    probe = agent.stop_at("place", line, condition=condition)
    wanted = 0
    for x, y in pairs():
        try:
            place(x, y)
        except UnboundLocalError:
            pass
        wanted += expected(condition, x, y)
    agent.raw()
    stats = agent.remove(probe)
    assert stats["captures"] == wanted, (condition, stats, wanted)


def main():
    with Agent(ring_size=1 << 20) as agent:
        for condition in CONDITIONS:
            check(agent, condition)


if __name__ == "__main__":
    main()
