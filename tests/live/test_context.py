# SPDX-License-Identifier: MIT
"""Who runs a call: thread, task, greenlet, interpreter; what awaits it."""
import json

import pytest

from machine import Target
from rpc import RpcError

OPEN = {"rate": 0, "hits": 0}


@pytest.fixture(scope="module")
def program(python):
    with Target(python, "concur") as target:
        yield target


@pytest.fixture
def concur(client, program):
    """The program with the agent in it."""
    client.call("attach", pid=program.pid)
    yield program
    if not client.closed:
        client.call("detach", pid=program.pid)


def names_of(frames):
    return [frame["function"].split(":")[-1] for frame in frames]


def test_thread_made_by_c(concur, client):
    """Its name is the kernel's, and the record says so."""
    with client.probe(concur.pid, "concur:step", OPEN) as probe:
        assert concur.call("from_c", "made-by-c", 3) == 0
        for record in probe.calls(3):
            assert record["thread"]["name"] == "made-by-c"
            assert record["thread"]["named_by"] == "kernel"
            assert record["thread"]["id"] != concur.pid
        concur.call("step", 1)
        assert "named_by" not in probe.calls(4)[3]["thread"]


def test_renamed_thread(concur, client):
    with client.probe(concur.pid, "concur:step", OPEN) as probe:
        concur.start("renames", ["before", "after"], name="born")

        def named(name):
            return [record for record in probe.of("call")
                    if record["thread"]["name"] == name]
        client.wait(lambda: named("before"), 10, "the first name")
        concur.call("go_on")
        client.wait(lambda: named("after"), 10, "the second name")
        concur.call("stop")


@pytest.mark.smoke
def test_task(concur, client):
    """Name, suspensions, duration over all of them, and who awaits whom."""
    with client.probe(concur.pid, "concur:leaf") as leaf, client.probe(
            concur.pid, "concur:step") as step:
        assert concur.call("run", "top", 1) == 2
        (record,) = leaf.calls(1)
        (inner,) = step.calls(1)
    if concur.python.version < (3, 8):
        assert record["task"].startswith("Task-0x")
    else:
        assert record["task"] == "worker"
    assert record["task"] == inner["task"]
    assert record["suspensions"] == 2
    assert "suspensions" not in inner
    assert record["duration_ns"] >= 15000000
    assert names_of(record["awaiters"]) == ["run.<locals>.main", "top",
                                            "middle"]
    tasks = [frame["task"] for frame in record["awaiters"]]
    assert tasks[2] == record["task"] and tasks[0] == tasks[1] != tasks[2]
    assert record["stack"][-2]["function"] == "concur:middle"
    for frame in record["awaiters"]:
        assert frame["file"].endswith("/concur.py") and frame["line"] > 0
    assert "awaiters" not in inner


@pytest.mark.parametrize("function, first", [
    ("gathers", "gathers"), ("waits", "waits"), ("waits_many", "waits_many"),
    ("cancelled", "cancelled")])
def test_awaiters_across_tasks(concur, client, function, first):
    with client.probe(concur.pid, "concur:leaf") as probe:
        concur.call("run", function, *([] if function == "cancelled" else [1]))
        record = probe.calls(1)[0]
    assert names_of(record["awaiters"])[:2] == ["run.<locals>.main", first]
    if function == "cancelled":
        assert record["exception"]["type"].endswith("CancelledError")


def test_no_code_of_a_task_runs(concur, client):
    alone = concur.call("run_tricky", 1)
    with client.probe(concur.pid, "concur:leaf") as probe, client.probe(
            concur.pid, "concur:step") as step:
        assert concur.call("run_tricky", 1) == alone
        (record,) = probe.calls(1)
        assert step.calls(1)
    assert alone[0] == 2 and "get_name" not in alone[1]
    assert record["task"] != "wrong"
    assert names_of(record["awaiters"])[-1] == "middle"


def test_tasks_of_two_loops(concur, client):
    with client.probe(concur.pid, "concur:step", OPEN) as probe:
        concur.call("both_loops", 30)
        calls = probe.calls(61)
    for record in calls:
        number = record["args"]["number"]
        if number == 0:
            assert "task" not in record
        elif concur.python.version >= (3, 8):
            assert record["task"] == "task-of-%d" % number
            assert record["thread"]["name"] == "loop-%d" % number


def test_task_of_a_hit(concur, client):
    answer = client.call("probe.add", pid=concur.pid, kind="break",
                         where="concur:step", actions=[{"eval": "number"}])
    concur.call("run", "top", 5)
    client.wait(lambda: [record for record in client.records
                         if record["event"] == "hit"], 10, "a hit")
    (hit,) = [record for record in client.records if record["event"] == "hit"]
    assert hit["task"].startswith(
        "worker" if concur.python.version >= (3, 8) else "Task-0x")
    client.call("probe.remove", probe=answer["probe"])


def test_columns(concur, client):
    """As the tracebacks of 3.11 and later have them."""
    with client.probe(concur.pid, "concur:step") as probe:
        concur.call("run", "top", 1)
        frame = probe.calls(1)[0]["stack"][-2]
    assert frame["function"] == "concur:leaf"
    if concur.python.version >= (3, 11):
        with open(frame["file"]) as source:
            text = source.read().splitlines()[frame["line"] - 1]
        assert text[frame["column"] - 1:].startswith("step(x)")
    else:
        assert "column" not in frame


# ---- greenlets ------------------------------------------------------------------
@pytest.fixture
def greenlets(concur):
    """Debian builds greenlet and gevent for its own Python."""
    if "debian" not in concur.python.id:
        pytest.skip("greenlet is there for Debian's Python only, this is %s"
                    % concur.python.id)
    return concur


def test_calls_that_switch_greenlets(greenlets, client):
    with client.probe(greenlets.pid, "concur:pausing", OPEN) as probe, \
            client.probe(greenlets.pid, "concur:nested", OPEN) as inner:
        results, ids, main = greenlets.call("interleaved", 20)
        calls, below = probe.calls(20), inner.calls(20)
    assert results == [10 * number for number in range(20)]
    assert [(record["args"]["number"], record["return"])
            for record in calls] == [(n, 10 * n) for n in range(20)]
    assert [(record["args"]["number"], record["return"])
            for record in below] == [(n, n) for n in range(20)]
    assert [record["greenlet"]["id"] for record in calls] == ids
    assert {record["greenlet"]["parent"] for record in calls} == {main}


def test_greenlets_that_end_badly(greenlets, client):
    with client.probe(greenlets.pid, "concur:pausing", OPEN) as probe:
        assert greenlets.call("kill") == "killed"
        assert probe.calls(1)[0]["exception"]["message"] == "killed"
        assert greenlets.call("dropped") == "dropped"
        record = probe.calls(2)[1]
        assert record["exception"]["type"].endswith("GreenletExit")
        assert record["args"]["number"] == 7


def test_gevent(greenlets, client):
    with client.probe(greenlets.pid, "concur:slow", OPEN) as probe:
        assert greenlets.call("with_gevent", 4) == [0, 1, 2, 3]
        calls = probe.calls(4)
    for record in calls:
        assert record["args"]["number"] == record["return"]
        assert record["greenlet"]["parent"].startswith("0x")
    assert len({record["greenlet"]["id"] for record in calls}) == 4
    assert calls[0]["return"] == 3


# ---- interpreters ----------------------------------------------------------------
@pytest.fixture
def made(concur):
    """An interpreter that is there before a probe is set."""
    number = concur.call("make")
    yield number
    concur.call("end_all")


def test_interpreters(concur, client, made):
    with client.probe(concur.pid, "inside", OPEN) as probe:
        (first,) = probe.of("probe")
        if concur.python.version >= (3, 12):
            assert first["interpreters"][0] == {"id": 0, "watched": True}
            assert first["interpreters"][1]["watched"] is False
            assert "main interpreter" in first["interpreters"][1]["reason"]
            concur.call("run_inside", 0, 1)
            return
        assert {"id": made, "watched": True} in first["interpreters"]
        concur.call("run_inside", 0, 1)
        (record,) = probe.calls(1)
    assert record["interpreter"] == made
    assert (record["args"], record["return"]) == ({"number": 1}, 2)


def test_interpreter_made_later(concur, client):
    with client.probe(concur.pid, "inside", OPEN) as probe:
        assert "interpreters" not in probe.of("probe")[0]
        number = concur.call("make")

        def told():
            return [record for record in probe.of("probe")
                    if "interpreters" in record]
        client.wait(told, 10, "word of the new interpreter")
        known = told()[0]["interpreters"]
        if concur.python.version < (3, 12):
            assert {"id": number, "watched": True} in known
            concur.call("run_inside", 0, 4)
            assert probe.calls(1)[0]["interpreter"] == number
        else:
            assert known[1]["watched"] is False
        concur.call("end_all")
        concur.check()


# ---- code that comes anew ----------------------------------------------------------
def test_executed_and_reloaded_code(concur, client):
    with client.probe(concur.pid, "fresh", OPEN) as probe:
        assert [concur.call("execute", n) for n in (1, 2)] == [2, 3]
        assert concur.call("reloaded") == [11, 21, 22]
        calls = probe.calls(5)
    assert [record["function"] for record in calls] == [
        "executed:fresh"] * 2 + ["changing:fresh"] * 3
    assert [record["return"] for record in calls] == [2, 3, 11, 21, 22]
    assert calls[0]["file"] == "<made up>"


# ---- generators ----------------------------------------------------------------------
YIELDS = dict(OPEN, yields=True)


def test_yields(concur, client):
    with client.probe(concur.pid, "concur:counting", OPEN) as silent, \
            client.probe(concur.pid, "concur:counting", YIELDS) as probe:
        assert concur.call("drain", 3) == [0, 1, 2]
        probe.calls(1)
        assert [record["event"] for record in silent.of("call", "yield")] == [
            "call"]
        events = probe.of("call", "yield")
    assert [record["event"] for record in events] == ["yield"] * 3 + ["call"]
    assert [record["value"] for record in events[:3]] == [0, 1, 2]
    assert [record["suspensions"] for record in events] == [1, 2, 3, 3]
    assert events[3]["return"] == "end"
    assert events[0]["line"] == events[3]["line"] + 2


def test_yields_of_other_generators(concur, client):
    with client.probe(concur.pid, "concur:delegate", YIELDS) as probe:
        concur.call("drain_delegate", 2)
        probe.calls(1)
        assert [record["value"] for record in probe.of("yield")] == [0, 1]
    with client.probe(concur.pid, "concur:countdown", YIELDS) as probe:
        assert concur.call("run", "consume", 3) == [3, 2, 1]
        (record,) = probe.calls(1)
        # What it awaits is no yield.
        assert [item["value"] for item in probe.of("yield")] == [3, 2, 1]
        assert record["suspensions"] == 6
        assert all(item["task"] == record["task"]
                   for item in probe.of("yield"))


def test_yields_that_began_before(concur, client):
    concur.call("begin")
    with client.probe(concur.pid, "concur:counting", YIELDS) as probe:
        assert concur.call("proceed") == 1
        record = probe.event("yield")
        assert record["value"] == 1 and "suspensions" not in record


def test_yields_count_and_are_limited(concur, client):
    limits = dict(YIELDS, hits=4)
    probe = client.probe(concur.pid, "concur:counting", limits)
    concur.call("drain", 50)
    end = probe.event("end")
    assert (end["reason"], end["captures"]) == ("hits", 4)
    assert len(probe.of("yield")) == 4
    probe = client.probe(concur.pid, "concur:counting", dict(YIELDS, rate=5))
    concur.call("drain", 500)
    removed = probe.remove()
    assert removed["lost"]["rate"] >= 480
    assert removed["captures"] == len(probe.of("yield", "call"))
    with pytest.raises(RpcError) as failure:
        client.probe(concur.pid, "concur:counting",
                     dict(YIELDS, only_exceptions=True))
    assert "yields" in failure.value.message


def test_close_and_throw(concur, client):
    with client.probe(concur.pid, "concur:guarded", YIELDS) as probe:
        assert concur.call("close_guarded") == "closed"
        assert probe.calls(1)[0]["exception"]["type"] == "GeneratorExit"
        assert concur.call("throw") == "thrown"
        assert probe.calls(2)[1]["exception"]["message"] == "thrown"
        assert len(probe.of("yield")) == 2
    with client.probe(concur.pid, "concur:counting", OPEN) as probe:
        assert concur.call("close_plain") == "closed"
        assert concur.call("drain", 2) == [0, 1]
        # 3.13 closes a generator that waits outside of any `try` without an
        # event.
        told = concur.python.version[:2] != (3, 13)
        calls = probe.calls(2 if told else 1)
        if told:
            assert calls[0]["exception"]["type"] == "GeneratorExit"
        assert calls[-1]["return"] == "end"


# ---- limits -----------------------------------------------------------------------------
def test_what_was_cut_is_counted(concur, client):
    limits = dict(OPEN, items=10)
    with client.probe(concur.pid, "concur:wide", limits) as probe:
        concur.call("wide", 1)
        concur.call("wide", "x" * 300)
        calls = probe.calls(2)
        removed = probe.remove()
        end = probe.event("end")
    assert calls[0]["return"]["$truncated"] and calls[0]["args"]["value"] == 1
    assert calls[1]["args"]["value"]["$len"] == 300
    assert removed["cut"] == end["cut"] == 2
    with client.probe(concur.pid, "concur:step", limits) as probe:
        concur.call("step", 1)
        probe.calls(1)
        assert probe.remove()["cut"] == 0


def test_calls_without_room_are_counted(concur, client):
    """Generators that nobody goes on with fill the table of open calls."""
    with client.probe(concur.pid, "concur:guarded", OPEN) as probe:
        concur.call("leave_open", 4500)
        lost = probe.event("lost", reason="calls")
        assert lost["count"] >= 400
        concur.call("close_open")
        end = probe.remove()
    assert end["hits"] == 4500
    assert end["captures"] + end["lost"]["calls"] + end["lost"]["ring"] == 4500


# ---- source ---------------------------------------------------------------------------------
def test_source_text(concur, cli):
    """Read by the command, through the program's root."""
    command = cli.start("calls", concur.pid, "concur:step", "-n", "1",
                        "--source", "--json")
    try:
        while command.poll() is None:
            concur.call("run", "top", 1)
        out, err = command.communicate(timeout=20)
    finally:
        command.kill()
        command.wait()
    assert command.returncode == 0, err
    records = [json.loads(line) for line in out.splitlines()]
    (record,) = [item for item in records if item["event"] == "call"]
    assert record["source"] == "def step(number):"
    assert [frame["source"] for frame in record["stack"][-2:]] == [
        "return step(x)", "return number + 1"]
