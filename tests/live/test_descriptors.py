# SPDX-License-Identifier: MIT
"""A program's descriptors have numbers that it relies on: ours are not among
them, and what it opens in place of one that it closed is left alone."""
import ast
import os
import select
import signal
import subprocess

import pytest

import proc
from machine import Target

MOST = 512  # ours need not be above it


def ours(pid, before):
    """Descriptors that came with the agent."""
    return {int(name) for name in os.listdir("/proc/%d/fd" % pid)} - before


def taken(target, client):
    """The descriptors that were ours while we were in a program; all are gone
    afterwards."""
    before = ours(target.pid, set())
    client.call("attach", pid=target.pid)
    found = ours(target.pid, before)
    client.call("detach", pid=target.pid)
    assert found and ours(target.pid, before) == set()
    return found


def table_size(target):
    """For so many descriptors the kernel has room; it never has less."""
    return int(proc.status_field(target.pid, "FDSize"))


@pytest.mark.smoke
def test_numbers_are_the_programs(python, client):
    """CPython's test_subprocess found it: a socket of ours became 0, 1 or 2
    while the program had it closed, and the program's own was closed later."""
    with Target(python, "descriptors") as target:
        target.send(call="redirect", args=[1.5])
        attached = 0
        while not select.select([target.process.stdout], [], [], 0)[0]:
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)
            attached += 1
        rounds, bad = ast.literal_eval(target.read()["result"])
        assert attached and rounds
        assert bad == []


def test_ours_are_high(python, client):
    """And the table does not grow: the kernel lets whoever makes it grow wait,
    for seconds on a busy machine."""
    with Target(python, "idle") as target:
        size = table_size(target)
        assert min(taken(target, client)) >= min(size // 2, MOST)
        assert table_size(target) == size


def test_ours_are_higher_in_a_large_table(newest, client):
    with Target(newest, "descriptors") as target:
        target.call("redirect", 0.05)   # has used number 400
        assert min(taken(target, client)) >= 256


def test_a_table_that_is_full(newest, client):
    """It grows, and they come behind all others."""
    with Target(newest, "descriptors") as target:
        target.call("fill", 64)
        assert min(taken(target, client)) >= 64


def test_few_descriptors_allowed(newest, client):
    """Below the limit on their number there is room still."""
    with Target(newest, "idle", prefix=("prlimit", "--nofile=40")) as target:
        assert min(taken(target, client)) >= 3


def strace(target, path, then):
    """What its threads ask of the kernel while then() runs."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-e", "trace=openat,mmap,madvise", "-o", str(path),
         "-p", str(target.pid)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        proc.wait_until(lambda: {
            proc.status_field(tid, "TracerPid")
            for tid in proc.threads(target.pid)} == {str(tracer.pid)},
            20, "strace")
        then()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)
    return path.read_text()


def test_memory_that_goes_back(python, client, tmp_path):
    """glibc opens a file, with the lowest number, when a thread other than
    the first gives memory back for the first time: not in our thread."""
    with Target(python, "idle") as target:
        client.call("attach", pid=target.pid)
        if python.version < (3, 9):
            # Their threads end in pthread_exit, which loads libgcc_s once.
            client.call("eval", pid=target.pid, expr="1")
        seen = strace(target, tmp_path / "calls", lambda: client.call(
            "eval", pid=target.pid,
            expr="len([bytes(100000) for _ in range(9)])"))
        assert "MADV_DONTNEED" in seen or "MAP_FIXED" in seen
        assert "openat" not in seen
        client.call("detach", pid=target.pid)
