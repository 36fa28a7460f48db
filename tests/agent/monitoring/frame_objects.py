# SPDX-License-Identifier: MIT
"""Captures make no frame objects, which suspended generators would keep; where
frames cannot be read as they are, objects are made, and captures say the same."""
import builtins
import sys

from host import Agent

MANY = 500
waiting = []
refused = []


def outer(number):
    held = [number]

    def numbers(first, second=2):
        local = first
        yield lambda: (held, second)
        yield local
    return numbers


def begin():
    for number in range(MANY):
        one = outer(number)(number)
        next(one)
        waiting.append(one)


def blocks():
    """What the interpreter holds more with MANY suspended generators."""
    before = sys.getallocatedblocks()
    begin()
    made = sys.getallocatedblocks() - before
    for one in waiting:
        list(one)
    waiting.clear()
    return made


def no_map(*arguments):
    if sys._getframe(1).f_globals["__name__"] == "nopdb agent":
        refused.append(arguments)
        raise RuntimeError("the proof of the layout uses it")
    return real_map(*arguments)


def captured():
    """The blocks and the records, but for what differs each time."""
    with Agent() as agent:
        agent.add(module="__main__", function="outer.<locals>.numbers",
                  stack=3)
        blocks()
        agent.records()
        made = blocks()
        records = agent.wait(MANY)
    assert len(records) == MANY, len(records)
    return made, [[record[name] for name in ("args", "locals", "return",
                                             "stack")]
                  for record in records]


alone = min(blocks() for _ in range(3))
made, records = captured()
assert made < alone + MANY // 10, (made, alone)
assert records[7][0] == {"first": 7, "second": 2}, records[7]
assert records[7][1]["local"] == 7 and records[7][1]["held"] == [7], records[7]
real_map, builtins.map = builtins.map, no_map
try:
    by_objects = captured()
finally:
    builtins.map = real_map
assert refused
assert by_objects[0] > alone + MANY // 2, (by_objects[0], alone)
assert by_objects[1] == records
