# SPDX-License-Identifier: MIT
"""Functions whose lines the tests of breakpoints choose by their text."""
import threading

COUNTER = [0]
LOCK = threading.Lock()


def mixed(x):
    y = x / 2
    z = str(y)
    return x, z


def steps(n):
    done = []
    done.append("one")
    done.append("two")
    done.append("three")
    return done, n


def loops(n):
    total = 0
    for i in range(n):
        total += i
    with LOCK:
        total += 0
    return total


def closes(start):
    value = start

    def inner():
        return value
    first = inner()
    return first, inner()


def one_line(x): return x + 1


def maybe(flag):
    if flag:
        late = 5
    total = 1
    return total


def suspends(n):
    for i in range(n):
        sent = yield i
        COUNTER[0] += 1


def drain(n):
    return list(suspends(n))


def nested(xs):
    return [x * 2 for x in xs]


def enters(n):
    total = 0
    with LOCK:
        total += n
    total += 1
    return total


def recurses(n):
    if n == 0:
        return 0
    return 1 + recurses(n - 1)


class Base:
    scale = 2

    def method(self, k):
        result = k * self.scale
        return result


BASE = Base()


def many(rounds):
    total = 0
    for _ in range(rounds):
        total += mixed(4)[0]
    return total


def waits(seconds):
    """Holds LOCK in another thread for a while."""
    held = threading.Event()

    def hold():
        with LOCK:
            held.set()
            threading.Event().wait(seconds)
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    return mixed(2)


def evaluator():
    """Where the interpreter's frame evaluation hook points; 0 where that
    cannot be asked (before 3.9)."""
    import ctypes
    api = ctypes.pythonapi
    if not hasattr(api, "_PyInterpreterState_GetEvalFrameFunc"):
        return 0
    api.PyInterpreterState_Get.restype = ctypes.c_void_p
    api._PyInterpreterState_GetEvalFrameFunc.restype = ctypes.c_void_p
    api._PyInterpreterState_GetEvalFrameFunc.argtypes = [ctypes.c_void_p]
    return api._PyInterpreterState_GetEvalFrameFunc(
        api.PyInterpreterState_Get())


def state():
    """What a debugger would leave behind."""
    import sys
    monitoring = getattr(sys, "monitoring", None)
    tools = [monitoring.get_tool(i) for i in range(6)] if monitoring else []
    return [sys.gettrace() is None, sys.getprofile() is None, tools]


def forked():
    """mixed() forks in an action: the child tells its result by a pipe."""
    import os
    result = mixed(4)
    end, COUNTER[0] = COUNTER[0], 0
    if end > 0:
        os.write(end, b"%d %d" % (result[0], mixed(4)[0] == 4))
        os._exit(0)
    text = os.read(-end, 100).decode()
    os.close(-end)
    os.wait()
    first, same = text.split()
    return "%s %s" % (first, bool(int(same)))
