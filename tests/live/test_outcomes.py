# SPDX-License-Identifier: MIT
"""How calls end: exceptions, generators, coroutines. A yield is not a return;
a raised exception is not a return of None."""
import pytest


def refused(record, message):
    assert "return" not in record
    assert record["exception"]["type"].split(".")[-1] == "Refused"
    assert record["exception"]["message"] == message
    assert record["exception"]["value"]["$type"].split(".")[-1] == "Refused"


@pytest.fixture
def watch(attached, client):
    """Probes WHERE, makes the call; its records and the call's result."""
    def run(where, function, *args, count=1):
        with client.probe(attached.pid, where, {"rate": 0}) as probe:
            result = attached.call(function, *args)
            records = probe.calls(count)
            probe.remove()
            assert len(records) == len(probe.of("call")) == count
            return records, result
    return run


def test_exception(watch):
    (record,), result = watch("zoo:raises", "raises", 5)
    refused(record, "not 5")
    assert record["locals"] == {"x": 5, "note": "about to"}
    assert result == {"exception": "Refused", "message": "not 5"}


def test_exception_through_callers(watch):
    records, result = watch("zoo:raises*", "raises_below", 6, count=2)
    assert [record["function"] for record in records] == [
        "zoo:raises", "zoo:raises_below"]
    for record in records:
        refused(record, "not 6")
    assert result["exception"] == "Refused"


def test_caught_exception_is_a_return(watch):
    (record,), result = watch("zoo:recovers", "recovers", 7)
    assert record["return"] == "not 7" == result
    assert "exception" not in record


def test_reraise(watch):
    (record,), _ = watch("zoo:reraises", "reraises", 8)
    refused(record, "not 8")


def test_none_is_a_return(watch):
    (record,), _ = watch("zoo:returns_none", "returns_none")
    assert record["return"] is None and "exception" not in record


def test_system_exit_is_an_exception(watch):
    (record,), result = watch("zoo:exits", "exits")
    assert record["exception"]["type"].endswith("SystemExit")
    assert result["exception"] == "SystemExit"


def test_generator_ends_once(watch):
    (record,), result = watch("zoo:generator", "drain", 4)
    assert result == [0, 1, 2, 3]
    assert record["args"] == {"n": 4}
    assert record["return"] == "done"
    assert record["locals"] == {"n": 4, "index": 3}


def test_yield_from(watch):
    (record,), result = watch("zoo:delegating", "drain_delegating", 3)
    assert result == [0, 1, 2]
    assert record["return"] == "done"


def test_generator_thrown_into(watch):
    (record,), result = watch("zoo:generator", "throw_into")
    assert result == "thrown"
    refused(record, "thrown")


def test_generator_closed_early(attached, client, python):
    """GeneratorExit, or nothing: 3.13.0 tells no tool of the close."""
    with client.probe(attached.pid, "zoo:generator", {"rate": 0}) as probe:
        assert attached.call("close_early") == "closed"
        assert attached.call("drain", 2) == [0, 1]
        probe.calls(1)
        probe.remove()
    ends = [record.get("exception", {}).get("type", "").split(".")[-1]
            for record in probe.of("call")]
    assert ends[-1] == ""
    assert probe.of("call")[-1]["return"] == "done"
    assert ends[:-1] in (["GeneratorExit"], []), ends
    if python.version < (3, 12):
        assert ends[:-1] == ["GeneratorExit"]


def test_coroutine(watch):
    (record,), result = watch("zoo:coroutine", "run_async", "coroutine", [4])
    assert result == 5
    assert record["args"] == {"x": 4}
    assert record["return"] == 5


def test_coroutines_interleaved(watch):
    records, result = watch("zoo:coroutine", "run_async", "together", [5],
                            count=5)
    assert result == [1, 2, 3, 4, 5]
    assert sorted((record["args"]["x"], record["return"])
                  for record in records) == [(n, n + 1) for n in range(5)]


def test_failing_coroutine(watch):
    (record,), result = watch("zoo:failing_coroutine", "run_async",
                              "failing_coroutine", [2])
    refused(record, "coroutine 2")
    assert result["exception"] == "Refused"


def test_async_generator(watch):
    (record,), result = watch("zoo:numbers", "run_async", "use_numbers", [3])
    assert result == [0, 1, 2]
    assert record["args"] == {"n": 3}
    assert record["return"] is None


def test_suspended_generator_at_attach(attached, client):
    """Created before the probe, resumed after it."""
    name = attached.call("generator", 3)
    assert "generator" in name
    with client.probe(attached.pid, "zoo:show") as probe:
        attached.call("show_named", "generator")
        (record,) = probe.calls(1)
        assert record["args"]["value"]["$type"] == "generator"
