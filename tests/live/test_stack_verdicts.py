# SPDX-License-Identifier: MIT
"""nopdb stack: programs that are held up from outside, or not at all."""
import os
import signal
import subprocess
import time

import pytest

import proc
from machine import BUILD, Command, Target
from users import ALICE
from test_stack_waits import (hung as hung_in, ids, line_of, main_thread,
                              named, verdict)

PROGRAM = "stack_verdicts"


def hung(python, client, scenario):
    return hung_in(python, client, scenario, PROGRAM)


def place(function, text):
    return "%s at " % function, "%s.py:%d)" % (PROGRAM,
                                               line_of(text, PROGRAM))


def check_words(found, *words):
    for word in words:
        assert word in found["text"], found


def test_all_wait_for_one_peer(python, client):
    with hung(python, client, "clients") as target:
        server = target.first["child"]

        def check(record):
            found = verdict(record, "peer")
            fetchers = [named(record, "fetch-%d" % i) for i in range(4)]
            assert sorted(found["threads"]) == ids(*fetchers)
            address = "127.0.0.1:%d" % target.first["port"]
            check_words(
                found, "4 of 5 threads wait for the network peer %s: process "
                "%d " % (address, server), "fetch-3 (", *place(
                    "fetch", "socket.create_connection("
                    "server.getsockname()).recv(10)"))
            for thread in fetchers:
                assert thread["waits"]["peer"] == server
                assert thread["waits"]["remote"] == address
        target.until(check)


def test_a_server_that_does_not_accept(python, client):
    with hung(python, client, "not_accepted") as target:
        def check(record):
            waits = main_thread(record)["waits"]
            assert waits["for"] == "socket"
            assert waits["peer"] == target.first["child"]
            check_words(verdict(record, "peer"),
                        "process %d " % target.first["child"],
                        *place("not_accepted", "connection.recv(10)"))
        target.until(check)


def test_uninterruptible(python, client):
    """By its place in the kernel."""
    with hung(python, client, "vfork") as target:
        def check(record):
            main = main_thread(record)
            assert main["state"] == "uninterruptible" and main["wchan"]
            assert main["waits"]["for"] == "child"
            found = verdict(record, "uninterruptible")
            assert found["threads"] == ids(main)
            check_words(found, "is in uninterruptible sleep in " +
                        main["wchan"], "clone(", "child of vfork",
                        *place("vfork", "if not library.syscall(CLONE, VFORK "
                               "| signal.SIGCHLD, 0, 0, 0, 0):"))
        record, _ = target.until(check)
        for child in record["children"]:
            os.kill(child, signal.SIGKILL)


def test_a_file_that_does_not_open(python, client):
    with hung(python, client, "fifo") as target:
        def check(record):
            waits = main_thread(record)["waits"]
            path = target.first["path"]
            assert waits["for"] == "file" and waits["object"] == path
            assert waits["call"].startswith(
                'openat(AT_FDCWD, "%s", O_RDONLY|O_CLOEXEC' % path)
            check_words(verdict(record, "file"), path,
                        *place("fifo", "open(path)"))
        target.until(check)


def test_several_descriptors(python, client):
    with hung(python, client, "descriptors") as target:
        def check(record):
            waits = main_thread(record)["waits"]
            assert waits["for"] == "fd"
            first = target.first
            assert "%d (pipe:[" % first["pipe"] in waits["object"]
            assert ", to process %d " % first["child"] in waits["object"]
            assert "%d (unix socket:[" % first["socket"] in waits["object"]
            assert ", to this process)" in waits["object"]
            assert verdict(record, "fd")["threads"] == [target.pid]
        target.until(check)


def test_a_finalizer_that_does_not_end(python, client):
    with hung(python, client, "finalizer") as target:
        def check(record):
            assert record["collecting"]
            assert main_thread(record)["waits"]["for"] == "sleep"
            check_words(verdict(record, "sleep"), "__del__ at ")
        target.until(check)


def test_garbage_that_is_collected(python, client):
    with hung(python, client, "collection") as target:
        def check(record):
            assert record["collecting"]
            main = main_thread(record)
            assert main["collecting"] and main["state"] == "running"
            found = verdict(record, "running")
            assert found["threads"] == ids(main)
            check_words(found, "collects garbage", "collection at ")
        target.until(check)


def test_nothing_holds_it_up(python, client):
    with hung(python, client, "spins") as target:
        def check(record):
            assert [one["kind"] for one in record["verdict"]] == ["running"]
            found = verdict(record, "running")
            assert len(found["threads"]) == 2
            check_words(found, "nothing holds it up: thread ", " turn (")
        target.until(check)


def test_gil_held_by_code_that_runs(python, client):
    with hung(python, client, "expression") as target:
        def check(record):
            main = main_thread(record)
            found = verdict(record, "gil-hog")
            assert found["threads"] == ids(main, named(record, "turn"))
            assert record["gil"]["holder"] == main["id"]
            assert record["gil"]["held_ms"] >= 15
            check_words(found, "match at ", "/re", "it runs")
        target.until(check)


def look(target):
    """A picture, and the moments between which it was taken, in ms."""
    begun = time.monotonic() * 1000
    record = target.picture()
    return record, begun, time.monotonic() * 1000


def test_how_long_it_waits(python, client):
    """And since when the GIL is held."""
    with hung_in(python, client, "gil") as target:
        target.until(lambda record: verdict(record, "gil-hog"))
        first, begun, ended = look(target)
        if "idle_ms" not in main_thread(first):
            pytest.skip("this kernel does not tell when a thread ran last")
        time.sleep(1.5)
        second, begun_again, ended_again = look(target)
        grown = (main_thread(second)["idle_ms"] -
                 main_thread(first)["idle_ms"])
        assert begun_again - ended - 100 <= grown
        assert grown <= ended_again - begun + 100

        def check(record):
            assert record["gil"]["held_ms"] >= main_thread(
                record)["idle_ms"] > 1400
        # A stop makes a thread run: after it, that is not told.
        target.until_one(check, stop=False)


# ---- processes in every state -----------------------------------------------

def test_a_process_that_has_ended(cli, newest):
    """Ended, and not collected by its parent yet."""
    target = Target(newest, "stacks")
    try:
        target.signal(signal.SIGKILL)
        proc.wait_until(lambda: proc.state(target.pid) == "Z", 20, "its end")
        result = cli("stack", target.pid)
        assert result.status == 4, result
        assert "process %d has ended" % target.pid in result.err, result
        assert "remedy: look at its parent" in result.err, result
    finally:
        target.stop()


def test_stopped_by_a_debugger(client, newest):
    """Another tracer does not keep us from reading, and is told."""
    with hung_in(newest, client, "sleep") as target:
        gdb = subprocess.Popen(
            ["gdb", "-nx", "-q", "-p", str(target.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            proc.wait_until(lambda: proc.state(target.pid) == "t", 60, "gdb")
            record = client.call("stack", pid=target.pid)
            assert "a debugger" in verdict(record, "stopped")["text"]
            assert main_thread(record)["state"] == "traced"
        finally:
            gdb.stdin.close()
            gdb.wait(60)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_a_process_of_another_user(newest, folder):
    """The remedy of whoever may not read it."""
    os.chown(folder, ALICE.uid, ALICE.uid)
    daemon = subprocess.Popen(
        [*ALICE.prefix, str(BUILD / "nopdbd"), "--foreground", "--socket",
         str(folder / "sock")], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        proc.wait_until((folder / "sock").exists, 20, "the daemon's socket")
        with Target(newest, "stacks") as target:
            result = Command(folder / "sock")(
                "stack", target.pid, prefix=ALICE.prefix)
            assert result.status == 3, result
            assert "does not let user %d trace process %d of user 0" % (
                ALICE.uid, target.pid) in result.err
            assert "remedy: run as that user, or as root" in result.err
    finally:
        daemon.terminate()
        daemon.wait(20)
