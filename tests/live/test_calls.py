# SPDX-License-Identifier: MIT
"""What a `call` record holds: the shape that NoPdb's documentation uses, from
another process, and each part of the record by itself."""
import time

import pytest

from machine import Target


def plain_call(record):
    """The shape of the record of f, whatever its time and place."""
    return (record["args"], record["locals"], record["return"],
            [frame["function"].split(":")[-1] for frame in record["stack"]])


@pytest.mark.smoke
def test_documented_shape(python, client):
    with Target(python, "shape", script=True) as target:
        target.check = lambda: None  # it takes no commands
        report = client.call("attach", pid=target.pid)
        assert report["python"] == ".".join(map(str, python.version))
        assert report["pause_us"] > 0
        with client.probe(target.pid, "f", {"hits": 5, "rate": 0}) as probe:
            assert probe.state == "armed"
            assert "__main__:f" in probe.functions
            calls = probe.calls(3)
        for record in calls:
            assert plain_call(record) == (
                {"x": 1, "y": 1}, {"x": 1, "y": 1, "z": 2}, 4,
                ["<module>", "g", "f"])
        client.call("detach", pid=target.pid)
        assert target.process.poll() is None


def test_envelope(attached, client):
    before = time.time()
    with client.probe(attached.pid, "zoo:add") as probe:
        assert attached.call("add", 2, 3) == 5
        assert attached.call("add", 4, 5) == 9
        first, second = probe.calls(2)
    assert (first["v"], first["event"], first["pid"]) == (
        1, "call", attached.pid)
    assert first["target"].split(".")[0] == str(attached.pid)
    assert (first["probe"], second["seq"] - first["seq"]) == (probe.id, 1)
    assert before - 1 < first["time"] <= second["time"] < time.time() + 1
    assert first["function"] == "zoo:add"
    assert first["file"].endswith("/zoo.py")
    assert first["thread"] == {"id": attached.pid, "name": "MainThread"}
    assert first["duration_ns"] > 0
    assert "exception" not in first
    inner = first["stack"][-1]
    assert inner["function"] == "zoo:add"
    assert inner["file"] == first["file"]
    assert first["stack"][0]["function"].endswith(":<module>")


def test_sequence_of_events(attached, client):
    probe = client.probe(attached.pid, "zoo:add", {"hits": 2, "rate": 0})
    attached.call("burst", 10)
    end = probe.event("end")
    events = [record["event"] for record in probe.of(
        "probe", "call", "lost", "end")]
    assert events == ["probe", "call", "call", "probe", "end"]
    states = [record["state"] for record in probe.of("probe")]
    assert states == ["armed", "disabled"]
    assert [record["seq"] for record in client.records
            if record.get("probe") == probe.id] == [1, 2, 3, 4, 5]
    assert (end["reason"], end["captures"]) == ("hits", 2)


@pytest.mark.parametrize("args, kwargs, expected", [
    ([1], {"c": 3}, {"a": 1, "b": 2, "c": 3, "d": 4}),
    ([1, 9, 8, 7], {"c": 3, "d": 5, "e": 6},
     {"a": 1, "b": 9, "c": 3, "d": 5}),
])
def test_every_kind_of_argument(attached, client, args, kwargs, expected):
    with client.probe(attached.pid, "zoo:signature") as probe:
        attached.call("signature", *args, **kwargs)
        (record,) = probe.calls(1)
    rest = {"$type": "tuple", "$items": args[2:]}
    options = {key: value for key, value in kwargs.items()
               if key not in ("c", "d")}
    assert record["args"] == dict(expected, rest=rest, options=options)
    assert record["locals"] == record["args"]
    assert record["return"] == 1


def test_args_at_entry_locals_at_return(attached, client):
    with client.probe(attached.pid, "zoo:rebinds") as probe:
        attached.call("rebinds", 1)
        (record,) = probe.calls(1)
    assert record["args"] == {"x": 1}
    assert record["locals"] == {"x": 101}
    with client.probe(attached.pid, "zoo:deletes") as probe:
        attached.call("deletes", 6)
        (record,) = probe.calls(1)
    assert record["args"] == {"x": 6}
    assert record["locals"] == {"kept": 6}


def test_cells(attached, client):
    """An argument that an inner function uses lives in a cell."""
    with client.probe(attached.pid, "zoo:outer") as probe:
        assert attached.call("outer", 4) == 9
        (record,) = probe.calls(1)
    assert record["args"] == {"x": 4}
    assert record["locals"]["x"] == 4
    assert record["locals"]["inner"]["$type"] == "function"
    with client.probe(attached.pid, "zoo:outer.<locals>.inner") as probe:
        attached.call("outer", 4)
        (record,) = probe.calls(1)
    assert record["args"] == {"y": 5}
    assert record["locals"]["y"] == 5
    assert record["return"] == 9


def test_recursion_pairs_entry_and_return(attached, client):
    with client.probe(attached.pid, "zoo:recurse",
                      {"stack": 50, "rate": 0}) as probe:
        attached.call("recurse", 20)
        calls = probe.calls(21)
    assert [(record["args"]["n"], record["return"]) for record in calls] == [
        (n, n) for n in range(21)]
    depths = [sum(frame["function"] == "zoo:recurse"
                  for frame in record["stack"]) for record in calls]
    assert depths == list(range(21, 0, -1))
    durations = [record["duration_ns"] for record in calls]
    assert durations == sorted(durations)


def test_limits_of_a_record(attached, client):
    limits = {"stack": 2, "locals": False}
    with client.probe(attached.pid, "zoo:add", limits) as probe:
        attached.call("add", 1, 2)
        (record,) = probe.calls(1)
    assert len(record["stack"]) == 2
    assert record["stack"][-1]["function"] == "zoo:add"
    assert "locals" not in record
    with client.probe(attached.pid, "zoo:add", {"stack": 0}) as probe:
        attached.call("add", 1, 2)
        (record,) = probe.calls(1)
    assert not record.get("stack")


def test_rate_and_hits(attached, client):
    probe = client.probe(attached.pid, "zoo:add", {"rate": 5, "hits": 0})
    attached.call("burst", 2000)
    assert attached.call("add", 1, 1) == 2
    removed = probe.remove()
    assert 1 <= removed["captures"] <= 30
    assert removed["lost"]["rate"] > 0
    assert removed["captures"] == len(probe.of("call"))
    assert removed["captures"] + removed["lost"]["rate"] == 2001
    assert probe.of("end")[0]["reason"] == "removed"


def test_no_limits_loses_nothing_in_bounds(attached, client):
    limits = {"rate": 0, "hits": 0, "stack": 0, "locals": False}
    probe = client.probe(attached.pid, "zoo:add", limits)
    attached.call("burst", 3000)
    removed = probe.remove()
    lost = sum(removed["lost"].values())
    assert removed["captures"] + lost == 3000
    assert lost == 0, removed
    assert [record["args"]["x"] for record in probe.of("call")] == list(
        range(3000))


def test_duration_and_exception_filters(attached, client):
    limits = {"min_duration_ns": 50000000}
    with client.probe(attached.pid, "zoo:slow", limits) as probe:
        attached.call("slow", 0)
        attached.call("slow", 0.08)
        (record,) = probe.calls(1)
        assert record["duration_ns"] >= 75000000
        assert record["args"] == {"seconds": 0.08}
    with client.probe(attached.pid, "zoo:raises*",
                      {"only_exceptions": True}) as probe, client.probe(
                          attached.pid, "zoo:add",
                          {"only_exceptions": True}) as silent:
        attached.call("raises_below", 1)
        attached.call("add", 1, 1)
        assert len(probe.calls(2)) == 2
        assert silent.remove()["captures"] == 0


def test_time_limit_ends_the_probe(attached, client):
    probe = client.probe(attached.pid, "zoo:add", {"time_ms": 300})
    end = probe.event("end", timeout=5)
    assert end["reason"] == "time"
    attached.call("add", 1, 1)
    assert not probe.of("call")


def test_two_probes_on_one_function(attached, client):
    with client.probe(attached.pid, "zoo:add") as one, client.probe(
            attached.pid, "zoo:a*", {"depth": 0}) as two:
        attached.call("add", 1, 1)
        assert one.calls(1) and two.calls(1)
        two.remove()
        attached.call("add", 2, 2)
        assert one.calls(2)[1]["args"] == {"x": 2, "y": 2}
        assert len(two.of("call")) == 1


def test_disable_and_enable(attached, client):
    with client.probe(attached.pid, "zoo:add") as probe:
        client.call("probe.disable", probe=probe.id)
        attached.call("add", 1, 1)
        client.call("probe.enable", probe=probe.id)
        attached.call("add", 2, 2)
        (record,) = probe.calls(1)
        assert record["args"] == {"x": 2, "y": 2}
