# SPDX-License-Identifier: MIT
"""A target with five busy threads and one asleep lives through many attach,
probe and detach cycles, its sums right, and nothing is left in it."""
import pytest

import proc
from machine import Target

# What the allocators of five busy threads may keep; a leak of one page in a
# cycle would be 800 KB in 200.
RSS_SLACK_KB = 1500
# Pages of code that frames begun under the hook of 3.7-3.11 return through; a
# later attach frees those that nothing returns through any more.
CODE_SLACK = 3

VIEW = ("trace", "profile", "tools", "left", "settrace", "monitoring",
        "threads", "frames", "main", "modules")


def cycle(client, target, where, wanted):
    """One attach, one probe with some calls, one detach; the pause."""
    report = client.call("attach", pid=target.pid)
    limits = {"hits": 0, "rate": 0, "stack": 3}
    with client.probe(target.pid, where, limits) as probe:
        probe.calls(wanted)
    client.call("detach", pid=target.pid)
    del client.records[:]
    return report["pause_us"]


def assert_unchanged(target, before, view):
    """Nothing of ours, neither from outside nor from within."""
    after = proc.Snapshot(target.pid)
    assert before.differences(after, RSS_SLACK_KB, CODE_SLACK) == []
    assert proc.agent_left(target.pid) == []
    status = target.check()
    assert {name: status[name] for name in VIEW} == {
        name: view[name] for name in VIEW}


@pytest.mark.smoke
def test_cycles(python, client, cycles):
    with Target(python, "busy") as target:
        untouched = proc.Snapshot(target.pid)
        view = target.status()
        for _ in range(3):
            cycle(client, target, "busy:work_*", 2)
        settled = proc.Snapshot(target.pid)
        assert untouched.differences(settled, 4000, CODE_SLACK) == []
        pauses = [cycle(client, target, "busy:work_*", 2)
                  for _ in range(cycles)]
        assert_unchanged(target, settled, view)
        target.check_progress()
    pauses.sort()
    print("pause us: p50 %d, max %d" % (pauses[len(pauses) // 2], pauses[-1]))


def test_idle_cycles(python, client):
    with Target(python, "idle") as target:
        view = target.status()
        for _ in range(3):
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)
        settled = proc.Snapshot(target.pid)
        for number in range(20):
            client.call("attach", pid=target.pid)
            with client.probe(target.pid, "idle:ping") as probe:
                assert target.call("ping", number) == number + 1
                probe.calls(1)
            client.call("detach", pid=target.pid)
        assert_unchanged(target, settled, view)


def test_own_tracers_go_on(python, client):
    """The program's own trace function and monitoring tool see what they saw,
    while a probe is armed on other functions."""
    with Target(python, "zoo") as target:
        before = target.status()
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "zoo:add") as probe:
            during = target.status()
            target.call("add", 1, 1)
            probe.calls(1)
        client.call("detach", pid=target.pid)
        after = target.status()
        for name in ("trace", "profile", "settrace", "monitoring", "main"):
            assert before[name] == during[name] == after[name]


def test_target_that_ends_while_armed(python, client):
    with Target(python, "zoo") as target:
        client.call("attach", pid=target.pid)
        probe = client.probe(target.pid, "zoo:add")
        target.call("add", 1, 1)
        probe.calls(1)
        target.ended = True
        target.process.stdin.close()
        assert target.process.wait(10) == 0
        end = probe.event("end")
        assert end["reason"] == "target-exit"
        client.wait(lambda: [record for record in client.records
                             if record["event"] == "target_exit"
                             and record["pid"] == target.pid], 5,
                    "target_exit")


def test_finalization_while_armed(python, client):
    """A regular end of the interpreter, at-exit handlers and all."""
    with Target(python, "leaves") as target:
        client.call("attach", pid=target.pid)
        probe = client.probe(target.pid, "leaves:*", {"hits": 0, "rate": 0})
        target.ended = True
        probe.calls(1)
        target.process.stdin.close()
        assert target.process.wait(20) == 0, target.stderr()
        assert probe.event("end")["reason"] == "target-exit"
        assert "Fatal" not in target.stderr()
