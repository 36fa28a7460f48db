# SPDX-License-Identifier: MIT
"""Everything at once that may make a capture large, the same each time."""
import gc

LONG = "x" * 15000
WIDE = [{"k%d" % i: [i, str(i), (i,)] for i in range(300)}] * 20
FAR = "/made/up/" + "deep/" * 100 + "%d.py"
WAITING = []


def suspends(text):
    yield text


def show(value):
    return value


def last():
    return show(WIDE)


def make(number):
    space = {}
    exec(compile("def far(then):\n    return then()\n", FAR % number, "exec"),
         space)
    return space["far"]


CODES = [make(number) for number in range(1200)]


def nest(depth, then):
    return nest(depth - 1, then) if depth else then()


def many(count):
    """Generators that are suspended, each with a large argument."""
    for number in range(count):
        WAITING.append(suspends(LONG + str(number)))
        next(WAITING[-1])


def far(rounds):
    """Calls from more places than a cache holds."""
    for number in range(rounds):
        for code in CODES:
            code(last)
    return nest(300, last) is WIDE


def forget():
    del WAITING[:]
    gc.collect()


def anonymous():
    """Bytes of memory of this process alone that are resident."""
    with open("/proc/self/smaps") as maps:
        return 1024 * sum(int(line.split()[1]) for line in maps
                          if line.startswith("Anonymous:"))


def work(count, rounds):
    many(count)
    far(rounds)
    return anonymous()


def settle(count, rounds):
    """What it takes by itself, with all that it will need once more."""
    for _ in range(3):
        work(count, rounds)
        forget()
    return work(count, rounds)
