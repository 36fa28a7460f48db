# SPDX-License-Identifier: MIT
"""program: what is recorded: threads with frames of many kinds and values of
many types, and a chain of coroutines. Prints its pid and the chain's address,
and waits."""
import os
import threading
import time
import types

kept = []


class Point:
    def __init__(self, x):
        self.x, self.name = x, "point"


@types.coroutine
def stop():
    yield 1


async def inner():
    await stop()


async def outer(depth):
    await (outer(depth - 1) if depth else inner())


def sleep(depth):
    small, big, text, wide = 7, 3 ** 90, "text", "é€😀"
    items, pair, table = [1, [2, (3,)]], (1, "x"), {"a": 1, 2: [b"raw"]}
    point, numbers, missing = Point(depth), {1, 2.5, frozenset((3,))}, None
    if depth:
        return sleep(depth - 1)
    return list(nap() for _ in range(1))


def nap():
    time.sleep(1000)


for number in range(3):
    threading.Thread(target=sleep, args=(number + 4,), daemon=True).start()
chain = outer(5)
chain.send(None)
time.sleep(0.3)
print(os.getpid(), hex(id(chain)), flush=True)
sleep(3)
