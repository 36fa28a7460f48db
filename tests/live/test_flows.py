# SPDX-License-Identifier: MIT
"""Breakpoints in code that runs in every way: on the frame that already runs,
in suspended generators, tasks, many threads, and a thousand at once."""
import time

import pytest

from breaks import evaluated, hits, line_of, stop
from machine import Target

OPEN = {"hits": 0, "rate": 0}


@pytest.fixture(scope="module")
def flows(python):
    with Target(python, "flows") as target:
        yield target


@pytest.fixture
def at(client, flows):
    client.call("attach", pid=flows.pid)
    yield flows
    if not client.closed:
        client.call("detach", pid=flows.pid)


@pytest.mark.smoke
def test_the_frame_that_already_runs(at, client):
    at.start("spins", 0, name="spinner")
    with stop(client, at.pid, "flows:spins", {"eval": "count"},
              {"exec": "count += 1"}, line="count += step",
              limits={"hits": 5, "rate": 0}) as probe:
        assert [evaluated(hit)[0] for hit in hits(probe, 5)] == [
            0, 1, 2, 3, 4]
        probe.event("end")
    at.call("stop")


def test_a_suspended_generator(at, client):
    assert at.call("hold", 3) == 0
    with stop(client, at.pid, "flows:suspended", {"eval": "i"},
              line="after = i + 10") as probe:
        assert at.call("go_on") == [1, 2, 12]
        assert [evaluated(hit) for hit in hits(probe, 3)] == [[0], [1], [2]]


def test_tasks_and_asynchronous_generators(at, client):
    with stop(client, at.pid, "flows:step", {"eval": "name"},
              line="found = name * n") as step, \
            stop(client, at.pid, "flows:ticks", {"eval": "i"},
                 line="yield i") as ticks, \
            stop(client, at.pid, "flows:step", {"eval": "n"}) as starts:
        assert at.call("asynchronous", 3) == (["aaa", "bbb"], 3)
        assert sorted(evaluated(hit)[0] for hit in hits(step, 2)) == ["a", "b"]
        assert [evaluated(hit) for hit in hits(ticks, 3)] == [[0], [1], [2]]
        assert len(hits(starts, 2)) == 2


def test_recursion_in_many_threads(at, client):
    with stop(client, at.pid, "flows:recurse", {"eval": "n"},
              line="return below + n", limits=OPEN) as probe:
        assert at.call("threads", 8, 20) == [210] * 8
        found = hits(probe, 8 * 21)
        for i in range(8):
            assert [evaluated(hit)[0] for hit in found
                    if hit["thread"]["name"] == "t%d" % i] == list(range(21))


def asked(client, method, params, batch=200):
    """The answers of many requests, some of them at a time."""
    answers = []
    for start in range(0, len(params), batch):
        ids = [client.request(method, **one)
               for one in params[start:start + batch]]
        answers += [client.answer(number, 60) for number in ids]
    return answers


def test_a_thousand_at_once(client, python):
    """Set, hit once each, removed; how long that took is printed."""
    with Target(python, "flows") as at:
        client.call("attach", pid=at.pid)
        a_thousand(at, client, python)


def a_thousand(at, client, python):
    began = time.monotonic()
    probes = [answer["probe"] for answer in asked(client, "probe.add", [
        dict(pid=at.pid, kind="break", where="flows:many_%d" % i, limits=OPEN,
             actions=[{"eval": "x"}], **({"line": "+1"} if i % 2 else {}))
        for i in range(1000)])]
    assert len(set(probes)) == 1000
    set_all = time.monotonic()
    assert at.call("all_of_them", 2) == 2000 + 999 * 500
    client.wait(lambda: sum(record["event"] == "hit" for record
                            in client.records) >= 1000, 20, "1000 hits")
    hit = [record["probe"] for record in client.records
           if record["event"] == "hit"]
    assert sorted(hit) == sorted(probes)
    all_hit = time.monotonic()
    asked(client, "probe.remove", [{"probe": probe} for probe in probes])
    print("%s: 1000 probes set in %.2f s, hit in %.2f s, removed in %.2f s" % (
        python.id, set_all - began, all_hit - set_all,
        time.monotonic() - all_hit))
    assert at.call("all_of_them", 2) == 2000 + 999 * 500
