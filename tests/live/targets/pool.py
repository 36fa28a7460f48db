# SPDX-License-Identifier: MIT
"""multiprocessing with fork: pools that come and go, their sums checked."""
import multiprocessing
import threading

ROUNDS = {"pools": 0}
BAD = []


def tick(number):
    return number + 1


def square(number):
    return tick(number) ** 2


def loop():
    context = multiprocessing.get_context("fork")
    while True:
        with context.Pool(2) as pool:
            if pool.map(square, range(20)) != [
                    (n + 1) ** 2 for n in range(20)]:
                BAD.append("sum")
        pool.join()
        ROUNDS["pools"] = tick(ROUNDS["pools"])


def main(args):
    threading.Thread(target=loop, daemon=True).start()


def report():
    return {"rounds": dict(ROUNDS), "bad": list(BAD)}
