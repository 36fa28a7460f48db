# SPDX-License-Identifier: MIT
"""own_use.py: code written for NoPdb, in its own process: a unittest.

The daemon is found, or started, by $NOPDB_SOCKET and $NOPDB_BUILD.
"""
import asyncio
import contextlib
import functools
import io
import json
import os
import pathlib
import sys
import threading
import unittest
import weakref

import nopdb


def f(x, y):
    z = x + y
    return 2 * z


def g(x):
    return f(x, x)


def h(thing):
    return thing


def bad(x):
    raise ValueError("bad %d" % x)


def count(n):
    for index in range(n):
        yield index


async def later(x):
    await asyncio.sleep(0)
    return x + 1


def noted(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@noted
def wrapped(x):
    return x * 3


def make(speed):
    car = Vehicle(speed)
    car.first = car
    spare = Vehicle(1)
    spare.first = car
    car.spare = spare
    return car


class Vehicle:
    def __init__(self, speed=0):
        self.speed = speed

    def accelerate(self, by):
        self.speed += by
        return self.speed


class Calls(unittest.TestCase):
    def test_one_call(self):
        with nopdb.capture_call(f) as call:
            self.assertEqual(g(1), 4)
        self.assertEqual(call.name, "f")
        self.assertEqual(call.args, {"x": 1, "y": 1})
        self.assertEqual(call.locals, {"x": 1, "y": 1, "z": 2})
        self.assertEqual(call.return_value, 4)
        self.assertEqual(os.path.abspath(call.file), os.path.abspath(__file__))
        self.assertIs(call.globals["g"], g)
        self.assertEqual([frame.name for frame in call.stack][-2:],
                         ["g", "f"])
        printed = io.StringIO()
        call.print_stack(file=printed)
        self.assertIn("return f(x, x)", printed.getvalue())
        self.assertGreater(call.duration, 0)
        self.assertEqual(call.thread.id, threading.get_native_id())

    def test_the_last_call_wins(self):
        with nopdb.capture_call(f) as call:
            for number in range(500):
                g(number)
        self.assertEqual(call.args["x"], 499)

    def test_no_call(self):
        with nopdb.capture_call(f) as call:
            pass
        self.assertEqual((call.args, call.return_value), ({}, None))
        self.assertIn("no call", repr(call))

    def test_all_calls_in_order(self):
        with nopdb.capture_calls(f) as calls:
            for number in range(500):
                g(number)
        self.assertEqual([call.args["x"] for call in calls],
                         list(range(500)))
        self.assertEqual((len(calls), calls.lost), (500, 0))
        self.assertEqual(calls[3].return_value, 12)
        self.assertIsInstance(calls, list)

    def test_iterating_in_the_block_ends(self):
        with nopdb.capture_calls(f) as calls:
            g(1)
            self.assertEqual(calls.wait(1, timeout=20), 1)
            self.assertEqual(len([call for call in calls]), 1)

    def test_by_name_module_and_file(self):
        me = sys.modules[__name__]
        for location in ({"function": "f", "module": me},
                         {"function": "f", "module": __name__},
                         {"function": "f", "file": "own_use.py"},
                         {"function": "f", "file": pathlib.Path(__file__)}):
            with nopdb.capture_calls(**location) as calls:
                g(2)
            self.assertEqual(len(calls), 1, location)
        with nopdb.capture_calls(module=me) as calls:
            g(2)
        self.assertEqual([call.name for call in calls], ["f", "g"])

    def test_methods(self):
        one, other = Vehicle(), Vehicle(50)
        with nopdb.capture_calls(one.accelerate) as mine, \
                nopdb.capture_calls(Vehicle.accelerate) as every:
            one.accelerate(10)
            other.accelerate(20)
        self.assertEqual([call.args["by"] for call in mine], [10])
        self.assertEqual([call.args["by"] for call in every], [10, 20])
        with nopdb.capture_call(Vehicle) as made:
            Vehicle(7)
        self.assertEqual(made.args["speed"], 7)

    def test_decorated(self):
        with nopdb.capture_calls(wrapped) as inner:
            wrapped(2)
        self.assertEqual([call.name for call in inner], ["wrapped"])
        with nopdb.capture_calls(wrapped, unwrap=False) as outer:
            wrapped(2)
        self.assertEqual([call.name for call in outer], ["wrapper"])
        self.assertEqual(outer[0].args["args"], (2,))

    def test_living_objects(self):
        car = Vehicle(3)
        passengers = [car, {"spare": car}]
        with nopdb.capture_calls(h) as calls:
            h(car)
            h(passengers)
            h(Vehicle(4))
        self.assertIs(calls[0].args["thing"], car)
        self.assertIs(calls[0].return_value, car)
        self.assertIs(calls[1].args["thing"][0], car)
        self.assertIs(calls[1].args["thing"][1]["spare"], car)
        gone = calls[2].args["thing"]
        self.assertIsInstance(gone, nopdb.Snapshot)
        self.assertEqual(gone.speed, 4)

    def test_objects_that_the_block_makes(self):
        with nopdb.capture_call(make) as call, nopdb.capture_calls(h) as all_:
            made = make(5)
            many = [made]
            h(many)
            h((made, "tuple"))
            h({made})
            h("x" * 20000)
        self.assertIs(call.return_value, made)
        self.assertIs(call.locals["car"], made)
        self.assertIs(call.locals["spare"].first, made)
        self.assertIs(all_[0].args["thing"], many)
        many.append(1)
        self.assertEqual(all_[0].return_value, [made, 1])
        self.assertIs(all_[1].return_value[0], made)
        self.assertEqual(all_[2].return_value, {made})
        self.assertEqual(len(all_[3].return_value), 20000)
        gone = all_[0].args["thing"]
        self.assertIs(gone, many)
        del many, gone
        self.assertEqual(all_[0].args["thing"][0].speed, 5)
        self.assertEqual(len(all_[0].args["thing"]), 1)  # as it was then

    def test_values_of_breakpoints_themselves(self):
        car = Vehicle(8)
        with nopdb.breakpoint(h) as bp:
            things = bp.eval("thing")
            pairs = bp.eval("[thing, 1]")
            bad = bp.eval("thing.nothing")
            h(car)
            h([car])
        self.assertIs(things[0], car)
        self.assertEqual(things[1], [car])
        self.assertEqual(pairs[0][1], 1)
        self.assertEqual(bp.hits[0].expressions,
                         ["thing", "[thing, 1]", "thing.nothing"])
        self.assertEqual(bad[0].text, "thing.nothing")

    def test_what_is_withheld_is_withheld(self):
        with nopdb.capture_call(h, redact="thing", no_redact="") as call:
            h(Vehicle(1))
        self.assertIn("withheld", repr(call.args["thing"]))

    def test_nothing_is_kept_alive(self):
        with nopdb.capture_calls(h) as calls:
            car = Vehicle(3)
            watched = weakref.ref(car)
            h(car)
            calls.wait(1, timeout=20)
            del car
            self.assertIsNone(watched())
        self.assertEqual(calls[0].args["thing"].speed, 3)

    def test_an_address_given_away_is_no_identity(self):
        with nopdb.capture_calls(h) as calls:
            for speed in range(20):
                h(Vehicle(speed))
        last = Vehicle(99)
        self.assertEqual([call.args["thing"].speed for call in calls],
                         list(range(20)))
        self.assertTrue(all(call.args["thing"] is not last
                            for call in calls))

    def test_enable_and_disable(self):
        calls = nopdb.capture_calls(f)
        g(1)
        calls.disable()
        g(2)
        calls.enable()
        g(3)
        calls.close()
        self.assertEqual([call.args["x"] for call in calls], [1, 3])


class Outcomes(unittest.TestCase):
    def test_exceptions_are_exceptions(self):
        with nopdb.capture_call(bad) as call:
            with self.assertRaises(ValueError):
                bad(3)
        self.assertEqual(call.exception.type, "ValueError")
        self.assertEqual(call.exception.message, "bad 3")
        self.assertIsNone(call.return_value)

    def test_a_yield_is_no_return(self):
        with nopdb.capture_calls(count) as calls:
            self.assertEqual(list(count(5)), [0, 1, 2, 3, 4])
        self.assertEqual(len(calls), 1)

    def test_coroutines(self):
        with nopdb.capture_calls(later) as calls:
            self.assertEqual(asyncio.run(later(1)), 2)
        self.assertEqual([call.return_value for call in calls], [2])

    def test_all_threads_are_seen(self):
        with nopdb.capture_calls(f) as calls:
            threads = [threading.Thread(target=g, args=(n,), name="t%d" % n)
                       for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual({call.thread.name for call in calls},
                         {"t0", "t1", "t2", "t3"})

    def test_what_reads_the_records_is_not_captured(self):
        with nopdb.capture_calls(module=json) as calls, \
                nopdb.capture_calls(module=threading) as more:
            json.loads("[1]")
            more.wait(0, timeout=5)
        self.assertIn("loads", [call.name for call in calls])
        self.assertLess(len(calls), 20)

    def test_errors_say_why(self):
        with self.assertRaises(nopdb.LocationError):
            nopdb.capture_call(len)
        with self.assertRaises(nopdb.LocationError) as caught:
            nopdb.breakpoint(f, line="no such line")
        self.assertTrue(caught.exception.message)
        with self.assertRaises(nopdb.NopdbError):
            nopdb.capture_call(f, hitz=3)

    def test_what_the_block_raises_is_raised(self):
        with self.assertRaises(KeyError):
            with nopdb.capture_call(f) as call:
                g(1)
                raise KeyError
        self.assertEqual(call.return_value, 4)


class Breakpoints(unittest.TestCase):
    def test_actions(self):
        with nopdb.breakpoint(f, line="return 2 * z") as bp:
            xs = bp.eval("x")
            types = bp.eval("type(y).__name__")
            wrong = bp.eval("nothing")
            texts = bp.log("z={z}")
            bp.exec("z = z + 1")
            stacks = bp.stack()
            self.assertEqual(g(3), 14)
            self.assertEqual(g(4), 18)
        self.assertEqual(xs, [3, 4])
        self.assertEqual(types, ["int", "int"])
        self.assertEqual(texts, ["z=6", "z=8"])
        self.assertIsInstance(wrong[0], nopdb.EvaluationError)
        self.assertEqual(wrong[0].type, "NameError")
        self.assertEqual(stacks[0][-1].name, "f")
        self.assertEqual(len(bp.hits), 2)

    def test_conditions_lines_and_calls(self):
        first = f.__code__.co_firstlineno
        for line in (first + 2, "+2", "return 2 * z"):
            with nopdb.breakpoint(f, line=line, cond="x > 1") as bp:
                xs = bp.eval("x")
                for number in range(4):
                    g(number)
            self.assertEqual(xs, [2, 3], line)
        with nopdb.breakpoint(f) as bp:
            xs = bp.eval("x")
            g(5)
        self.assertEqual(xs, [5])

    def test_jump(self):
        with nopdb.breakpoint(f, line="z = x + y") as bp:
            bp.exec("z = 50")
            bp.jump(f.__code__.co_firstlineno + 2)
            self.assertEqual(g(1), 100)
        self.assertEqual(bp.errors, [])

    def test_a_failing_condition_harms_nobody(self):
        with nopdb.breakpoint(f, cond="1 / 0") as bp:
            self.assertEqual(g(1), 4)
        self.assertEqual(bp.errors[0].type, "ZeroDivisionError")

    def test_callbacks(self):
        hits = []
        with nopdb.breakpoint(f, line="return 2 * z") as bp:
            bp.eval("z")
            bp.callback(hits.append)
            g(1)
            g(2)
        self.assertEqual([hit.values for hit in hits], [[2], [4]])
        self.assertEqual(hits[0].line, f.__code__.co_firstlineno + 2)
        with self.assertRaises(ArithmeticError):
            with nopdb.breakpoint(f) as bp:
                bp.callback(lambda hit: 1 // 0)
                g(1)

    def test_disable(self):
        bp = nopdb.breakpoint(f)
        xs = bp.eval("x")
        bp.disable()
        g(1)
        bp.enable()
        g(2)
        bp.close()
        self.assertEqual(xs, [2])


class Cells(unittest.TestCase):
    """Code as a notebook makes it: no module file, names used again."""

    def test_a_cell(self):
        names = {"__name__": "__main__"}
        for answer in (1, 2):
            code = compile("def cell(x):\n    return x + %d\n" % answer,
                           "<ipython-input-%d-abc>" % answer, "exec")
            exec(code, names)
            with nopdb.capture_call(names["cell"]) as call:
                names["cell"](1)
            self.assertEqual(call.return_value, 1 + answer)


    def test_code_that_another_probe_found(self):
        """A probe that waits for code sees it although it was probed before
        it ran."""
        with nopdb.capture_calls("cell", module="elsewhere") as waiting:
            names = {"__name__": "elsewhere"}
            exec(compile("def cell(x):\n    return x\n", "<cell 9>", "exec"),
                 names)
            with nopdb.capture_calls(names["cell"]) as calls:
                names["cell"](1)
            names["cell"](2)
        self.assertEqual([call.args["x"] for call in waiting], [1, 2])
        self.assertEqual([call.args["x"] for call in calls], [1])


class Leaving(unittest.TestCase):
    def test_nothing_is_left(self):
        with nopdb.capture_call(f):
            g(1)
        names = set()
        for task in os.listdir("/proc/self/task"):
            # A thread that ends meanwhile leaves nothing either.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open("/proc/self/task/%s/comm" % task) as stream:
                    names.add(stream.read().strip())
        self.assertFalse([name for name in names if name == "nopdb"])
        with open("/proc/self/maps") as stream:
            self.assertNotIn("nopdb-agent", stream.read())

    def test_a_forked_child(self):
        with nopdb.capture_calls(f) as calls:
            child = os.fork()
            if child == 0:
                try:
                    g(1)
                    with nopdb.capture_call(f) as own:
                        g(7)
                    os._exit(0 if own.args["x"] == 7 else 1)
                except BaseException:
                    os._exit(2)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            g(2)
        self.assertEqual([call.args["x"] for call in calls], [2])


if __name__ == "__main__":
    unittest.main(verbosity=1)
