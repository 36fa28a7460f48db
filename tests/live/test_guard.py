# SPDX-License-Identifier: MIT
"""Conditions and actions that misbehave: the program's results stay."""
import time

import pytest

import proc
from breaks import evaluated, hits, stop
from machine import Target

RECURSES = "def f(): return f()\nglobals()['f'] = f\nf()"


@pytest.fixture(scope="module")
def pond(python):
    with Target(python, "pond") as target:
        yield target


@pytest.fixture
def at(client, pond):
    client.call("attach", pid=pond.pid)
    yield pond
    if not client.closed:
        client.call("detach", pid=pond.pid)


@pytest.mark.smoke
@pytest.mark.parametrize("code, kind", [
    ("raise SystemExit", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise StopIteration(3)", "StopIteration"),
    ("import sys; sys.exit(3)", "SystemExit"),
    ("1 / 0", "ZeroDivisionError"),
    (RECURSES, "RecursionError"),
    ("b'x' * (10 << 30)", "MemoryError"),
    ("[0] * (10 << 30)", "MemoryError"),
    ("bytearray(10 << 30)", "MemoryError"),
])
def test_what_code_raises_does_not_reach_the_program(at, client, code, kind):
    with stop(client, at.pid, "pond:mixed", {"exec": code},
              {"eval": "x"}) as probe:
        assert at.call("mixed", 2) == (2, "1.0")
        (record,) = hits(probe, 1)
        assert record["errors"][0]["error"]["type"] == kind
        assert evaluated(record) == [2]
    if "\n" not in code:
        with stop(client, at.pid, "pond:mixed",
                  if_="exec(%r) or True" % code) as probe:
            assert at.call("mixed", 2) == (2, "1.0")
            assert probe.event("error")["error"]["type"] == kind
            assert not probe.of("hit")
    at.check()


@pytest.mark.smoke
@pytest.mark.parametrize("params", [
    {"actions": [{"exec": "while True: pass"}], "limits": {"exec_ms": 50}},
    {"actions": [{"eval": "[0 for i in iter(int, 1)]"}]},
    {"actions": [{"log": "{sum(1 for i in iter(int, 1))}"}]},
    {"if": "any(i for i in iter(int, 1))"},
    {"actions": [{"exec": "while True:\n try:\n  while True: pass\n"
                          " except Exception: pass"}],
     "limits": {"exec_ms": 20}},
])
def test_what_takes_too_long_is_interrupted(at, client, params):
    params = dict(params)
    actions = params.pop("actions", ())
    with stop(client, at.pid, "pond:mixed", *actions, **params) as probe:
        before = time.monotonic()
        assert at.call("mixed", 2) == (2, "1.0")
        assert time.monotonic() - before < 5
        assert "interrupted" in probe.event("error")["error"]["message"]
        assert probe.event("end")["reason"] == "budget"
        assert at.call("many", 1000) == 4000
    at.check()


def test_blocking_on_a_lock(at, client):
    """It waits in C until the lock is free, then it is interrupted."""
    with stop(client, at.pid, "pond:mixed", {"exec": "LOCK.acquire()\n"
                                             "LOCK.release()"}) as probe:
        assert at.call("waits", 0.3) == (2, "1.0")
        hits(probe, 1)
    at.check()


def test_a_condition_that_blocks_or_recurses(at, client):
    with stop(client, at.pid, "pond:mixed",
              if_="LOCK.acquire() and not LOCK.release()") as probe:
        assert at.call("waits", 0.3) == (2, "1.0")
        hits(probe, 1)
    with stop(client, at.pid, "pond:mixed",
              if_="(lambda f: f(f))(lambda f: f(f))") as probe:
        assert at.call("mixed", 2) == (2, "1.0")
        assert probe.event("error")["error"]["type"] == "RecursionError"
        assert not probe.of("hit")
    at.check()


def test_removal_while_an_action_runs(at, client):
    """The removal interrupts nothing before its time, and loses nothing."""
    probe = stop(client, at.pid, "pond:mixed", {"exec": "while True: pass"},
                 limits={"exec_ms": 300})
    at.send(call="mixed", args=[2], kwargs={})
    time.sleep(0.1)
    proc.wait_until(lambda: probe.of("end") or not probe.remove(), 10,
                    "the end of the probe")
    assert at.read()["result"] == "(2, '1.0')"
    at.check()


def test_the_daemon_is_killed_while_an_action_runs(daemon, python):
    with Target(python, "pond") as target:
        with daemon.client() as client:
            client.call("attach", pid=target.pid)
            stop(client, target.pid, "pond:mixed",
                 {"exec": "while True: pass"}, limits={"exec_ms": 500})
            target.send(call="mixed", args=[2], kwargs={})
            time.sleep(0.1)
            daemon.kill()
            assert target.read()["result"] == "(2, '1.0')"
            assert target.call("many", 100) == 400
            target.check()
    daemon.start()


def test_a_fork_in_an_action(at, client):
    code = ("import os\npid = os.fork()\nif pid == 0:\n os._exit(7)\n"
            "status = os.waitpid(pid, 0)[1] >> 8")
    with stop(client, at.pid, "pond:mixed", {"exec": code},
              {"eval": "status"}) as probe:
        assert at.call("mixed", 2) == (2, "1.0")
        assert evaluated(hits(probe, 1)[0]) == [7]


def test_threads_in_hits_at_once(at, client):
    with stop(client, at.pid, "pond:mixed",
              {"exec": "import time\ntime.sleep(0.01)"}, {"eval": "x"},
              limits={"rate": 0}) as probe:
        for number in range(8):
            at.start("mixed", number, name="t%d" % number)
        records = hits(probe, 8)
        assert sorted(evaluated(record)[0] for record in records) == list(
            range(8))
    at.check()


def test_a_child_that_an_action_forked_goes_on(at, client):
    """It comes back from the action, disarmed, and ends by itself."""
    code = ("import os, threading\nr, w = os.pipe()\nif os.fork() == 0:\n"
            " COUNTER[0] = w\nelse:\n os.close(w)\n"
            " COUNTER[0] = -r")
    with stop(client, at.pid, "pond:mixed", {"exec": code}) as probe:
        assert at.call("forked") == "4 True"
        hits(probe, 1)
    at.check()
