# SPDX-License-Identifier: MIT
"""Every kind of value as the agent writes it, limits, and what must not run."""
import base64
import collections
import gc
import math
import random
import sys
import threading

import inside


def show(value):
    return value


class Touchy:
    """All that a capture must not call."""

    def refuse(self, *_):
        raise AssertionError("code of the program ran")

    __repr__ = __str__ = __getattr__ = __hash__ = __eq__ = refuse
    __len__ = __iter__ = __bool__ = __getitem__ = __int__ = refuse


def refused(*_):
    raise AssertionError("code of the program ran")


class Meta(type):
    """Its classes have no name that could be asked for."""

    __getattribute__ = refused


Tricky = Meta("Tricky", (), {"__module__": "tricky"})


class Text(str):
    pass


class Number(int):
    pass


def see(agent, value, **limits):
    """The value as it was captured: at entry, at return, and returned."""
    probe = agent.add(module=__name__, function="show", **limits)["probe"]
    show(value)
    (record,) = agent.wait()
    stats = agent.remove(probe)
    assert stats["captures"] == 1 and stats["lost_size"] == 0, stats
    seen = record["args"]["value"]
    assert repr(record["locals"]["value"]) == repr(seen)
    assert repr(record["return"]) == repr(seen)
    return seen


def check_plain(agent):
    for value in (None, True, False, 0, 1, -1, 2 ** 53, -2 ** 53, 1.5, -0.25,
                  0.1, 1e16, 1e-7, 1e300, 5e-324, 123456789.0, -4.0, "", "a",
                  "\"\\/\b\t\n\0\x1f\x7f", "\xe9\u20ac\U0001f600", "\ud800",
                  [], [1, [2, "x"]], {}, {"": 1, "a": {"b": None}}):
        seen = see(agent, value)
        assert seen == value and type(seen) is type(value), (value, seen)
    assert math.copysign(1, see(agent, -0.0)) == -1


def check_numbers(agent):
    def number(kind, text):
        return {"$type": kind, "$repr": text}
    for value in (2 ** 53 + 1, -2 ** 63, 2 ** 64, -3 ** 100):
        assert see(agent, value) == number("int", str(value))
    for value in ("nan", "inf", "-inf"):
        assert see(agent, float(value)) == number("float", value)
    for value in (1 + 2j, 2j, complex(-0.0, 1), complex(1, -0.0),
                  complex("nan+infj"), 1e22 + 1e-9j):
        assert see(agent, value) == number("complex", repr(value))


def texts_of(agent, values, **limits):
    """The JSON texts of calls of show, one for each value."""
    probe = agent.add(module=__name__, function="show", locals=0,
                      **limits)["probe"]
    for value in values:
        show(value)
    agent.remove(probe)
    return [text for kind, _, text in agent.ring.read() if kind == "call"]


def check_floats(agent):
    """Digit by digit what repr() says, the short ways of the agent included."""
    dice = random.Random(9)
    values = [sign * n / scale for sign in (1, -1)
              for scale in (1, 10, 100, 1000, 10000, 7)
              for n in (1, 5, 10, 25, 999, 1005, 12345, 99999, 123456789)]
    values += [0.1 + 0.2, 1 / 3, 1e-3, 9.99e-4, 1e10, 9999999999.9999,
               1234567890.1234, 0.30000000000000004, 1e15, 1e16, 1.5e300]
    values += [round(dice.uniform(-1e6, 1e6), dice.randrange(9))
               for _ in range(1500)]
    parts = [values[at:at + 300] for at in range(0, len(values), 300)]
    for part, text in zip(parts, texts_of(agent, parts, items=0)):
        assert "[%s]" % ",".join(map(repr, part)) in text, text


def check_text(agent):
    """Where runs of plain characters end, and what ends them."""
    marks = ["a", '"', "\\", "\n", "\x7f", "\x1f", "\xe9", "\u20ac",
             "\U0001f600", "\udc80"]
    values = ["x" * at + mark + "y" * (length - at - 1)
              for length in (1, 2, 7, 8, 9, 15, 16, 17, 26)
              for at in range(length) for mark in marks]
    texts = texts_of(agent, values)
    assert len(texts) == len(values)
    for value, text in zip(values, texts):
        assert inside.check_json(text)["return"] == value, text
    (text,) = texts_of(agent, ["plain " * 100], string=10)
    assert inside.check_json(text)["return"]["$value"] == "plain plai"


def check_long_ints(agent):
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(640)
    try:
        assert see(agent, 10 ** 600, string=0)["$repr"] == str(10 ** 600)
        seen = see(agent, 10 ** 700, string=0)["$repr"]
        assert int(seen, 0) == 10 ** 700
    finally:
        if hasattr(sys, "set_int_max_str_digits"):
            sys.set_int_max_str_digits(4300)
    value = -10 ** 5000
    seen = see(agent, value, string=0)
    assert int(seen["$repr"], 16) == value
    seen = see(agent, value, string=10)
    assert seen == {"$type": "int", "$repr": hex(value)[:10],
                    "$truncated": True, "$len": len(hex(value))}
    assert see(agent, 1 << 10 ** 7) == {
        "$type": "int", "$bits": 10 ** 7 + 1, "$truncated": True}


def check_bytes(agent):
    for size in (0, 1, 2, 3, 255):
        raw = bytes(range(256))[:size]
        text = base64.b64encode(raw).decode()
        assert see(agent, raw) == {"$type": "bytes", "$base64": text}
        assert see(agent, bytearray(raw)) == {
            "$type": "bytearray", "$base64": text}
    assert see(agent, b"x" * 1000, string=4) == {
        "$type": "bytes", "$base64": "eHh4eA==", "$truncated": True,
        "$len": 1000}


def check_containers(agent):
    def typed(kind, items):
        return {"$type": kind, "$items": items}
    assert see(agent, ()) == typed("tuple", [])
    assert see(agent, (1, (2, []))) == typed(
        "tuple", [1, typed("tuple", [2, []])])
    assert see(agent, {7}) == typed("set", [7])
    assert see(agent, frozenset("a")) == typed("frozenset", ["a"])
    seen = see(agent, set(range(50)))
    assert sorted(seen["$items"]) == list(range(50))
    assert see(agent, range(0, 2 ** 70, 3)) == {
        "$type": "range", "$start": 0, "$step": 3,
        "$stop": {"$type": "int", "$repr": str(2 ** 70)}}
    assert see(agent, slice(None, "b", (1,))) == {
        "$type": "slice", "$start": None, "$stop": "b",
        "$step": typed("tuple", [1])}
    assert see(agent, Ellipsis) == {"$type": "ellipsis"}


def check_dicts(agent):
    def pairs(*found):
        return {"$type": "dict", "$pairs": list(found)}
    assert see(agent, {1: "a", None: [2]}) == pairs([1, "a"], [None, [2]])
    assert see(agent, {"a": 1, "$x": 2}) == pairs(["a", 1], ["$x", 2])
    assert see(agent, {Text("a"): 1})["$pairs"][0][1] == 1
    assert see(agent, {"abcd": 1}, string=3) == pairs([
        {"$type": "str", "$value": "abc", "$truncated": True, "$len": 4}, 1])
    wide = dict((str(i), i) for i in range(10))
    assert see(agent, wide, items=2) == {
        "$type": "dict", "$items": {"0": 0, "1": 1}, "$truncated": True,
        "$len": 10}
    assert see(agent, dict(enumerate("abc")), items=1) == {
        "$type": "dict", "$pairs": [[0, "a"]], "$truncated": True, "$len": 3}
    holed = dict((i, i) for i in range(100))
    for i in range(99):
        del holed[i]
    assert see(agent, holed) == pairs([99, 99])


def check_cut(agent):
    assert see(agent, "x" * 300) == {
        "$type": "str", "$value": "x" * 255, "$truncated": True, "$len": 300}
    assert see(agent, "x" * 255) == "x" * 255
    assert see(agent, "\u20ac" * 1000, string=0) == "\u20ac" * 1000
    assert see(agent, "\U0001f600" * 3, string=1)["$value"] == "\U0001f600"
    for kind in (list, tuple, set, frozenset):
        assert see(agent, kind(range(5)), items=3) == {
            "$type": kind.__name__, "$items": [0, 1, 2], "$truncated": True,
            "$len": 5}


def check_depth(agent):
    cut = {"$type": "list", "$truncated": True, "$len": 2}
    assert see(agent, [[[1, 2]]]) == [[cut]]
    assert see(agent, [[[]]]) == [[[]]]
    assert see(agent, [{"a": [1, 2]}], depth=1) == [
        {"$type": "dict", "$truncated": True, "$len": 1}]
    assert see(agent, [[[[1]]]], depth=0) == [[[[1]]]]
    for make in (lambda x: [x], lambda x: (x,), lambda x: {1: x},
                 lambda x: {"a": x}, lambda x: [{(1,): x}]):
        value = 2j
        for _ in range(100):
            value = make(value)
        text = repr(see(agent, value, depth=0))
        assert "$truncated" in text and nesting(text) <= 62, text


def nesting(text):
    """The deepest nesting of brackets."""
    level = deepest = 0
    for char in text:
        level += (char in "[{") - (char in "]}")
        deepest = max(deepest, level)
    return deepest


def check_cycles(agent):
    ring = [1]
    ring.append({"a": (ring,)})
    seen = see(agent, ring, depth=9)
    assert seen[1]["a"]["$items"] == [{"$ref": hex(id(ring))}]
    shared = [5]
    assert see(agent, [shared, shared]) == [[5], [5]]
    bounds = []
    bounds.append(slice(bounds))
    assert see(agent, bounds, depth=9)[0]["$stop"] == {
        "$ref": hex(id(bounds))}


def check_objects(agent):
    class Local:
        pass
    point = collections.namedtuple("Point", "x")(1)
    prefix = __name__ + "."
    for value, name in (
            (Touchy(), prefix + "Touchy"), (Local(), prefix +
             "check_objects.<locals>.Local"), (Tricky(), "tricky.Tricky"),
            (object(), "object"), (NotImplemented, "NotImplementedType"),
            (threading.Lock(), "_thread.lock"), ({}.keys(), "dict_keys")):
        assert see(agent, value) == {"$type": name, "$id": hex(id(value))}
    for value, name in (
            (Tricky, prefix + "Meta"), (Text("x"), prefix + "Text"),
            (Number(5), prefix + "Number"), (point, prefix + "Point"),
            (collections.OrderedDict(), "collections.OrderedDict"),
            (show, "function"), (len, "builtin_function_or_method"),
            (Touchy.refuse.__get__(1), "method"), (Touchy, "type"),
            (sys, "module"), (ValueError("x"), "ValueError")):
        seen = see(agent, value)
        assert seen["$type"] == name and seen["$id"] == hex(id(value))
        assert len(seen) > 2, seen
    assert see(agent, [Touchy()])[0]["$type"] == prefix + "Touchy"


def check_no_room(agent):
    """Whatever the value, a record within its limit, and valid."""
    wide = [["w" * 1000] * 50 for _ in range(50)]
    deep = [[[{"k": ("v", {i: "x" * i})}] * 3] * 3 for i in range(60)]
    probe = 0
    for value in (wide, deep, "\u20ac" * 10 ** 6, b"x" * 10 ** 6,
                  dict((str(i), wide) for i in range(1000)), {"k": wide},
                  tuple(wide), {1: wide}, set(map(str, range(10 ** 5))),
                  "\"" * 10 ** 6, [10 ** 3000] * 100, [2j] * 10 ** 5,
                  [[]] * 10 ** 6, dict.fromkeys(range(10 ** 5))):
        for size in (0, 1200, 1300, 2000, 3333, 10000):
            probe = agent.add(module=__name__, function="show", depth=0,
                              items=0, string=0, record=size)["probe"]
            show(value)
            ((kind, _, text),) = agent.raw()
            assert len(text.encode()) <= (size or 65536)
            inside.check_json(text)
            assert "$truncated" in text
            stats = agent.remove(probe)
            assert stats["captures"] == 1, stats


def check_nothing_happens(agent):
    """Reading leaves no references behind, and makes nothing that the
    collector counts: until 3.11 that could start it, and with it code of the
    program."""
    value = [{"a": (1.5, "x" * 400, 2 ** 100, b"b", frozenset("x"))}, Touchy(),
             collections.OrderedDict(), range(3), slice(1), 10 ** 5000]
    probe = agent.add(module=__name__, function="show", depth=9)["probe"]
    show(value)
    agent.wait()
    gc.collect()
    gc.disable()
    before = [sys.getrefcount(each) for each in value]
    counted = gc.get_count()[0]
    for _ in range(200):
        show(value)
    made = gc.get_count()[0] - counted
    gc.enable()
    assert [sys.getrefcount(each) for each in value] == before
    assert made < 20, made
    assert agent.remove(probe)["captures"] == 201


if __name__ == "__main__":
    inside.main(globals())
