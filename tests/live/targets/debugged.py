# SPDX-License-Identifier: MIT
"""What the tests of the debugger stop in, and what they look at afterwards."""
import signal
import sys
import threading

RESULTS = []
TRACED = []


def inner(value):
    half = value / 2
    return half


def mixed(x):
    y = inner(x)
    z = str(y)
    return x, z


def keeps(x):
    """mixed() for its result, which a thread has nobody to give to."""
    RESULTS.append(mixed(x))


def results():
    return list(RESULTS)


def rounds(count):
    """mixed(), again and again."""
    return sum(mixed(i)[0] for i in range(count))


def tracer(frame, event, arg):
    if frame.f_code is mixed.__code__:
        TRACED.append((event, frame.f_lineno - mixed.__code__.co_firstlineno))
    return tracer


def traced(x):
    """mixed() under a tracer of the program; what that saw."""
    del TRACED[:]
    sys.settrace(tracer)
    try:
        result = mixed(x)
    finally:
        same = sys.gettrace() is tracer
        sys.settrace(None)
    return result, same, list(TRACED)


def state():
    """What a debugger would leave behind, on every thread's stack."""
    traces = [frame.f_trace for frame in sys._current_frames().values()]
    for frame in list(sys._current_frames().values()):
        while frame:
            traces.append(frame.f_trace)
            frame = frame.f_back
    return [sys.gettrace(), sys.getprofile(), threading.settrace.__name__,
            [trace for trace in traces if trace is not None],
            "readline" in sys.modules, "pdb" in sys.modules,
            signal.getsignal(signal.SIGINT) is signal.default_int_handler,
            sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__]
