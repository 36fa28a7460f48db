# SPDX-License-Identifier: MIT
"""Children start disarmed, inherit nothing, and end as they would have."""
import ast
import time

import pytest

import proc
from machine import PROGRAMS, Target
from watchpoint import Watchpoint

FDS_FROM = 32  # where ours are, or above


@pytest.fixture
def forking(python, client):
    with Target(python, "forks") as target:
        client.call("attach", pid=target.pid)
        yield target
        client.call("detach", pid=target.pid)
        assert "Fatal" not in target.stderr()


@pytest.mark.smoke
def test_children_live(forking, client):
    limits = {"hits": 0, "rate": 0}
    with client.probe(forking.pid, "forks:probed", limits) as probe:
        assert forking.call("fork_many", 30) == [0] * 30
        assert forking.call("probed", 1) == 2
        (record,) = probe.calls(1)
        probe.remove()
        assert len(probe.of("call")) == 1
        assert record["thread"]["id"] == forking.pid


def test_grandchildren_live(forking, client):
    with client.probe(forking.pid, "forks:*", {"hits": 0, "rate": 0}):
        assert forking.call("fork_many", 5, 3) == [0] * 5


def test_child_sees_nothing_of_ours(forking, client):
    with client.probe(forking.pid, "forks:probed"):
        seen = forking.call("fork_and_view")
    assert seen is not None
    assert seen["trace"] == "None"
    assert seen["left"] == []
    assert not [what for what in seen["fds"] if "nopdb" in what]


def test_spawned_programs(forking, client):
    with client.probe(forking.pid, "forks:probed"):
        assert forking.call("spawn", 3) == [0] * 3


def test_child_can_be_attached(forking, client):
    with client.probe(forking.pid, "forks:probed"):
        child = forking.call("fork_server")
        report = client.call("attach", pid=child)
        assert report["pid"] == child
        with client.probe(child, "forks:probed", {"hits": 2}) as probe:
            assert probe.calls(2)
        client.call("detach", pid=child)
    assert forking.call("end_server", child) == 0


def test_child_forked_in_c(python, client):
    """As the workers of uwsgi: the ids of its threads are its parent's."""
    with Target(python, "forks") as target:
        child = target.call("fork_server", "c")
        client.call("attach", pid=child)
        with client.probe(child, "forks:probed", {"hits": 2}) as probe:
            assert probe.calls(2)
        client.call("detach", pid=child)
        assert target.call("end_server", child, 9) == 9


@pytest.mark.parametrize("fork", ["fork", "c", "c-free"])
def test_fork_while_we_come_and_go(python, client, fork):
    """A child takes again what Python locks; nobody else may hold that at the
    fork: not our thread in the list of thread states (3.10 and earlier), nor
    on its way to the GIL. Here it keeps each lock for a millisecond."""
    env = {"LD_PRELOAD": str(PROGRAMS / "slow_locks.so")}
    with Target(python, "forks", env=env) as target:
        target.send(call="fork_until_asked", args=[fork])
        stop = time.monotonic() + 0.8
        while time.monotonic() < stop:
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)
        target.send(status=True)
        made, bad = ast.literal_eval(target.read()["result"])
        assert made > 3 and not bad
        assert "main" in target.read()


@pytest.mark.parametrize("fork", ["c", "c-free"])
def test_fork_while_we_stand_still(python, client, fork):
    """Without a CPU, on a machine that is busy, we may hold the lock of the
    thread states for longer than a fork waits for us. (os.fork() makes it anew,
    and from 3.13 on waits for it.)"""
    if python.version < (3, 12):
        pytest.skip("takes that lock with the GIL alone")
    with Target(python, "forks") as target:
        client.call("attach", pid=target.pid)
        (tid,) = (tid for tid, name in proc.threads(target.pid).items()
                  if name == "nopdb-agent")
        with Watchpoint(tid, target.call("thread_states_lock")) as watch:
            asked = client.request("lines", pid=target.pid,
                                   where="forks:probed")
            watch.wait()
            assert target.call("fork_and_live", fork) == 0
        assert client.answer(asked)["locations"]
        client.call("detach", pid=target.pid)


def test_child_keeps_nothing_open(forking, client):
    """Neither our descriptors, nor the daemon waiting for their end."""
    assert max(proc.fds(forking.pid)) >= FDS_FROM
    child = forking.call("fork_server")
    try:
        proc.wait_until(lambda: max(proc.fds(child)) < FDS_FROM, 5,
                        "end of our descriptors in the child")
        start = time.monotonic()
        client.call("detach", pid=forking.pid)
        assert time.monotonic() - start < 4
    finally:
        forking.call("end_server", child)
    client.call("attach", pid=forking.pid)


# ---- what Python says of forks in a process with threads --------------------------
MANY = "is multi-threaded"


@pytest.mark.parametrize("fork", ["fork", "forkpty"])
@pytest.mark.parametrize("action", ["always", "error"])
def test_no_warning_of_our_thread(forking, action, fork):
    """From 3.12 on; 3.15 raises it where -W error is."""
    assert forking.call("warnings_of", action, fork) == []
    assert forking.stderr() == ""


def test_warning_of_its_own_threads(forking):
    forking.call("sleep_beside")
    said = forking.call("warnings_of", "always")
    assert len(said) == (3 if forking.python.version >= (3, 12) else 0), said
    assert all(MANY in text for text in said)


def test_filters_stay(python, client):
    """The child has them as they were, and so has the program, soon: while we
    are in it, and once we have left right after a fork."""
    with Target(python, "forks") as target:
        before = target.call("filters")
        client.call("attach", pid=target.pid)
        for _ in range(2):
            assert target.call("filters_of_child") == before
        proc.wait_until(lambda: target.call("filters") == before, 5,
                        "filters as before")
        assert target.call("fork_once") == 0
        client.call("detach", pid=target.pid)
        assert target.call("filters") == before


def test_filters_stay_around_a_block(forking):
    within, after = forking.call("filters_after_block")
    assert within == after == forking.call("filters")
    assert not [item for item in after if MANY in item]
