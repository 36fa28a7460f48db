# SPDX-License-Identifier: MIT
"""Locations by callable and by line, callbacks, limits, actions added to a
probe that is set, and probes from a file."""
import json

import pytest

import proc
from breaks import evaluated, hits, line_of, stop
from machine import Target
from rpc import RpcError

CELL = "def cell(x):\n    y = x * 2\n    return y\n"


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


def run(client, target, code):
    answer = client.call("exec", pid=target.pid, module="pond", code=code)
    assert "error" not in answer, answer


@pytest.mark.smoke
def test_callables(at, client):
    """Wrappers, partials, a bound method, a property, a __call__."""
    run(client, at, "import functools\n"
        "part = functools.partial(mixed, 4)\n"
        "wrapped = functools.lru_cache()(one_line)\n"
        "class Sub(Base):\n"
        "    __call__ = lambda self, v: v\n"
        "    size = property(lambda self: 3)\n"
        "FIRST, SECOND = Sub(), Sub()\n")
    for expr, call, function in (
            ("part", ["part"], "pond:mixed"),
            ("wrapped", ["one_line", 1], "pond:one_line"),
            ("FIRST", ["FIRST", 1], "pond:Sub.<lambda>"),
            ("Sub.size", ["Sub.size.fget", 1], "pond:Sub.<lambda>")):
        with client.probe(at.pid, module="pond", callable=expr) as probe:
            assert len(probe.locations) == 1
            at.call(*call)
            assert probe.calls(1)[0]["function"] == function
    with client.probe(at.pid, module="pond", callable="FIRST.method") as one, \
            stop(client, at.pid, None, {"eval": "k"}, module="pond",
                 callable="SECOND.method", line="return result") as other:
        at.call("FIRST.method", 1)
        at.call("SECOND.method", 2)
        at.call("BASE.method", 3)
        at.call("FIRST.method", 4)
        assert [call["args"]["k"] for call in one.calls(2)] == [1, 4]
        assert evaluated(hits(other, 1)[0]) == [2]
        assert one.remove()["hits"] == 2 and other.remove()["hits"] == 1


def test_an_inherited_method(at, client):
    run(client, at, "class Heir(Base): pass\nHEIR = Heir()")
    with client.probe(at.pid, "pond:Heir.method") as probe:
        assert probe.functions == ["pond:Base.method"]
        at.call("HEIR.method", 5)
        assert probe.calls(1)[0]["args"]["k"] == 5
    assert client.probe(at.pid, "pond:Heir.nothing").state == "pending"


@pytest.mark.parametrize("params", [
    {"callable": "len"}, {"callable": "1 / 0"}, {"callable": "x +"},
    {"callable": "exit()"}, {"callable": "[0 for i in iter(int, 1)]"},
    {"callable": "mixed", "module": "nowhere"},
    {"callable": "mixed", "where": "pond:mixed"},
])
def test_what_is_no_callable(at, client, params):
    params.setdefault("module", "pond")
    with pytest.raises(RpcError) as error:
        client.call("probe.add", pid=at.pid, kind="calls", **params)
    assert error.value.exit == 5
    assert client.call("probe.list", pid=at.pid)["probes"] == []
    assert at.call("mixed", 2) == (2, "1.0")


@pytest.mark.smoke
def test_a_callback_gets_the_frame(at, client):
    run(client, at, "def seen(frame):\n"
        "    return frame.f_code.co_name, frame.f_locals['x'], frame.f_lineno")
    line = line_of("return x, z")
    with stop(client, at.pid, "pond:mixed", {"call": "pond:seen"},
              {"call": "pond:nothing"}, {"call": "nowhere:seen"},
              line=line) as probe, stop(
                  client, at.pid, "pond:mixed", {"call": "pond:seen"}) as call:
        assert at.call("mixed", 2) == (2, "1.0")
        (record,) = hits(probe, 1)
        first, *others = record["call"]
        assert first["function"] == "pond:seen"
        assert first["value"]["$items"] == ["mixed", 2, line]
        assert [item["error"]["type"] for item in others] == [
            "AttributeError", "LookupError"]
        (record,) = hits(call, 1)
        assert record["call"][0]["value"]["$items"][:2] == ["mixed", 2]
    with pytest.raises(RpcError) as error:
        stop(client, at.pid, "pond:mixed", {"call": "no colon"})
    assert error.value.exit == 5


def test_actions_are_added(at, client):
    with stop(client, at.pid, "pond:mixed", {"eval": "x"}) as probe:
        at.call("mixed", 1)
        hits(probe, 1)
        answer = client.call("probe.actions", probe=probe.id, actions=[
            {"exec": "x += 1"}, {"eval": "x"}])
        assert answer["state"] == "armed"
        for wrong in ([{"eval": "x +"}], [{"jump": "3"}],
                      [{"eval": "1"}] * 17):
            with pytest.raises(RpcError):
                client.call("probe.actions", probe=probe.id, actions=wrong)
        assert at.call("mixed", 1) == (2, "1.0")
        assert evaluated(hits(probe, 2)[1]) == [1, 2]
        (entry,) = client.call("probe.list", pid=at.pid)["probes"]
        assert entry["actions"] == [{"eval": "x"}, {"exec": "x += 1"},
                                    {"eval": "x"}]
    with client.probe(at.pid, "pond:mixed") as calls:
        with pytest.raises(RpcError):
            client.call("probe.actions", probe=calls.id,
                        actions=[{"eval": "x"}])


def test_calls_have_turns_and_threads_too(at, client):
    with client.probe(at.pid, "pond:mixed", {"every": 2, "after": 1}) as turns:
        with client.probe(at.pid, "pond:mixed", thread="work*") as thread:
            for x in range(5):
                at.call("mixed", x)
            at.start("mixed", 9, name="worker-1")
            assert [call["args"]["x"] for call in turns.calls(2)] == [2, 4]
            (record,) = thread.calls(1)
            assert record["args"] == {"x": 9}
    for kind, limits in (("break", {"only_exceptions": True}),
                         ("break", {"min_duration_ns": 1}),
                         ("calls", {"min_duration_ns": 10 ** 9,
                                    "time_ms": 1000})):
        with pytest.raises(RpcError) as error:
            client.call("probe.add", pid=at.pid, kind=kind, limits=limits,
                        where="pond:mixed")
        assert error.value.exit == 2


def test_lines_with_a_line(at, client):
    def lines(**params):
        return client.call("lines", pid=at.pid, **params)
    line = line_of("total += i")
    (place,) = lines(where="pond.py:%d" % line)["locations"]
    assert place["stops"] == [line] and place["function"] == "pond:loops"
    (place,) = lines(where="pond:steps", line_regex="append")["locations"]
    assert len(place["stops"]) == 3
    answer = lines(where="pond:steps", line=line_of("def steps(n):") + 9)
    assert answer["locations"] == []
    assert line_of("return done, n") in answer["nearest"]
    assert lines(callable="BASE.method", module="pond")["locations"][0][
        "function"] == "pond:Base.method"


def test_source_that_only_linecache_has(at, client):
    """As of a notebook's cell; and the def of a decorated function."""
    for name in ("<ipython-input-7-abc>", "/tmp/ipykernel_1/77.py"):
        source = "def same(f):\n    return f\n@same\n" + CELL
        run(client, at, "import linecache\nsource = %r\n"
            "linecache.cache[%r] = (len(source), None, "
            "source.splitlines(True), %r)\n"
            "exec(compile(source, %r, 'exec'), globals())"
            % (source, name, name, name))
        with stop(client, at.pid, None, {"eval": "y"}, file=name,
                  function="cell", line="return y") as text, stop(
                      client, at.pid, None, {"eval": "x"}, file=name,
                      function="cell", line="def cell(x):") as start, stop(
                          client, at.pid, None, {"eval": "x"}, file=name,
                          function="cell", line=4) as number:
            assert at.call("cell", 4) == 8
            assert evaluated(hits(text, 1)[0]) == [8]
            assert evaluated(hits(start, 1)[0]) == [4]
            assert evaluated(hits(number, 1)[0]) == [4]


@pytest.mark.smoke
def test_apply_makes_what_list_prints(python, cli, folder):
    shown = folder / "probes"
    with Target(python, "pond") as target:
        threads = set(proc.threads(target.pid))
        assert cli("break", target.pid, "--file", "pond.py", "--line",
                   "return x, z", "--eval", "x", "--log", "{z}", "--if",
                   "x > 0", "--every", "2", "-n", "0", "--redact", "foo",
                   "--persist").status == 0
        assert cli("calls", target.pid, "--callable", "mixed", "--module",
                   "pond", "-t", "1h", "--persist").status == 0
        listed = cli("list", target.pid, "--json")
        shown.write_text(listed.out)
        for record in listed.records:
            assert cli("rm", record["probe"]).status == 0
        assert cli("apply", target.pid, shown).status == 0
        again = cli("list", target.pid, "--json")

        def plain(result):
            return [{key: value for key, value in record.items()
                     if key not in ("probe", "state", "hits", "captures")}
                    for record in result.records]
        assert plain(again) == plain(listed) and len(again.records) == 2
        for record in again.records:
            assert cli("rm", record["probe"]).status == 0
        good = {"kind": "break", "where": "pond:mixed",
                "actions": [{"eval": "x"}]}
        for wrong, status in (
                ("{", 2), ("", 2), ("[1]", 2), ('{"where": "f"}', 2),
                (json.dumps(dict(good, other=1)), 2),
                (json.dumps(dict(good, kind="x")), 2),
                (json.dumps(dict(good, line=2)), 5),
                (json.dumps(dict(good, actions=[{"eval": "x +"}])), 5)):
            shown.write_text(json.dumps(good) + "\n" + wrong
                             if wrong else "")
            assert cli("apply", target.pid, shown, "--persist"
                       ).status == status, wrong
            assert cli("list").out == ""
        assert cli("apply", target.pid, folder / "none").status == 2
        proc.wait_agent_gone(target.pid, threads)
        target.check()


NOTE = "import sys, types\n" \
    "witness = types.ModuleType('nopdb.given')\n" \
    "sys.modules['nopdb.given'] = witness\n" \
    "told = []\n" \
    "def note(things):\n" \
    "    told.append(sorted(things))\n" \
    "    return len(told)\n" \
    "witness.note = note\n"


def test_objects_for_a_client_in_the_process(at, client):
    """They are handed to its function, whatever that does."""
    live = {"live": True, "exec_ms": 50}
    with client.probe(at.pid, "pond:mixed", live) as probe:
        at.call("mixed", 2)  # nobody is there
        assert "live" not in probe.calls(1)[0]
        run(client, at, NOTE)
        at.call("mixed", 2)
        assert probe.calls(2)[1]["live"] == [1, 2]
        assert client.call("eval", pid=at.pid, module="pond", expr="told")[
            "value"] == [["x"], ["return", "x", "y", "z"]]
        for number, body in enumerate((
                "1 / 0", "raise SystemExit", "return 'x'", "return -1",
                "return 1 << 80", "return note(things)", "things.clear()"), 3):
            run(client, at, "def note(things):\n    %s\nwitness.note = note"
                % body)
            assert at.call("mixed", 2) == (2, "1.0")
            record = probe.calls(number)[-1]
            assert "live" not in record and record["args"] == {"x": 2}, body
        run(client, at, "def note(things):\n    while True: pass\n"
            "witness.note = note")
        assert at.call("mixed", 2) == (2, "1.0")
        assert "live" not in probe.calls(10)[-1]
        assert at.call("mixed", 2) == (2, "1.0")  # not asked any more
    run(client, at, "del sys.modules['nopdb.given'], witness, note, told")
    at.check()


def test_code_from_a_file_is_read_once(python, cli, folder):
    """Before the process is entered, and for all places."""
    code = folder / "code.py"
    with Target(python, "pond") as target:
        result = cli("break", target.pid, "mixed", "--exec-file", code)
        assert result.status == 2 and "attached" not in result.out
        assert str(code) in result.err
        code.write_text("x += 1\ny = 9\n")
        with code.open() as piped:
            command = cli.start(
                "break", target.pid, "pond:mixed", "pond:one_line",
                "--exec-file", "-", "--eval", "x", "--eval", "y", "-n", "1",
                "--json", stdin=piped)
        try:
            heads = [command.stdout.readline() for _ in range(3)]
            assert [json.loads(head)["event"] for head in heads] == [
                "attached", "probe", "probe"]
            target.call("mixed", 2)
            target.call("one_line", 2)
            records = [json.loads(line) for line in
                       command.communicate(timeout=30)[0].splitlines()]
        finally:
            command.kill()
            command.wait()
        assert [evaluated(record) for record in records
                if record["event"] == "hit"] == [[3, 9], [3, 9]]


def test_options_that_contradict(cli):
    for words in (["break", "1", "f", "--only-exceptions"],
                  ["break", "1", "f", "--min-duration", "1s"],
                  ["calls", "1", "f", "--min-duration", "2s", "-t", "1s"],
                  ["calls", "1", "f", "-n", "1", "-n", "2"],
                  ["calls", "1", "f", "--once-per", "x"],
                  ["calls", "1", "f", "--callable", "g"],
                  ["break", "1", "f", "--line", "3", "--line-regex", "x"],
                  ["actions", "1"], ["apply", "1"]):
        assert cli(*words).status == 2, words
