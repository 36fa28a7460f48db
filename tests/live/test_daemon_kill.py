# SPDX-License-Identifier: MIT
"""SIGKILL of the daemon at each step of the entry and at random times: the
target goes on, its sums right, the agent leaves, a new attach succeeds."""
import os
import random
import threading
import time

import pytest

import proc
from machine import BUILD, Daemon, Target
from rpc import RpcError

POINTS = range(1, 14)
# The agent notices the end of its socket at once; heartbeat limit is 4 s.
GONE_S = 5.0


def attach_and_die(daemon, pid):
    """Attaches while the daemon dies somewhere on the way."""
    with daemon.client() as client:
        with pytest.raises((EOFError, RpcError, OSError)):
            client.call("attach", pid=pid)
            client.wait(lambda: False, 5, "end of the daemon")
    daemon.process.wait(10)
    assert daemon.process.returncode == -9


def assert_as_before(target, threads):
    proc.wait_agent_gone(target.pid, threads, GONE_S + 1)
    target.check_progress()


def work_once(daemon, target, where):
    """A whole attach, probe, capture, detach by a new daemon."""
    with daemon.client() as client:
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, where, {"rate": 0}) as probe:
            if target.busy:
                probe.calls(1)
            else:
                target.call("ping", 1)
                probe.calls(1)
        client.call("detach", pid=target.pid)


@pytest.fixture(params=["busy", "idle"])
def target(request, python):
    with Target(python, request.param) as running:
        running.busy = request.param == "busy"
        running.where = "busy:work_*" if running.busy else "idle:ping"
        if not running.busy:
            running.check_progress = running.check
        yield running


def test_every_point(target, folder):
    if not (BUILD / "die" / "nopdbd").exists():
        pytest.skip("no die flavour in " + str(BUILD))
    threads = proc.threads(target.pid)
    before = proc.Snapshot(target.pid)
    for point in POINTS:
        daemon = Daemon(folder / str(point), build=BUILD / "die",
                        env={"NOPDB_DIE_AT": str(point)})
        attach_and_die(daemon, target.pid)
        daemon.stop()
        target.check()
    assert_as_before(target, threads)
    with Daemon(folder / "again") as again:
        work_once(again, target, target.where)
    proc.wait_agent_gone(target.pid, threads)
    assert before.differences(proc.Snapshot(target.pid), 4000, 3) == []


def kill_later(daemon, delay):
    def kill():
        time.sleep(delay)
        daemon.process.kill()
    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def client_storm(daemon, target):
    """Attaches, captures and detaches until the daemon is gone. While the
    agent of the daemon before is leaving, an attach may be refused as busy."""
    try:
        while True:
            try:
                work_once(daemon, target, target.where)
            except RpcError as error:
                assert error.name == "busy" and error.remedy, error
                time.sleep(0.01)
    except (ConnectionError, FileNotFoundError, EOFError):
        pass


@pytest.mark.smoke
def test_random_points(target, folder, kills):
    """Half of the kills hit the first attach, half later work."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    threads = proc.threads(target.pid)
    for number in range(max(kills // 2, 1)):
        daemon = Daemon(folder / str(number))
        delay = chance.uniform(0, 0.03 if number % 2 else 0.3)
        killer = kill_later(daemon, delay)
        try:
            client_storm(daemon, target)
        finally:
            killer.join()
            daemon.stop()
        assert proc.alive(target.pid), "killed after %g s" % delay
    assert_as_before(target, threads)
    with Daemon(folder / "again") as again:
        work_once(again, target, target.where)
    target.check_progress()


def test_agent_leaves_a_hung_daemon(python, folder):
    """A daemon that is stopped, not dead: the heartbeat tells the agent."""
    with Target(python, "busy") as target:
        threads = proc.threads(target.pid)
        with Daemon(folder) as daemon:
            with daemon.client() as client:
                client.call("attach", pid=target.pid)
                client.probe(target.pid, "busy:work_*")
                daemon.process.send_signal(19)
                try:
                    proc.wait_agent_gone(target.pid, threads, 8)
                finally:
                    daemon.process.send_signal(18)
                client.wait(lambda: [
                    record for record in client.records
                    if record["event"] == "end"], 10, "end")
            target.check_progress()


def stream(daemon, targets, ended):
    """Attaches to all and reads records until the daemon is gone."""
    try:
        with daemon.client() as client:
            for target in targets:
                client.call("attach", 60, pid=target.pid)
                client.probe(target.pid, "mill:turn", {"rate": 0, "hits": 0,
                                                       "stack": 5})
            while client.pump(0.2) and not ended.is_set():
                pass
    except (OSError, EOFError, RpcError):
        pass


def kill_under_load(daemon, targets, delay):
    """Three clients on every target, then SIGKILL."""
    ended = threading.Event()
    clients = [threading.Thread(target=stream, args=(daemon, targets, ended))
               for _ in range(3)]
    for client in clients:
        client.start()
    time.sleep(delay)
    inside = sum(bool(proc.agent_left(target.pid)) for target in targets)
    daemon.kill()
    died = time.monotonic()
    ended.set()
    for client in clients:
        client.join(60)
    return died, inside


def test_kill_under_load(folder):
    """Whatever it was doing for many: every target is clean within 5 s. The
    long form is NOPDB_LOAD_KILLS=100."""
    from conftest import INTERPRETERS
    kills = int(os.environ.get("NOPDB_LOAD_KILLS", "4"))
    count = int(os.environ.get("NOPDB_LOAD_TARGETS", "8"))
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    longest, inside = 0.0, 0
    targets = [Target(INTERPRETERS[number % len(INTERPRETERS)], "mill", 200)
               for number in range(count)]
    try:
        before = [proc.Snapshot(target.pid) for target in targets]
        for number in range(kills):
            daemon = Daemon(folder / str(number))
            died, were = kill_under_load(daemon, targets,
                                         chance.uniform(0.02, 1.5))
            inside += were
            daemon.stop()
            for target, snapshot in zip(targets, before):
                left = GONE_S - (time.monotonic() - died)
                proc.wait_agent_gone(target.pid, snapshot.threads,
                                     max(left, 0.1))
            longest = max(longest, time.monotonic() - died)
        for target, snapshot in zip(targets, before):
            target.check_progress()
            assert target.status()["left"] == []
            assert snapshot.differences(proc.Snapshot(target.pid), 8000,
                                        3) == []
        print("%d kills, %d targets, %d agents left behind, clean after "
              "%.2f s at most" % (kills, count, inside, longest))
        assert inside > kills
        with Daemon(folder / "again") as again:
            for target in targets:
                target.busy, target.where = True, "mill:turn"
                work_once(again, target, target.where)
    finally:
        for target in targets:
            target.stop()
