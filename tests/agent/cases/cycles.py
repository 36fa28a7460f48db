# SPDX-License-Identifier: MIT
"""Coming and going under load leaves nothing: no memory, nothing broken."""
import os
import threading

from host import UNLOAD, Agent

CYCLES = int(os.environ.get("NOPDB_CYCLES", "40"))


def target(x, y=2, *rest, key=None, **others):
    values = [x, y]
    if x % 7 == 0:
        raise KeyError(x)
    return sum(values)


def generator(n):
    for i in range(n):
        yield i


def work(stop, failures):
    x = 0
    while not stop.is_set():
        x += 1
        try:
            if target(x, 3, 4, key="k", z=1) != x + 3:
                failures.append(x)
        except KeyError as error:
            if error.args != (x,):
                failures.append(error)
        if sum(generator(5)) != 10:
            failures.append("generator")


def resident():
    with open("/proc/self/statm") as fields:
        return int(fields.read().split()[1]) * 4


def cycle():
    with Agent() as agent:
        agent.add(module="__main__", function="[tg]*", hits=50)
        assert agent.wait(20)
        assert agent.leave() == UNLOAD


def main():
    stop, failures = threading.Event(), []
    workers = [threading.Thread(target=work, args=(stop, failures))
               for _ in range(4)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(10):
            cycle()
        before = resident()
        for _ in range(CYCLES):
            cycle()
        grown = resident() - before
    finally:
        stop.set()
    for worker in workers:
        worker.join()
    assert not failures, failures[:3]
    assert grown < 2000, grown


main()
