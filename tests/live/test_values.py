# SPDX-License-Identifier: MIT
"""Values as JSON: exact built-in types, limits, cycles, everything else."""
import base64

import pytest

PLAIN = {
    "none": None, "true": True, "int": 7, "negative": -7, "float": 1.5,
    "str": "text", "quotes": "a\"b\\c\n\t\x00\x7f",
    "unicode": "\u00e9\u4e2d\U0001f600", "list": [1, "two", None],
    "dict": {"a": 1, "b": [2]},
}


@pytest.fixture
def capture(attached, client):
    """Captures show(VALUES[name]); its argument as it came."""
    def take(name, **limits):
        limits = dict({"rate": 0}, **limits)
        with client.probe(attached.pid, "zoo:show", limits) as probe:
            assert attached.call("show_named", name) is True
            (record,) = probe.calls(1)
            taken.append(record)
            return record["args"]["value"]
    taken = take.records = []
    return take


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_plain_json(capture, name):
    assert capture(name) == PLAIN[name]
    record = capture.records[0]
    assert record["return"] == PLAIN[name]
    assert record["locals"] == {"value": PLAIN[name], "kept": PLAIN[name]}


def test_numbers_outside_json(capture):
    assert capture("edge") in (
        2 ** 53, {"$type": "int", "$repr": str(2 ** 53)})
    big = capture("big")
    assert big["$type"] == "int"
    assert int(big["$repr"], 0) == 2 ** 200
    assert capture("bigger")["$type"] == "int"
    assert capture("inf") == {"$type": "float", "$repr": "inf"}
    assert capture("nan") == {"$type": "float", "$repr": "nan"}
    assert capture("complex")["$type"] == "complex"


def test_tuples_sets_bytes(capture):
    assert capture("tuple") == {"$type": "tuple", "$items": [
        1, {"$type": "tuple", "$items": [2, 3]}]}
    assert capture("set") == {"$type": "set", "$items": [1]}
    assert capture("frozenset") == {"$type": "frozenset", "$items": [2]}
    assert capture("bytes") == {
        "$type": "bytes",
        "$base64": base64.b64encode(b"\x00\xffab").decode()}
    assert capture("bytearray")["$type"] == "bytearray"


def test_dicts_that_are_not_objects(capture):
    pairs = capture("intkeys")
    assert pairs["$type"] == "dict"
    assert pairs["$pairs"] == [[1, "a"], [
        {"$type": "tuple", "$items": [2, 3]}, "b"]]
    dollar = capture("dollar")
    assert dollar == {"$type": "dict", "$pairs": [["$type", "evil"]]}


def test_limits_are_said(capture):
    long = capture("long", string=10)
    assert long["$truncated"] is True and long["$len"] == 100000
    assert long["$type"] == "str"
    assert "x" * 10 in long.values()
    rows = capture("longlist", items=3)
    assert rows["$truncated"] is True and rows["$len"] == 1000
    assert rows["$items"] == [0, 1, 2]
    cut = capture("longbytes", string=8)
    assert cut["$truncated"] is True and cut["$len"] == 100000


def test_depth(capture):
    def depth(value):
        inner = value if isinstance(value, list) else value.get("$items", [])
        return 1 + max(map(depth, inner), default=0) if inner else 0
    shallow, deep = capture("nested", depth=2), capture("nested", depth=6)
    assert depth(shallow) < depth(deep) <= 7
    assert "$truncated" in repr(shallow)
    assert "bottom" not in repr(capture("nested", depth=0))


def test_cycle_is_a_reference(capture):
    ring = capture("cycle", depth=8)
    assert "$ref" in repr(ring)
    assert len(repr(ring)) < 1000


def test_objects_by_type_and_id(capture):
    """No code of the program runs: repr and getattr of it would raise."""
    value = capture("object")
    assert value["$type"] == "zoo.Plain"
    assert value["$id"].startswith("0x")
    assert value["$id"] == capture("object")["$id"]


@pytest.mark.parametrize("name", [
    "sub", "point", "function", "class", "module", "method", "builtin",
    "generator", "lock", "range", "slice", "ellipsis"])
def test_everything_else_has_a_type(capture, name):
    value = capture(name)
    assert isinstance(value, dict) and value["$type"]


def test_surrogates_stay_valid_utf8(capture):
    value = capture("surrogate")
    assert "x" in repr(value)


def test_wide_value_fits_the_record(capture, attached):
    value = capture("wide", string=0, items=0, depth=0)
    assert "$truncated" in repr(value) or "$truncated" in repr(
        capture.records[0])
    assert len(repr(capture.records[0])) < 200000
    attached.check()
