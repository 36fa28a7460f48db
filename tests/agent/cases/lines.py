# SPDX-License-Identifier: MIT
"""Breakpoints see and change what a frame has when it comes to a line."""
import asyncio
import warnings

from host import Agent

warnings.simplefilter("ignore")     # 3.12+: a jump that leaves names unbound
GLOBAL = 1


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


def values(agent, index=0):
    """What the hits so far evaluated, in their order."""
    return [hit["eval"][index].get("value", hit["eval"][index].get("error"))
            for hit in agent.records("hit")]


def loop(n):
    total = 0
    for i in range(n):
        total += i
    return total


def each_time(agent):
    probe = agent.stop_at("loop", line_of(loop, 3), ("eval", "i"),
                          ("eval", "total"))
    head = agent.stop_at("loop", line_of(loop, 2), ("eval", "total"))
    assert loop(4) == 6
    hits = agent.records("hit")
    assert [hit["eval"][0]["value"] for hit in hits
            if hit["probe"] == probe] == [0, 1, 2, 3]
    assert [hit["eval"][0]["value"] for hit in hits
            if hit["probe"] == head] == [0, 0, 1, 3, 6]
    assert {hit["line"] for hit in hits} == {line_of(loop, 2),
                                            line_of(loop, 3)}
    agent.remove(head)
    assert loop(2) == 1
    assert len(agent.records("hit")) == 2
    agent.remove(probe)
    assert loop(2) == 1
    assert agent.records("hit") == []


def several(agent):
    """Breakpoints of one line, and a capture of the calls as well."""
    probes = [agent.stop_at("loop", line_of(loop, 4), ("eval", str(n)))
              for n in range(3)]
    calls = agent.add(module="__main__", function="loop")["probe"]
    assert loop(3) == 3
    records = agent.records("")
    assert [r["probe"] for r in records] == probes + [calls]
    for probe in probes + [calls]:
        agent.remove(probe)


def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)


def recursion(agent):
    first = agent.stop_at("factorial", line_of(factorial, 3), ("eval", "n"))
    call = agent.stop_at("factorial", 0, ("eval", "n"))
    assert factorial(5) == 120
    hits = agent.records("hit")
    assert [hit["eval"][0]["value"] for hit in hits
            if hit["probe"] == call] == [5, 4, 3, 2, 1]
    assert [hit["eval"][0]["value"] for hit in hits
            if hit["probe"] == first] == [5, 4, 3, 2]
    agent.remove(first)
    agent.remove(call)


def make(argument):
    own = 10

    def inner(step):
        nonlocal own
        own += step
        return own + argument
    argument += 0
    return inner


def cells(agent):
    inner = make(1)
    probe = agent.stop_at("inner", 0, ("eval", "own + argument + step"))
    assert inner(5) == 16
    assert values(agent) == [16]
    agent.remove(probe)
    line = inner.__code__.co_firstlineno + 2
    probe = agent.stop_at("inner", line, ("exec", "own = 100; argument = 3"),
                          ("eval", "(own, argument)"))
    assert inner(5) == 105 + 3
    agent.remove(probe)
    assert inner(0) == 105 + 3
    agent.records("hit")
    probe = agent.stop_at("make", line_of(make, 7), ("exec", "argument = 50"))
    assert make(1)(0) == 60
    agent.remove(probe)
    probe = agent.stop_at("make", 0, ("exec", "argument = 70"))
    assert make(1)(0) == 80
    agent.remove(probe)
    agent.records("")


def counter(y):
    x = y
    x = x + 0
    return x


def changes(agent):
    """[2], then [3], and the program goes on with the new value."""
    global GLOBAL
    probe = agent.stop_at(
        "counter", line_of(counter, 2), ("eval", "[x]"),
        ("exec", "global GLOBAL\nx += 1\nGLOBAL = x\nfresh = x"),
        ("eval", "[x]"), ("eval", "fresh"))
    assert counter(2) == 3
    assert GLOBAL == 3
    hit, = agent.records("hit")
    assert [part["value"] for part in hit["eval"]] == [[2], [3], 3]
    agent.remove(probe)
    assert counter(2) == 2


def numbers(n):
    for i in range(n):
        received = yield i
    return received


async def task(n):
    await asyncio.sleep(0)
    n += 1
    return n


def suspended(agent):
    begun = numbers(5)
    assert next(begun) == 0
    probe = agent.stop_at("numbers", line_of(numbers, 1), ("eval", "i"))
    assert next(begun) == 1
    assert list(numbers(2)) == [0, 1]
    assert list(begun) == [2, 3, 4]
    hits = agent.records("hit")
    # The head of the loop, and no i before it was first there.
    assert [hit["eval"][0].get("value") for hit in hits] == [
        0, None, 0, 1, 1, 2, 3, 4], hits
    agent.remove(probe)
    probe = agent.stop_at("task", line_of(task, 2), ("exec", "n *= 10"))

    async def main():
        return await asyncio.gather(*[task(n) for n in range(3)])
    event_loop = asyncio.new_event_loop()
    assert event_loop.run_until_complete(main()) == [1, 11, 21]
    event_loop.close()
    agent.remove(probe)
    agent.records("")


def steps(n):
    trace = ["a"]
    trace.append("b")
    trace.append("c")
    for i in range(n):
        trace.append(i)
    return trace


def jumps(agent):
    skip = agent.stop_at("steps", line_of(steps, 2),
                         ("jump", str(line_of(steps, 3))))
    assert steps(1) == ["a", "c", 0]
    agent.remove(skip)
    again = agent.stop_at("steps", line_of(steps, 6),
                          ("jump", str(line_of(steps, 2))),
                          condition="len(trace) < 6")
    assert steps(1) == ["a", "b", "c", 0, "b", "c", 0]
    agent.remove(again)
    agent.records("")
    into = agent.stop_at("steps", line_of(steps, 2),
                         ("jump", str(line_of(steps, 5))))
    assert steps(1) == ["a", "b", "c", 0]
    assert agent.records("error")
    agent.remove(into)
    call = agent.stop_at("steps", 0, ("jump", str(line_of(steps, 3))))
    assert steps(1) == ["a", "b", "c", 0]
    assert agent.records("error")
    agent.remove(call)


def chained(agent):
    """No event tells, on any version, that a jump came to its line: the next
    line is the first to be seen."""
    probes = [agent.stop_at("steps", line_of(steps, 2),
                            ("jump", str(line_of(steps, 3)))),
              agent.stop_at("steps", line_of(steps, 3), ("eval", "trace")),
              agent.stop_at("steps", line_of(steps, 6), ("eval", "trace"))]
    assert steps(0) == ["a", "c"]
    hits = agent.records("hit")
    assert [hit["probe"] for hit in hits] == [probes[0], probes[2]]
    for probe in probes:
        agent.remove(probe)


def raises(x):
    if x:
        raise KeyError(x)
    return x


def outcomes(agent):
    """What conditions and actions raise is the client's; what the program
    raises is its own."""
    probe = agent.stop_at("raises", line_of(raises, 1), ("eval", "1 / x"),
                          ("exec", "raise SystemExit"))
    for x in range(3):
        try:
            assert raises(x) == x == 0
        except KeyError as error:
            assert error.args == (x,)
    hits = agent.records("")
    assert len([hit for hit in hits if hit["event"] == "hit"]) == 3
    agent.remove(probe)


def main():
    with Agent() as agent:
        for check in (each_time, several, recursion, cells, changes, suspended,
                      jumps, chained, outcomes):
            check(agent)


main()
