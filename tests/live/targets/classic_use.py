# SPDX-License-Identifier: MIT
"""classic_use.py: all that NoPdb's documentation does, in a bakery of our own:
in this process, and the same lines against a second one. A unittest."""
import ast
import contextlib
import io
import pathlib
import subprocess
import sys
import unittest

import bakery
import nopdb

FIRST = bakery.price.__code__.co_firstlineno
FILE = pathlib.Path(bakery.__file__)


class Here:
    """The own process: the module nopdb is the API."""

    api = nopdb
    module = bakery

    def run(self, text):
        self.printed = io.StringIO()
        with contextlib.redirect_stdout(self.printed):
            return eval(text, vars(bakery))

    def output(self):
        return self.printed.getvalue()

    def close(self):
        pass


class There:
    """A second process: what attach() gives is the API."""

    module = "__main__"

    def __init__(self):
        self.program = subprocess.Popen(
            [sys.executable, bakery.__file__], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        assert self.program.stderr.readline() == "ready\n"
        self.api = nopdb.attach(self.program.pid)

    def run(self, text):
        self.program.stdin.write(text + "\n")
        self.program.stdin.flush()
        answer = self.program.stderr.readline()
        try:
            return ast.literal_eval(answer)
        except (ValueError, SyntaxError):
            return answer

    def output(self):
        self.run("sys.stdout.flush()")
        return self.program.stdout.readline()

    def close(self):
        self.api.detach()
        for stream in (self.program.stdin, self.program.stdout,
                       self.program.stderr):
            stream.close()
        self.program.wait(20)


class Classic:
    """Lines that are the same wherever the program runs."""

    place = None

    @classmethod
    def setUpClass(cls):
        cls.at = cls.place()
        cls.api, cls.run_ = cls.at.api, staticmethod(cls.at.run)

    @classmethod
    def tearDownClass(cls):
        cls.at.close()

    # ---- captured calls
    def test_one_call(self):
        with self.api.capture_call("price", module=self.at.module) as call:
            self.assertEqual(self.run_("order(2)"), 6)
        self.assertEqual(call.name, "price")
        self.assertEqual(call.args["loaves"], 2)
        self.assertEqual(list(call.args), ["loaves", "each"])
        self.assertEqual(call.return_value, (6, "2 loaves"))
        self.assertEqual(call.locals, {"loaves": 2, "each": 3, "total": 6,
                                       "label": "2 loaves"})
        self.assertEqual(repr(call), "CallCapture(name='price', args="
                         "OrderedDict(loaves=2, each=3), "
                         "return_value=(6, '2 loaves'))")
        self.assertEqual(pathlib.Path(call.file).name, "bakery.py")
        self.assertEqual([frame.name for frame in call.stack][-2:],
                         ["order", "price"])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            call.print_stack()
        self.assertIn('bakery.py", line', printed.getvalue())
        self.assertIn("in order\n", printed.getvalue())
        again = io.StringIO()
        call.print_stack(file=again)
        self.assertEqual(again.getvalue(), printed.getvalue())
        self.assertIn("price", call.globals)

    def test_the_last_call_wins(self):
        with self.api.capture_call("price", module=self.at.module) as call:
            for loaves in (1, 2, 5):
                self.run_("order(%d)" % loaves)
        self.assertEqual(call.args["loaves"], 5)

    def test_all_calls(self):
        with self.api.capture_calls("price", module=self.at.module) as calls:
            self.run_("order(1)")
            self.run_("order(42)")
        self.assertEqual(repr(calls), (
            "[CallInfo(name='price', args=OrderedDict(loaves=1, each=3), "
            "return_value=(3, '1 loaves')), "
            "CallInfo(name='price', args=OrderedDict(loaves=42, each=3), "
            "return_value=(126, '42 loaves'))]"))
        self.assertEqual((len(calls), calls.lost), (2, 0))
        self.assertIsInstance(calls, nopdb.CallListCapture)
        self.assertIsInstance(calls[0], nopdb.CallInfo)

    def test_ways_to_say_where(self):
        for where in ({"function": "order", "file": "bakery.py"},
                      {"function": "order", "file": "live/*/bakery.py"},
                      {"function": "order", "file": FILE},
                      {"function": "ord?r", "module": self.at.module}):
            with self.api.capture_calls(**where) as calls:
                self.run_("order(3)")
            self.assertEqual([call.return_value for call in calls], [9],
                             where)
        with self.api.capture_calls(file=FILE) as calls:
            self.run_("order(3)")
        self.assertEqual([call.name for call in calls], ["price", "order"])

    def test_every_function(self):
        with self.api.capture_calls() as calls:
            self.run_("order(3)")
        names = [call.name for call in calls]
        self.assertEqual([name for name in names if name in (
            "price", "order")], ["price", "order"])
        self.assertEqual(calls.lost, 0)

    def test_order_is_that_of_the_ends(self):
        with self.api.capture_calls(module=self.at.module,
                                    file="bakery.py") as calls:
            self.run_("order(order(1))")
        self.assertEqual([call.name for call in calls],
                         ["price", "order"] * 2)

    def test_exceptions_are_exceptions(self):
        with self.api.capture_calls("sift", module=self.at.module) as calls:
            self.run_("[sift(4), str(type(sift))]")
        self.assertIsNone(calls[0].exception)
        with self.api.capture_call("sift", module=self.at.module) as call:
            self.run_("__import__('unittest').TestCase('id')"
                      ".assertRaises(ValueError, sift, -1)")
        self.assertEqual(call.exception.type, "ValueError")
        self.assertEqual(call.exception.message, "no flour: -1")
        self.assertIsNone(call.return_value)
        self.assertIn("exception=ValueError", repr(call))

    def test_yields_are_no_returns(self):
        with self.api.capture_calls("rise", module=self.at.module,
                                    yields=True) as calls:
            self.assertEqual(self.run_("list(rise(3))"), [0, 1, 2])
        self.assertEqual([call.return_value for call in calls], [None])
        self.assertEqual([each.value for each in calls.yields], [0, 1, 2])
        self.assertEqual(calls.yields[2].suspensions, 3)

    def test_a_bound_method_is_its_object_alone(self):
        with self.api.capture_calls(callable="small.bake",
                                    module=self.at.module) as calls, \
                self.api.capture_calls("Oven.bake") as every:
            self.run_("small.bake('rye'), large.bake('oat')")
        self.assertEqual([call.args["what"] for call in calls], ["rye"])
        self.assertEqual([call.args["what"] for call in every],
                         ["rye", "oat"])

    def test_all_threads_are_seen(self):
        with self.api.capture_calls("order", module=self.at.module) as calls:
            self.run_("[(t.start(), t.join()) for t in [__import__("
                      "'threading').Thread(target=order, args=(7,), "
                      "name='apprentice')]]")
        self.assertEqual([call.thread.name for call in calls],
                         ["apprentice"])

    def test_enable_and_disable(self):
        with self.api.capture_calls("order", module=self.at.module) as calls:
            self.run_("order(1)")
            calls.disable()
            self.run_("order(2)")
            calls.enable()
            self.run_("order(3)")
        self.assertEqual([call.args["loaves"] for call in calls], [1, 3])

    # ---- breakpoints
    def test_two_expressions_and_a_print(self):
        with self.api.breakpoint(function="price", module=self.at.module,
                                 line=FIRST + 2) as bp:
            loaves = bp.eval("loaves")
            kind = bp.eval("type(total).__name__")
            bp.exec("print(total)")
            self.run_("order(2)")
            self.assertEqual(self.at.output(), "6\n")
        self.assertEqual((loaves, kind), ([2], ["int"]))

    def test_by_the_text_of_the_line(self):
        with self.api.breakpoint(function="price",
                                 line="  label = \"%d loaves\" % loaves"
                                 ) as bp:
            totals = bp.eval("total")
            self.run_("[order(1), order(2)]")
        self.assertEqual(totals, [3, 6])

    def test_by_a_line_of_the_standard_library(self):
        with self.api.breakpoint(
                file="textwrap.py",
                line="return w.wrap(text)") as bp:
            widths = bp.eval("width")
            self.run_("__import__('textwrap').wrap('a b', width=50)")
        self.assertEqual(widths, [50])

    def test_by_the_name_alone(self):
        with self.api.breakpoint("price", module=self.at.module) as bp:
            found = bp.eval("(loaves, each)")
            unbound = bp.eval("total")
            self.run_("order(4)")
        self.assertEqual(found, [(4, 3)])
        self.assertIsInstance(unbound[0], nopdb.EvaluationError)

    def test_read_increment_and_read_again(self):
        with self.api.breakpoint("price", module=self.at.module,
                                 line="return total, label") as bp:
            before = bp.eval("total")
            bp.exec("total += 1")
            after = bp.eval("total")
            self.assertEqual(self.run_("price(1, 2)"), (3, "1 loaves"))
        self.assertEqual((before, after), ([2], [3]))
        self.assertEqual(self.run_("price(1, 2)"), (2, "1 loaves"))

    def test_conditions(self):
        for cond in ("loaves > 2", b"loaves > 2"):
            with self.api.breakpoint("price", module=self.at.module,
                                     cond=cond) as bp:
                found = bp.eval("loaves")
                self.run_("[order(n) for n in (1, 3)]")
            self.assertEqual(found, [3])

    def test_variables_from_outside(self):
        with self.api.breakpoint("price", module=self.at.module,
                                 line="return total, label") as bp:
            found = bp.eval("total + extra", variables={"extra": 1.5})
            bp.exec("total = gift", variables={"gift": [7], "twice": 2})
            gone = bp.eval("gift")
            bp.exec("label = 1", variables={"total": 1})
            self.assertEqual(self.run_("price(1, 2)"), ([7], "1 loaves"))
        self.assertEqual(found, [3.5])
        self.assertEqual(gone[0].type, "NameError")
        self.assertEqual(len(bp.errors), 1)
        self.assertIn("total", bp.errors[0].reason)

    def test_a_callback_in_the_target(self):
        name = ("bakery" if self.at.module is bakery else "__main__")
        with self.api.breakpoint("price", module=self.at.module,
                                 line="return total, label") as bp:
            names = bp.callback(name + ":seen")
            self.run_("order(1)")
        self.assertEqual(names, [["each", "label", "loaves", "total"]])

    def test_pdb(self):
        typed = io.StringIO("p loaves\nloaves = 9\nnext\np label\nc\n")
        shown = io.StringIO()
        with self.api.breakpoint("price", module=self.at.module,
                                 line="label = \"%d loaves\" % loaves",
                                 hits=1, debug_seconds=30) as bp:
            bp.debug(stdin=typed, stdout=shown)
            self.assertEqual(self.run_("price(2, 2)"), (4, "9 loaves"))
        self.assertIn("\n(Pdb) 2\n", shown.getvalue())
        self.assertIn("'9 loaves'", shown.getvalue())
        with self.assertRaises(nopdb.NopdbError):
            with self.api.breakpoint("price", module=self.at.module) as bp:
                bp.debug(skip=["a"])

    def test_pdb_goes_on_at_the_end_of_the_input(self):
        with self.api.breakpoint("price", module=self.at.module) as bp:
            bp.debug(stdin=io.StringIO(""), stdout=io.StringIO())
            self.assertEqual(self.run_("order(2)"), 6)

    def test_set_when_it_has_all_its_actions(self):
        with self.api.breakpoint("order", module=self.at.module,
                                 enabled=False) as bp:
            first = bp.eval("loaves")
            self.run_("order(1)")
            with self.assertRaises(nopdb.LocationError):
                bp.eval("= 1")
            second = bp.eval("loaves * 2")
            self.assertEqual(bp.state, "disabled")
            bp.enable()
            self.run_("order(2)")
        self.assertEqual((first, second), ([2], [4]))
        with self.assertRaises(nopdb.LocationError):
            self.api.breakpoint("order", line="nothing of it",
                                module=self.at.module, enabled=False)

    def test_errors_are_told_here(self):
        for code in ("loaves = = 1", "("):
            with self.api.breakpoint("price", module=self.at.module) as bp:
                with self.assertRaises(nopdb.LocationError) as caught:
                    bp.eval(code)
                self.assertIn("column", str(caught.exception))
                self.assertEqual(caught.exception.exit, 5)
        with self.api.breakpoint("price", module=self.at.module,
                                 line="+1") as bp:
            bp.exec("1 / 0")
            texts = bp.log("{loaves + nothing}")
            good = bp.log("{loaves}")
            bp.jump("there is no such line")
            self.assertEqual(self.run_("order(1)"), 3)
        self.assertEqual([error.type for error in bp.errors],
                         ["ZeroDivisionError", "NameError", "ValueError"])
        self.assertEqual((texts, good), ([], ["1"]))


class TestHere(Classic, unittest.TestCase):
    """And what only the own process has: its objects themselves."""

    place = Here

    def test_callables_themselves(self):
        with nopdb.capture_calls(bakery.order) as calls, \
                nopdb.capture_calls(bakery.small.bake) as baked, \
                nopdb.capture_calls(bakery.large) as heated:
            bakery.order(2)
            bakery.small.bake("rye")
            bakery.large.bake("oat")
            bakery.small(0), bakery.large(0)
        self.assertEqual([call.return_value for call in calls], [6])
        self.assertEqual([call.args["what"] for call in baked], ["rye"])
        self.assertEqual(len(heated), 1)
        self.assertIs(baked[0].args["self"], bakery.small)
        self.assertIs(heated[0].args["self"], bakery.large)
        self.assertIs(calls[0].globals, vars(bakery))

    def test_a_breakpoint_of_one_object(self):
        with nopdb.breakpoint(bakery.small.bake, line="return done") as bp:
            done = bp.eval("done")
            bakery.large.bake("oat")
            bakery.small.bake("rye")
        self.assertEqual(done, ["rye at 180"])

    def test_wrappers(self):
        with nopdb.capture_call(bakery.knead) as inner, \
                nopdb.capture_call(bakery.knead, unwrap=False) as outer:
            bakery.knead(4)
        self.assertEqual((inner.name, inner.args), ("knead", {"minutes": 4}))
        self.assertEqual((outer.name, outer.args["args"]),
                         ("counting", (4,)))

    def test_code_objects(self):
        with nopdb.breakpoint(
                bakery.price, line="return total, label",
                cond=compile("loaves > 1", "<c>", "eval")) as bp:
            found = bp.eval(compile("[total for _ in label[:2]]", "<e>",
                                    "eval"))
            bp.exec(compile("total = 'changed'", "<x>", "exec"))
            self.assertEqual(bakery.order(1), 3)
            self.assertEqual(bakery.order(2), "changed")
        self.assertEqual(found, [[6, 6]])

    def test_variables_themselves(self):
        basket = []
        with nopdb.breakpoint(bakery.order) as bp:
            bp.exec("basket.append(loaves)", variables={"basket": basket})
            bakery.order(8)
        self.assertEqual(basket, [8])

    def test_the_class_as_a_block(self):
        with nopdb.NoPdb() as debugger:
            self.assertIs(nopdb.get_nopdb(), debugger)
            one = nopdb.capture_call(bakery.price)
            other = nopdb.capture_call(bakery.order)
            totals = nopdb.breakpoint(
                bakery.price, line="return total, label").eval("total")
            bakery.order(1)
        bakery.order(2)
        self.assertEqual((one.args["loaves"], other.return_value, totals),
                         (1, 3, [3]))
        self.assertIsNot(nopdb.get_nopdb(), debugger)

    def test_the_class_started_and_stopped(self):
        debugger = nopdb.NoPdb()
        one = debugger.capture_calls(bakery.order)
        totals = debugger.breakpoint(
            function=bakery.price, line=FIRST + 3).eval("total")
        self.assertFalse(debugger.started)
        debugger.start()
        self.assertTrue(debugger.started)
        with self.assertRaises(RuntimeError):
            debugger.start()
        bakery.order(1)
        debugger.stop()
        with self.assertRaises(RuntimeError):
            debugger.stop()
        bakery.order(2)
        self.assertEqual(([call.args["loaves"] for call in one], totals),
                         ([1], [3]))
        debugger.start()
        bakery.order(3)
        debugger.stop()
        self.assertEqual(([call.args["loaves"] for call in one], totals),
                         ([1, 3], [3, 9]))
        one.close()

    def test_one_instance_at_a_time(self):
        with nopdb.NoPdb():
            first = nopdb.capture_calls(bakery.order)
            bakery.order(1)
            with nopdb.NoPdb():
                second = nopdb.capture_calls(bakery.order)
                bakery.order(2)
            bakery.order(3)
        self.assertEqual([call.args["loaves"] for call in first], [1, 3])
        self.assertEqual([call.args["loaves"] for call in second], [2])

    def test_low_level_callbacks(self):
        events = []
        debugger = nopdb.get_nopdb()
        self.assertIsInstance(debugger, nopdb.Nopdb)
        handle = debugger.add_callback(
            nopdb.Scope(bakery.price),
            lambda frame, event, arg: events.append(
                (event, frame.f_code.co_name, frame.f_lineno)),
            ["call", "line"])
        bakery.order(1)
        debugger.remove_callback(handle)
        bakery.order(1)
        self.assertEqual(events[0][:2], ("call", "price"))
        self.assertEqual([event[2] for event in events[1:]],
                         [FIRST + 1, FIRST + 2, FIRST + 3])
        with self.assertRaises(nopdb.NopdbError):
            debugger.add_callback(nopdb.Scope(bakery.price), print, ["return"])


class TestThere(Classic, unittest.TestCase):
    """And what only another process needs."""

    place = There

    def test_what_cannot_be_sent(self):
        with self.api.breakpoint("price", module="__main__") as bp:
            for code, variables in ((compile("1", "<c>", "eval"), None),
                                    ("a", {"a": object()}),
                                    ("a", {"a b": 1}), (b"\xff", None)):
                with self.assertRaises(nopdb.LocationError):
                    bp.eval(code, variables=variables)
        self.assertEqual(self.api.probes(), [])

    def test_values_outside_of_any_frame(self):
        self.assertEqual(self.api.eval("small.heat + 1"), 181)
        self.assertEqual(self.api.eval("pi", module="math") if
                         self.run_("__import__('math').pi") else 0,
                         3.141592653589793)
        printed = io.StringIO()
        self.api.exec("print('hot')\nfresh = [1]", stdout=printed)
        self.assertEqual(printed.getvalue(), "hot\n")
        self.assertEqual(self.run_("fresh"), [1])
        with self.assertRaises(nopdb.EvaluationError) as caught:
            self.api.eval("1 / 0")
        self.assertEqual(caught.exception.type, "ZeroDivisionError")
        with self.assertRaises(nopdb.LocationError):
            self.api.eval("1 +")
        with self.assertRaises(nopdb.LocationError):
            self.api.eval("1", module="no.such")
        with self.assertRaises(nopdb.EvaluationError):
            self.api.exec("while True: pass", timeout=0.05)

    def test_globals_after_the_end(self):
        with self.api.capture_call("order", module="__main__") as call:
            self.run_("order(1)")
        self.assertEqual(call.globals["large"].heat, 220)

    def test_places(self):
        found = self.api.lines("price", module="__main__", line="+2")
        self.assertEqual(found[0]["stops"], [FIRST + 2])
        with self.assertRaises(nopdb.LocationError) as caught:
            self.api.lines("price", module="__main__", line=FIRST + 4)
        self.assertIn(str(FIRST + 3), str(caught.exception))


if __name__ == "__main__":
    unittest.main(verbosity=1)
