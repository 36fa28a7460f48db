# SPDX-License-Identifier: MIT
"""Other tools at work in the program: what each of them saw of work(), to be
compared without our probes and with them."""
import io
import sys
import threading


def callee(n):
    n += 1
    return n


def numbers(n):
    for i in range(n):
        yield i


def work(n):
    total = 0
    for i in range(n):
        total = callee(total)
    try:
        raise ValueError(total)
    except ValueError:
        total += 1
    return total + sum(numbers(2))


class Events:
    """A tracer or profiler that writes down what it is told of this file."""

    def __init__(self):
        self.seen = []

    def __call__(self, frame, event, arg):
        if frame.f_code.co_filename == __file__:
            self.seen.append([frame.f_code.co_name, event, frame.f_lineno])
        return self


def with_settrace(n):
    events = Events()
    sys.settrace(events)
    try:
        result, same = work(n), sys.gettrace() is events
    finally:
        sys.settrace(None)
    return [result, same, events.seen]


def with_setprofile(n):
    events = Events()
    sys.setprofile(events)
    try:
        result, same = work(n), sys.getprofile() is events
    finally:
        sys.setprofile(None)
    return [result, same, events.seen]


def with_pdb(n):
    """The program's own pdb, and what it printed."""
    import pdb
    out = io.StringIO()
    commands = "s\ns\nn\nn\np total\nb %d\nc\np total, i\nu\nc\n" % (
        callee.__code__.co_firstlineno + 2)
    debugger = pdb.Pdb(stdin=io.StringIO(commands), stdout=out, nosigint=True,
                       readrc=False)
    try:
        result = debugger.runcall(work, n)
    except BaseException as error:
        result = type(error).__name__
    finally:
        sys.settrace(None)
        debugger.clear_all_breaks()
    # Breakpoints are numbered on and on.
    text = [line for line in out.getvalue().splitlines()
            if "Breakpoint " not in line]
    return [result, sys.gettrace() is None, text]


def with_coverage(n):
    import coverage
    measured = coverage.Coverage(data_file=None, branch=True,
                                 include=[__file__], config_file=False)
    measured.start()
    try:
        result = work(n)
        thread = threading.Thread(target=work, args=(n,))
        thread.start()
        thread.join()
    finally:
        measured.stop()
    data = measured.get_data()
    return [result, sorted(data.lines(__file__) or []),
            sorted(map(list, data.arcs(__file__) or []))]


def with_monitoring(n):
    """Another tool, which turns events off as coverage's does."""
    monitoring = sys.monitoring
    events = monitoring.events
    seen = []

    def take(name, answer=None):
        def callback(code, *rest):
            if code.co_filename != __file__:
                return monitoring.DISABLE
            seen.append([name, code.co_name, rest[0]])
            return answer
        return callback
    monitoring.use_tool_id(2, "beside")
    try:
        for name, answer in (("LINE", None), ("PY_START", None),
                             ("PY_RETURN", None), ("JUMP", monitoring.DISABLE),
                             ("PY_YIELD", None)):
            monitoring.register_callback(2, getattr(events, name),
                                         take(name, answer))
        monitoring.set_events(2, events.LINE | events.PY_START |
                              events.PY_RETURN | events.JUMP | events.PY_YIELD)
        result = work(n)
        same = monitoring.get_tool(2) == "beside"
        monitoring.set_events(2, 0)
        monitoring.restart_events()
    finally:
        for name in ("LINE", "PY_START", "PY_RETURN", "JUMP", "PY_YIELD"):
            monitoring.register_callback(2, getattr(events, name), None)
        monitoring.free_tool_id(2)
    return [result, same, seen]


def has(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def listen(port):
    """debugpy waits for its client."""
    import debugpy
    debugpy.configure(subProcess=False)
    return list(debugpy.listen(("127.0.0.1", port)))


def connected():
    import debugpy
    return debugpy.is_client_connected()


def state():
    monitoring = getattr(sys, "monitoring", None)
    return [sys.gettrace() is None, sys.getprofile() is None,
            [monitoring.get_tool(i) for i in range(6)] if monitoring else []]
