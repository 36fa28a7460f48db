# SPDX-License-Identifier: MIT
"""instructions.py KIND: a fixed number of hits of one kind, for callgrind to
count (test_instructions.py): the agent in this process, as host.py has it."""
import ctypes
import os
import sys

from host import BUILD, Agent

HITS = 200
LEARNING = 20       # hits before, with which all is met that comes once


def full(a, b, c, d):
    """Four arguments, six more variables."""
    e = a + b
    f = "a text of some length"
    g = [a, b, c]
    h = {"key": a, "other": "value"}
    i = 1.5
    j = (a, b)
    return e


def hot(a, b):
    c = a + b
    return c


def at_depth(depth, count):
    if depth:
        return at_depth(depth - 1, count)
    for number in range(count):
        full(100 + number % 100, 2, "three", None)


def calls(count):
    """A frame of at least ten."""
    at_depth(8, count)


def lines(count):
    for number in range(count):
        hot(100 + number % 100, 1)


def set_probe(agent, kind):
    """Sets it; what to run."""
    line = hot.__code__.co_firstlineno + 2
    if kind == "call":
        agent.add(module="__main__", function="full", stack=10)
        return calls
    if kind == "eval":
        agent.stop_at("hot", line, ("eval", "c"))
    elif kind == "false":
        agent.stop_at("hot", line, ("eval", "c"), condition="c < 0")
    elif kind == "log":
        agent.stop_at("hot", line, ("log", "c is {c}"))
    return lines


def main():
    counting = ctypes.CDLL(str(BUILD / "test" / "agent" / "callgrind.so"))
    start, stop = counting.counting_start, counting.counting_stop
    # An agent that hears nothing for long takes the daemon for dead.
    with Agent(ring_size=4 << 20, silence_ms=600000, timeout=300) as agent:
        run = set_probe(agent, sys.argv[1])
        run(LEARNING)
        start()
        run(HITS)
        stop()
        records = [text for _, _, text in agent.raw()]
    assert len(records) == (0 if sys.argv[1] == "false" else LEARNING + HITS)
    os._exit(0)


if __name__ == "__main__":
    main()
