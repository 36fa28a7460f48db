# SPDX-License-Identifier: MIT
"""The program's own tracers and profilers see what they see without us, and
breakpoints go on beside them."""
import sys
import threading

import threads
from host import Agent

LEGACY = sys.version_info < (3, 12)


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


def callee(n):
    n += 1
    return n


def traced(n):
    total = 0
    for i in range(n):
        total = callee(total)
    try:
        raise ValueError(total)
    except ValueError:
        total += 1
    return total + sum(numbers(2))


def numbers(n):
    for i in range(n):
        yield i


class Events:
    """A tracer or profiler that writes down what it is told."""

    def __init__(self):
        self.seen = []

    def __call__(self, frame, event, arg):
        if frame.f_code.co_filename == __file__:
            self.seen.append((frame.f_code.co_name, event, frame.f_lineno,
                              event.startswith("c_") and arg.__name__))
        return self


def with_tracer(setter, getter):
    """What a tracer sees of traced(); that it stays what it was."""
    events = Events()
    setter(events)
    try:
        assert getter() is events
        assert traced(2) == 4
        assert getter() is events
    finally:
        setter(None)
    assert getter() is None
    # The end of this function is part of the setter's story.
    return [event for event in events.seen if event[0] != "with_tracer"]


def the_same(agent):
    """Streams of settrace and setprofile are identical."""
    kinds = ((sys.settrace, sys.gettrace), (sys.setprofile, sys.getprofile))
    plain = [with_tracer(*kind) for kind in kinds]
    probes = [agent.stop_at("traced", line_of(traced, 3), ("eval", "i + 1"),
                            condition="callee(i) > 0"),
              agent.stop_at("callee", 0, ("eval", "n"),
                            ("exec", "import math; math.sqrt(2)")),
              agent.stop_at("numbers", line_of(numbers, 2), ("eval", "i"))]
    for kind, expected in zip(kinds, plain):
        assert with_tracer(*kind) == expected
        hits = [hit["probe"] for hit in agent.records("hit")]
        assert sorted(hits) == sorted(probes * 2), hits
    for probe in probes:
        agent.remove(probe)
    assert threads.is_clean()


def set_inside(events, n):
    total = n
    sys.settrace(events)
    total = callee(total)
    total += 1
    sys.settrace(None)
    total = callee(total)
    total += 1
    return total


def within(agent):
    """A tracer that comes and goes in the middle of a watched call."""
    plain, events = Events(), Events()
    assert set_inside(plain, 1) == 5
    probe = agent.stop_at("set_inside", line_of(set_inside, 4),
                          ("eval", "total"))
    last = agent.stop_at("set_inside", line_of(set_inside, 7),
                         ("eval", "total"))
    assert set_inside(events, 1) == 5
    assert events.seen == plain.seen
    hits = agent.records("hit")
    assert [hit["probe"] for hit in hits] == [probe, last]
    agent.remove(probe)
    agent.remove(last)
    assert sys.gettrace() is None and threads.is_clean()


def steps():
    seen = [1]
    seen.append(2)
    seen.append(3)
    return seen


def refused(agent):
    """A jump while the program traces: not on 3.7 to 3.11."""
    probe = agent.stop_at("steps", line_of(steps, 2),
                          ("jump", str(line_of(steps, 3))))
    sys.settrace(Events())
    try:
        result = steps()
    finally:
        sys.settrace(None)
    assert result == ([1, 2, 3] if LEGACY else [1, 3])
    if LEGACY:
        error, = agent.records("error")
        assert "settrace" in str(error)
    assert steps() == [1, 3]
    agent.remove(probe)
    agent.records("")
    assert threads.is_clean()


def armed_while_traced(agent):
    """Arming and disarming beneath a tracer that stays."""
    for _ in range(3):
        events, plain = Events(), Events()
        sys.settrace(plain)
        traced(1)
        sys.settrace(events)
        probe = agent.stop_at("traced", line_of(traced, 3))
        traced(1)
        agent.remove(probe)
        traced(1)
        sys.settrace(None)
        names = {"traced", "callee", "numbers"}
        once = [event for event in plain.seen if event[0] in names]
        assert [event for event in events.seen if event[0] in names] == 2 * once
        records = agent.records("")
        assert [hit["event"] for hit in records] == ["hit"], records
    assert threads.is_clean()


def traced_threads(events):
    threading.settrace(events)
    started = [threading.Thread(target=traced, args=(3,)) for _ in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    threading.settrace(None)


def by_thread(agent):
    """threading.settrace, on threads that start while lines are armed."""
    plain, events = Events(), Events()
    traced_threads(plain)
    # CPython <= 3.9 goes on counting threads that end with a tracer.
    leaked = threads.tracers()
    probe = agent.stop_at("traced", line_of(traced, 3))
    traced_threads(events)
    assert sorted(events.seen) == sorted(plain.seen)
    assert len(agent.records("hit")) == 12
    agent.remove(probe)
    assert threads.is_clean(2 * leaked)


def main():
    with Agent() as agent:
        for check in (the_same, within, refused, armed_while_traced, by_thread):
            check(agent)


main()
