# SPDX-License-Identifier: MIT
"""A program that only begins, from its exec on: whenever it is asked for, it
is not harmed, and what is said is that it begins, never that it is none of
ours."""
import os
import subprocess
import time

import pytest

import proc
from examine import assert_foretold
from machine import PROGRAMS
from rpc import RpcError

SLEEP = ("-c", "import time; time.sleep(99)")
NANOSLEEP = 35  # x86-64
SLOW_SECONDS = 2  # as in slow_start.c
PROGRAMS_BEGUN = 30
SPAWN = """
import subprocess, threading, time
threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
done = subprocess.run(["echo", "well"], start_new_session=True,
                      stdout=subprocess.PIPE)
print(done.stdout.decode(), end="", flush=True)
time.sleep(99)
"""
BEGINS = {"busy", "finalizing", "no-safe-thread", "timeout"}


def attach_when_possible(client, pid):
    """What was said until then."""
    said = []

    def attach():
        try:
            return client.call("attach", pid=pid)
        except RpcError as error:
            said.append(error)
    proc.wait_until(attach, 20, "attach")
    return said


def sleeps(pid):
    with open("/proc/%d/syscall" % pid) as file:
        return file.read().startswith("%d " % NANOSLEEP)


@pytest.mark.parametrize("method, allowed", [("attach", BEGINS),
                                             ("stack", {"busy", "system"})])
def test_at_once(client, child, newest, method, allowed):
    """Its memory has nothing in it yet, or not all: for some microseconds on
    an idle machine, for longer on a busy one."""
    for _ in range(PROGRAMS_BEGUN):
        begun = child(newest.path, *SLEEP)
        try:
            client.call(method, pid=begun.pid)
        except RpcError as error:
            assert error.name in allowed, error
        assert begun.poll() is None
        begun.kill()


def test_before_libc(client, child, newest):
    """What is there of it is a Python, without a C library."""
    begun = child(newest.path, *SLEEP, env=dict(
        os.environ, LD_AUDIT=str(PROGRAMS / "late_libc.so")))
    said = attach_when_possible(client, begun.pid)
    client.call("detach", pid=begun.pid)
    assert {error.name for error in said} <= BEGINS, said
    busy = [error for error in said if error.name == "busy"]
    assert busy and busy[-1].remedy == "try again", said
    assert "only begun" in str(busy[-1]), busy
    assert str(begun.pid) in str(busy[-1]), busy
    assert begun.poll() is None


def test_linker(client, child, newest):
    """Its first thread has no thread-local memory while the dynamic linker
    relocates, and is no Python's while that calls constructors, and
    destructors: none of these is a place to enter at."""
    started = time.monotonic()
    slow = child(newest.path, "-c", "import sys; sys.stdin.read()",
                 stdin=subprocess.PIPE, env=dict(
                     os.environ, LD_PRELOAD=str(PROGRAMS / "slow_start.so")))
    said = attach_when_possible(client, slow.pid)
    assert time.monotonic() - started > 2 * SLOW_SECONDS
    assert {error.name for error in said} <= BEGINS, said
    names = [error.name for error in said
             if error.name not in ("busy", "timeout")]
    assert names[:1] in ([], ["no-safe-thread"]), said
    client.call("detach", pid=slow.pid)
    slow.stdin.close()
    proc.wait_until(lambda: sleeps(slow.pid), 10, "destructor")
    with pytest.raises(RpcError) as caught:
        client.call("attach", pid=slow.pid)
    assert caught.value.name in ("no-safe-thread", "timeout", "zombie",
                                 "no-such-process",
                                 "target-exited"), caught.value
    assert slow.wait() == 0


def test_vfork(client, cli, child, newest, tmp_path):
    """Until it runs another program it is in its parent's memory: what entered
    it would be in both."""
    def children():
        with open("/proc/%d/task/%d/children" % (parent.pid,
                                                 parent.pid)) as file:
            return [int(word) for word in file.read().split()]
    parent = child(newest.path, "-c", SPAWN, stdout=subprocess.PIPE, env=dict(
        os.environ, LD_PRELOAD=str(PROGRAMS / "slow_spawn.so"),
        SLOW_SPAWN=str(tmp_path / "go on")))
    spawned = proc.wait_until(children, 10, "child")[0]
    proc.wait_until(lambda: sleeps(spawned), 10, "setsid")
    refusal = cli("calls", spawned, "f", "-n", "1")
    assert refusal.status == 6, refusal
    assert_foretold(cli, spawned, "memory", refusal, spawned, parent.pid,
                    "vfork", "try again")
    for method in ("attach", "stack"):
        with pytest.raises(RpcError) as caught:
            client.call(method, pid=spawned)
        assert caught.value.name == "busy", caught.value
    client.call("attach", pid=parent.pid)
    client.call("detach", pid=parent.pid)
    (tmp_path / "go on").touch()
    assert parent.stdout.readline() == b"well\n"
    assert parent.poll() is None and proc.agent_left(parent.pid) == []
