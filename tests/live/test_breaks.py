# SPDX-License-Identifier: MIT
"""Breakpoints: where they stop, what their actions do, what they leave."""
import os
import subprocess
import time

import pytest

from breaks import evaluated, hits, line_of, stop
from machine import Target
from rpc import RpcError


@pytest.fixture(scope="module")
def pond(python):
    with Target(python, "pond") as target:
        yield target


@pytest.fixture
def at(client, pond):
    client.call("attach", pid=pond.pid)
    yield pond
    if not client.closed:
        client.call("detach", pid=pond.pid)


@pytest.mark.smoke
def test_function_and_line_with_expressions(at, client):
    """NoPdb's first example: two expressions and an exec that prints."""
    line = line_of("return x, z")
    with stop(client, at.pid, "pond:mixed", {"eval": "x"}, {"eval": "type(y)"},
              {"exec": "import sys; print('z is', z, file=sys.stderr)"},
              {"log": "z is {z!r:>6}"},
              line=line) as probe:
        assert probe.locations[0]["line"] == line
        assert at.call("mixed", 3) == (3, "1.5")
        (record,) = hits(probe, 1)
        assert record["line"] == line
        assert record["function"] == "pond:mixed"
        assert record["thread"]["name"] == "MainThread"
        assert record["eval"][0] == {"expr": "x", "value": 3}
        assert record["eval"][1]["value"]["$type"] == "type"
        assert record["log"] == ["z is  '1.5'"]
        assert "z is 1.5\n" in at.stderr()


def test_function_alone_stops_at_the_call(at, client):
    with stop(client, at.pid, "pond:mixed", {"eval": "x"}, {"eval": "y"},
              {"stack": True}) as probe:
        at.call("mixed", 7)
        (record,) = hits(probe, 1)
        assert evaluated(record) == [7, "NameError"]
        assert record["stack"][-1]["function"] == "pond:mixed"


def test_source_text_and_pattern(at, client):
    with stop(client, at.pid, None, {"eval": "y"}, file="pond.py",
              line="  z = str(y) ") as text, stop(
                  client, at.pid, "pond:steps", {"eval": "len(done)"},
                  line_regex=r"append\(\"t") as pattern:
        assert text.locations[0]["line"] == line_of("z = str(y)")
        at.call("mixed", 3)
        assert evaluated(hits(text, 1)[0]) == [1.5]
        at.call("steps", 1)
        assert [evaluated(hit) for hit in hits(pattern, 2)] == [[1], [2]]


def test_a_line_of_the_standard_library(at, client):
    with stop(client, at.pid, None, {"eval": "self._target.__name__"},
              file="threading.py", function="Thread.run",
              line="self._target(*self._args, **self._kwargs)") as probe:
        at.start("mixed", 1, name="later")
        assert evaluated(hits(probe, 1)[0]) == ["invoke"]


@pytest.mark.smoke
def test_exec_rebinds_and_the_program_goes_on(at, client):
    """Read, increment, read again; the program has the new value."""
    with stop(client, at.pid, "pond:mixed", {"eval": "x"},
              {"exec": "x += 1"}, {"eval": "x"}, line="return x, z") as probe:
        assert at.call("mixed", 2) == (3, "1.0")
        assert evaluated(hits(probe, 1)[0]) == [2, 3]


def test_exec_reaches_cells_globals_and_new_names(at, client):
    with stop(client, at.pid, "pond:closes",
              {"exec": "value = 'changed'; fresh = 4\nCOUNTER[0] = 9"},
              {"eval": "fresh + 1"}, {"eval": "[fresh for _ in range(2)]"},
              line="return first, inner()") as probe:
        assert at.call("closes", 1) == (1, "changed")
        assert evaluated(hits(probe, 1)[0]) == [5, [4, 4]]
    assert at.call("COUNTER.copy") == [9]


def test_relative_line_and_unbound_names(at, client):
    with stop(client, at.pid, "pond:maybe", {"eval": "late"},
              {"eval": "late if flag else 'none'"}, line="+4") as probe:
        at.call("maybe", False)
        at.call("maybe", True)
        assert [evaluated(hit) for hit in hits(probe, 2)] == [
            ["NameError", "none"], [5, 5]]


def test_expressions_see_locals_from_within(at, client):
    with stop(client, at.pid, "pond:mixed",
              {"eval": "[x + i for i in range(2)]"},
              {"eval": "(lambda: y)()"}, line="return x, z") as probe:
        at.call("mixed", 4)
        assert evaluated(hits(probe, 1)[0]) == [[4, 5], 2.0]


def test_conditions(at, client):
    with stop(client, at.pid, "pond:mixed", {"eval": "x"},
              if_="x > 2 and y != 2.5", line="return x, z") as probe:
        for x in (1, 3, 5, 6):
            at.call("mixed", x)
        assert [evaluated(hit) for hit in hits(probe, 2)] == [[3], [6]]
        assert probe.remove()["hits"] == 2


def test_an_error_in_a_condition_is_told_at_a_limited_rate(at, client):
    with stop(client, at.pid, "pond:mixed", if_="1 / 0") as probe:
        at.call("many", 50)
        error = probe.event("error")
        assert error["where"] == "condition" and error["text"] == "1 / 0"
        assert error["error"]["type"] == "ZeroDivisionError"
        assert len(probe.of("error")) <= 2 and not probe.of("hit")


@pytest.mark.smoke
def test_jump_skips_and_repeats(at, client):
    with stop(client, at.pid, "pond:steps",
              {"jump": 'done.append("three")'},
              line='done.append("two")'):
        assert at.call("steps", 1) == (["one", "three"], 1)
    with stop(client, at.pid, "pond:steps", {"jump": "+2"},
              line='done.append("three")', limits={"hits": 2}) as probe:
        assert at.call("steps", 1)[0] == [
            "one", "two", "one", "two", "one", "two", "three"]
        probe.event("end")


def test_refused_jumps_are_errors_of_the_client(at, client):
    into_loop = {"jump": "total += i"}
    with stop(client, at.pid, "pond:loops", into_loop, {"jump": "nowhere"},
              line="total = 0") as probe:
        assert at.call("loops", 3) == 3
        (record,) = hits(probe, 1)
        assert [item["action"] for item in record["errors"]] == ["jump"] * 2
        assert record["errors"][0]["error"]["type"] == "ValueError"


def test_a_jump_into_a_with_block_is_refused(at, client):
    with stop(client, at.pid, "pond:enters", {"jump": "total += n"},
              line="total = 0") as probe:
        assert at.call("enters", 3) == 4
        (record,) = hits(probe, 1)
        assert record["errors"][0]["error"]["type"] == "ValueError"
    assert at.call("LOCK.locked") is False
    with stop(client, at.pid, "pond:enters", {"jump": "return total"},
              line="total += 1"):
        assert at.call("enters", 3) == 3


def test_one_line_functions_and_the_line_of_a_def(at, client):
    line = line_of("def one_line(x): return x + 1")
    with stop(client, at.pid, "pond.py:%d" % line, {"eval": "x"}) as probe:
        assert at.call("one_line", 4) == 5
        assert evaluated(hits(probe, 1)[0]) == [4]
    with stop(client, at.pid, None, {"eval": "n"}, file="pond.py",
              line="def recurses(n):") as probe:
        at.call("recurses", 2)
        assert [evaluated(hit) for hit in hits(probe, 3)] == [[2], [1], [0]]


def test_generators_and_recursion(at, client):
    with stop(client, at.pid, "pond:suspends", {"eval": "i, sent"},
              line="COUNTER[0] += 1") as probe:
        at.call("drain", 3)
        assert [hit["eval"][0]["value"]["$items"] for hit in
                hits(probe, 3)] == [[0, None], [1, None], [2, None]]
    with stop(client, at.pid, "pond:suspends", {"eval": "n"}) as probe:
        at.call("drain", 3)
        hits(probe, 1)
        assert probe.remove()["hits"] == 1


def test_methods_and_several_probes_on_one_line(at, client):
    places = [stop(client, at.pid, "pond:Base.method", {"eval": text},
                   line="return result")
              for text in ("k", "self.scale", "result")]
    assert at.call("BASE.method", 4) == 8
    assert [evaluated(hits(probe, 1)[0]) for probe in places] == [
        [4], [2], [8]]
    for probe in places:
        probe.remove()


def test_every_after_and_once_per(at, client):
    with stop(client, at.pid, "pond:recurses", {"eval": "n"},
              limits={"after": 2, "every": 3}) as turns, stop(
                  client, at.pid, "pond:recurses", {"eval": "n"},
                  once_per="n % 3") as once:
        at.call("recurses", 9)
        assert [evaluated(hit) for hit in hits(turns, 2)] == [[5], [2]]
        assert [evaluated(hit) for hit in hits(once, 3)] == [[9], [8], [7]]
        assert turns.remove()["hits"] == 2 and once.remove()["hits"] == 3


def test_thread_names(at, client):
    with stop(client, at.pid, "pond:mixed", {"eval": "x"},
              thread="work*") as probe:
        at.call("mixed", 1)
        at.start("mixed", 2, name="worker-1")
        (record,) = hits(probe, 1)
        assert record["thread"]["name"] == "worker-1"


def test_threads_that_are_not_meant(at, client):
    with stop(client, at.pid, "pond:mixed", {"eval": "x"},
              thread="!work*") as probe:
        at.start("mixed", 2, name="worker-1")
        at.call("mixed", 1)
        (record,) = hits(probe, 1)
        assert record["thread"]["name"] == "MainThread"
        assert probe.remove()["hits"] == 1


def test_calls_and_breakpoints_on_one_function(at, client):
    with client.probe(at.pid, "pond:mixed") as calls, stop(
            client, at.pid, "pond:mixed", {"exec": "z = 'new'"},
            line="return x, z") as probe:
        at.call("mixed", 2)
        (record,) = calls.calls(1)
        assert record["locals"]["z"] == "new"
        assert record["return"]["$items"] == [2, "new"]
        probe.remove()
        at.call("mixed", 2)
        assert calls.calls(2)[1]["locals"]["z"] == "1.0"


@pytest.mark.parametrize("name, params, exits", [
    ("bad-code", {"actions": [{"eval": "x = = 1"}]}, 5),
    ("bad-code", {"actions": [{"exec": "if x"}]}, 5),
    ("bad-code", {"actions": [{"log": "{x"}]}, 5),
    ("bad-condition", {"if": "x +"}, 5),
    ("bad-location", {"line": 1}, 5),
    ("bad-location", {"line": "no such line"}, 5),
    ("bad-location", {"line_regex": "("}, 5),
    ("bad-location", {"actions": [{"jump": "3"}]}, 5),
    ("invalid-params", {"actions": [{"eval": "1", "log": ""}]}, 2),
    ("invalid-params", {"actions": [{"run": "1"}]}, 2),
    ("invalid-params", {"line": 0}, 2),
])
def test_what_is_wrong_is_refused_and_nothing_set(at, client, name, params,
                                                  exits):
    with pytest.raises(RpcError) as error:
        client.call("probe.add", pid=at.pid, kind="break",
                    where="pond:mixed", **params)
    assert (error.value.name, error.value.exit) == (name, exits)
    assert client.call("probe.list", pid=at.pid)["probes"] == []


def test_a_syntax_error_names_its_column(at, client):
    with pytest.raises(RpcError) as error:
        stop(client, at.pid, "pond:mixed", {"eval": "x + + "})
    assert "column" in error.value.message
    assert "x + +" in error.value.message


def test_a_line_without_code_names_the_nearest(at, client):
    with pytest.raises(RpcError) as error:
        stop(client, at.pid, "pond:steps", line=line_of("def steps(n):") + 9)
    assert str(line_of("return done, n")) in error.value.message
    assert "line %d;" % (line_of("def steps(n):") + 9) in error.value.message
    assert "nopdb lines" in error.value.remedy
    with pytest.raises(RpcError, match="reads: no such text"):
        stop(client, at.pid, "pond:steps", line="  no such text ")


def test_nothing_stays_behind(at, client):
    before = at.call("state")
    with stop(client, at.pid, "pond:mixed", {"exec": "x = 1"},
              line="return x, z"):
        at.call("mixed", 2)
    assert at.call("state") == before
    assert at.call("mixed", 2) == (2, "1.0")


def test_all_is_as_before_when_we_are_gone(python, client):
    """Tracers, tools, the hook for frames: there while we are, then not."""
    with Target(python, "pond") as target:
        before = target.call("state"), target.call("evaluator")
        client.call("attach", pid=target.pid)
        with stop(client, target.pid, "pond:mixed", {"exec": "x = 1"},
                  line="return x, z") as probe:
            assert target.call("mixed", 2) == (1, "1.0")
            hits(probe, 1)
            during = target.call("state"), target.call("evaluator")
            if python.version >= (3, 9):  # older ones cannot be asked
                assert during != before
        client.call("detach", pid=target.pid)
        assert (target.call("state"), target.call("evaluator")) == before
        assert target.call("mixed", 2) == (2, "1.0")


def test_special_names(python, session_daemon, client):
    """A program that came by stdin has a file of that name."""
    script = ("import os, threading, time\n"
              "def spin(x):\n"
              "    y = x + 1\n"
              "    return y\n"
              "print(os.getpid(), flush=True)\n"
              "while os.path.exists('/proc/%d'):\n"
              "    spin(4)\n"
              "    time.sleep(0.01)\n" % os.getpid())
    program = subprocess.Popen([python.path, "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        program.stdin.write(script.encode())
        program.stdin.close()
        pid = int(program.stdout.readline())
        client.call("attach", pid=pid)
        with stop(client, pid, None, {"eval": "y"}, file="<stdin>",
                  line=4) as probe, client.probe(pid, file="<stdin>",
                                                 function="spin") as calls:
            record = hits(probe, 1)[0]
            assert (evaluated(record), record["file"], record["line"]) == (
                [5], "<stdin>", 4)
            assert calls.calls(1)[0]["return"] == 5
        client.call("detach", pid=pid)
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def test_listing_shows_the_script(at, client):
    script = {"line": "+1", "if": "x", "thread": "M*", "once_per": "x",
              "actions": [{"eval": "x"}, {"stack": True}]}
    with stop(client, at.pid, "pond:mixed", *script["actions"], line="+1",
              if_="x", thread="M*", once_per="x"):
        (entry,) = client.call("probe.list", pid=at.pid)["probes"]
        assert {key: entry[key] for key in script} == script
        assert entry["kind"] == "break"


@pytest.mark.parametrize("limit", [1, 3])
def test_actions_run_no_more_often_than_asked(python, client, limit):
    """While those of one hit let other threads run, too."""
    action = {"exec": "import time\ntime.sleep(0.03)\nRAN.append(number)"}
    with Target(python, "clerk") as target:
        client.call("attach", pid=target.pid)
        probe = stop(client, target.pid, "clerk:handle", action,
                     limits={"hits": limit, "rate": 0})
        client.wait(lambda: probe.of("end"), 20, "end")
        time.sleep(0.1)
        assert len(probe.of("hit")) == limit
        assert target.call("ran") == limit
        client.call("detach", pid=target.pid)


BRACKETS = "(" * 80 + "number" + ")" * 80


@pytest.mark.parametrize("kib", [64, 256])
def test_threads_with_little_stack(python, client, kib):
    """What is compiled there has room, or it is said that it has none."""
    with Target(python, "clerk", kib) as target:
        actions = [{"eval": "number + 1"}, {"eval": BRACKETS},
                   {"log": "{number!r:>3}"}, {"exec": "seen = [number]"}]
        try:
            client.call("attach", pid=target.pid)
        except RpcError as error:
            assert python.version[:2] == (3, 11), error
            assert error.name == "engine" and "stack" in error.message
            return
        probe = stop(client, target.pid, "clerk:handle", *actions,
                     if_="number > 0 and " + BRACKETS)
        client.wait(lambda: probe.of("hit") or probe.of("error"), 10, "hit")
        for record in probe.of("error"):
            assert "too little stack" in record["error"]["message"], record
        plain = stop(client, target.pid, "clerk:handle", *actions)
        for item in hits(plain, 2)[0]["eval"]:
            assert "value" in item or "too little stack" in item[
                "error"]["message"], item
        target.check_progress()
        client.call("detach", pid=target.pid)
