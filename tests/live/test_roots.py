# SPDX-License-Identifier: MIT
"""Targets whose root is not ours: chroot, containers, an older C library, no
/proc, nothing to write to. Each rung of the ladder by which the agent gets
there, and the refusal when there is none."""
import os
import pathlib

import pytest

import proc
from examine import assert_fine, assert_foretold
from jail import OTHERS_PROC, SHOW_PROC, Jail, agent_path, bullseye, leftovers, root_of

MEMFD = "/memfd:nopdb-agent"
OWN_FIRST_ATTACH_KB = 4000

pytestmark = pytest.mark.skipif(os.getuid() != 0,
                                reason="needs root (mount, chroot)")

# Name -> steps, pid namespace, user namespace, where the agent comes from.
LADDER = {
    "proc": ([SHOW_PROC, "small /tmp ,noexec", "small /var/tmp ,noexec"],
             False, False, MEMFD),
    "container": ([SHOW_PROC], True, True, MEMFD),
    "read-only": ([SHOW_PROC, 'mount -o remount,bind,ro "$new"'],
                  True, False, MEMFD),
    "memfd-noexec-1": ([SHOW_PROC, "echo 1 >/proc/sys/vm/memfd_noexec"],
                       True, False, MEMFD),
    "memfd-noexec-2": ([SHOW_PROC, "echo 2 >/proc/sys/vm/memfd_noexec"],
                       True, False, MEMFD),
    "no-proc": (["small /tmp"], False, False, "/tmp/.nopdb-"),
    "no-proc-for-nobody": (["small /tmp"], True, True, "/tmp/.nopdb-"),
    "noexec-tmp": (["small /tmp ,noexec", "small /var/tmp"], False, False,
                   "/var/tmp/.nopdb-"),
    "read-only-no-proc": (["small /dev/shm",
                           'mount -o remount,bind,ro "$new"'],
                          False, False, "/dev/shm/.nopdb-"),
    # A /proc of another pid namespace, whose "self" leads nowhere.
    "others-proc": ([OTHERS_PROC, "small /tmp"], False, False,
                    "/tmp/.nopdb-"),
    # Seen only when it was tried: then a file is the second choice.
    "hidden-descriptors": ([SHOW_PROC, "small /proc/1/fd", "small /tmp"],
                           True, False, "/tmp/.nopdb-"),
}
ONE_OF_EACH = ("container", "no-proc")
NOWHERE = ["small /tmp ,noexec", "small /var/tmp ,noexec",
           "small /dev/shm ,noexec", 'mount -o remount,bind,ro "$new"']


def jail(name, root):
    steps, pids, user, _ = LADDER[name]
    return Jail(root, steps, pids, user)


def visit(client, target, expected):
    """Attach, one probe, one call, detach; nothing is left."""
    threads = proc.threads(target.pid)
    client.call("attach", pid=target.pid)
    paths = agent_path(target.pid)
    with client.probe(target.pid, "idle:ping") as probe:
        assert target.call("ping", 41) == 42
        assert probe.calls(1)[0]["return"] == 42
    client.call("detach", pid=target.pid)
    proc.wait_agent_gone(target.pid, threads)
    assert paths and all(path.startswith(expected) for path in paths), paths
    assert leftovers(target.pid) == []


def enter_twice(client, cli, target, expected):
    """The second visit finds what the first left in allocators and caches."""
    assert_fine(cli, target.pid)
    visit(client, target, expected)
    before = proc.Snapshot(target.pid)
    visit(client, target, expected)
    assert before.differences(proc.Snapshot(target.pid),
                              OWN_FIRST_ATTACH_KB) == []


@pytest.mark.smoke
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_root(python, client, cli, name):
    root, within = root_of(python)
    with jail(name, root).target(within) as target:
        enter_twice(client, cli, target, LADDER[name][3])


@pytest.mark.parametrize("name", [name for name in LADDER
                                  if name not in ONE_OF_EACH])
def test_ladder(newest, client, cli, name):
    with jail(name, "/").target(newest) as target:
        enter_twice(client, cli, target, LADDER[name][3])


@pytest.mark.parametrize("name", LADDER)
def test_older_c_library(client, cli, name):
    """Debian bullseye: glibc 2.31, whose libpthread and libdl are files of
    their own."""
    found = bullseye()
    if found is None:
        pytest.skip("no Debian bullseye: see scripts/bullseye-root")
    root, within = found
    with jail(name, root).target(within) as target:
        assert any("libpthread-2.31.so" in path
                   for _, path in proc.maps(target.pid))
        enter_twice(client, cli, target, LADDER[name][3])


@pytest.mark.parametrize("steps", [[], [OTHERS_PROC]],
                         ids=["no-proc", "others-proc"])
def test_no_place_for_the_agent(newest, cli, steps):
    """No /proc of its own and no folder to execute from: refused before
    anything is touched, and foretold."""
    with Jail("/", steps + NOWHERE).target(newest) as target:
        before = proc.Snapshot(target.pid)
        refusal = cli("calls", target.pid, "idle:ping", "-n", "1")
        assert refusal.status == 6, refusal
        assert_foretold(cli, target.pid, "agent-file", refusal,
                        "/proc", "noexec")
        assert before.differences(proc.Snapshot(target.pid),
                                  OWN_FIRST_ATTACH_KB) == []
        assert leftovers(target.pid) == []
        assert target.call("ping", 1) == 2


def test_symlinks_of_the_root_stay_within(newest, client, folder):
    """/tmp of the target may lead anywhere: never into our root."""
    outside = pathlib.Path(folder) / "outside"
    outside.mkdir()
    steps = ["small /tmp", 'mkdir "$new/tmp/own"',
             'mount -t tmpfs -o mode=1777 nopdb-test "$new/var"',
             'ln -s %s "$new/var/tmp"' % outside,
             'mount -o remount,noexec "$new/tmp"', "small /dev/shm"]
    with Jail("/", steps).target(newest) as target:
        visit(client, target, "/dev/shm/.nopdb-")
        assert list(outside.iterdir()) == []
