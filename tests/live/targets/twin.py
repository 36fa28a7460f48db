# SPDX-License-Identifier: MIT
"""A program that says all that it does, and what it counts of itself."""
import asyncio
import collections
import functools
import gc
import hashlib
import sys

import golden

OUTPUT = hashlib.sha256()
FRESH = [object(), [1], {"a": 2}, "text %d" % len(sys.argv), 10 ** 30, b"x" * 99,
         golden.Plain(), golden.Slots(), golden.Item("cup"), {1, 2},
         golden.caught(), collections.deque([1]), lambda: None, golden.half(),
         type("Made", (), {}), functools.partial(len)]


def say(*words):
    OUTPUT.update(repr(words).encode("utf-8", "backslashreplace"))


def show(value):
    kept = value
    return kept


def steps(values):
    for value in values:
        yield show(value)


def fails(number):
    """Raises what a caller catches."""
    if not number:
        raise LookupError("the bottom", number)
    return fails(number - 1) + 1


async def wait(number):
    await asyncio.sleep(0)
    return show(number)


async def several():
    return await asyncio.gather(*(wait(number) for number in range(3)))


def tasks():
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(several())
    finally:
        loop.close()


def play(rounds):
    """Everything, some times; what came of it."""
    for number in range(rounds):
        for value in steps(FRESH):
            say(type(value).__name__, value is show(value))
        for name in sorted(golden.EQUAL):
            if name not in ("set", "hex", "huge"):
                say(name, show(golden.EQUAL[name]))
        try:
            fails(number % 5)
        except LookupError as error:
            say(error, error.__traceback__.tb_lineno)
        say(tasks(), number, sys.exc_info(), sys.gettrace())
    return OUTPUT.hexdigest()


def counts():
    """References to each value, and what the collector knows."""
    gc.collect()
    gc.collect()
    kinds = collections.Counter(
        type(each).__name__ for each in gc.get_objects()
        if type(each) is not tuple)
    # Not of what the whole interpreter shares: None, 0, the empty tuple.
    return ([sys.getrefcount(value) for value in FRESH],
            {name: sys.getrefcount(value)
             for name, value in golden.VALUES.items()
             if sys.getrefcount(value) < 100},
            dict(kinds), len(gc.garbage))


def young():
    """What one round makes that the collector counts."""
    gc.collect()
    gc.disable()
    play(1)
    made = gc.get_count()[0]
    gc.enable()
    return made
