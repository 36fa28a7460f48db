# SPDX-License-Identifier: MIT
"""Tracers of others, each behind the same two calls, for a target's own use:
start(name, function, line) captures every call of a function of `workloads`
(line 0), or every time that a line of it is reached; stop() ends that and
tells how many captures there were. Each writes what it captured to /dev/null.

A tracer that cannot be imported is not there; nopdb is none of these.
"""
import bdb
import fnmatch
import importlib
import inspect
import json
import operator
import os
import sys
import time
import traceback

import settrace_tracer

SINK = open(os.devnull, "w")
STATE = {"count": 0}


def count(*_):
    STATE["count"] += 1


# ---- the standard library ------------------------------------------------------------
class Breakpoints(bdb.Bdb):
    """What pdb stands on: stops at a line, tells the values, goes on."""

    def tell(self, frame):
        SINK.write(json.dumps({name: settrace_tracer.plain(value)
                               for name, value in frame.f_locals.items()}))
        count()

    def user_line(self, frame):
        if self.break_here(frame):
            self.tell(frame)
        self.set_continue()

    def set_continue(self):
        # bdb takes itself out when no breakpoint is left; ours stay.
        self._set_stopinfo(self.botframe, None, -1)


def start_bdb(function, line):
    code = function.__code__
    debugger = STATE["bdb"] = Breakpoints()
    debugger.reset()
    debugger.botframe = sys._getframe(2)
    debugger._set_stopinfo(debugger.botframe, None, -1)
    error = debugger.set_break(code.co_filename,
                               line or code.co_firstlineno + 1)
    assert not error, error
    sys.settrace(debugger.trace_dispatch)


def stop_bdb():
    sys.settrace(None)
    STATE["bdb"].clear_all_breaks()


def start_settrace(function, line):
    settrace_tracer.start(function, 10, line)


def stop_settrace():
    STATE["count"] = settrace_tracer.stop()


class Manner:
    """A tracer as NoPdb is one: a trace function asks of every call whether
    its module, file and function are those that were named; what is captured
    is kept as objects, with the stack as `traceback` has it."""

    def __init__(self, function, line):
        code = function.__code__
        self.module, self.function = function.__module__, code.co_name
        self.file = "*/" + os.path.basename(code.co_filename)
        self.line, self.kept = line, []
        self.expression = compile("c", "<eval>", "eval")

    def matches(self, frame):
        code = frame.f_code
        return (frame.f_globals.get("__name__") == self.module and
                code.co_name == self.function and
                fnmatch.fnmatch(code.co_filename, self.file))

    def __call__(self, frame, event, arg):
        if not self.matches(frame):
            return None
        if self.line:
            return self.at_line
        frame.f_trace_lines = False
        info = inspect.getargvalues(frame)
        call = {"args": {name: info.locals[name] for name in info.args},
                "stack": traceback.extract_stack(frame), "begun": time.time()}

        def at_end(frame, event, arg):
            if event == "return":
                call.update({"return": arg, "locals": dict(frame.f_locals),
                             "ended": time.time()})
                self.keep(call)
            return at_end
        return at_end

    def at_line(self, frame, event, arg):
        if event == "line" and frame.f_lineno == self.line:
            self.keep(eval(self.expression, frame.f_globals, frame.f_locals))
        return self.at_line

    def keep(self, what):
        self.kept.append(what)
        count()


def start_manner(function, line):
    sys.settrace(Manner(function, line))


def stop_manner():
    sys.settrace(None)


# ---- nothing at all: what the interpreter asks for the event ----------------------------
def start_floor(function, line):
    """3.12+: callbacks that are functions of C and do nothing. Before: a trace
    function of C that does nothing."""
    monitoring = getattr(sys, "monitoring", None)
    if not monitoring:
        import ctypes
        nothing = ctypes.CDLL(os.environ["BENCH_NOTHING"]).nothing
        ctypes.pythonapi.PyEval_SetTrace(
            ctypes.cast(nothing, ctypes.c_void_p), None)
        return
    events = monitoring.events
    monitoring.use_tool_id(2, "floor")
    monitoring.register_callback(2, events.PY_START, operator.is_)
    monitoring.register_callback(2, events.LINE, operator.is_)
    monitoring.register_callback(2, events.PY_RETURN, slice)
    monitoring.set_local_events(2, function.__code__, events.PY_START | (
        events.LINE if line else events.PY_RETURN))
    STATE["code"] = function.__code__


def stop_floor():
    if not hasattr(sys, "monitoring"):
        import ctypes
        ctypes.pythonapi.PyEval_SetTrace(None, None)
        return
    sys.monitoring.set_local_events(2, STATE.pop("code"), 0)
    sys.monitoring.free_tool_id(2)


# ---- peers, when they are there ----------------------------------------------------------
def start_hunter(function, line):
    import hunter
    where = {"line": line} if line else {"function": function.__name__}
    printer = hunter.VarsPrinter("a", "c", stream=SINK) if line else (
        hunter.CallPrinter(stream=SINK))
    STATE["hunter"] = hunter.trace(
        hunter.Q(module="workloads", action=printer, **where))


def stop_hunter():
    STATE.pop("hunter").stop()


def start_nopdb(function, line):
    import nopdb
    STATE["nopdb"] = nopdb.Nopdb()
    STATE["nopdb"].start()
    if line:
        point = STATE["nopdb"].breakpoint(function=function, line=line)
        point.eval("c")
    else:
        STATE["nopdb"].capture_calls(function)


def stop_nopdb():
    STATE.pop("nopdb").stop()


def start_dowhen(function, line):
    import dowhen
    STATE["dowhen"] = dowhen.do(
        lambda _frame: SINK.write(repr(_frame.f_locals))).when(
            function, line or "<start>")


def stop_dowhen():
    STATE.pop("dowhen").remove()


def start_pysnooper(function, line):
    """A decorator: the module's function is replaced by what it makes."""
    import pysnooper
    module = sys.modules[function.__module__]
    STATE["pysnooper"] = module, function
    setattr(module, function.__name__, pysnooper.snoop(SINK)(function))


def stop_pysnooper():
    module, function = STATE.pop("pysnooper")
    setattr(module, function.__name__, function)


def start_viztracer(function, line):
    import viztracer
    STATE["viztracer"] = viztracer.VizTracer(
        verbose=0, log_func_args=True, log_func_retval=True,
        tracer_entries=100000)
    STATE["viztracer"].start()


def stop_viztracer():
    tracer = STATE.pop("viztracer")
    tracer.stop()
    tracer.clear()


# ---- the two calls ---------------------------------------------------------------------
PEERS = ("hunter", "nopdb", "dowhen", "pysnooper", "viztracer")
LINES = ("floor", "settrace", "manner", "bdb", "hunter", "nopdb", "dowhen")


def available(line):
    """Who is here, for calls or for lines."""
    sys.path[1:1] = [path for path in os.environ.get(
        "BENCH_PEERS", "").split(":") if path and path not in sys.path]
    found = ["floor", "settrace", "manner", "bdb"]
    for name in PEERS:
        try:
            importlib.import_module(name)
        except Exception:
            continue
        found.append(name)
    return [name for name in found if name in LINES or not line]


def start(name, function, line=0):
    STATE["count"] = 0
    globals()["start_" + name](function, line)


def stop(name):
    globals()["stop_" + name]()
    return STATE["count"]
