# SPDX-License-Identifier: MIT
"""Code that only a thread's stack leads to, and a main loop that never ends,
are found when the probe is set."""
import sys
import threading

from host import Agent

QUALNAMES = sys.version_info >= (3, 11)     # code knows its own


def build(go, inside):
    def hidden(x):
        inside.set()
        go.wait()
        return x + leaf(x)

    def leaf(x):
        return x
    return hidden


def forever(stop, turn):
    while not stop.is_set():
        turn.wait(0.01)
        step(1)


def step(x):
    return x


def check_name(where, name):
    full = "__main__:build.<locals>." + name
    assert where["function"] == full or (
        not QUALNAMES and where["function"] == "__main__:" + name), where


def main():
    global build
    go, inside, stop = (threading.Event() for _ in range(3))
    work = threading.Thread(target=build(go, inside), args=(5,), daemon=True)
    loop = threading.Thread(target=forever, args=(stop, threading.Event()),
                            daemon=True)
    del build
    work.start()
    loop.start()
    inside.wait()
    with Agent() as agent:
        state = agent.add(module="__main__", function="hidden")
        assert state["state"] == "armed", state
        check_name(state["locations"][0], "hidden")
        # In the constants of the main module, which is on a stack as well.
        state = agent.add(module="__main__", function="build.leaf")
        assert state["state"] == "armed", state
        agent.add(module="__main__", function="forever")
        agent.add(module="__main__", function="step", hits=2)
        steps = agent.wait(2)
        assert [record["args"] for record in steps] == [{"x": 1}] * 2
        go.set()
        work.join()
        inner, outer = agent.wait(2)
        check_name(inner, "leaf")
        assert inner["args"] == {"x": 5} and inner["return"] == 5, inner
        assert outer["began"] == "before" and outer["return"] == 10, outer
        assert "args" not in outer and "duration_ns" not in outer, outer
        stop.set()
        loop.join()
        ended, = agent.wait(1)
        assert ended["function"] == "__main__:forever", ended
        assert ended["began"] == "before" and ended["return"] is None


main()
