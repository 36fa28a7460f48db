# SPDX-License-Identifier: MIT
"""200 threads in every kind of wait that Python has, handing work around."""
import queue
import select
import threading
import time

THREADS = 200
TICKS = {}
BAD = []
WORK = queue.Queue()
LOCK = threading.Lock()
READY = threading.Condition()


def tick(number):
    return number + 1


def sleeper(name):
    time.sleep(0.05)


def selector(name):
    select.select([], [], [], 0.05)


def locker(name):
    with LOCK:
        time.sleep(0.0005)


def waiter(name):
    with READY:
        READY.wait(0.05)


def consumer(name):
    number = WORK.get()
    if number[1] != number[0] * number[0]:
        BAD.append(name)


def producer(name):
    WORK.put((TICKS[name], TICKS[name] ** 2))
    with READY:
        READY.notify()
    time.sleep(0.01)


KINDS = (sleeper, selector, locker, waiter, consumer, producer)


def loop(kind, name):
    while True:
        kind(name)
        TICKS[name] = tick(TICKS[name])


def main(args):
    for number in range(THREADS):
        kind = KINDS[number % len(KINDS)]
        name = "%s-%d" % (kind.__name__, number)
        TICKS[name] = 0
        threading.Thread(target=loop, args=(kind, name), name=name,
                         daemon=True).start()


def report():
    return {"rounds": {"all": sum(TICKS.values())}, "bad": list(BAD)}
