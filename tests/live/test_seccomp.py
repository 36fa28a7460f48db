# SPDX-License-Identifier: MIT
"""Targets under seccomp filters of their own: entered when these allow what
nopdbd(8) lists, refused before anything is touched when not. Whatever a filter
answers, we never end the target."""
import ast
import os
import re
import time

import pytest

import proc
from breaks import evaluated, hits, stop
from examine import assert_fine, assert_foretold, doctor
from machine import PROGRAMS, ROOT, Target

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root "
                                "(PTRACE_SECCOMP_GET_FILTER)")

ALLOW = 0x7fff0000
TRAP = 0x00030000
EPERM = 0x00050001
ENOSYS = 0x00050026
KILL_THREAD = 0x00000000
KILL_PROCESS = 0x80000000

UNISTD = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
with open(UNISTD) as stream:
    NUMBERS = {name: int(number) for name, number in re.findall(
        r"#define __NR_(\w+)\s+(\d+)", stream.read())}
# What the targets do by themselves, and by order of the tests.
OWN = ("select", "pselect6", "rt_sigaction", "sigaltstack", "clock_nanosleep",
       "exit_group", "seccomp")
RSS_KB = 4000


def documented():
    """The system calls listed in nopdbd(8)."""
    text = (ROOT / "man" / "nopdbd.8").read_text()
    listed = re.search(r"must allow these calls:\n\.Bd[^\n]*\n(.*?)\.Ed", text,
                       re.DOTALL).group(1)
    names = listed.split()
    assert "mmap" in names and "recvmsg" in names
    return names


def numbers(*names):
    return [NUMBERS[name] for name in names]


def trapped(target):
    """Names of the calls that a filter trapped so far."""
    return [name for name, number in NUMBERS.items()
            if number in target.call("trapped")]


def use(client, target):
    """Most of what a client can do."""
    client.call("attach", pid=target.pid)
    limits = {"hits": 0, "rate": 0, "stack": 5}
    with client.probe(target.pid, "caged:ping", limits) as probe:
        assert target.call("ping", 1) == 2
        client.wait(lambda: 2 in [call["return"] for call in probe.calls(1)],
                    10, "our call")
    with stop(client, target.pid, "caged:ping", {"eval": "number"},
              {"exec": "number += 1"}, {"stack": True}) as probe:
        assert target.call("ping", 500) == 502
        client.wait(lambda: [500] in [evaluated(hit) for hit
                                      in hits(probe, 1)], 10, "our hit")
    client.call("detach", pid=target.pid)


def assert_refused(cli, target, *words):
    """By attach and by the doctor alike, and nothing was touched."""
    before = proc.Snapshot(target.pid)
    refusal = cli("calls", target.pid, "caged:ping", "-n", "1")
    assert refusal.status == 6, refusal
    check = assert_foretold(cli, target.pid, "seccomp", refusal, *words)
    assert check["error"] == "seccomp", check
    assert before.differences(proc.Snapshot(target.pid), RSS_KB) == []
    assert target.call("ping", 1) == 2
    target.check()


@pytest.mark.smoke
def test_documented_calls_are_enough(python, client, cli):
    """With anything else trapped, nothing is; then it would be fatal."""
    with Target(python, "caged") as target:
        allowed = numbers(*documented(), *OWN)
        assert target.call("cage", allowed, ALLOW, TRAP, True, True) == 0
        assert_fine(cli, target.pid)
        target.start("work", "worker", name="worker")
        use(client, target)
        assert trapped(target) == []
        assert target.call("cage", allowed, ALLOW, KILL_PROCESS, False,
                           True) == 0
        use(client, target)
        target.check_progress()


def test_restricted_while_attached(python, client):
    """The documented calls are enough from then on, too."""
    with Target(python, "caged") as target:
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "caged:ping", {"hits": 0}) as probe:
            allowed = numbers(*documented(), *OWN)
            assert target.call("cage", allowed, ALLOW, KILL_PROCESS, False,
                               True) == 0
            assert target.call("ping", 1) == 2
            probe.calls(1)
        client.call("detach", pid=target.pid)
        assert target.call("ping", 1) == 2


@pytest.mark.parametrize("answer", [EPERM, ENOSYS, TRAP, KILL_THREAD,
                                    KILL_PROCESS],
                         ids=["eperm", "enosys", "trap", "kill-thread",
                              "kill-process"])
@pytest.mark.parametrize("name", ["socketpair", "recvmsg", "lseek",
                                  "nanosleep"])
def test_needed_call_is_not_allowed(newest, cli, name, answer):
    with Target(newest, "caged") as target:
        assert target.call("cage", numbers(name), answer, ALLOW) == 0
        assert_refused(cli, target, name, "allow %s in the filter" % name)


@pytest.mark.parametrize("answer", [TRAP, KILL_THREAD, KILL_PROCESS],
                         ids=["trap", "kill-thread", "kill-process"])
def test_call_that_may_fail_is_fatal(newest, cli, answer):
    """An error would be accepted, a signal not."""
    with Target(newest, "caged") as target:
        assert target.call("cage", numbers("memfd_create"), answer, ALLOW) == 0
        assert_refused(cli, target, "memfd_create")


@pytest.mark.parametrize("answer", [EPERM, ENOSYS], ids=["eperm", "enosys"])
def test_calls_that_may_fail(python, client, cli, answer):
    """Errors for all of those that nopdbd(8) says it accepts them for; the
    agent then comes in a file. (clone3: the C library itself goes on to clone
    for ENOSYS alone; poll, mremap and brk are the target's own.)"""
    refused = numbers("memfd_create", "prctl", "setsockopt", "getcwd",
                      "sched_getaffinity", "prlimit64", "sched_yield",
                      "set_robust_list", "set_tid_address", "close_range")
    if answer == ENOSYS:
        refused += numbers("clone3")
    with Target(python, "caged") as target:
        assert target.call("cage", refused, answer, ALLOW) == 0
        assert_fine(cli, target.pid)
        use(client, target)
        assert proc.agent_left(target.pid) == []


def test_no_more_threads(newest, cli):
    """A filter under which the C library cannot create threads: known only
    when it is tried, and the program goes on."""
    with Target(newest, "caged") as target:
        before = proc.Snapshot(target.pid)
        assert target.call("cage", numbers("clone3"), EPERM, ALLOW) == 0
        refusal = cli("calls", target.pid, "caged:ping", "-n", "1")
        assert refusal.status == 6, refusal
        assert "pthread_create" in refusal.err
        assert "remedy: the program may create no thread" in refusal.err
        assert before.differences(proc.Snapshot(target.pid), RSS_KB) == []
        assert target.call("ping", 1) == 2


def test_filter_of_one_thread(python, client, cli):
    """A probe would be hit there, and read the clock."""
    with Target(python, "caged") as target:
        target.call("start_thread", "free")
        assert target.call("cage_thread", "caged", numbers("socketpair"),
                           KILL_PROCESS, ALLOW) == 0
        assert_refused(cli, target, "socketpair")
        target.check_progress()


def test_registration_of_sequences(newest, cli):
    """glibc ends the program when it can register them no more; we do not
    make it try."""
    with Target(newest, "caged") as target:
        assert target.call("cage", numbers("rseq"), EPERM, ALLOW) == 0
        assert_refused(cli, target, "rseq")


BEFORE_EXEC = """
import ctypes, os, sys
number = (ctypes.c_int * 1)(int(sys.argv[2]))
assert ctypes.CDLL(sys.argv[1]).cage(number, 1, 0, ctypes.c_uint(%d),
                                     ctypes.c_uint(%d), 0) == 0
os.execv(sys.argv[3], sys.argv[3:])
""" % (EPERM, ALLOW)


def test_sequences_that_never_could_be_registered(newest, client, cli):
    """As under an old container manager: glibc saw that when it started, and
    does not try again."""
    prefix = ("/usr/bin/python3", "-c", BEFORE_EXEC, PROGRAMS / "cage.so",
              NUMBERS["rseq"])
    with Target(newest, "caged", prefix=prefix) as target:
        assert_fine(cli, target.pid)
        use(client, target)


def test_harmless_filter_of_one_thread(python, client, cli):
    with Target(python, "caged") as target:
        target.call("start_thread", "free")
        assert target.call("cage_thread", "caged", numbers("reboot"),
                           KILL_PROCESS, ALLOW) == 0
        assert_fine(cli, target.pid)
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "caged:ping",
                          {"hits": 0, "rate": 0}) as probe:
            client.wait(lambda: {call["thread"]["name"] for call
                                 in probe.calls(1)} >= {"caged", "free"}, 10,
                        "calls of both threads")
        client.call("detach", pid=target.pid)
        target.check_progress()


def test_interrupted_wait_fails_not(newest, client):
    interrupt_a_wait(newest, client, EPERM)


def test_interrupted_wait(python, client):
    interrupt_a_wait(python, client, KILL_PROCESS)


def interrupt_a_wait(python, client, answer):
    """The kernel goes on with a timed wait after a stop by a system call of
    its own, restart_syscall, which a filter sees as well: the program never
    makes it, and need not have allowed it."""
    with Target(python, "caged") as target:
        assert target.call("cage", numbers("restart_syscall"), answer,
                           ALLOW) == 0
        target.send(call="wait", args=[0.8])
        time.sleep(0.1)
        for _ in range(3):
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)
        ended, seconds = ast.literal_eval(target.read()["result"])
        assert not ended
        assert 0.8 <= seconds < 10


def test_strict_mode(newest, cli):
    with Target(newest, "caged") as target:
        target.call("strict_thread")
        proc.wait_until(lambda: any(
            thread_mode(target.pid, tid) == "1"
            for tid in proc.threads(target.pid)), 5, "strict mode")
        assert_refused(cli, target, "strict")


def thread_mode(pid, tid):
    with open("/proc/%d/task/%d/status" % (pid, tid)) as stream:
        return re.search(r"^Seccomp:\s*(\d)", stream.read(), re.M).group(1)


def test_ps_stops_nobody(newest, cli):
    """It lists; only the doctor and attach look into filters."""
    with Target(newest, "caged") as target:
        assert target.call("cage", numbers("socketpair"), EPERM, ALLOW) == 0
        assert str(target.pid) in cli("ps").out
        assert doctor(cli, target.pid)[1]["seccomp"]["result"] == "fail"
