# SPDX-License-Identifier: MIT
"""Calls at an even rate, for a client that takes them all."""
import time

CHUNK = 50


def item(number, twice):
    total = number + twice
    return total


def produce(count, rate):
    """count calls, rate a second; how many seconds it took."""
    start = time.perf_counter()
    for first in range(0, count, CHUNK):
        for number in range(first, min(first + CHUNK, count)):
            item(number, 2 * number)
        ahead = start + first / rate - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
    return time.perf_counter() - start
