# SPDX-License-Identifier: MIT
"""Generators and coroutines: every end is paired with its beginning."""
import asyncio
import sys
import threading

from host import Agent

# 3.13.0 closes a generator without a `try` and tells nobody.
SILENT_CLOSE = sys.version_info[:2] == (3, 13)


def numbers(count):
    for number in range(count):
        yield number


def careful():
    try:
        yield 1
    finally:
        pass


def with_cells(first, second):
    third = fourth = first

    def inner():
        return first, second, third, fourth
    yield 1
    yield inner()


WIDE = ", ".join("v%d" % number for number in range(300))
exec("def wide(%s):\n def inner(): return (%s)\n yield inner\n" % (WIDE, WIDE))


async def sleeper(value):
    await asyncio.sleep(0)
    return value


async def stream(count):
    for number in range(count):
        await asyncio.sleep(0)
        yield number


async def cancelled_before_it_starts():
    task = asyncio.ensure_future(sleeper(1))
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True


async def collect():
    return [number async for number in stream(3)]


def thrown(generator):
    try:
        generator.throw(KeyError)
    except KeyError:
        return True


def ends(records):
    """How each call ended, and whether its beginning was seen."""
    return [(record["exception"]["type"] if "exception" in record
             else record["return"], record.get("began", "seen"))
            for record in records]


def probe(agent, function):
    agent.add(file="suspended.py", function=function)


with Agent() as agent:
    for function in ("numbers", "careful", "with_cells", "sleeper", "stream"):
        probe(agent, function)
    agent.add(module="__main__", function="wide")

    assert list(numbers(3)) == [0, 1, 2]
    record, = agent.records()
    assert record["args"] == {"count": 3} and record["return"] is None
    assert record["locals"] == {"count": 3, "number": 2}

    running = numbers(2), numbers(2)
    assert [next(one) for one in running] == [0, 0]
    for one in running:
        one.close()
    expected = [] if SILENT_CLOSE else [("GeneratorExit", "seen")] * 2
    assert ends(agent.records()) == expected

    one = careful()
    next(one)
    one.close()
    assert ends(agent.records()) == [("GeneratorExit", "seen")]
    one = numbers(2)
    next(one)
    assert thrown(one)
    assert ends(agent.records()) == [("KeyError", "seen")]

    # What never started is no call.
    for one in (numbers(1), with_cells(1, 2), wide(*range(300))):
        assert thrown(one)
    for one in (numbers(1), with_cells(1, 2)):
        one.close()
    assert asyncio.run(cancelled_before_it_starts())
    assert agent.records() == []

    assert list(with_cells(1, 2)) == [1, (1, 2, 1, 1)]
    record, = agent.records()
    assert record["args"] == {"first": 1, "second": 2}
    assert record["locals"]["fourth"] == 1

    assert asyncio.run(sleeper(7)) == 7
    assert ends(agent.records()) == [(7, "seen")]
    assert asyncio.run(collect()) == [0, 1, 2]
    assert ends(agent.records()) == [(None, "seen")]

# Suspended when the probe is set: its end is seen, its beginning was not.
early = numbers(3)
next(early)


def hidden():
    def inside():
        yield 1
        yield 2
    return inside


unreachable = hidden()()
next(unreachable)
with Agent() as agent:
    probe(agent, "numbers")
    probe(agent, "hidden.<locals>.inside")
    assert list(early) == [1, 2]
    assert list(unreachable) == [2]
    assert ends(agent.records()) == [(None, "before")] * 2


# The same for what runs on another thread, and for what runs here.
going, enough = threading.Event(), threading.Event()


def looping():
    going.set()
    while not enough.wait(0.001):
        pass
    return "looped"


def around(agent):
    probe(agent, "around")
    return "here"


thread = threading.Thread(target=looping)
thread.start()
going.wait()
with Agent() as agent:
    probe(agent, "looping")
    enough.set()
    thread.join()
    around(agent)
    assert ends(agent.records()) == [("looped", "before"), ("here", "before")]
