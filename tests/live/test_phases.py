# SPDX-License-Identifier: MIT
"""What an attach waits for may not come in time: then it is given up, with the
phase's time-out, and no half-dead agent is left behind."""
import contextlib
import random
import signal
import subprocess
import time

import pytest

import proc
from machine import BUILD, Daemon, Target
from rpc import RpcError

RSS_SLACK_KB = 4000
CODE_SLACK = 3
ATTEMPTS = 30


@contextlib.contextmanager
def impatient(folder, *phases):
    """A daemon with other time-outs, and a client of it."""
    options = [word for phase in phases for word in ("--timeout", phase)]
    with Daemon(folder, options=options) as daemon, \
            daemon.client() as client:
        yield client


@contextlib.contextmanager
def unharmed(target):
    """Whatever happens within, nothing of ours is left, and all goes on."""
    threads = proc.threads(target.pid)
    before = proc.Snapshot(target.pid)
    yield
    proc.wait_agent_gone(target.pid, threads)
    assert before.differences(proc.Snapshot(target.pid), RSS_SLACK_KB,
                              CODE_SLACK) == []
    target.check_progress()


@contextlib.contextmanager
def code_unchanged(pid):
    """No mapping of ours, executable and without a file, stays."""
    before = proc.executable_anonymous(pid)
    yield
    proc.wait_until(lambda: proc.executable_anonymous(pid) == before, 5,
                    "end of the region")


def enter(client, pid):
    client.call("attach", pid=pid, timeout=30)
    client.call("detach", pid=pid)


def test_gil_held_too_long(python, folder):
    """The client is told at once; the agent's thread leaves when it comes to
    its turn; then the program can be attached to as ever."""
    with Target(python, "native", "doze", 1) as target:
        enter_first(folder / "first", target)
        with impatient(folder, "gil=300") as client, unharmed(target):
            target.send(call="hold", args=[2500])
            time.sleep(0.1)
            began = time.monotonic()
            with pytest.raises(RpcError) as refusal:
                client.call("attach", pid=target.pid)
            assert time.monotonic() - began < 2
            assert refusal.value.name == "timeout"
            assert "GIL" in refusal.value.message
            assert refusal.value.remedy == "try again"
            assert target.read() == {"result": "2500"}
        with impatient(folder / "again") as client, unharmed(target):
            enter(client, target.pid)


def enter_first(folder, target):
    """The first attach imports and allocates what later ones find."""
    with impatient(folder) as client:
        enter(client, target.pid)


def test_gil_held_for_ten_seconds(newest, client):
    """Within its time an attach is patient."""
    with Target(newest, "native", "doze", 1) as target:
        target.send(call="hold", args=[10000])
        time.sleep(0.1)
        client.call("attach", pid=target.pid, timeout=30)
        assert target.read() == {"result": "10000"}
        client.call("detach", pid=target.pid)
        target.check_progress()


def test_no_safe_thread_in_time(newest, folder):
    with Target(newest, "waits", script=True) as target:
        target.ended = True
        with impatient(folder, "search=200") as client:
            target.send(wait="write-long", ms=2000)
            time.sleep(0.2)
            began = time.monotonic()
            with pytest.raises(RpcError) as refusal:
                client.call("attach", pid=target.pid)
            assert time.monotonic() - began < 1.5
            assert refusal.value.name == "timeout"
            assert refusal.value.remedy == "try again"
        assert target.read()["result"] == 1 << 20


def dawdle(target, milliseconds):
    target.send(call="dawdle_until_asked", args=[milliseconds])
    time.sleep(0.1)


def stop_dawdling(target):
    target.send(status=True)
    assert int(target.read()["result"]) > 0
    return target.read()


def test_pending_call_when_no_thread_is_safe(python, folder):
    """The only thread is in an allocator: it is made to do no more than add a
    pending call, and creates the agent's thread between two instructions."""
    with Target(python, "dawdle") as target:
        enter_first(folder / "first", target)
        with impatient(folder, "search=60") as client, unharmed(target):
            dawdle(target, 30)
            seen = []
            for _ in range(4):
                report = client.call("attach", pid=target.pid)
                seen.append(report.get("pending_call"))
                with client.probe(target.pid, "dawdle:tick") as probe:
                    probe.calls(1)
                client.call("detach", pid=target.pid)
            assert True in seen
            stop_dawdling(target)


def test_pending_call_that_comes_too_late(python, folder):
    """Given up, it takes away what was left for it, and does no more."""
    with Target(python, "dawdle") as target:
        enter_first(folder / "first", target)
        with unharmed(target), code_unchanged(target.pid):
            dawdle(target, 800)
            with impatient(folder, "search=60", "handshake=100") as client:
                with pytest.raises(RpcError) as refusal:
                    client.call("attach", pid=target.pid)
            assert refusal.value.name == "timeout"
            assert "ran no pending call" in refusal.value.message
            assert refusal.value.remedy == "try again"
            stop_dawdling(target)
        with impatient(folder / "again") as client:
            enter(client, target.pid)


@pytest.mark.parametrize("phase", ["interrupt=1", "call=1", "handshake=1"])
def test_phase_given_up(newest, folder, phase):
    """A millisecond is sometimes enough, and sometimes not; either way nothing
    is left. While the one that was given up leaves, another is refused."""
    with Target(newest, "busy") as target:
        enter_first(folder / "first", target)
        outcomes = {}
        with impatient(folder, phase) as client, unharmed(target):
            for _ in range(ATTEMPTS):
                try:
                    enter(client, target.pid)
                    name = "entered"
                except RpcError as error:
                    name = error.name
                    assert name in ("timeout", "busy"), error
                    assert error.remedy, error
                outcomes[name] = outcomes.get(name, 0) + 1
        print(phase, outcomes)


def test_daemon_stopped_meanwhile(newest, folder):
    """A daemon that slept longer than the agent's thread waits finds it gone,
    and writes nothing to where it was."""
    chance = random.Random(3)
    with Target(newest, "busy") as target:
        enter_first(folder / "first", target)
        with Daemon(folder, options=["--timeout", "handshake=200"]) as daemon, \
                daemon.client() as client, unharmed(target):
            for _ in range(5):
                number = client.request("attach", pid=target.pid)
                time.sleep(chance.uniform(0.002, 0.02))
                daemon.process.send_signal(signal.SIGSTOP)
                time.sleep(2.5)
                daemon.process.send_signal(signal.SIGCONT)
                try:
                    client.answer(number)
                    client.call("detach", pid=target.pid)
                except RpcError as error:
                    assert error.name in ("timeout", "busy", "agent"), error


@pytest.mark.parametrize("phase", ["gil", "gil=", "gil=0", "gil=-1", "gil=1s",
                                   "gil=600001", "lunch=5", "=5", ""])
def test_bad_time_out(folder, phase):
    done = subprocess.run(
        [str(BUILD / "nopdbd"), "--socket", str(folder / "sock"),
         "--timeout", phase], stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, universal_newlines=True, timeout=10)
    assert done.returncode == 2
    assert "--timeout " + phase in done.stderr
