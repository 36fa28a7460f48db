# SPDX-License-Identifier: MIT
"""Captures make no frame objects, which suspended generators would keep; where
frames cannot be read as they are, objects are made, and captures say the same."""
import asyncio
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


async def touch(number):
    return number


async def inner(number, gate):
    await touch(number)
    await gate


async def waits(number, gate):
    await asyncio.ensure_future(inner(number, gate))


async def tasks():
    """The same for MANY tasks that wait for others."""
    gate = asyncio.get_running_loop().create_future()
    before = sys.getallocatedblocks()
    all_of_them = [asyncio.ensure_future(waits(number, gate))
                   for number in range(MANY)]
    for _ in range(4):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks():
        task.get_name()     # which makes it
    made = sys.getallocatedblocks() - before
    gate.set_result(None)
    await asyncio.gather(*all_of_them)
    return made


def no_map(*arguments):
    if sys._getframe(1).f_globals["__name__"] == "nopdb agent":
        refused.append(arguments)
        raise RuntimeError("the proof of the layout uses it")
    return real_map(*arguments)


def captured():
    """The blocks, of both, and the records, but for what differs each time."""
    with Agent() as agent:
        agent.add(module="__main__", function="touch", stack=3)
        asyncio.run(tasks())
        agent.records()
        made_by_tasks = asyncio.run(tasks())
        assert "waits" in agent.wait(MANY)[7]["awaiters"][0]["function"]
    with Agent() as agent:
        agent.add(module="__main__", function="outer.<locals>.numbers",
                  stack=3)
        blocks()
        agent.records()
        made = blocks()
        records = agent.wait(MANY)
    assert len(records) == MANY, len(records)
    return made, made_by_tasks, [[record[name] for name in ("args", "locals", "return",
                                             "stack")]
                  for record in records]


def least(measure):
    return min(measure() for _ in range(3))


alone = least(blocks), least(lambda: asyncio.run(tasks()))
*made, records = captured()
assert made[0] < alone[0] + MANY // 10, (made, alone)
assert made[1] < alone[1] + MANY // 2, (made, alone)
assert records[7][0] == {"first": 7, "second": 2}, records[7]
assert records[7][1]["local"] == 7 and records[7][1]["held"] == [7], records[7]
real_map, builtins.map = builtins.map, no_map
try:
    *made, by_objects = captured()
finally:
    builtins.map = real_map
assert refused
assert made[0] > alone[0] + MANY // 2, (made, alone)
assert made[1] > alone[1] + MANY, (made, alone)
assert by_objects == records
