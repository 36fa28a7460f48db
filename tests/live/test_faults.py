# SPDX-License-Identifier: MIT
"""A call of the daemon fails: a clean error, the daemon serves on, the target
is as before (faults.py; docs/faults.md has every call). And the machine is out
of something for longer than a call.

NOPDB_FAULTS_MOST  calls of each function that fail (3)
"""
import os
import resource
import shutil
import tempfile

import pytest

import faults
import proc
from machine import BUILD, Daemon, Target
from rpc import RpcError

MOST = int(os.environ.get("NOPDB_FAULTS_MOST", "3"))
# Those whose failure is waited for.
SLOW = ("ptrace", "process_vm_readv", "process_vm_writev")


@pytest.fixture(scope="module")
def fields(newest):
    """A function that gives the field, anew after one that broke."""
    made = []

    def give():
        if not made or made[-1][1].daemon.process.poll() is not None:
            folder = tempfile.mkdtemp(prefix="nopdb-")
            made.append((folder, faults.Field(folder, newest)))
        return made[-1][1]

    yield give
    for folder, field in made:
        field.target.stop()
        field.daemon.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shared(newest):
    folder = tempfile.mkdtemp(prefix="nopdb-")
    with faults.SharedField(folder, newest) as field:
        yield field
    shutil.rmtree(folder, ignore_errors=True)


def sanitized():
    return BUILD.name in ("asan", "tsan")


@pytest.mark.skipif(sanitized(), reason="a sanitizer wants to be loaded first")
@pytest.mark.parametrize("path", ["work", "look"])
@pytest.mark.parametrize("name", faults.FAULTS)
def test_one_call_fails(fields, name, path):
    field = fields()
    errors = faults.FAULTS[name]
    if name in SLOW and MOST == 3:
        errors = errors[:1]
    (calls, rows) = faults.sweep_one(field, path, name, errors, MOST)
    assert calls == 0 or rows
    for row in rows:
        assert sum(row.kinds.values()) <= row.calls


@pytest.mark.skipif(sanitized(), reason="a sanitizer wants to be loaded first")
@pytest.mark.parametrize("name", faults.SHARED)
def test_one_call_fails_of_a_shared_daemon(shared, name):
    """Who may what is not known for a moment: nobody gets more for that."""
    calls, rows = faults.sweep_one(shared, "work", name,
                                   faults.FAULTS[name][:1], 2)
    assert calls and rows


def limit_files(daemon, more):
    """So many more descriptors than it has."""
    have = len(proc.fds(daemon.pid))
    hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (have + more, hard))
    return hard


def test_no_descriptor_left(daemon, newest):
    """Whatever the number that is left: refused with the reason, or done."""
    with Target(newest, "zoo") as target:
        threads = proc.threads(target.pid)
        before = proc.Snapshot(target.pid)
        refused = 0
        for more in range(14):
            with daemon.client() as client:
                client.call("hello", client="test")
                hard = limit_files(daemon, more)
                try:
                    client.call("attach", pid=target.pid)
                except RpcError as error:
                    assert "Too many open files" in error.message, error
                    assert error.name not in faults.BLAMES, error.name
                    refused += 1
                finally:
                    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE,
                                     (hard, hard))
            proc.wait_agent_gone(target.pid, threads)
        assert refused >= 3
        with daemon.client() as client:
            client.call("attach", pid=target.pid)
            with client.probe(target.pid, "zoo:add") as probe:
                assert target.call("add", 1, 1) == 2
                probe.calls(1)
            client.call("detach", pid=target.pid)
        proc.wait_agent_gone(target.pid, threads)
        assert not before.differences(proc.Snapshot(target.pid), 8000, 3)


def test_no_memory_left(daemon, newest):
    """The daemon's address space is at its end."""
    with Target(newest, "zoo") as target:
        threads = proc.threads(target.pid)
        size = int(proc.status_field(daemon.pid, "VmSize").split()[0])
        names = set()
        for more in (0, 64, 256, 1024, 4096, 16384):
            with daemon.client() as client:
                client.call("hello", client="test")
                resource.prlimit(daemon.pid, resource.RLIMIT_AS, (
                    (size + more) * 1024, resource.RLIM_INFINITY))
                try:
                    client.call("attach", pid=target.pid)
                except RpcError as error:
                    names.add(error.name)
                except (EOFError, ConnectionError):
                    names.add("closed")
                finally:
                    resource.prlimit(daemon.pid, resource.RLIMIT_AS, (
                        resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            proc.wait_agent_gone(target.pid, threads)
        assert names and names <= {"no-memory", "system", "closed"}, names
        with daemon.client() as client:
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)


def test_log_on_a_full_disk(folder, newest):
    """What cannot be written is lost; the work is done."""
    with Target(newest, "zoo") as target:
        with Daemon(folder, log="/dev/full") as daemon:
            with daemon.client() as client:
                client.call("attach", pid=target.pid)
                with client.probe(target.pid, "zoo:add") as probe:
                    assert target.call("add", 1, 1) == 2
                    probe.calls(1)
                client.call("detach", pid=target.pid)
