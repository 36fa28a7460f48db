# SPDX-License-Identifier: MIT
"""Processes that may not or cannot be entered now: attach refuses with cause,
remedy and exit code, the doctor says the same beforehand, in text and JSON,
and the process goes on as if nothing had happened."""
import os
import pathlib
import resource
import signal
import subprocess
import time

import pytest

import proc
from control_group import Group
from examine import assert_fine, assert_foretold, doctor
from machine import BUILD, Command, Daemon, Interpreter, Target
from rpc import RpcError

DEBIAN = Interpreter("debian", None, "/usr/bin/python3")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
GAMES = ("setpriv", "--reuid=5", "--regid=60", "--clear-groups")
NO_PTRACE = ("setpriv", "--bounding-set=-sys_ptrace")
RSS_KB = 2000

needs_root = pytest.mark.skipif(os.getuid() != 0,
                                reason="needs root (setpriv, cgroups)")


def assert_refused(cli, pid, status, check, error, *words):
    """By attach, and beforehand by the doctor."""
    refusal = cli("calls", pid, "idle:ping", "-n", "1")
    assert refusal.status == status, refusal
    found = assert_foretold(cli, pid, check, refusal, *words)
    assert found["error"] == error, found


def assert_entered(cli, pid):
    """Nothing is in the way any more."""
    assert_fine(cli, pid)
    done = cli("calls", pid, "idle:ping", "-t", "100ms")
    assert done.status == 1, done


# ---- states --------------------------------------------------------------------------
def test_stopped(newest, cli):
    with Target(newest, "idle") as target:
        target.signal(signal.SIGSTOP)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "stop")
        assert_refused(cli, target.pid, 6, "state", "stopped", target.pid,
                       "kill -CONT %d" % target.pid)
        assert proc.state(target.pid) == "T"
        target.signal(signal.SIGCONT)
        assert_entered(cli, target.pid)


def test_zombie(cli):
    child = subprocess.Popen(["true"])
    proc.wait_until(lambda: proc.state(child.pid) == "Z", 5, "zombie")
    assert_refused(cli, child.pid, 4, "process", "zombie", child.pid, "parent")
    child.wait()
    assert_refused(cli, child.pid, 4, "process", "no-such-process", child.pid,
                   "nopdb ps")


@pytest.mark.parametrize("command", [
    ("strace", "-f", "-o", "/dev/null", "-p"),
    ("gdb", "-q", "-nx", "-batch-silent", "-ex", "continue", "-p")],
    ids=["strace", "gdb"])
def test_another_tracer(newest, cli, command):
    with Target(newest, "idle") as target:
        tracer = subprocess.Popen([*command, str(target.pid)],
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            # gdb is there once the program goes on under it.
            proc.wait_until(lambda: proc.status_field(
                target.pid, "TracerPid") != "0" and proc.state(
                    target.pid) == "S", 30, command[0])
            assert target.call("ping", 1) == 2
            assert_refused(cli, target.pid, 6, "tracer", "already-traced",
                           proc.status_field(target.pid, "TracerPid"),
                           command[0], "end that debugger")
        finally:
            tracer.send_signal(signal.SIGINT if command[0] == "strace"
                               else signal.SIGTERM)
            tracer.wait(20)
        proc.wait_until(lambda: proc.status_field(
            target.pid, "TracerPid") == "0", 10, "departure")
        assert_entered(cli, target.pid)


def test_tracer_that_holds_it_stopped(newest, cli):
    """In a stop under a debugger: traced comes first, for there is the
    remedy."""
    with Target(newest, "idle") as target:
        tracer = subprocess.Popen(
            ["gdb", "-q", "-nx", "-p", str(target.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            proc.wait_until(lambda: proc.state(target.pid) == "t", 30, "gdb")
            assert_refused(cli, target.pid, 6, "tracer", "already-traced",
                           "gdb")
        finally:
            tracer.stdin.close()
            tracer.wait(20)
        assert_entered(cli, target.pid)


# ---- control groups ------------------------------------------------------------------
@needs_root
@pytest.mark.parametrize("above", [False, True], ids=["own", "above"])
@pytest.mark.parametrize("version", [1, 2])
def test_frozen(newest, cli, version, above):
    """By its own group, or by one above."""
    with Target(newest, "busy") as target, Group(version) as group:
        folder = group.path if above else group.inner
        group.move(target.pid, group.inner)
        group.freeze(folder, True)
        before = proc.Snapshot(target.pid)
        refusal = cli("calls", target.pid, "busy:work_*", "-n", "1")
        assert refusal.status == 6, refusal
        check = assert_foretold(cli, target.pid, "state", refusal, "frozen",
                                group.inner.name, "thaw")
        assert check["error"] == "stopped"
        assert before.differences(proc.Snapshot(target.pid),
                                  RSS_KB) == []
        group.freeze(folder, False)
        assert_fine(cli, target.pid)
        assert cli("calls", target.pid, "busy:work_*", "-n",
                   "1").status == 0
        target.check_progress()


def limit_memory(group, left):
    """Allows so many bytes more than are used."""
    use, limit = {1: ("memory.usage_in_bytes", "memory.limit_in_bytes"),
                  2: ("memory.current", "memory.max")}[group.version]
    if not (group.path / limit).exists():
        pytest.skip("no control of memory in version %d" % group.version)
    used = int((group.path / use).read_text())
    (group.path / limit).write_text(str(used + left))


@needs_root
@pytest.mark.parametrize("version", [1, 2])
def test_little_memory(newest, cli, version):
    """What we take of it would be the end of the process."""
    with Target(newest, "busy") as target, \
            Group(version, "memory") as group:
        group.move(target.pid, group.inner)
        limit_memory(group, 3 << 20)
        refusal = cli("calls", target.pid, "busy:work_*", "-n", "1")
        check = assert_foretold(cli, target.pid, "room", refusal,
                                group.path.name, target.pid, "nopdb stack")
        assert check["error"] == "no-memory", check
        assert cli("stack", target.pid).status == 0
        limit_memory(group, 64 << 20)
        assert_fine(cli, target.pid)
        assert cli("calls", target.pid, "busy:work_*", "-n",
                   "1").status == 0
        target.check_progress()


@needs_root
@pytest.mark.parametrize("version", [1, 2])
def test_little_memory_locked(newest, cli, version):
    with Target(newest, "locked") as target, \
            Group(version, "memory") as group:
        assert target.call("lock_all") == 0
        group.move(target.pid, group.inner)
        limit_memory(group, 20 << 20)
        refusal = cli("calls", target.pid, "locked:tick", "-n", "1")
        check = assert_foretold(cli, target.pid, "room", refusal,
                                group.path.name, "48 MiB")
        assert check["error"] == "no-memory", check
        limit_memory(group, 128 << 20)
        assert_fine(cli, target.pid)
        assert cli("eval", target.pid, "1 + 1").status == 0


@needs_root
def test_limit_of_locked_memory(newest, cli):
    with Target(newest, "locked") as target:
        assert target.call("lock_all") == 0
        assert_fine(cli, target.pid)
        assert target.call("give_up_right") == 0
        refusal = cli("calls", target.pid, "locked:tick", "-n", "1")
        check = assert_foretold(cli, target.pid, "room", refusal,
                                "locked memory", "256 MiB",
                                "prlimit --memlock")
        assert check["error"] == "no-memory", check


@pytest.mark.parametrize("which, field, needed", [
    (resource.RLIMIT_AS, "VmSize", 256), (resource.RLIMIT_DATA, "VmData", 32)],
                         ids=["space", "data"])
def test_limits(newest, cli, which, field, needed):
    with Target(newest, "busy") as target:
        used = int(proc.status_field(target.pid, field).split()[0]) << 10
        _, most = resource.prlimit(target.pid, which)
        resource.prlimit(target.pid, which, (used + (16 << 20), most))
        refusal = cli("calls", target.pid, "busy:work_*", "-n", "1")
        check = assert_foretold(cli, target.pid, "room", refusal, "limit",
                                target.pid, "%d MiB" % needed, "prlimit")
        assert check["error"] == "no-memory", check
        resource.prlimit(target.pid, which, (used + (512 << 20), most))
        assert_fine(cli, target.pid)
        assert cli("calls", target.pid, "busy:work_*", "-n",
                   "1").status == 0
        target.check_progress()


@needs_root
@pytest.mark.parametrize("version", [1, 2])
def test_frozen_in_the_middle(newest, folder, version):
    """Frozen between the check and the entry, again and again: the attach
    fails or not, the program goes on once it is thawed, and nothing of ours
    stays."""
    options = ["--timeout", "call=300", "--timeout", "interrupt=300",
               "--timeout", "search=300", "--timeout", "handshake=300"]
    with Daemon(folder, options=options) as daemon, \
            daemon.client() as client, \
            Target(newest, "busy") as target, Group(version) as group:
        group.move(target.pid, group.inner)
        threads = proc.threads(target.pid)
        outcomes = set()
        for turn in range(6):
            number = client.request("attach", pid=target.pid)
            time.sleep(0.0015 * turn)
            group.freeze(group.inner, True)
            time.sleep(0.4)
            group.freeze(group.inner, False)
            try:
                client.answer(number)
                outcomes.add("entered")
                client.call("detach", pid=target.pid)
            except RpcError as error:
                outcomes.add(error.name)
                assert error.name in ("stopped", "timeout", "busy",
                                      "no-safe-thread", "agent"), error
            proc.wait_agent_gone(target.pid, threads, 15)
            target.check_progress()
        print(outcomes)


# ---- permission ----------------------------------------------------------------------
class Unprivileged:
    """A daemon started with some prefix, and the command for it."""

    def __init__(self, folder, prefix):
        os.chmod(folder, 0o755)
        self.folder = folder / "private"
        self.folder.mkdir()
        self.socket = self.folder / "sock"
        self.prefix = prefix

    def __enter__(self):
        uid = dict(word.lstrip("-").split("=", 1) for word in self.prefix[1:]
                   if "=" in word).get("reuid", "0")
        os.chown(self.folder, int(uid), -1)
        self.process = subprocess.Popen(
            [*self.prefix, str(BUILD / "nopdbd"), "--foreground", "--socket",
             str(self.socket)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        proc.wait_until(self.socket.exists, 10, "socket")
        return Command(self.socket)

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(20)


@needs_root
def test_other_user(newest, folder):
    with Unprivileged(folder, NOBODY) as cli, Target(newest, "idle") as target:
        assert_refused(cli, target.pid, 3, "permission", "not-permitted",
                       target.pid, "user 65534", "user 0", "as root")
        assert target.call("ping", 1) == 2


@needs_root
def test_another_unprivileged_user(folder):
    with Unprivileged(folder, NOBODY) as cli, \
            Target(DEBIAN, "idle", prefix=GAMES) as target:
        assert_refused(cli, target.pid, 3, "permission", "not-permitted",
                       "user 5", "run as that user")
        assert target.call("ping", 1) == 2


@needs_root
def test_root_without_the_capability(folder):
    """As in a container, and as under Yama, which asks for it as well: root
    alone is not enough for the process of another user."""
    with Unprivileged(folder, NO_PTRACE) as cli, \
            Target(DEBIAN, "idle", prefix=NOBODY) as target:
        assert_refused(cli, target.pid, 3, "permission", "not-permitted",
                       "user 65534", "CAP_SYS_PTRACE")
        assert target.call("ping", 1) == 2


@needs_root
def test_root_without_the_capability_and_a_privileged_target(folder, newest):
    with Unprivileged(folder, NO_PTRACE) as cli, \
            Target(newest, "idle") as target:
        assert_refused(cli, target.pid, 3, "permission", "not-permitted",
                       "CAP_SYS_PTRACE")
        assert target.call("ping", 1) == 2


@needs_root
def test_not_dumpable(folder, cli):
    """Not for its own user; root may."""
    with Unprivileged(folder, NOBODY) as nobody, \
            Target(DEBIAN, "dumpable", prefix=NOBODY) as target:
        assert_fine(nobody, target.pid)
        assert target.call("set_dumpable", 0) == 0
        assert_refused(nobody, target.pid, 3, "permission", "not-permitted",
                       "not dumpable", "run as root")
        assert_fine(cli, target.pid)
        done = cli("calls", target.pid, "dumpable:ping", "-t", "100ms")
        assert done.status == 1, done
        assert target.call("ping", 1) == 2


@needs_root
def test_filter_without_privileges(folder):
    """Who may enter, but may not read filters, is not let to guess."""
    with Unprivileged(folder, NOBODY) as cli, \
            Target(DEBIAN, "caged", prefix=NOBODY) as target:
        assert_fine(cli, target.pid)
        assert target.call("cage", [], 0x7fff0000, 0x7fff0000) == 0
        refusal = cli("calls", target.pid, "caged:ping", "-n", "1")
        assert refusal.status == 6, refusal
        check = assert_foretold(cli, target.pid, "seccomp", refusal,
                                "without privileges", "as root")
        assert check["error"] == "seccomp"
        assert target.call("ping", 1) == 2


@needs_root
def test_interrupted_waits_go_on_for_all_users(folder):
    """A timed wait that was stopped goes on for the time that is left (the
    kernel's restart_syscall), unless a filter stands against that. Who may not
    read filters still tells that there is none."""
    with Unprivileged(folder, NOBODY) as cli, \
            Target(DEBIAN, "caged", prefix=NOBODY) as target:
        target.send(call="poll", args=[60])
        proc.wait_until(lambda: system_call(target.pid) == "7", 5, "poll")
        done = cli("calls", target.pid, "caged:ping", "-t", "50ms")
        assert done.status == 1, done
        proc.wait_until(lambda: system_call(target.pid) == "219", 5,
                        "restart_syscall")
        target.ended = True


def system_call(pid):
    """The number of the call that the main thread is in."""
    return pathlib.Path("/proc/%d/syscall" % pid).read_text().split()[0]


# ---- the doctor itself -----------------------------------------------------------------
def test_all_is_well(python, cli):
    with Target(python, "idle") as target:
        checks = assert_fine(cli, target.pid)
        for name in ("kernel", "process", "permission", "tracer", "memory",
                     "state", "room", "seccomp", "cpu", "python", "version", "symbols",
                     "threads", "agent-file", "agent"):
            assert checks[name]["result"] == "ok", checks[name]


def test_more_than_one_reason(newest, cli):
    """All of them are told; the exit code is the first one's, as attach's."""
    with Target(newest, "caged") as target:
        assert target.call("cage", [], 0x7fff0000, 0x7fff0000) == 0
        target.signal(signal.SIGSTOP)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "stop")
        status, checks = doctor(cli, target.pid)
        assert status == 6
        assert checks["state"]["error"] == "stopped"
        assert checks["seccomp"]["result"] == "unknown"
        target.signal(signal.SIGCONT)
        assert_fine(cli, target.pid)
