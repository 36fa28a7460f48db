# SPDX-License-Identifier: MIT
"""Coming and going while two loops run tasks and the collector runs at every
chance: what the program computes, and what it holds, stays as it was."""
import asyncio
import gc
import sys
import threading
import time

from host import UNLOAD, Agent

CYCLES = 4


class Tangle:
    """Garbage whose end runs code of the program, in which a probe hits."""
    ended = 0

    def __init__(self):
        self.me = self

    def __del__(self):
        Tangle.ended += touched(1)


def touched(x):
    return x


async def leaf(x):
    Tangle()
    await asyncio.sleep(0)
    return x + 1


async def middle(x):
    return await leaf(x)


async def items(n):
    for number in range(n):
        await asyncio.sleep(0)
        yield await middle(number)


def plain(n):
    for number in range(n):
        yield number


async def rounds(stop, failures):
    while not stop.is_set():
        results = await asyncio.gather(*[middle(x) for x in range(5)])
        results += [x async for x in items(3)]
        results.append(await asyncio.wait_for(middle(7), 60))
        if results != [1, 2, 3, 4, 5, 1, 2, 3, 8] or sum(plain(4)) != 6:
            failures.append(results)


def work(stop, failures):
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(rounds(stop, failures))
    except BaseException as error:  # told by the main thread
        failures.append(error)
    finally:
        loop.close()


def cycle():
    with Agent() as agent:
        agent.add(module="__main__", function="[lmt]*", depth=1)
        agent.add(module="__main__", function="items", yields=1)
        agent.add(module="__main__", function="plain", yields=1, stack=0)
        records = agent.wait(300, timeout=60)
        # One thread may have had the interpreter for itself until now.
        end = time.monotonic() + 60
        while not any("awaiters" in record for record in records):
            assert time.monotonic() < end, "no task was awaited"
            records += agent.wait(100, timeout=10)
        for record in records:
            if record["function"] == "__main__:leaf":
                assert record["task"]
                assert record.get("suspensions", 0) in (0, 1)
        assert agent.leave() == UNLOAD


def counts():
    gc.collect()
    return [sys.getrefcount(each) for each in (
        touched, Tangle, leaf, leaf.__code__, items.__code__, plain.__code__)]


def main():
    before = counts()
    stop, failures = threading.Event(), []
    workers = [threading.Thread(target=work, args=(stop, failures))
               for _ in range(2)]
    threshold = gc.get_threshold()
    gc.set_threshold(5, 1, 1)
    for worker in workers:
        worker.start()
    try:
        for _ in range(CYCLES):
            cycle()
    finally:
        stop.set()
        for worker in workers:
            worker.join()
        gc.set_threshold(*threshold)
    assert not failures, failures[:3]
    assert Tangle.ended > 0
    assert counts() == before, (counts(), before)


main()
