# SPDX-License-Identifier: MIT
"""What a target sees of itself: the independent witness of the tests."""
import sys
import threading
import types


def traced(count):
    """A fixed piece of program whose trace events are compared."""
    total = 0
    for index in range(count):
        total += index
    try:
        int("x")
    except ValueError:
        total += 1
    return total


def settrace_events():
    """The events that a trace function of the program's own sees."""
    events = []

    def tracer(frame, event, arg):
        if frame.f_code is traced.__code__:
            events.append((event, frame.f_lineno
                           - traced.__code__.co_firstlineno))
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        traced(3)
    finally:
        sys.settrace(before)
    return events


def monitoring_tools():
    """Names of the tool ids in use; None before 3.12."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return None
    return {str(tool): monitoring.get_tool(tool) for tool in range(6)
            if monitoring.get_tool(tool) is not None}


def codes_of(module):
    """The code objects of a module's functions and of its classes' methods."""
    for value in vars(module).values():
        if isinstance(value, types.FunctionType):
            yield value.__code__
        elif isinstance(value, type):
            for inner in vars(value).values():
                if isinstance(inner, types.FunctionType):
                    yield inner.__code__


def monitoring_left(module):
    """Global and local events that a free tool id still holds."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return []
    left = []
    for tool in range(6):
        if monitoring.get_tool(tool) is not None:
            continue
        monitoring.use_tool_id(tool, "nopdb test view")
        if monitoring.get_events(tool):
            left.append((tool, "global", monitoring.get_events(tool)))
        for code in codes_of(module):
            events = monitoring.get_local_events(tool, code)
            if events:
                left.append((tool, code.co_name, events))
        monitoring.free_tool_id(tool)
    return left


def monitoring_events():
    """The events that a monitoring tool of the program's own sees."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return []
    seen = []
    kinds = monitoring.events
    wanted = {"start": kinds.PY_START, "return": kinds.PY_RETURN,
              "line": kinds.LINE}
    tool = next(number for number in (5, 2, 1)
                if monitoring.get_tool(number) is None)
    monitoring.use_tool_id(tool, "nopdb test view")
    for name, kind in wanted.items():
        monitoring.register_callback(
            tool, kind, lambda code, *rest, name=name: seen.append(name))
    monitoring.set_local_events(tool, traced.__code__,
                                sum(wanted.values()))
    try:
        traced(3)
    finally:
        monitoring.set_local_events(tool, traced.__code__, 0)
        for kind in wanted.values():
            monitoring.register_callback(tool, kind, None)
        monitoring.free_tool_id(tool)
    return seen


def status(module):
    """All of it, as one JSON value."""
    main = sys.modules["__main__"]
    answer = {
        "trace": repr(sys.gettrace()),
        "profile": repr(sys.getprofile()),
        "tools": monitoring_tools(),
        "left": monitoring_left(module),
        "settrace": settrace_events(),
        "monitoring": monitoring_events(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "frames": len(sys._current_frames()),
        "main": sorted(vars(main)),
        "modules": sorted(name for name in sys.modules if "nopdb" in name),
    }
    if hasattr(module, "report"):
        answer.update(module.report())
    return answer
