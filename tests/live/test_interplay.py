# SPDX-License-Identifier: MIT
"""Tracers, profilers, debuggers and coverage of the program's own: they see
with our probes what they see without, and the probes hit beside them."""
import proc
import pytest

from breaks import evaluated, hits, line_of, stop
from dap import Editor
from machine import TARGETS, Target

ROUNDS = 3
TOOLS = ["settrace", "setprofile", "pdb", "coverage", "monitoring"]
LINE = line_of("total = callee(total)", "beside")


@pytest.fixture(scope="module")
def beside(python):
    with Target(python, "beside") as target:
        yield target


def need(beside, python, tool):
    if tool == "monitoring" and tuple(python.version[:2]) < (3, 12):
        pytest.skip("%s has no sys.monitoring" % python.id)
    if tool == "coverage" and not beside.call("has", "coverage"):
        pytest.skip("%s has no coverage.py (Debian's Python has: "
                    "python3-coverage)" % python.id)


@pytest.mark.smoke
@pytest.mark.parametrize("tool", TOOLS)
def test_none_disturbs_the_other(beside, client, python, tool):
    need(beside, python, tool)
    before = beside.call("state")
    beside.call("with_" + tool, ROUNDS)
    plain = beside.call("with_" + tool, ROUNDS)
    # A thread of its own, under coverage, works as well.
    times = 2 if tool == "coverage" else 1
    client.call("attach", pid=beside.pid)
    for at in ({"line": LINE}, {}):
        with stop(client, beside.pid, "beside:work", {"eval": "n"},
                  {"exec": "seen = n"}, if_="n == 3", **at) as probe, \
                client.probe(beside.pid, "beside:callee") as calls:
            assert beside.call("with_" + tool, ROUNDS) == plain
            want = times * (ROUNDS if at else 1)
            assert [evaluated(hit) for hit in hits(probe, want)] == (
                [[ROUNDS]] * want)
            assert len(calls.calls(times * ROUNDS)) == times * ROUNDS
        assert beside.call("with_" + tool, ROUNDS) == plain
    client.call("detach", pid=beside.pid)
    assert beside.call("with_" + tool, ROUNDS) == plain
    assert beside.call("state") == before


def test_a_jump_under_a_tracer(beside, client, python):
    """<= 3.11: refused with the reason; later: done."""
    client.call("attach", pid=beside.pid)
    with stop(client, beside.pid, "beside:callee", {"jump": "return n"},
              line="n += 1") as probe:
        result = beside.call("with_settrace", ROUNDS)[0]
        record = hits(probe, ROUNDS)[0]
        if tuple(python.version[:2]) < (3, 12):
            assert result == 5
            assert "sys.settrace" in record["errors"][0]["error"]["message"]
        else:
            assert result == 2
            assert "errors" not in record
    assert beside.call("with_settrace", ROUNDS)[0] == 5
    client.call("detach", pid=beside.pid)


def debug_round(editor, beside):
    """What an editor sees of one work(1): where it stops and steps to."""
    beside.send(call="work", args=[1])
    thread, frames = editor.stopped()
    seen = [frames[:2], editor.step(thread), editor.step(thread)]
    editor.go_on(thread)
    return seen, beside.read()["result"]


def test_debugpy(beside, client, python):
    """An editor debugs the program: it stops and steps as without us."""
    if not beside.call("has", "debugpy"):
        pytest.skip("%s has no debugpy (Debian's Python has: "
                    "python3-debugpy)" % python.id)
    with Target(python, "beside") as target:
        port = target.call("listen", 0)[1]
        with Editor(port) as editor:
            editor.start(str(TARGETS / "beside.py"), LINE)
            proc.wait_until(lambda: target.call("connected"), 20, "editor")
            plain = debug_round(editor, target)
            client.call("attach", pid=target.pid)
            with stop(client, target.pid, "beside:work", {"eval": "n"},
                      line="total += 1") as probe, \
                    client.probe(target.pid, "beside:callee") as calls:
                assert debug_round(editor, target) == plain
                assert evaluated(hits(probe, 1)[0]) == [1]
                assert len(calls.calls(1)) == 1
            client.call("detach", pid=target.pid)
            assert debug_round(editor, target) == plain
            editor.call("disconnect")
        assert target.call("work", 1) == 3


@pytest.mark.parametrize("variables", [
    {"PYTHONTRACEMALLOC": "25"}, {"PYTHONMALLOC": "debug"},
    {"PYTHONDEVMODE": "1", "PYTHONTRACEMALLOC": "1"}],
                         ids=["traced", "debug", "both"])
def test_allocators_of_python(python, client, variables):
    """tracemalloc takes the GIL to note what is asked for without it, and so
    may the agent's thread when it comes."""
    with Target(python, "busy", env=variables) as target:
        for _ in range(3):
            client.call("attach", pid=target.pid)
            with client.probe(target.pid, "busy:work_*", {"hits": 0}) as probe:
                probe.calls(1)
                client.call("eval", pid=target.pid, expr="1 + 1")
            client.call("detach", pid=target.pid)
        target.check_progress()
