# SPDX-License-Identifier: MIT
"""What the agent must leave as it found it: in CPython's thread states, 3.7 to
3.11, the trace and profile functions; elsewhere there is nothing to see."""
import ctypes
import re
import sys

from host import ROOT

API = ctypes.pythonapi


def offsets():
    """The row of agent/engine/layout.c for this version."""
    rows = (ROOT / "agent" / "engine" / "layout.c").read_text().split("\t},")
    for row in rows:
        fields = dict((name, int(value)) for name, value in
                      re.findall(r"\.(\w+) = (-?\d+)", row))
        if fields.get("minor") == sys.version_info[1]:
            return fields
    return None


LAYOUT = offsets()


def thread_states():
    names = ("PyInterpreterState_Head", "PyInterpreterState_ThreadHead",
             "PyThreadState_Next")
    head, first, following = (getattr(API, name) for name in names)
    for function in (head, first, following):
        function.restype = ctypes.c_void_p
    thread = first(ctypes.c_void_p(head()))
    while thread:
        yield thread
        thread = following(ctypes.c_void_p(thread))


def functions():
    """For each thread: profile function, trace function, and their objects."""
    if not LAYOUT:
        return []
    four = ctypes.c_void_p * 4
    return [tuple(four.from_address(thread + LAYOUT["thread_profile"]))
            for thread in thread_states()]


def tracers():
    """<= 3.9: how many threads trace, as the interpreter counts them."""
    if not LAYOUT:
        return 0
    if "interp_tracers" in LAYOUT:
        API.PyInterpreterState_Head.restype = ctypes.c_void_p
        at = API.PyInterpreterState_Head() + LAYOUT["interp_tracers"]
    elif "runtime_tracers" in LAYOUT:
        at = ctypes.addressof(ctypes.c_char.in_dll(API, "_PyRuntime")) + \
            LAYOUT["runtime_tracers"]
    else:
        return 0
    return ctypes.c_int.from_address(at).value


def is_clean(count=0):
    """Does no thread trace or profile? count: what tracers() is to be."""
    return tracers() == count and not any(any(four) for four in functions())
