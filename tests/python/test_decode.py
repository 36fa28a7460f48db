# SPDX-License-Identifier: MIT
"""Values of the protocol, good and hostile."""
import array
import builtins
import collections
import datetime
import decimal
import fractions
import json
import random
import sys
import unittest
import uuid

from nopdb import DecodeError, Snapshot, decode, facts


class Good(unittest.TestCase):
    def check(self, raw, wanted):
        found = decode(raw)
        self.assertEqual(found, wanted)
        self.assertIs(type(found), type(wanted))

    def test_plain(self):
        for value in (None, True, 0, -1.5, "x", [1, [2]], {"a": {"b": []}}):
            self.check(value, value)

    def test_typed(self):
        for raw, wanted in (
                ({"$type": "int", "$repr": str(2 ** 70)}, 2 ** 70),
                ({"$type": "int", "$repr": "-0x10"}, -16),
                ({"$type": "float", "$repr": "-inf"}, -float("inf")),
                ({"$type": "complex", "$repr": "(-0+2j)"}, complex("-0+2j")),
                ({"$type": "tuple", "$items": []}, ()),
                ({"$type": "set", "$items": [1]}, {1}),
                ({"$type": "dict", "$pairs": [[1, 2]]}, {1: 2}),
                ({"$type": "bytes", "$base64": "AP8="}, b"\x00\xff"),
                ({"$type": "range", "$start": 0, "$stop": 5, "$step": 1},
                 range(5)),
                ({"$type": "decimal.Decimal", "$id": "0x1",
                  "$repr": "-1.50"}, decimal.Decimal("-1.50")),
                ({"$type": "datetime.date", "$id": "0x1",
                  "$iso": "2024-02-29"}, datetime.date(2024, 2, 29)),
                ({"$type": "fractions.Fraction", "$id": "0x1", "$attrs": {
                    "_numerator": 1, "_denominator": 3}},
                 fractions.Fraction(1, 3)),
                ({"$type": "collections.deque", "$id": "0x1",
                  "$items": [1], "$maxlen": 2}, collections.deque([1], 2)),
                ({"$type": "uuid.UUID", "$id": "0x1", "$attrs": {"int": 5}},
                 uuid.UUID(int=5))):
            self.check(raw, wanted)

    def test_frozendict(self):
        """Of Python 3.15; what is equal to it where the client is older."""
        raw = {"$type": "frozendict", "$items": {"a": {
            "$type": "frozendict", "$pairs": [[1, 2]]}}}
        made = getattr(builtins, "frozendict", dict)
        self.check(raw, made({"a": made({1: 2})}))
        cut = decode({"$type": "set", "$items": [raw]})
        self.assertIn("1: 2", repr(cut))

    def test_arrays(self):
        raw = {"$type": "numpy.ndarray", "$id": "0x1", "$shape": [2, 1],
               "$dtype": "<i2", "$base64": "AQACAA=="}
        found = decode(raw)
        try:
            import numpy
        except ImportError:
            self.assertEqual(bytes(found), b"\x01\x00\x02\x00")
        else:
            self.assertTrue(numpy.array_equal(found, [[1], [2]]))
        view = decode(dict(raw, **{"$type": "memoryview"}))
        self.assertEqual(view.tolist(), [[1], [2]])
        self.assertEqual(view.shape, (2, 1))
        made = decode({"$type": "app.Grid", "$id": "0x1", "$shape": [2],
                       "$dtype": "<i2", "$base64": "AQACAA==",
                       "$attrs": {"unit": "m"}})
        self.assertEqual((list(facts(made).value), made.unit), ([1, 2], "m"))
        self.check({"$type": "array.array", "$id": "0x1", "$shape": [2],
                    "$dtype": "<i2", "$base64": "AQACAA=="},
                   array.array("h", [1, 2]))
        self.check({"$type": "array.array", "$id": "0x1", "$shape": [2],
                    "$dtype": "<i2", "$items": [1, -2]},
                   array.array("h", [1, -2]))
        few = decode({"$type": "numpy.ndarray", "$id": "0x1", "$shape": [2, 1],
                      "$dtype": "<f8", "$items": [
                          0.5, {"$type": "float", "$repr": "inf"}]})
        self.assertEqual(few.tolist(), [[0.5], [float("inf")]])
        self.assertEqual(few.shape, (2, 1))
        some = decode({"$type": "numpy.ndarray", "$id": "0x1", "$shape": [9],
                       "$dtype": "<f8", "$items": [0.5], "$truncated": True,
                       "$len": 9})
        self.assertEqual(facts(some).items, [0.5])
        with self.assertRaises(DecodeError):
            decode({"$type": "numpy.ndarray", "$shape": [1], "$dtype": "<i2",
                    "$items": ["x"]})
        part = decode({"$type": "numpy.ndarray", "$id": "0x1",
                       "$shape": [9], "$dtype": "<i2"})
        self.assertEqual(facts(part).members["shape"], [9])

    def test_a_type_that_only_sounds_like_one(self):
        """A class made of it has attributes of its own."""
        found = decode({"$type": "datetime.date", "$id": "0x1",
                        "$iso": "2024-02-29", "$attrs": {"extra": 1}})
        self.assertIsInstance(found, Snapshot)
        self.assertEqual(found.extra, 1)


class Cut(unittest.TestCase):
    def test_text(self):
        found = decode({"$type": "str", "$value": "abc", "$truncated": True,
                        "$len": 1000})
        self.assertEqual(len(found), 1000)
        self.assertEqual(found[1], "b")
        self.assertEqual(repr(found), "<str 'abc', ... of 1000>")

    def test_containers(self):
        items = decode({"$type": "list", "$items": [1, 2],
                        "$truncated": True, "$len": 9})
        self.assertEqual((list(items), len(items)), ([1, 2], 9))
        with self.assertRaisesRegex(IndexError, "cut"):
            items[5]
        table = decode({"$type": "dict", "$items": {"a": 1},
                        "$truncated": True, "$len": 9})
        self.assertEqual(table["a"], 1)
        self.assertIn("a", table)
        with self.assertRaisesRegex(KeyError, "cut"):
            table["b"]

    def test_nothing_but_a_length(self):
        found = decode({"$type": "dict", "$truncated": True, "$len": 3})
        self.assertEqual(len(found), 3)
        with self.assertRaises(TypeError):
            list(found)

    def test_withheld(self):
        found = decode({"$type": "str", "$redacted": "name"})
        self.assertEqual(repr(found), "<str withheld: name>")

    def test_a_set_of_what_cannot_be_hashed(self):
        found = decode({"$type": "set", "$items": [[1]]})
        self.assertEqual(facts(found).items, [[1]])

    def test_snapshots_are_copied(self):
        import copy
        import pickle
        found = decode({"$type": "a.B", "$id": "0xff", "$attrs": {"x": 1}})
        for other in (copy.deepcopy(found), pickle.loads(
                pickle.dumps(found))):
            self.assertEqual((other.x, facts(other)), (1, facts(found)))
        self.assertEqual(dir(found), ["x"])
        self.assertFalse(hasattr(found, "y"))


HOSTILE = [
    {"$type": 3}, {"$type": "int", "$repr": "1;import os"},
    {"$type": "int"}, {"$type": "int", "$repr": "0x"},
    {"$type": "int", "$repr": "\u0663"}, {"$type": "int", "$repr": "1" * 2000000},
    {"$type": "float", "$repr": "1e5"}, {"$type": "complex", "$repr": "x()"},
    {"$type": "complex", "$repr": "(1+"}, {"$type": "bytes"},
    {"$type": "bytes", "$base64": "###"}, {"$type": "bytes", "$base64": 1},
    {"$type": "tuple", "$items": 5}, {"$type": "dict", "$pairs": [[1]]},
    {"$type": "dict", "$pairs": {"a": 1}},
    {"$type": "dict", "$items": {"$x": 1}},
    {"$type": "range", "$start": "a", "$stop": 1, "$step": 1},
    {"$type": "range", "$start": 0, "$stop": 1, "$step": 0},
    {"$type": "decimal.Decimal", "$repr": "__import__"},
    {"$type": "decimal.Decimal", "$repr": "1E99999999999999999999999"},
    {"$type": "datetime.date", "$iso": "2024-99-99"},
    {"$type": "datetime.timezone", "$iso": "+99:00"},
    {"$type": "datetime.timedelta", "$days": 10 ** 30, "$seconds": 0,
     "$microseconds": 0},
    {"$type": "datetime.timedelta", "$days": "1"},
    {"$type": "x", "$id": "12"}, {"$type": "x", "$id": 5},
    {"$type": "x", "$attrs": []}, {"$type": "x", "$attrs": {"$a": 1}},
    {"$type": "x", "$len": -1}, {"$ref": "zz"}, {"$ref": None},
    {"$mark": 1}, {"$type": "numpy.ndarray", "$shape": [1 << 40],
                   "$dtype": "<i2", "$base64": "AA=="},
    {"$type": "numpy.ndarray", "$shape": "x", "$dtype": "i",
     "$base64": "AA=="}, object(), {1},
    {"$type": "memoryview", "$shape": [3], "$dtype": "<i2",
     "$base64": "AA=="},
    {"$type": "memoryview", "$shape": [True], "$dtype": "|u1",
     "$base64": "AA=="},
    {"$type": "numpy.ndarray", "$shape": [1], "$dtype": "|V1",
     "$base64": "AA==", "$fields": [["a", "<i4", 0]]},
    {"$type": "numpy.ndarray", "$shape": [1], "$dtype": "|V1",
     "$base64": "AA==", "$fields": [["a", "|u1", 0], ["a", "|u1", 0]]},
    {"$type": "collections.deque", "$items": [], "$maxlen": -1},
    {"$type": "collections.deque", "$items": [], "$maxlen": 1 << 70},
]


class Hostile(unittest.TestCase):
    def test_refused(self):
        for raw in HOSTILE:
            with self.assertRaises(DecodeError, msg=repr(raw)[:100]):
                decode(raw)

    def test_nested(self):
        raw = 1
        for _ in range(500):
            raw = [raw]
        with self.assertRaises(DecodeError):
            decode(raw)

    def test_objects_of_numpy_are_not_unpickled(self):
        for dtype in ("O", "object", "|O", "V8", "i4,O"):
            found = decode({"$type": "numpy.ndarray", "$shape": [1],
                            "$dtype": dtype, "$base64": "AAAAAAAAAAA="})
            self.assertNotEqual(type(found).__name__, "ndarray")

    def test_nothing_is_imported(self):
        decode({"$type": "this.that", "$id": "0x1"})
        self.assertNotIn("this", sys.modules)

    def test_whatever_comes_is_decoded_or_refused(self):
        chance = random.Random(5)
        keys = ["$type", "$id", "$ref", "$repr", "$items", "$pairs", "$attrs",
                "$value", "$base64", "$truncated", "$len", "$redacted",
                "$iso", "$start", "$stop", "$step", "$shape", "$dtype", "a"]
        names = ["int", "float", "complex", "tuple", "set", "dict", "bytes",
                 "range", "slice", "decimal.Decimal", "datetime.datetime",
                 "datetime.timezone", "uuid.UUID", "pathlib.PosixPath",
                 "numpy.ndarray", "collections.Counter", "x.Y"]

        def value(depth):
            kind = chance.randrange(9 if depth else 6)
            if kind < 6:
                return chance.choice([None, True, -1, 2.5, "0x1f", "", "nan",
                                      "AA==", "2024-01-01", 10 ** 25])
            if kind == 6:
                return [value(depth - 1) for _ in range(chance.randrange(4))]
            found = {chance.choice(keys): value(depth - 1)
                     for _ in range(chance.randrange(5))}
            if chance.random() < 0.8:
                found["$type"] = chance.choice(names)
            return found
        for _ in range(20000):
            raw = json.loads(json.dumps(value(4)))
            try:
                repr(decode(raw))
            except DecodeError:
                pass


if __name__ == "__main__":
    unittest.main()
