# SPDX-License-Identifier: MIT
"""The smallest tracer that makes the same capture in pure Python: a trace
function that lets everything but one code object go, and writes one JSON line
a call with arguments, locals, return value, stack and duration."""
import json
import os
import sys
import threading
import time

STATE = {}


def plain(value, depth=2):
    """What JSON can say of a value, without running its code."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list and depth:
        return [plain(item, depth - 1) for item in value[:100]]
    if type(value) is dict and depth:
        return {str(key): plain(item, depth - 1)
                for key, item in list(value.items())[:100]}
    return {"$type": type(value).__name__, "$id": hex(id(value))}


def walk(frame, most):
    """The stack, innermost last."""
    found = []
    while frame is not None and len(found) < most:
        found.append({"function": frame.f_code.co_name,
                      "file": frame.f_code.co_filename,
                      "line": frame.f_lineno})
        frame = frame.f_back
    return found[::-1]


def arguments(frame):
    code = frame.f_code
    return {name: plain(frame.f_locals[name])
            for name in code.co_varnames[:code.co_argcount]}


def write(record):
    os.write(STATE["fd"], json.dumps(record).encode() + b"\n")
    STATE["captures"] += 1


class Line:
    """One call of which a line is looked for."""

    def __call__(self, frame, event, arg):
        if event == "line" and frame.f_lineno == STATE["line"]:
            write({"event": "hit", "time": time.time(),
                   "thread": {"id": threading.get_ident(),
                              "name": threading.current_thread().name},
                   "function": frame.f_code.co_name,
                   "file": frame.f_code.co_filename, "line": frame.f_lineno,
                   "eval": [{"expr": "c",
                             "value": plain(frame.f_locals["c"])}]})
        return self


class Call:
    """One captured call: its local trace function waits for the return."""

    def __init__(self, frame):
        self.args = arguments(frame)
        self.start = time.perf_counter()

    def __call__(self, frame, event, arg):
        if event == "return":
            duration = time.perf_counter() - self.start
            record = {
                "event": "call", "time": time.time(),
                "thread": {"id": threading.get_ident(),
                           "name": threading.current_thread().name},
                "function": frame.f_code.co_name,
                "file": frame.f_code.co_filename, "args": self.args,
                "locals": {name: plain(value)
                           for name, value in frame.f_locals.items()},
                "return": plain(arg), "duration_ns": int(duration * 1e9),
            }
            if STATE["stack"]:
                record["stack"] = walk(frame, STATE["stack"])
            write(record)
        return self


def tracer(frame, event, arg):
    if frame.f_code is not STATE["code"]:
        return None
    if STATE["line"]:
        return Line()
    call = Call(frame)
    frame.f_trace_lines = False
    return call


def start(function, stack, line=0):
    STATE.update(code=function.__code__, stack=stack, captures=0, line=line,
                 fd=os.open(os.devnull, os.O_WRONLY))
    sys.settrace(tracer)


def stop():
    sys.settrace(None)
    os.close(STATE["fd"])
    return STATE["captures"]
