# SPDX-License-Identifier: MIT
"""The workloads of `make bench`, run inside the target by run.py.

w1 is made of calls, w2 of loops, w3 of what programs do: parsing, text,
objects, generators, exceptions. Each takes some tenths of a second and calls
nothing that a probe of the benchmark names; `hot` and `full` are captured.
Every function returns a number that depends on all of its work. Runs on
CPython 3.7-3.15.
"""
import ctypes
import json
import os
import re
import sys
import threading
import time

import programs
import tracers


def idle(a, b=2):
    """Probed, and never called by a workload."""
    return a + b


# ---- w1: calls -----------------------------------------------------------------
def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


class Counter:
    def __init__(self):
        self.total = 0

    def add(self, number):
        self.total += number
        return self

    def read(self):
        return self.total


def w1():
    counter = Counter()
    for number in range(200000):
        counter.add(number).read()
    for _ in range(60):
        counter.add(ackermann(2, 20))
    return counter.read()


# ---- w2: loops -----------------------------------------------------------------
def w2():
    total = 0
    table = [0] * 256
    for row in range(700):
        value = row
        for column in range(600):
            value = (value * 1103515245 + 12345 + column) & 0x7fffffff
            if value & 1024:
                total += value & 255
            else:
                table[value & 255] += 1
        table.sort()
    return total + sum(table)


# ---- w3: a mixture ---------------------------------------------------------------
TOKEN = re.compile(r"\s*(?:(\d+)|(.))")


def tokens(text):
    for number, operator in TOKEN.findall(text):
        yield int(number) if number else operator


class Parser:
    """Arithmetic, by recursive descent."""

    def __init__(self, text):
        self.rest = list(tokens(text))
        self.rest.reverse()

    def take(self):
        return self.rest.pop() if self.rest else None

    def peek(self):
        return self.rest[-1] if self.rest else None

    def factor(self):
        token = self.take()
        if token == "(":
            value = self.sum()
            self.take()
            return value
        if not isinstance(token, int):
            raise ValueError(token)
        return token

    def product(self):
        value = self.factor()
        while self.peek() == "*":
            self.take()
            value = value * self.factor() % 1000003
        return value

    def sum(self):
        value = self.product()
        while self.peek() in ("+", "-"):
            if self.take() == "+":
                value += self.product()
            else:
                value -= self.product()
        return value


FORMULAS = ["(%d + %d) * (%d - 3) + 7 * %d" % (n, n * 3, n + 9, n % 7)
            for n in range(40)] + ["1 + * 2"]
DOCUMENT = {"rows": [{"id": n, "name": "row %d" % n, "tags": ["a", "b"],
                      "ratio": n / 7} for n in range(30)]}


def evaluate(formula):
    try:
        return Parser(formula).sum()
    except ValueError:
        return -1


def w3():
    total = 0
    for _ in range(120):
        total += sum(evaluate(formula) for formula in FORMULAS)
        text = json.dumps(DOCUMENT, sort_keys=True)
        total += len(json.loads(text)["rows"])
        words = {}
        for word in re.findall(r"\w+", text):
            words[word] = words.get(word, 0) + 1
        total += max(words.values())
    return total


# ---- what is captured ------------------------------------------------------------
def hot(a, b):
    c = a + b
    if b < 0:
        c = 0
    return c


def full(a, b, c, d):
    """Four arguments, six more variables, a frame of at least ten."""
    e = a + b
    f = "a text of some length"
    g = [a, b, c]
    h = {"key": a, "other": "value"}
    i = 1.5
    j = (a, b)
    return e


def burst_hot(count):
    for number in range(count):
        hot(number, 1)


def burst_full(count, deeper=8):
    if deeper:
        return burst_full(count, deeper - 1)
    for number in range(count):
        full(number, 2, "three", None)


def hot_line(which):
    """The line that every call comes to, or that no call comes to."""
    return hot.__code__.co_firstlineno + {"return": 4, "never": 3}[which]


def stream(each_second, seconds):
    """Calls of hot at a rate, a thousandth of a second's at a time, for so
    long; how many."""
    piece, made = max(each_second // 1000, 1), 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        burst_hot(piece)
        made += piece
        late = begun + made / each_second - time.perf_counter()
        if late > 0:
            time.sleep(late)
    return made


def measure_deep(depth, count):
    """Nanoseconds of count calls of full, so many frames deep."""
    if depth > 0:
        return measure_deep(depth - 1, count)
    start = time.thread_time()
    burst_full(count, 0)
    return int((time.thread_time() - start) * 1e9)


def deep_enough(limit):
    sys.setrecursionlimit(limit)


def many(count):
    """Functions of this module, many_0 and so on."""
    text = "def many_%d(a):\n    return a\n\n"
    exec("".join(text % number for number in range(count)), globals())


def crowd(count):
    """So many threads that wait, all in all."""
    while threading.active_count() < count:
        threading.Thread(target=threading.Event().wait, daemon=True).start()


def paced(seconds, each_second):
    """Calls of hot, so many each second; the share of the time that this
    thread was on a processor."""
    begun, used = time.perf_counter(), time.thread_time()
    for number in range(int(seconds * each_second)):
        due = begun + number / each_second
        while time.perf_counter() < due:
            time.sleep(max(due - time.perf_counter(), 0))
        hot(number, 1)
    return (time.thread_time() - used) / (time.perf_counter() - begun)


# ---- measuring --------------------------------------------------------------------
def measure(name):
    """Nanoseconds on a processor of one run of a workload, or of a program of
    programs.py."""
    function = globals().get(name) or getattr(programs, name)
    start = time.thread_time()
    function()
    return int((time.thread_time() - start) * 1e9)


def measure_burst(name, count):
    """Nanoseconds of count calls of a captured function: by the clock, and of
    this thread on a processor."""
    function = globals()["burst_" + name]
    start, used = time.perf_counter(), time.thread_time()
    function(count)
    used = time.thread_time() - used
    return int((time.perf_counter() - start) * 1e9), int(used * 1e9)


def own_path():
    return __file__


def idle_line():
    return idle.__code__.co_firstlineno + 2


def listen():
    """Starts debugpy's adapter; its port."""
    import debugpy
    return debugpy.listen(("127.0.0.1", 0))[1]


def tracers_here(line):
    return tracers.available(line)


def trace(tool, function, line=0):
    """Switches a tracer of tracers.py on, for one function of this module."""
    tracers.start(tool, globals()[function], line)


def untrace(tool):
    """Switches it off; how many captures it made."""
    return tracers.stop(tool)


def floors():
    """Nanoseconds of what no capture is without."""
    nothing = ctypes.CDLL(os.environ["BENCH_NOTHING"])
    found = {}
    for name in ("clock", "system_call", "copy", "wake"):
        function = getattr(nothing, "floor_" + name)
        function.restype = ctypes.c_double
        found[name] = min(function() for _ in range(5))
    return found
