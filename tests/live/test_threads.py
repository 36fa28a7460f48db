# SPDX-License-Identifier: MIT
"""Threads that exist at attach time, threads that start later, their names."""
import proc
from machine import Target


def test_existing_threads(python, client):
    with Target(python, "busy") as target:
        client.call("attach", pid=target.pid)
        limits = {"hits": 0, "rate": 0, "stack": 0}
        with client.probe(target.pid, "busy:work_*", limits) as probe:
            def names():
                return {record["thread"]["name"]
                        for record in probe.of("call")}
            client.wait(lambda: len(names()) == 5, 20, "call of each thread")
            tids = {record["thread"]["id"] for record in probe.of("call")}
        assert names() == {"busy-calls", "busy-generators", "busy-json",
                           "busy-lists", "busy-regex"}
        assert tids < set(proc.threads(target.pid))
        for record in probe.of("call"):
            assert record["function"].startswith("busy:work_" + record[
                "thread"]["name"].split("-")[1])
        client.call("detach", pid=target.pid)
        target.check_progress()


def test_thread_started_while_armed(attached, client):
    with client.probe(attached.pid, "zoo:call_after") as probe:
        attached.start("call_after", 0.05, "add", [1, 2], name="later")
        (record,) = probe.calls(1)
        assert record["thread"]["name"] == "later"
        assert record["thread"]["id"] != attached.pid
        assert record["return"] == 3


def test_many_short_threads(attached, client):
    with client.probe(attached.pid, "zoo:add",
                      {"rate": 0, "hits": 0}) as probe:
        for number in range(40):
            attached.start("burst", 5, name="short-%d" % number)
        calls = probe.calls(200)
        per_thread = {}
        for record in calls:
            per_thread.setdefault(record["thread"]["name"], []).append(
                record["args"]["x"])
        assert per_thread == {"short-%d" % number: [0, 1, 2, 3, 4]
                              for number in range(40)}
