# SPDX-License-Identifier: MIT
"""Two threads that do the same work all the time, each with numbers of its own:
for the options that choose among hits, or what is shown of them."""
import threading
import time

ROUNDS = {"alpha": 0, "beta": 0}
BAD = []
RAN = []  # by actions
SKIPPED = []  # where an action jumped past a statement


class Slip:
    def __repr__(self):
        return "a slip"


def pages(number):
    yield number
    yield number + 1


def handle(number):
    slip = Slip()
    names = ["first", "second", "third"]
    boxes = [[[["deep"]]]]
    total = number
    total += 1
    for page in pages(number):
        total += page - number
    return total if slip and names and boxes else None


def run(name):
    while True:
        ROUNDS[name] += 1
        more = handle(ROUNDS[name]) - ROUNDS[name]
        if more == 1:
            SKIPPED.append(name)
        elif more != 2:
            BAD.append(ROUNDS[name])
        time.sleep(0.005)


def ran():
    return len(RAN)


def skipped():
    return len(SKIPPED)


def main(args):
    """With a number: of KiB of stack for each thread."""
    if args:
        threading.stack_size(int(args[0]) << 10)
    for name in ROUNDS:
        threading.Thread(target=run, args=(name,), name=name,
                         daemon=True).start()


def report():
    return {"rounds": dict(ROUNDS), "bad": list(BAD)}
