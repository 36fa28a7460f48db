# SPDX-License-Identifier: MIT
"""NoPdb's keywords as parameters of the protocol."""
import functools
import json
import os
import pathlib
import unittest

import nopdb
from nopdb import given
from nopdb.limits import to_wire
from nopdb.location import locate


class Thing:
    def method(self):
        pass

    @staticmethod
    def still():
        pass

    @classmethod
    def made(cls):
        pass

    @property
    def shown(self):
        return 1


class Called:
    def __call__(self):
        pass


def plain():
    pass


@functools.wraps(plain)
def wrapper():
    pass


def params(function=None, module=None, file=None, unwrap=True, own=True):
    return locate(function, module, file, unwrap, own).params


class Locations(unittest.TestCase):
    def test_names(self):
        self.assertEqual(params("f", "m", "a.py"),
                         {"function": "f", "module": "m", "file": "a.py"})
        self.assertEqual(params(module=json), {"module": "json"})
        self.assertEqual(params(file=pathlib.Path("x.py")),
                         {"file": os.path.abspath("x.py")})

    def test_callables(self):
        names = [params(each, own=False)["function"].rpartition(".")[2]
                 for each in (
                     plain, Thing().method, Thing.method, Thing.still,
                     Thing.made, functools.partial(plain, 1),
                     Thing.__dict__["shown"], wrapper)]
        self.assertEqual(names, ["plain", "method", "method", "still", "made",
                                 "plain", "shown", "plain"])
        self.assertEqual(params(wrapper, unwrap=False, own=False)["function"],
                         "wrapper")
        self.assertEqual(params(plain, own=False)["module"], __name__)
        self.assertEqual(params(Called(), own=False)["function"],
                         "Called.__call__")

    def test_what_has_no_code(self):
        for each in (len, 5, Thing(), object, functools.partial(len)):
            with self.assertRaises(nopdb.LocationError):
                params(each)
            with self.assertRaises(nopdb.LocationError):
                params(each, own=False)

    def test_nothing_is_everything(self):
        self.assertEqual(params(), {"function": "*"})
        ours = {"function": "nopdb.probe:Probe.wait"}
        self.assertFalse(locate(own=True).admits(ours))
        self.assertFalse(locate(own=True).admits(
            {"function": "m:f", "stack": [ours, {"function": "m:f"}]}))
        self.assertTrue(locate(own=True).admits({"function": "nopdbx:f"}))

    def test_own_callables_are_kept_while_they_are_needed(self):
        where = locate(wrapper, own=True)
        self.assertEqual(where.params["module"], "nopdb.given")
        kept = where.kept[0]
        self.assertIs(eval(where.params["callable"]), plain)
        where.release()
        with self.assertRaises(KeyError):
            given.take(kept)
        thing = Thing()
        found = eval(locate(thing.method, own=True).params["callable"])
        self.assertIs(found.__self__, thing)
        found = eval(locate(Called(), own=True).params["callable"])
        self.assertIsInstance(found.__self__, Called)
        found = eval(locate(wrapper, own=True, unwrap=False)
                     .params["callable"])
        self.assertIs(found.__code__, wrapper.__code__)
        self.assertFalse(hasattr(found, "__wrapped__"))

    def test_more_than_a_callable(self):
        here = {"function": "m:f", "file": os.path.abspath(__file__)}
        for more, fits in (({"module": __name__}, True),
                           ({"module": json}, False),
                           ({"file": "test_location.py"}, True),
                           ({"file": "json/*.py"}, False),
                           ({"file": pathlib.Path(__file__)}, True)):
            where = locate(plain, own=True, **more)
            self.assertEqual(where.admits(here), fits, more)
        self.assertEqual(
            locate(callable="a.b", module=json).params,
            {"callable": "a.b", "module": "json"})
        with self.assertRaises(nopdb.LocationError):
            locate("f", callable="a.b")

    def test_limits(self):
        self.assertEqual(to_wire({"hits": 3, "seconds": 1.5, "locals": False,
                                  "min_duration": 0.001}, {"hits": 9}),
                         {"hits": 3, "time_ms": 1500, "locals": False,
                          "min_duration_ns": 1000000})
        self.assertEqual(to_wire({"seconds": 1e-9, "debug_seconds": 0}),
                         {"time_ms": 1, "debug_ms": 0})
        for wrong in ({"hitz": 1}, {"seconds": "1"}, {"eval_seconds": -1},
                      {"exec_seconds": True}):
            with self.assertRaises(nopdb.NopdbError) as caught:
                to_wire(wrong)
            self.assertIn(next(iter(wrong)), str(caught.exception))
            self.assertEqual(caught.exception.exit, 2)


if __name__ == "__main__":
    unittest.main()
