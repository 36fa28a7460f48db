# SPDX-License-Identifier: MIT
"""Several clients, several targets, who owns what, and how each one leaves."""
import os
import signal
import subprocess
import time

import pytest

import proc
from machine import BUILD, Command, Daemon, Target
from rpc import Client, RpcError


def agent_thread(target, before):
    return set(proc.threads(target.pid)) - set(before)


@pytest.mark.smoke
def test_two_clients_one_target(session_daemon, python):
    with Target(python, "zoo") as target:
        threads = proc.threads(target.pid)
        with session_daemon.client() as one, session_daemon.client() as two:
            first = one.call("attach", pid=target.pid)
            again = two.call("attach", pid=target.pid)
            assert first["target"] == again["target"]
            probe_one = one.probe(target.pid, "zoo:add")
            probe_two = two.probe(target.pid, "zoo:recurse")
            target.call("add", 1, 1)
            target.call("recurse", 0)
            probe_one.calls(1)
            probe_two.calls(1)
            assert {record["probe"] for record in one.records
                    if "probe" in record} == {probe_one.id}
            one.call("detach", pid=target.pid)
            assert probe_one.of("end")
            assert len(agent_thread(target, threads)) == 1
            target.call("recurse", 0)
            probe_two.calls(2)
            two.call("detach", pid=target.pid)
        proc.wait_agent_gone(target.pid, threads)


def test_disconnect_detaches(session_daemon, python):
    with Target(python, "busy") as target:
        threads = proc.threads(target.pid)
        client = session_daemon.client()
        client.call("attach", pid=target.pid)
        client.probe(target.pid, "busy:work_*").calls(1)
        client.close()
        proc.wait_agent_gone(target.pid, threads)


def test_tail_sees_the_others_records(session_daemon, client, newest):
    with Target(newest, "zoo") as target:
        client.call("attach", pid=target.pid)
        probe = client.probe(target.pid, "zoo:add")
        with session_daemon.client() as tail:
            assert tail.call("subscribe", probe=probe.id)["subscribed"]
            target.call("add", 1, 1)
            probe.calls(1)
            tail.wait(lambda: [record for record in tail.records
                               if record["event"] == "call"], 5, "call")
            probe.remove()
            tail.wait(lambda: [record for record in tail.records
                               if record["event"] == "end"], 5, "end")
        client.call("detach", pid=target.pid)


def test_persistent_probe_outlives_its_client(session_daemon, newest):
    with Target(newest, "zoo") as target:
        threads = proc.threads(target.pid)
        client = session_daemon.client()
        client.call("attach", pid=target.pid)
        probe = client.call("probe.add", pid=target.pid, kind="calls",
                            where="zoo:add", persist=True)["probe"]
        client.close()
        time.sleep(0.3)
        with session_daemon.client() as other:
            (listed,) = other.call("probe.list", pid=target.pid)["probes"]
            assert (listed["probe"], listed["persist"]) == (probe, True)
            other.call("subscribe", probe=probe)
            target.call("add", 1, 1)
            other.wait(lambda: [record for record in other.records
                                if record["event"] == "call"], 5, "call")
            other.call("detach", pid=target.pid, force=True)
        proc.wait_agent_gone(target.pid, threads)


def persistent(daemon, target, where):
    """Set by a client that is gone."""
    client = daemon.client()
    client.call("attach", pid=target.pid)
    probe = client.call("probe.add", pid=target.pid, kind="calls",
                        where=where, persist=True)["probe"]
    client.close()
    proc.wait_until(lambda: clients(daemon) == 1, 20, "end of the client")
    return probe


def clients(daemon):
    with daemon.client() as client:
        return client.call("stats")["clients"]


@pytest.mark.parametrize("how", ["close", "detach"])
def test_detach_on_exit_removes_what_persists(daemon, newest, how):
    """What its user left there, too, but nothing that another client needs."""
    with Target(newest, "zoo") as target:
        threads = proc.threads(target.pid)
        persistent(daemon, target, "zoo:add")
        with daemon.client() as stays, daemon.client() as goes:
            stays.call("attach", pid=target.pid)
            kept = stays.probe(target.pid, "zoo:recurse")
            goes.call("attach", pid=target.pid, detach_on_exit=True)
            goes.call("probe.add", pid=target.pid, kind="calls",
                      where="zoo:add", persist=True)
            assert len(stays.call("probe.list", pid=target.pid)["probes"]) == 3
            if how == "close":
                goes.close()
            else:
                goes.call("detach", pid=target.pid)
            proc.wait_until(lambda: [row["probe"] for row in stays.call(
                "probe.list", pid=target.pid)["probes"]] == [kept.id], 20,
                "end of what persisted")
            target.call("recurse", 0)
            kept.calls(1)
            assert agent_thread(target, threads)
        proc.wait_agent_gone(target.pid, threads, 20)


def test_without_it_what_persists_stays(daemon, newest):
    with Target(newest, "zoo") as target:
        probe = persistent(daemon, target, "zoo:add")
        with daemon.client() as client:
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)
            (row,) = client.call("probe.list", pid=target.pid)["probes"]
            assert row["probe"] == probe
            client.call("detach", pid=target.pid, force=True)


def test_a_killed_command_detaches_on_exit(daemon, newest):
    cli = Command(daemon.socket)
    with Target(newest, "busy") as target:
        threads = proc.threads(target.pid)
        persistent(daemon, target, "busy:nothing_like_this")
        command = cli.start("calls", target.pid, "busy:work_*", "-n", "0",
                            "--detach-on-exit")
        read_call(command)
        command.kill()
        command.communicate()
        proc.wait_agent_gone(target.pid, threads, 20)
        done = cli("calls", target.pid, "busy:work_*", "--persist",
                   "--detach-on-exit")
        assert done.status == 2 and "--detach-on-exit" in done.err


def test_several_targets_at_once(daemon):
    """All interpreters in one daemon, attached at the same time."""
    from conftest import INTERPRETERS
    targets = [Target(python, "busy", "calls", "lists")
               for python in INTERPRETERS]
    try:
        with daemon.client() as client:
            numbers = [client.request("attach", pid=target.pid)
                       for target in targets]
            versions = [client.answer(number, 30)["python"]
                        for number in numbers]
            assert versions == [".".join(map(str, target.python.version))
                                for target in targets]
            listed = client.call("targets")["targets"]
            assert {row["pid"] for row in listed} == {
                target.pid for target in targets}
            limits = {"hits": 0, "rate": 20, "stack": 1}
            probes = [client.probe(target.pid, "busy:work_*", limits)
                      for target in targets]
            for probe, target in zip(probes, targets):
                assert all(record["pid"] == target.pid
                           for record in probe.calls(10, 20))
        for target in targets:
            proc.wait_until(lambda: not proc.agent_left(target.pid), 10,
                            "departure of the agent")
            target.check_progress()
    finally:
        for target in targets:
            target.stop()


def test_slow_client_loses_and_others_do_not(daemon, newest):
    """2 MiB are queued for a client that does not read, and no more."""
    with Target(newest, "busy") as target, daemon.client() as slow, \
            daemon.client() as quick:
        limits = {"hits": 0, "rate": 0, "depth": 4}
        slow.call("attach", pid=target.pid)
        quick.call("attach", pid=target.pid)
        lazy = slow.probe(target.pid, "busy:*", limits)
        prompt = quick.probe(target.pid, "busy:work_json",
                             {"hits": 0, "rate": 0})

        def lost():
            quick.pump(0.1)
            return quick.call("stats")["lost_by"]["slow-client"]
        proc.wait_until(lost, 60, "loss")
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            quick.pump(0.1)
        # 16 MiB and 6 MiB a target.
        assert proc.rss_kb(daemon.pid) < 22 * 1024
        prompt.remove()
        assert prompt.of("call")
        assert not [record for record in prompt.of("lost")
                    if record["reason"] == "slow-client"]
        slow.call("probe.disable", 60, probe=lazy.id)
        assert sum(record["count"] for record in lazy.of("lost")
                   if record["reason"] == "slow-client") > 0
        slow.call("detach", 60, pid=target.pid)
        quick.call("detach", pid=target.pid)


def test_daemon_leaves_when_idle(folder, newest):
    with Target(newest, "idle") as target:
        daemon = Daemon(folder, idle=1)
        with daemon.client() as client:
            client.call("attach", pid=target.pid)
            time.sleep(2)
            assert daemon.process.poll() is None
        assert daemon.process.wait(10) == 0
        assert not daemon.socket.exists()
        assert proc.agent_left(target.pid) == []


def test_daemon_told_to_end_detaches(folder, python):
    with Target(python, "busy") as target:
        threads = proc.threads(target.pid)
        daemon = Daemon(folder)
        client = daemon.client()
        client.call("attach", pid=target.pid)
        probe = client.probe(target.pid, "busy:work_*", {"hits": 0})
        probe.calls(1)
        assert daemon.stop() == 0, daemon.messages()
        assert set(proc.threads(target.pid)) == set(threads)
        assert proc.agent_left(target.pid) == []
        while client.pump(1):
            pass
        assert probe.of("end")


def test_daemon_told_to_end_as_soon_as_it_is_there(folder):
    """Its socket's file is there before it can be asked anything."""
    socket = folder / "sock"
    for _ in range(20):
        daemon = subprocess.Popen(
            [str(BUILD / "nopdbd"), "--foreground", "--socket", str(socket),
             "--log", str(folder / "log")], stdin=subprocess.DEVNULL)
        while not socket.exists():
            assert daemon.poll() is None
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
        assert not socket.exists()


def test_second_daemon_does_not_take_the_socket(folder):
    with Daemon(folder) as first:
        second = subprocess.run(
            [str(BUILD / "nopdbd"), "--foreground", "--socket",
             str(first.socket)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True, timeout=10)
        assert second.returncode == 6
        assert str(first.socket) in second.stdout
        assert first.client().call("hello", client="t")["pid"] == first.pid


def test_two_daemons_one_target(folder, python):
    """The second is refused, or waits; the target never has two agents."""
    with Target(python, "busy") as target, \
            Daemon(folder / "one") as one, Daemon(folder / "two") as two:
        threads = proc.threads(target.pid)
        with one.client() as first, two.client() as second:
            first.call("attach", pid=target.pid)
            probe = first.probe(target.pid, "busy:work_*", {"hits": 0})
            probe.calls(1)
            with pytest.raises(RpcError) as caught:
                second.call("attach", pid=target.pid)
            assert caught.value.name == "busy", caught.value
            assert caught.value.remedy
            assert len(agent_thread(target, threads)) == 1
            probe.calls(len(probe.of("call")) + 1)
            first.call("detach", pid=target.pid)
            second.call("attach", pid=target.pid)
            second.probe(target.pid, "busy:work_*").calls(1)
            second.call("detach", pid=target.pid)
        proc.wait_agent_gone(target.pid, threads)


def shut_down(socket):
    with Client(socket) as client:
        client.call("shutdown")
    proc.wait_until(lambda: not socket.exists(), 10, "end of the daemon")


def test_first_commands_start_one_daemon(folder, newest):
    """Several first clients at once; a single daemon serves them."""
    cli = Command(folder / "sock")
    with Target(newest, "busy") as target:
        started = [cli.start("calls", target.pid, "busy:work_*", "-n", "3")
                   for _ in range(4)]
        try:
            for process in started:
                out, err = process.communicate(timeout=30)
                assert process.returncode == 0, err
                assert out.count('"event":"call"') == 3, out
            with Client(folder / "sock") as client:
                assert client.call("stats")["clients"] == 1
        finally:
            for process in started:
                process.kill()
                process.wait()
            shut_down(folder / "sock")


def read_call(command):
    """Reads what the command prints up to the first captured call."""
    while '"event":"call"' not in command.stdout.readline():
        assert command.poll() is None, command.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM,
                                    signal.SIGHUP])
def test_interrupted_command_detaches(cli, python, number):
    with Target(python, "busy") as target:
        threads = proc.threads(target.pid)
        command = cli.start("calls", target.pid, "busy:work_*", "-n", "0",
                            "--rate", "50", "--json")
        try:
            read_call(command)
            command.send_signal(number)
            out, err = command.communicate(timeout=20)
        finally:
            command.kill()
            command.wait()
        assert command.returncode == 0, err
        proc.wait_agent_gone(target.pid, threads)


def test_killed_command_detaches(cli, newest):
    with Target(newest, "busy") as target:
        threads = proc.threads(target.pid)
        command = cli.start("calls", target.pid, "busy:work_*")
        read_call(command)
        command.kill()
        command.communicate()
        proc.wait_agent_gone(target.pid, threads)


def kernel():
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


ENDINGS = {"exit": {"reason": "exited", "status": 3},
           "finalize": {"reason": "exited", "status": 3},
           "exec": {"reason": "exited", "status": 7},
           "become": {"reason": "exec"},
           "kill": {"reason": "signal", "signal": 9}}


@pytest.mark.parametrize("kind", sorted(ENDINGS))
def test_a_process_that_ends_is_told_of(session_daemon, client, python, kind):
    """Every way to go, out-of-memory's SIGKILL included: who watches is told
    how, last, by the command in words, and nothing of it stays with us."""
    cli = Command(session_daemon.socket)
    with Target(python, "ends", kind, script=True) as target:
        target.ended = True
        client.call("attach", pid=target.pid)
        probe = client.probe(target.pid, "__main__:tick",
                             {"hits": 0, "rate": 20})
        command = cli.start("calls", target.pid, "__main__:tick", "-n", "0",
                            "--rate", "20")
        try:
            read_call(command)
            probe.calls(1)
            target.process.stdin.write(b"\n")
            (told,) = client.wait(lambda: [
                record for record in client.records
                if record["event"] in ("target_exit", "detached")], 60,
                "end of the process")
            out, err = command.communicate(timeout=60)
        finally:
            command.kill()
            command.wait()
    assert told["event"] == "target_exit", told
    known = {name: told[name] for name in ENDINGS[kind] if name in told}
    # A kernel before 6.15 tells how it ended only until it is collected.
    assert known == ENDINGS[kind] or (known == {"reason": "exited"}
                                      and kernel() < (6, 15))
    assert client.records[-1] == told
    last = [record for record in client.records
            if record.get("probe") == probe.id][-1]
    assert (last["event"], last["reason"]) == ("end", "target-exit")
    assert command.returncode == 8, err
    assert '"event":"target_exit"' in out
    with pytest.raises(RpcError) as caught:
        client.call("probe.add", pid=target.pid, kind="calls", where="f")
    assert caught.value.name == "not-attached"
    assert target.pid not in [row["pid"] for row in client.call("targets")[
        "targets"]]


@pytest.mark.parametrize("evaluates", [False, True])
def test_a_machine_that_stood_still(daemon, newest, evaluates):
    """All of it, for longer than either waits for the other; the program is
    the first to go on. Nothing is lost, nobody leaves. While it evaluates
    something the agent looks at the time more often."""
    with Target(newest, "busy") as target, daemon.client() as client:
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "busy:work_*", {"hits": 0}) as probe:
            probe.calls(1)
            threads = proc.threads(target.pid)
            if evaluates:
                asked = client.request("eval", pid=target.pid, time_ms=60000,
                                       expr="__import__('time').sleep(8)")
                client.wait(lambda: len(proc.threads(target.pid)) > len(
                    threads), 20, "thread of the evaluation")
            daemon.process.send_signal(signal.SIGSTOP)
            target.signal(signal.SIGSTOP)
            time.sleep(6.5)
            target.signal(signal.SIGCONT)
            time.sleep(0.3)
            daemon.process.send_signal(signal.SIGCONT)
            # Longer than a silence that either would take for an end.
            until = time.monotonic() + 5
            while time.monotonic() < until:
                client.pump(0.2)
            probe.calls(len(probe.of("call")) + 1, 30)
            if evaluates:
                assert client.answer(asked, 60)["value"] is None
            proc.wait_until(lambda: proc.threads(target.pid) == threads, 20,
                            "end of the evaluation")
        assert [record["event"] for record in client.records
                if record["event"] in ("attached", "detached")] == ["attached"]
        client.call("detach", pid=target.pid)
