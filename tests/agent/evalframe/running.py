# SPDX-License-Identifier: MIT
"""Calls that ran when their function was armed are captured when they end,
on every thread, while the program's own profiler goes on as before."""
import sys
import threading
import time

from host import Agent

go_on = threading.Event()
ready = threading.Barrier(6)
profiled = []


def returns(tag):
    ready.wait()
    while not go_on.is_set():
        time.sleep(0.001)
    return tag


def raises():
    ready.wait()
    while not go_on.is_set():
        time.sleep(0.001)
    raise KeyError("unseen")


def generates():
    ready.wait()
    while not go_on.is_set():
        time.sleep(0.001)
    yield 1
    yield 2


def recurses(depth):
    if depth:
        return recurses(depth - 1) + 1
    return returns(0)


def callee():
    return 5


def profiler(frame, event, _):
    profiled.append((frame.f_code.co_name, event))


def with_profiler():
    sys.setprofile(profiler)
    try:
        returns("profiled")
        callee()
    finally:
        sys.setprofile(None)


def swallow():
    try:
        raises()
    except KeyError:
        pass


bodies = [lambda: returns("plain"), swallow, lambda: list(generates()),
          lambda: recurses(3), with_profiler]
threads = [threading.Thread(target=body) for body in bodies]
for thread in threads:
    thread.start()
ready.wait()
with Agent() as agent:
    for name in ("returns", "raises", "generates", "recurses", "callee"):
        state = agent.add(module="__main__", function=name)
        assert state["state"] == "armed", state
    go_on.set()
    for thread in threads:
        thread.join()
    records = agent.wait(11)

found = {}
for record in records:
    name = record["function"].split(":")[1]
    found.setdefault(name, []).append(record)
    before = record.get("began") == "before"
    assert before == (name != "callee"), record

assert sorted(map(str, (r["return"] for r in found["returns"]))) == [
    "0", "plain", "profiled"], found["returns"]
assert all("tag" in record["locals"] for record in found["returns"])
assert len(found["raises"]) == 1 and "exception" in found["raises"][0]
assert [r["return"] for r in found["generates"]] == [None]
assert sorted(r["return"] for r in found["recurses"]) == [0, 1, 2, 3]
assert [r["return"] for r in found["callee"]] == [5]

# What the profiler saw is whole: each call has its return.
for name in ("returns", "callee"):
    events = [event for function, event in profiled
              if function == name and not event.startswith("c_")]
    assert events == ["call", "return"], events
assert sys.getprofile() is None
