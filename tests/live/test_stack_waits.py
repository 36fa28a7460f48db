# SPDX-License-Identifier: MIT
"""Why threads wait, and the verdict, of programs whose answer is known."""
import contextlib
import os
import re
import signal
import time

import pytest

import proc
from machine import TARGETS, Target
from schema import Messages

MESSAGES = Messages()
SETTLE = 15.0  # seconds until every thread of a target hangs


class Hung:
    """A target of stack_waits.py that hangs, and the pictures taken of it."""

    def __init__(self, target, client, first):
        self.target = target
        self.client = client
        self.first = first
        self.pid = target.pid

    def picture(self, stop=False):
        record = self.client.call("stack", pid=self.pid, stop=stop)
        MESSAGES.check("picture", record)
        return record

    def until(self, accept):
        """The first picture that satisfies, or the last one's failure; and
        then one for which all threads were stopped, which says the same."""
        found = self.until_one(accept, False)
        self.until_one(accept, True)
        return found

    def until_one(self, accept, stop):
        deadline = time.monotonic() + SETTLE
        while True:
            record = self.picture(stop)
            record = record.get("record", record)
            try:
                return record, accept(record)
            except (AssertionError, LookupError):
                if time.monotonic() > deadline:
                    print(record["verdict"], [
                        (thread.get("name"), thread.get("waits"))
                        for thread in record["threads"]])
                    raise
            time.sleep(0.1)


class Program(Target):
    """Keeps the whole first line that the target prints."""

    def read(self, timeout=30.0):
        self.line = super().read(timeout)
        return self.line


@contextlib.contextmanager
def hung(python, client, scenario, program="stack_waits"):
    target = Program(python, program, scenario, script=True)
    first = target.line
    try:
        yield Hung(target, client, first)
    finally:
        if "child" in first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(first["child"], signal.SIGKILL)
        target.stop()


def line_of(text, program="stack_waits"):
    """The number of the one line of the target that has this text."""
    lines = (TARGETS / (program + ".py")).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1)
             if line.strip() == text]
    assert len(found) == 1, (text, found)
    return found[0]


def named(record, name):
    found = [thread for thread in record["threads"]
             if thread.get("name") == name]
    assert len(found) == 1, name
    return found[0]


def main_thread(record):
    found = [thread for thread in record["threads"] if thread.get("main")]
    assert len(found) == 1
    return found[0]


def verdict(record, kind):
    found = [one for one in record["verdict"] if one["kind"] == kind]
    assert len(found) == 1, (kind, record["verdict"])
    return found[0]


def ids(*threads):
    return sorted(thread["id"] for thread in threads)


def check_abba(record):
    left, right = named(record, "left"), named(record, "right")
    for one, other in ((left, right), (right, left)):
        assert one["waits"]["for"] == "lock"
        assert one["waits"]["owner"] == other["id"]
        assert one["waits"]["proof"] == "proven"
        assert one["waits"]["object"].startswith("other (_thread.lock at 0x")
    found = verdict(record, "deadlock")
    assert sorted(found["threads"]) == ids(left, right)
    place = "stack_waits.py:%d)" % line_of("with other:")
    for word in ("left", "right", place, "_thread.lock at 0x", "held by"):
        assert word in found["text"]


def test_deadlock_of_two_locks(python, client):
    with hung(python, client, "abba") as target:
        target.until(check_abba)


def test_deadlock_of_lock_and_join(python, client):
    def check(record):
        holder, joined = named(record, "holder"), named(record, "joined_one")
        assert holder["waits"]["for"] == "thread"
        assert holder["waits"]["owner"] == joined["id"]
        assert joined["waits"]["for"] == "rlock"
        assert joined["waits"]["owner"] == holder["id"]
        found = verdict(record, "deadlock")
        assert sorted(found["threads"]) == ids(holder, joined)
        assert "guard (_thread.RLock at 0x" in found["text"]
    with hung(python, client, "mixed") as target:
        target.until(check)


def test_lock_of_a_dead_thread_is_not_guessed(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "lock" and waits["proof"] == "unknown"
        assert "owner" not in waits
        found = verdict(record, "lock")
        assert found["threads"] == ids(main_thread(record))
        for word in ("first (_thread.lock at", "dead_lock at",
                     "owner is unknown"):
            assert word in found["text"]
    with hung(python, client, "dead_lock") as target:
        target.until(check)


def test_rlock_of_a_dead_thread(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "rlock" and waits["proof"] == "proven"
        assert waits["owner_state"] == "ended"
        found = verdict(record, "dead-owner")
        assert "guard (_thread.RLock at" in found["text"]
        assert "dead_rlock at" in found["text"]
    with hung(python, client, "dead_rlock") as target:
        target.until(check)


def test_lock_in_a_with_block(python, client):
    def check(record):
        keeper = named(record, "keeper")
        waits = main_thread(record)["waits"]
        assert waits["owner"] == keeper["id"]
        assert waits["object"].startswith("self.door (_thread.lock at")
        assert keeper["waits"]["for"] == "sleep"
        found = verdict(record, "lock")
        assert "which sleeps" in found["text"]
        assert "keeper" in found["text"]
    with hung(python, client, "held_lock") as target:
        target.until(check)


def test_all_who_wait_for_one_lock(python, client):
    def check(record):
        found = verdict(record, "lock")
        assert sorted(found["threads"]) == ids(*(
            thread for thread in record["threads"]
            if thread.get("name") == "visitor"))
        assert len(found["threads"]) == 3
        assert found["text"].endswith("; 2 more wait for it")
        assert "held by thread %d MainThread" % target.pid in found["text"]
    with hung(python, client, "crowd") as target:
        target.until(check)


def test_a_condition_gives_its_lock_back(python, client):
    def check(record):
        assert named(record, "waiter")["waits"]["for"] == "condition"
        waits = main_thread(record)["waits"]
        assert waits["for"] == "lock"
        assert waits["owner"] == named(record, "keeper")["id"]
    with hung(python, client, "condition_lock") as target:
        target.until(check)


def test_queue_that_nobody_feeds(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "queue" and waits["items"] == 0
        assert waits["object"].startswith("jobs (queue.Queue at")
        found = verdict(record, "queue")
        assert "jobs (queue.Queue at" in found["text"]
        assert "empty_queue at" in found["text"]
        assert verdict(record, "starved")["threads"]
    with hung(python, client, "empty_queue") as target:
        target.until(check)


def test_queue_that_nobody_empties(python, client):
    def check(record):
        producer = named(record, "producer")
        assert producer["waits"]["for"] == "queue"
        assert producer["waits"]["maxsize"] == producer["waits"]["items"] == 1
        assert main_thread(record)["waits"]["owner"] == producer["id"]
        assert "small (queue.Queue" in verdict(record, "queue")["text"]
    with hung(python, client, "full_queue") as target:
        target.until(check)


def test_event_with_the_time_left(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "event"
        assert waits["object"].startswith("go (threading.Event")
        assert 0 < waits.get("left_ms", waits.get("timeout_ms")) <= 1000000
        assert "event" in verdict(record, "event")["text"]
    with hung(python, client, "event") as target:
        target.until(check)


def test_gil_held_in_c(python, client):
    def check(record):
        holder, spinner = main_thread(record), named(record, "spinner")
        assert record["gil"]["holder"] == holder["id"]
        assert spinner["waits"]["for"] == "gil"
        assert spinner["waits"]["owner"] == holder["id"]
        found = verdict(record, "gil-hog")
        assert set(found["threads"]) == {holder["id"], spinner["id"]}
        assert "gil at" in found["text"] and "nanosleep" in found["text"]
    with hung(python, client, "gil") as target:
        target.until(check)


def test_deadlock_of_c_mutexes(python, client):
    def check(record):
        left, right = named(record, "left"), named(record, "right")
        assert left["waits"]["for"] == right["waits"]["for"] == "mutex"
        assert left["waits"]["owner"] == right["id"]
        found = verdict(record, "deadlock")
        assert sorted(found["threads"]) == ids(left, right)
    with hung(python, client, "mutex") as target:
        target.until(check)


def test_child_is_followed(python, client):
    with hung(python, client, "child") as target:
        def check(record):
            waits = main_thread(record)["waits"]
            assert waits["for"] == "child"
            assert waits["child"] == target.first["child"]
            found = verdict(record, "child")
            assert re.search(r": process %d \S+, which is in "
                             r"(clock_nanosleep|p?select6?)$" % waits["child"],
                             found["text"])
            assert "child at" in found["text"]
        target.until(check)


@pytest.mark.parametrize("scenario, what", [
    ("peer", "socket"), ("unix_peer", "socket"), ("pipe", "pipe")])
def test_peer_on_this_machine(python, client, scenario, what):
    with hung(python, client, scenario) as target:
        def check(record):
            waits = main_thread(record)["waits"]
            assert waits["for"] == what
            assert waits["peer"] == target.first["peer"]
            assert waits["proof"] == "proven"
            found = verdict(record, "peer")
            assert "process %d " % waits["peer"] in found["text"]
            assert scenario + " at" in found["text"]
            if scenario == "peer":
                assert "127.0.0.1:" in waits["remote"]
        target.until(check)


def test_fork_child_and_its_parents_lock(python, client):
    with hung(python, client, "fork") as target:
        def check(record):
            assert main_thread(record)["waits"]["for"] == "lock"
            found = verdict(record, "fork")
            assert "first (_thread.lock at" in found["text"]
            assert "this process is a fork" in found["text"]
        target.until(check)


def test_file_lock_and_its_holder(python, client):
    with hung(python, client, "file_lock") as target:
        def check(record):
            waits = main_thread(record)["waits"]
            assert waits["for"] == "file-lock"
            assert waits["holder"] == target.first["holder"]
            assert verdict(record, "file-lock")
        target.until(check)


def test_sleep(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "sleep"
        assert 900000 < waits[told] <= 1000000
        assert "sleep at" in verdict(record, "sleep")["text"]
    told = "left_ms" if python.version >= (3, 11) else "timeout_ms"
    with hung(python, client, "sleep") as target:
        record, _ = target.until_one(check, stop=False)
        if told == "timeout_ms":
            # After a stop select(2) is resumed with the time that was left.
            assert main_thread(record)["waits"][told] == 1000000
        target.until(check)


@pytest.mark.parametrize("scenario, kind", [("nap", "sleep"),
                                            ("task_nap", "task")])
def test_a_sleep_that_is_about_to_end(python, client, scenario, kind):
    """Less than a second is told in milliseconds."""
    left = r", for [1-9]\d{0,2} ms more$"
    if kind == "sleep" and python.version < (3, 11):
        left = ", for a limited time$"

    def check(record):
        text = verdict(record, kind)["text"]
        assert re.search(left, text), text
    with hung(python, client, scenario) as target:
        target.until(check)


def test_queue_that_is_written_in_c(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "queue"
        assert waits["object"].startswith("work (_queue.SimpleQueue at 0x")
        assert waits["proof"] == "unknown"
    with hung(python, client, "simple_queue") as target:
        target.until(check)


def test_lock_that_processes_share(python, client):
    def check_ours(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "rlock"
        assert "_multiprocessing.SemLock at 0x" in waits["object"]
        assert waits["owner"] == named(record, "keeper")["id"]
        assert waits["proof"] == "proven"

    def check_theirs(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "lock"
        assert "_multiprocessing.SemLock at 0x" in waits["object"]
        assert waits["owner_process"] == "another"
        assert "owner" not in waits and waits["proof"] == "unknown"
    with hung(python, client, "shared_rlock") as target:
        target.until(check_ours)
    with hung(python, client, "shared_lock") as target:
        target.until(check_theirs)


def test_import_that_another_thread_does(python, client):
    def check(record):
        waits = main_thread(record)["waits"]
        assert waits["for"] == "import-lock"
        assert waits["object"] == "import of module slow_module"
        assert waits["owner"] == named(record, "importer")["id"]
        assert "slow_module" in verdict(record, "lock")["text"]
    with hung(python, client, "import_lock") as target:
        target.until(check)


def test_three_levels_of_processes(python, client):
    with hung(python, client, "processes") as target:
        last = target.target.read()["last"]

        def check(record):
            assert main_thread(record)["waits"]["for"] == "child"
            text = verdict(record, "child")["text"]
            assert text.count(", which waits for process ") == 2
            assert "process %d " % last in text
            assert "level at" in text
        target.until(check)


def test_threads_that_keep_an_ended_program(python, client):
    def check(record):
        survivor = named(record, "survivor")
        assert survivor["waits"]["for"] == "sleep"
        if python.version < (3, 13):
            assert main_thread(record)["waits"]["for"] == "thread"
            assert main_thread(record)["waits"]["owner"] == survivor["id"]
    with hung(python, client, "exiting") as target:
        target.until(check)


def test_stopped_by_a_signal(python, client):
    with hung(python, client, "sleep") as target:
        target.target.signal(signal.SIGSTOP)

        def check(record):
            assert "SIGCONT" in verdict(record, "stopped")["text"]
        try:
            target.until(check)
        finally:
            target.target.signal(signal.SIGCONT)
        assert proc.alive(target.pid)
