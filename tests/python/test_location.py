# SPDX-License-Identifier: MIT
"""NoPdb's keywords as parameters of the protocol."""
import functools
import json
import os
import pathlib
import unittest

import nopdb
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
        names = [params(each)["function"].rpartition(".")[2] for each in (
            plain, Thing().method, Thing.method, Thing.still, Thing.made,
            functools.partial(plain, 1), Thing.__dict__["shown"], wrapper)]
        self.assertEqual(names, ["plain", "method", "method", "still", "made",
                                 "plain", "shown", "plain"])
        self.assertEqual(params(wrapper, unwrap=False)["function"], "wrapper")
        self.assertEqual(params(plain)["module"], __name__)

    def test_what_has_no_code(self):
        for each in (len, 5, Thing(), object):
            with self.assertRaises(nopdb.LocationError):
                params(each)
        with self.assertRaises(nopdb.LocationError):
            params()

    def test_an_instance(self):
        one, other = Thing(), Thing()
        where = locate(one.method, None, None, True, True)
        code = Thing.method.__code__

        def call(instance):
            return {"event": "call", "line": code.co_firstlineno,
                    "file": code.co_filename,
                    "args": {"self": {"$id": hex(id(instance))}}}
        self.assertTrue(where.admits(call(one)))
        self.assertFalse(where.admits(call(other)))
        self.assertFalse(where.admits(dict(call(one), line=1)))

    def test_limits(self):
        self.assertEqual(to_wire({"hits": 3, "seconds": 1.5, "locals": False,
                                  "min_duration": 0.001}, {"hits": 9}),
                         {"hits": 3, "time_ms": 1500, "locals": False,
                          "min_duration_ns": 1000000})
        with self.assertRaisesRegex(nopdb.NopdbError, "hitz"):
            to_wire({"hitz": 1})


if __name__ == "__main__":
    unittest.main()
