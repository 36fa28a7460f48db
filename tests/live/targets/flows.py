# SPDX-License-Identifier: MIT
"""Code that runs in every way: already, suspended, in many threads, in tasks,
and a thousand functions of it."""
import asyncio
import threading
import time

STOP = threading.Event()
HELD = []
RESULTS = []
MANY = 1000


def spins(step):
    """Runs until it is told to stop: its frame is there before any probe."""
    count = 0
    while not STOP.is_set():
        count += step
        time.sleep(0.001)
    return count


def stop():
    STOP.set()


def suspended(n):
    for i in range(n):
        yield i
        after = i + 10
    yield after


def hold(n):
    """A generator that is suspended when the probe comes."""
    HELD[:] = [suspended(n)]
    return next(HELD[0])


def go_on():
    return list(HELD.pop())


async def step(name, n):
    await asyncio.sleep(0)
    found = name * n
    return found


async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def tasks(n):
    total = 0
    async for i in ticks(n):
        total += i
    parts = await asyncio.gather(*(step(name, n) for name in "ab"))
    return parts, total


def asynchronous(n):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(tasks(n))
    finally:
        loop.close()


def recurse(n):
    below = recurse(n - 1) if n else 0
    return below + n


def one_thread(n):
    result = recurse(n)
    RESULTS.append(result)


def threads(count, n):
    del RESULTS[:]
    running = [threading.Thread(target=one_thread, args=(n,), name="t%d" % i)
               for i in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return RESULTS


SOURCE = "".join("def many_%d(x):\n    y = x + %d\n    return y\n" % (i, i)
                 for i in range(MANY))
exec(compile(SOURCE, "<many>", "exec"))


def all_of_them(x):
    space = globals()
    return sum(space["many_%d" % i](x) for i in range(MANY))
