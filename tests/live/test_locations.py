# SPDX-License-Identifier: MIT
"""WHERE: which functions a location names, and that each then captures."""
import pytest

from machine import Target
from rpc import RpcError

# WHERE or parts, the call that reaches it, the function that the record names.
FOUND = [
    ("zoo:add", ("add", 1, 2), "zoo:add"),
    ("add", ("add", 1, 2), "zoo:add"),
    ("zoo:Shape.area", ("SHAPE.area", 2), "zoo:Shape.area"),
    ("Shape.area", ("SHAPE.area", 2), "zoo:Shape.area"),
    ("zoo:Square.area", ("SQUARE.area",), "zoo:Square.area"),
    ("zoo:Shape.unit", ("Shape.unit",), "zoo:Shape.unit"),
    ("zoo:Shape.perimeter", ("Shape.perimeter", 3), "zoo:Shape.perimeter"),
    ("zoo:Shape.diagonal", ("read_diagonal",), "zoo:Shape.diagonal"),
    ("zoo:Shape.__init__", ("Shape.unit",), "zoo:Shape.__init__"),
    ("zoo:Shape.Inner.deep", ("INNER.deep", 1), "zoo:Shape.Inner.deep"),
    ("zoo:inner", ("outer", 1), "zoo:outer.<locals>.inner"),
    ("zoo:outer.<locals>.inner", ("outer", 1), "zoo:outer.<locals>.inner"),
    ("zoo:call_lambda.<locals>.<lambda>", ("call_lambda", 4),
     "zoo:call_lambda.<locals>.<lambda>"),
    ("zoo:decorated", ("decorated", 2), "zoo:decorated"),
    ("zoo:logged.<locals>.wrapper", ("decorated", 2),
     "zoo:logged.<locals>.wrapper"),
    ("zoo:ad?", ("add", 1, 2), "zoo:add"),
    ("z*:Shape.a[a-r]ea", ("SHAPE.area", 2), "zoo:Shape.area"),
    ({"module": "zoo", "function": "add"}, ("add", 1, 2), "zoo:add"),
    ({"file": "zoo.py", "function": "add"}, ("add", 1, 2), "zoo:add"),
    ({"file": "*/z*.py", "function": "add"}, ("add", 1, 2), "zoo:add"),
    ({"file": "targets/zoo.py", "module": "zoo", "function": "Shape.*ea"},
     ("SHAPE.area", 2), "zoo:Shape.area"),
]


def parts(where):
    return where if isinstance(where, dict) else {"where": where}


@pytest.mark.parametrize("where, call, function", FOUND,
                         ids=[str(row[0]) for row in FOUND])
def test_found(attached, client, where, call, function):
    with client.probe(attached.pid, **parts(where)) as probe:
        assert probe.state == "armed"
        assert function in probe.functions
        attached.call(*call)
        records = [record for record in probe.calls(1)
                   if record["function"] == function]
        assert len(records) == 1
        assert records[0]["line"] == next(
            place["line"] for place in probe.locations
            if place["function"] == function)


def test_captures_only_what_matches(attached, client):
    with client.probe(attached.pid, "zoo:Shape.area") as probe:
        attached.call("SQUARE.area")
        attached.call("add", 1, 2)
        (record,) = probe.calls(1)
    assert record["function"] == "zoo:Shape.area"
    assert record["args"]["scale"] == 1
    assert record["args"]["self"]["$type"] == "zoo.Square"


def test_glob_takes_several(attached, client):
    with client.probe(attached.pid, "zoo:Shape.*") as probe:
        assert {"zoo:Shape.area", "zoo:Shape.unit", "zoo:Shape.perimeter",
                "zoo:Shape.diagonal", "zoo:Shape.__init__"} <= set(
                    probe.functions)
        attached.call("Shape.unit")
        names = {record["function"] for record in probe.calls(2)}
    assert names == {"zoo:Shape.unit", "zoo:Shape.__init__"}


def test_wrapped_function_is_seen_through_its_cache(attached, client):
    with client.probe(attached.pid, "zoo:cached") as probe:
        attached.call("cached", 71)
        attached.call("cached", 71)
        attached.call("cached", 72)
        calls = probe.calls(2)
    assert [record["args"]["x"] for record in calls] == [71, 72]
    # The next run of this test on the same target must miss the cache again.
    attached.call("cached.cache_clear")


def test_pending_until_imported(python, client):
    with Target(python, "zoo") as target:
        client.call("attach", pid=target.pid)
        probe = client.probe(target.pid, "late:arrived")
        method = client.probe(target.pid, "late:Late.method")
        assert (probe.state, method.state) == ("pending", "pending")
        assert probe.locations == []
        assert target.call("import_late") == 15
        (record,) = probe.calls(1)
        assert record["args"] == {"x": 5}
        assert probe.event("probe", state="armed")["locations"][0][
            "function"] == "late:arrived"
        events = [record["event"] + record.get("state", "")
                  for record in probe.of("probe", "call")]
        assert events == ["probepending", "probearmed", "call"]
        assert not method.of("call")
        client.call("detach", pid=target.pid)


def test_defined_later(attached, client):
    """A nested function has no function object before it is called."""
    with client.probe(attached.pid, "call_lambda.<locals>.<lambda>") as probe:
        assert attached.call("call_lambda", 21) == 42
        (record,) = probe.calls(1)
        assert record["args"] == {"value": 21}


def test_main_loop_that_never_returns(python, client):
    """The caller is a while True loop, running before the attach."""
    with Target(python, "zoo") as target:
        target.start("forever", name="looper")
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "zoo:step", {"hits": 0}) as probe:
            calls = probe.calls(5)
            assert calls[0]["thread"]["name"] == "looper"
            counts = [record["args"]["count"] for record in calls]
            assert counts == list(range(counts[0], counts[0] + len(counts)))
            assert all(record["return"] == record["args"]["count"] + 1
                       for record in calls)
        client.call("detach", pid=target.pid)


def test_function_running_at_attach(python, client):
    """A call that began before the probe still reports how it ended."""
    with Target(python, "zoo") as target:
        target.start("slow", 2, name="sleeper")
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "zoo:slow") as probe:
            (record,) = probe.calls(1)
        assert record["began"] == "before"
        assert "args" not in record and "duration_ns" not in record
        assert record["return"] == "slow"
        assert record["locals"] == {"seconds": 2, "marker": "slow"}
        assert record["thread"]["name"] == "sleeper"
        client.call("detach", pid=target.pid)


def test_probed_frame_outlives_the_probe(python, client):
    """Detach while the probed function sleeps: it returns unharmed."""
    with Target(python, "zoo") as target:
        for _ in range(3):
            client.call("attach", pid=target.pid)
            probe = client.probe(target.pid, "zoo:slow")
            target.send(call="slow", args=[0.5])
            with pytest.raises(TimeoutError):
                probe.calls(1, timeout=0.2)
            client.call("detach", pid=target.pid)
            assert target.read()["result"] == "'slow'"


def test_lines(attached, client):
    answer = client.call("lines", pid=attached.pid, where="zoo:add")
    (place,) = answer["locations"]
    assert place["function"] == "zoo:add"
    assert place["file"].endswith("zoo.py")
    first = place["line"]
    assert set(place["lines"]) - {first} == {first + 1, first + 2}
    assert client.call("lines", pid=attached.pid,
                       where="nowhere:nothing")["locations"] == []


@pytest.mark.parametrize("where", [
    "", ":", "a:", ":b", "a:b:c", "zoo.py:120", "a b", "zoo:[", "x" * 5000,
    "zoo:\n", "zoo:\u0000add"], ids=lambda where: repr(where)[:20])
def test_malformed_where(attached, client, where):
    with pytest.raises(RpcError) as caught:
        client.probe(attached.pid, where)
    assert caught.value.name in (
        "bad-location", "invalid-params", "invalid-request")
    assert caught.value.exit in (5, 2)
    assert caught.value.message
    if caught.value.name == "bad-location":
        assert caught.value.remedy
