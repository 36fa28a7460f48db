# SPDX-License-Identifier: MIT
"""Breakpoints in frames that run already, at any depth, on other threads; and
afterwards no thread traces."""
import threading
import time

import threads
from host import Agent


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


def unseen(n):
    return n + 1


def main_loop(state):
    n = 0
    while not state["stop"]:
        n = unseen(n)
        time.sleep(0.0005)
    return n


def outer(state):
    result = middle(state)
    result += 1
    return result


def middle(state):
    result = inner(state)
    result += 1
    return result


def inner(state):
    while not state["stop"]:
        time.sleep(0.0005)
    if state.get("raise"):
        raise KeyError("stop")
    return 1


def produce(state):
    while not state["stop"]:
        yield 1
        time.sleep(0.0005)


def consume(state):
    return sum(produce(state))


def run(function):
    """Runs it on a thread; ends it by calling what is returned."""
    state = {"stop": False}
    result = []

    def body():
        try:
            result.append(function(state))
        except KeyError as error:
            result.append(error)

    def end(**more):
        state.update(more, stop=True)
        thread.join()
        return result[0]
    thread = threading.Thread(target=body)
    thread.start()
    time.sleep(0.01)
    return end


def loops(agent):
    """A main loop, with what it calls going on untraced."""
    end = run(main_loop)
    probe = agent.stop_at("main_loop", line_of(main_loop, 3), ("eval", "n"))
    hits = agent.wait(5, "hit")
    numbers = [hit["eval"][0]["value"] for hit in hits]
    assert numbers == list(range(numbers[0], numbers[0] + len(hits)))
    agent.remove(probe)
    agent.records("")
    assert threads.is_clean()
    # Again, while a capture of calls watches the same frame.
    calls = agent.add(module="__main__", function="main_loop")["probe"]
    probe = agent.stop_at("main_loop", line_of(main_loop, 3))
    assert agent.wait(5, "hit")
    assert end() > 0
    assert len(agent.wait(1, "call")) == 1
    agent.remove(probe)
    agent.remove(calls)
    assert threads.is_clean()


def callers(agent):
    """The frame below the armed one gets its lines, or ends without them."""
    for more, expected in (({}, 3), ({"raise": True}, None)):
        end = run(outer)
        probes = [agent.stop_at("outer", line_of(outer, 2), ("eval", "result")),
                  agent.stop_at("middle", line_of(middle, 2))]
        result = end(**more)
        hits = agent.records("hit")
        if expected:
            assert result == expected
            assert [hit["probe"] for hit in hits] == probes[::-1]
            assert hits[1]["eval"][0]["value"] == 2
        else:
            assert isinstance(result, KeyError) and not hits
        assert threads.is_clean()
        for probe in probes:
            agent.remove(probe)


def shimmed(agent):
    """Calls that are watched already, when a line of their caller is armed,
    and the other way round."""
    calls = agent.add(module="__main__", function="[mi]*n*r")["probe"]
    for first, second in (("outer", "middle"), ("middle", "outer")):
        end = run(outer)
        lines = {"outer": line_of(outer, 2), "middle": line_of(middle, 2)}
        probes = [agent.stop_at(name, lines[name]) for name in (first, second)]
        agent.remove(probes.pop())
        assert end() == 3
        assert [hit["probe"] for hit in agent.records("hit")] == probes
        assert threads.is_clean()
        agent.remove(probes[0])
    agent.remove(calls)
    agent.records("")


def shallow(agent):
    """An armed frame ends: its callers do not pay."""
    end = run(outer)
    probe = agent.stop_at("inner", line_of(inner, 2))
    assert agent.wait(3, "hit")
    assert end() == 3
    agent.remove(probe)
    assert threads.is_clean()


def generators(agent):
    end = run(consume)
    probe = agent.stop_at("produce", line_of(produce, 3))
    assert agent.wait(5, "hit")
    assert end() > 0
    assert threads.is_clean()
    agent.remove(probe)
    agent.records("")


def many(agent):
    """Threads that come and go while lines are armed."""
    probe = agent.stop_at("main_loop", line_of(main_loop, 3))
    for _ in range(5):
        ends = [run(main_loop) for _ in range(4)]
        assert agent.wait(8, "hit")
        assert all(end() for end in ends)
    assert threads.is_clean()
    agent.remove(probe)


def left_behind(agent):
    """The agent goes while such a frame runs."""
    agent.stop_at("main_loop", line_of(main_loop, 3))
    end = run(main_loop)
    assert agent.wait(3, "hit")
    agent.leave()
    assert threads.is_clean()
    time.sleep(0.01)
    assert end() > 0


def main():
    assert threads.is_clean()
    for check in (loops, callers, shimmed, shallow, generators, many,
                  left_behind):
        with Agent() as agent:
            check(agent)
        assert threads.is_clean()


main()
