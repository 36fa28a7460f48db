# SPDX-License-Identifier: MIT
"""The audit log: who did what, one JSON object a line; no value and no text of
an expression is ever in it; it stays within its size, and its troubles hurt
nobody but itself."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

import proc
from machine import BUILD, Daemon, Target
from rpc import RpcError
from users import ALICE, BOB, SystemDaemon

SECRET = "hunter2-correct-horse"

needs_root = pytest.mark.skipif(os.getuid() != 0,
                                reason="needs root, to be other users")


class Audited(Daemon):
    """One user's daemon with an audit log."""

    def __init__(self, folder, *options):
        self.path = pathlib.Path(folder) / "audit"
        super().__init__(folder, options=("--audit", str(self.path),
                                          *options))

    def lines(self, *events):
        found = [json.loads(line) for line
                 in self.path.read_text().splitlines()]
        return [line for line in found
                if not events or line["event"] in events]


def test_a_line_for_each(folder, newest):
    with Audited(folder) as daemon, Target(newest, "idle") as target:
        with daemon.client() as client:
            report = client.call("attach", pid=target.pid)
            with client.probe(target.pid, "idle:ping") as probe:
                target.call("ping", 1)
                probe.calls(1)
            client.call("eval", target=report["target"], expr="1 + 1")
            with pytest.raises(RpcError):
                client.call("attach", pid=4194304)
            client.call("detach", pid=target.pid)
        proc.wait_until(lambda: daemon.lines("detach")[1:], 5, "detach")
        lines = daemon.lines()
    by_event = {}
    for line in lines:
        assert line["daemon"] == daemon.pid
        assert abs(line["time"] - time.time()) < 300
        by_event.setdefault(line["event"], []).append(line)
    attach, failed = by_event["attach"]
    assert (attach["result"], attach["pid"]) == ("ok", target.pid)
    assert (failed["result"], failed["pid"]) == ("no-such-process", 4194304)
    assert (attach["uid"], attach["client"]) == (os.getuid(), os.getpid())
    (added,) = by_event["probe"]
    assert added["where"] == "idle:ping" and added["probe"] == probe.id
    (ended,) = by_event["probe-end"]
    assert ended["reason"] == "removed" and ended["captures"] == 1
    command = [line for line in by_event["command"]
               if line["method"] == "eval"][0]
    assert command["target"] == report["target"]
    assert command["code"] == [{"kind": "expr", "length": 5}]
    left = [line for line in by_event["detach"] if "method" not in line]
    assert left[0]["reason"] == "requested" and left[0]["pid"] == target.pid


def test_the_end_of_a_process_is_told(folder, newest):
    with Audited(folder) as daemon, Target(newest, "idle") as target, \
            daemon.client() as client:
        client.call("attach", pid=target.pid)
        target.stop()
        (line,) = proc.wait_until(lambda: daemon.lines("detach"), 10, "end")
        assert line["reason"] == "target-exit" and line["pid"] == target.pid


def test_no_secret_is_written(folder, newest):
    """Neither what was captured nor what was typed, right or wrong."""
    quoted = repr(SECRET)
    with Audited(folder) as daemon, Target(newest, "idle") as target, \
            daemon.client() as client:
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "idle:echo") as probe:
            target.call("echo", SECRET)
            assert SECRET in repr(probe.calls(1))
        assert SECRET in repr(client.call("eval", pid=target.pid, expr=quoted))
        client.call("exec", pid=target.pid, code="x = " + quoted)
        number = client.call("probe.add", pid=target.pid, kind="break", **{
            "where": "idle:echo", "if": "text == " + quoted,
            "once_per": quoted, "thread": SECRET, "actions": [
                {"eval": quoted}, {"log": SECRET}, {"exec": quoted},
                {"call": "os:getpid"}]})["probe"]
        client.call("probe.actions", probe=number, actions=[{"log": SECRET}])
        for method, params in (
                ("eval", {"expr": quoted + " +"}),
                ("exec", {"code": quoted + " = 1"}),
                ("probe.add", {"kind": "break", "where": "idle:echo",
                               "line": SECRET,
                               "actions": [{"stack": True}]}),
                ("probe.add", {"kind": "break", "where": "idle:echo",
                               "line_regex": SECRET,
                               "actions": [{"stack": True}]}),
                ("probe.add", {"kind": "break", "where": "idle:echo",
                               "actions": [{SECRET: quoted}]}),
                ("probe.add", {"kind": "calls", "callable": SECRET}),
                ("probe.add", {"kind": "break", "where": "idle:echo",
                               "actions": [{"call": SECRET + ":x"}]}),
                ("lines", {"where": "idle:echo", "if": quoted + " ("}),
                (SECRET, {}), ("eval", {"expr": 1, SECRET: 2}),
                ("debug.input", {"probe": number, "session": 9,
                                 "text": SECRET})):
            given = params if method == "debug.input" else dict(
                params, pid=target.pid)
            try:
                client.call(method, **given)
            except RpcError:
                pass
        client.call("detach", pid=target.pid)
        text = daemon.path.read_text() + daemon.messages()
        assert SECRET not in text
        added = [line for line in daemon.lines("probe")
                 if line["result"] == "ok" and line["kind"] == "break"]
        assert {code["kind"] for code in added[0]["code"]} >= {
            "if", "once_per", "eval", "log", "exec", "call"}
        assert {"kind": "log", "length": len(SECRET)} in added[0]["code"]


@needs_root
def test_refusals_are_written_with_the_rule(folder):
    """Also where the client is only told that there is no such thing."""
    with SystemDaemon(folder) as daemon, ALICE.target("idle") as target, \
            ALICE.client(daemon) as alice, BOB.client(daemon) as bob:
        alice.call("attach", pid=target.pid)
        with alice.probe(target.pid, "idle:ping") as probe:
            bob.refusal("attach", pid=target.pid)
            bob.refusal("probe.remove", probe=probe.id)
            bob.refusal("stats")
        lines = daemon.audit("refusal")
        assert [line["method"] for line in lines] == [
            "attach", "probe.remove", "stats"]
        assert {line["uid"] for line in lines} == {BOB.uid}
        assert "kernel" in lines[0]["reason"]
        assert lines[0]["pid"] == lines[1]["pid"] == target.pid
        assert lines[1]["result"] == "no-such-probe"
        (attach,) = daemon.audit("attach")
        assert attach["rule"] == "own" and "exec" in attach["rights"]


# ---- the file ------------------------------------------------------------------------
def many(client, count):
    numbers = [client.request("lines", pid=1, where="a" * 200)
               for _ in range(count)]
    for number in numbers:
        try:
            client.answer(number)
        except RpcError:
            pass


def test_it_stays_within_its_size(folder):
    """All files together, too; every line is whole, and the newest is there."""
    size = 65536
    with Audited(folder, "--audit-size", str(size)) as daemon, \
            daemon.client() as client:
        for _ in range(20):
            many(client, 100)
        client.call("targets")
        files = sorted(folder.glob("audit*"))
        assert [path.name for path in files] == ["audit"] + [
            "audit.%d" % number for number in range(1, 5)]
        for path in files:
            assert path.stat().st_size <= size
            assert path.stat().st_mode & 0o7777 == 0o600
            for line in path.read_text().splitlines():
                json.loads(line)
        assert daemon.lines()[-1]["method"] == "targets"
        assert client.call("stats")["audit_lost"] == 0


def test_moved_by_others_it_is_begun_anew(folder):
    with Audited(folder) as daemon, daemon.client() as client:
        client.call("targets")
        daemon.path.rename(folder / "moved")
        daemon.process.send_signal(signal.SIGHUP)
        proc.wait_until(daemon.path.exists, 10, "a new file")
        client.call("targets")
        assert len(daemon.lines()) == 1
        assert len((folder / "moved").read_text().splitlines()) == 1


@needs_root
def test_a_full_disk_hurts_nobody(folder):
    """What could not be written is counted, and told once there is room."""
    disk = folder / "disk"
    disk.mkdir(mode=0o700)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700",
                           "none", str(disk)], stderr=subprocess.PIPE,
                          universal_newlines=True, check=False)
    if done.returncode:
        pytest.skip("nothing can be mounted here: " + done.stderr)
    try:
        with Daemon(folder, options=(
                "--audit", str(disk / "audit"))) as daemon, \
                daemon.client() as client:
            many(client, 400)
            lost = client.call("stats")["audit_lost"]
            assert lost > 0
            size = (disk / "audit").stat().st_size
            told = sum(json.loads(line).get("count", 0) for line
                       in (disk / "audit").read_text().splitlines())
            (disk / "audit").write_text("")
            client.call("targets")
            first = json.loads((disk / "audit").read_text().splitlines()[0])
            # What was told in the last bytes of room, and the rest.
            assert first["event"] == "lost"
            assert first["count"] + told >= lost > told
            assert size <= 65536
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.parametrize("kind, word", [
    ("link", "symbolic link"), ("fifo", "regular file"),
    ("absent/file", "folder"), ("open", "its folder"), ("", "a path")])
def test_a_file_that_cannot_be_trusted_is_refused(folder, kind, word):
    path = folder / "audit"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "open":
        folder.chmod(0o777)
    elif kind == "absent/file":
        path = folder / kind
    private = folder / "private"
    private.mkdir(mode=0o700)
    done = subprocess.run(
        [str(BUILD / "nopdbd"), "--foreground", "--socket",
         str(private / "sock"), "--audit", str(path) if kind else ""],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
        universal_newlines=True, check=False)
    assert done.returncode in (2, 3, 6), done.stdout
    assert word in done.stdout, done.stdout
    assert not (private / "sock").exists()


# ---- syslog --------------------------------------------------------------------------
def test_syslog(folder):
    """As a log daemon gets it; one that is not there is not missed."""
    place = folder / "log.socket"
    with Daemon(folder, options=("--audit", "syslog:%s" % place)) as daemon, \
            daemon.client() as client:
        client.call("targets")
        assert client.call("stats")["audit_lost"] >= 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(str(place))
            log.settimeout(10)
            client.call("targets")
            got = []
            for _ in range(2):
                head, text = log.recv(8192).decode().split(": ", 1)
                got.append((head, json.loads(text)))
        assert got[0][1]["event"] == "lost" and got[0][1]["count"] >= 2
        assert got[0][0] == "<84>nopdbd[%d]" % daemon.pid
        assert got[1][1]["method"] == "targets"
        assert got[1][0] == "<86>nopdbd[%d]" % daemon.pid
