# SPDX-License-Identifier: MIT
"""nopdb stack: the tasks of asyncio, their chains of awaits, what they wait
for, and the verdict, of programs whose answer is known."""
import time

import pytest

from machine import TARGETS, Target

SCENARIOS = ("gather", "waits", "kinds", "circle", "python_tasks",
             "own_tasks", "many", "child")
DEEP = 60
MANY = 100


class Loops:
    """loops.py with every scenario in it, each in a thread of that name."""

    def __init__(self, target, client):
        self.target = target
        self.record = client.call("stack", pid=target.pid, native="none")
        self.ids = {thread["name"]: thread["id"]
                    for thread in self.record["threads"]}

    def tasks(self, scenario):
        return [task for task in self.record["tasks"]
                if task.get("thread") == self.ids[scenario]]

    def truth(self, scenario):
        told = self.target.call("truth", scenario)
        assert "exception" not in told, told
        return {key: [tuple(frame) for frame in frames]
                for key, frames in told.items()}

    def named(self, scenario):
        """{name: task}; 3.7 has no names: those of the functions."""
        found = {}
        for task in self.tasks(scenario):
            outermost = task["frames"][0]["function"].split(":")[1]
            found[task.get("name", outermost)] = task
        return found

    def verdict(self, scenario, kind):
        return [one["text"] for one in self.record["verdict"]
                if one["kind"] == kind
                and self.ids[scenario] in one["threads"]]


@pytest.fixture(scope="module")
def target(python):
    with Target(python, "loops") as running:
        for scenario in SCENARIOS:
            # Children in other threads than the main one need 3.8.
            if scenario == "child" and python.version < (3, 8):
                continue
            assert running.call("run", scenario) == scenario
        yield running
        running.call("end_children")


@pytest.fixture
def loops(target, client):
    """The picture in which no loop ran while its tasks were read."""
    deadline = time.monotonic() + 20
    while True:
        found = Loops(target, client)
        if all(task["consistent"] for task in found.record["tasks"]):
            return found
        assert time.monotonic() < deadline, "a loop does not come to rest"


def line_of(text):
    """The number of the one line of loops.py that has this text."""
    lines = (TARGETS / "loops.py").read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1)
             if line.strip() == text]
    assert len(found) == 1, (text, found)
    return found[0]


@pytest.mark.smoke
def test_chains_are_those_of_the_interpreter(loops):
    """All tasks, frame for frame; chains of every kind of awaitable."""
    for scenario in SCENARIOS:
        if scenario not in loops.ids:
            continue
        truth = loops.truth(scenario)
        assert truth
        found = {task["id"]: [
            (frame["function"], frame["file"], frame["line"])
            for frame in task["frames"]] for task in loops.tasks(scenario)}
        assert found == truth, scenario
    deep, = loops.tasks("kinds")
    assert len(deep["frames"]) > DEEP
    assert deep["waits"]["for"] == "future"
    assert len(loops.tasks("many")) == MANY + 1


def test_names(loops, target, python):
    if python.version < (3, 8):
        assert all("name" not in task for task in loops.record["tasks"])
        return
    for scenario in SCENARIOS:
        assert {task["id"]: task["name"] for task in loops.tasks(scenario)
                } == target.call("names", scenario)


WAITS = {
    "on_lock": ("lock", "lock (asyncio.locks.Lock at 0x"),
    "on_queue": ("queue", "jobs (asyncio.queues.Queue at 0x"),
    "on_sleep": ("sleep", ""),
    "on_semaphore": ("semaphore", "slots (asyncio.locks.Semaphore at 0x"),
    "on_condition": ("condition", "changed (asyncio.locks.Condition at 0x"),
    "on_stream": ("socket", "unix "),
    "on_socket": ("socket", "unix "),
    "on_executor": ("executor", "_asyncio.Future at 0x"),
    "on_time": ("tasks", "1 of 1 that are not done"),
    "on_some": ("tasks", "1 of 1 that are not done"),
}


def test_what_they_wait_for(loops, target):
    tasks = loops.named("waits")
    for name, (what, text) in WAITS.items():
        waits = tasks[name]["waits"]
        assert tasks[name]["state"] == "waiting"
        assert waits["for"] == what, (name, waits)
        assert waits.get("object", "").startswith(text), (name, waits)
    assert 3000000 < tasks["on_sleep"]["waits"]["left_ms"] <= 3600000
    assert tasks["on_queue"]["waits"]["items"] == 0
    for name in ("on_stream", "on_socket"):
        assert tasks[name]["waits"]["peer"] == target.pid
    future = tasks["on_task"]["awaits"]
    assert tasks["on_task"]["waits"]["for"] == "task"
    answer, = [task for task in loops.tasks("waits") if [task["id"]] == future]
    assert answer["waits"]["object"].startswith("answer (_asyncio.Future at ")
    assert tasks["on_task"]["id"] in answer["awaited_by"]


def test_a_child_process(loops):
    if "child" not in loops.ids:
        return
    waits = loops.named("child")["main"]["waits"]
    assert waits["for"] == "child" and waits["child"] > 0


def test_gather_with_one_that_is_stuck(loops, python):
    main, = [task for task in loops.tasks("gather") if task["awaits"]]
    stuck, = [task for task in loops.tasks("gather") if not task["awaits"]]
    assert main["waits"]["pending"] == 1 and main["waits"]["all"] == 3
    assert main["awaits"] == [stuck["id"]]
    assert stuck["awaited_by"] == [main["id"]]
    text, = loops.verdict("gather", "task")
    name = "stuck" if python.version >= (3, 8) else stuck["id"]
    for words in (
            "waits for gather 1 of 3 that are not done; task %s (" % name,
            "loops.py:%d) waits for event gate (asyncio.locks.Event at 0x"
            % line_of("await gate.wait()")):
        assert words in text, text


def test_a_circle_of_tasks(loops):
    text, = loops.verdict("circle", "deadlock")
    place = "loops.py:%d) waits for task " % line_of("await others[index]")
    assert text.count(place) == 2, text


def test_tasks_written_in_python_and_of_own_classes(loops):
    for scenario, what, kind in (
            ("python_tasks", "future", "asyncio.futures.Future"),
            ("own_tasks", "event", "asyncio.locks.Event")):
        stuck, = [task for task in loops.tasks(scenario)
                  if not task["awaits"]]
        main, = [task for task in loops.tasks(scenario) if task["awaits"]]
        assert main["awaits"] == [stuck["id"]]
        assert stuck["waits"]["for"] == what
        assert kind in stuck["waits"]["object"]


def test_command(cli, target):
    result = cli("stack", target.pid, "--no-native", "-l", "-o", "/dev/stdout")
    assert result.status == 0, result
    assert ("waits for gather 1 of 3 that are not done;\n    task" in
            result.out)
    assert "  waiting, for event: gate (asyncio.locks.Event at" in result.out
    assert "gate={\"$type\"" in result.out or "gate=<" in result.out
