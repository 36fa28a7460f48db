# SPDX-License-Identifier: MIT
"""Uses packages of the standard library as their own tests do.

Where an interpreter comes with its tests, those run; Debian leaves them out.
"""
import asyncio
import collections
import importlib
import io
import json
import time
import unittest

TESTS = {"json": "test.test_json", "asyncio": "test.test_asyncio.test_queues",
         "collections": "test.test_collections"}
EXTRA = {"asyncio": ["test.test_asyncio.test_locks"]}


class Impatient(unittest.TestResult):
    """Stops when its time is over."""

    def __init__(self, seconds):
        super().__init__()
        self.until = time.monotonic() + seconds

    def startTest(self, test):
        super().startTest(test)
        self.shouldStop = time.monotonic() > self.until


def suite_of(names):
    suite = unittest.TestSuite()
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # not shipped, or not for this interpreter
            continue
        suite.addTests(unittest.defaultTestLoader.loadTestsFromName(name))
    return suite


def run_tests(package, seconds):
    """Runs the package's own tests; how many ran in that time."""
    result = Impatient(seconds)
    suite_of([TESTS[package]] + EXTRA.get(package, [])).run(result)
    return result.testsRun


class Odd(json.JSONEncoder):
    def default(self, o):
        return {"odd": repr(type(o))}


def use_json():
    value = {"a": [1, 2.5, None, True, "\u00e9\ud800"], "b": {"c": ()}}
    for options in ({}, {"indent": 2}, {"sort_keys": True}, {"cls": Odd}):
        text = json.dumps(value, **options)
        json.loads(text, object_pairs_hook=collections.OrderedDict)
    json.dump({"o": object()}, io.StringIO(), cls=Odd)
    for bad in ("[1,", "{", "nul", '"\\x"'):
        try:
            json.loads(bad)
        except ValueError:
            pass


def use_collections():
    counter = collections.Counter("abracadabra")
    counter.most_common(2)
    counter += collections.Counter(a=2)
    chain = collections.ChainMap({"a": 1}, {"b": 2})
    list(chain.items())
    point = collections.namedtuple("Point", "x y")(1, 2)
    point._replace(x=5)._asdict()
    ordered = collections.OrderedDict([(1, 2)])
    ordered.move_to_end(1)
    words = collections.UserDict(k="v")
    words.update(a=collections.UserString("s"))
    collections.UserList([3, 1, 2]).sort()


async def produce(queue):
    for number in range(5):
        await queue.put(number)
        await asyncio.sleep(0)
    raise LookupError("the end")


async def consume(queue):
    return [await asyncio.wait_for(queue.get(), 5) for _ in range(5)]


async def conversation():
    queue = asyncio.Queue(2)
    return await asyncio.gather(produce(queue), consume(queue),
                                return_exceptions=True)


def use_asyncio():
    loop = asyncio.new_event_loop()
    try:
        return len(loop.run_until_complete(conversation()))
    finally:
        loop.close()


def use(rounds):
    """Our own use of all three, for interpreters without tests."""
    for _ in range(rounds):
        use_json()
        use_collections()
        use_asyncio()
    return rounds
