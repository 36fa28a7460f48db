# SPDX-License-Identifier: MIT
"""The workloads of `make bench`, run inside the target by run.py.

w1 is made of calls, w2 of loops, w3 of what programs do: parsing, text,
objects, generators, exceptions. Each takes some tenths of a second and calls
nothing that a probe of the benchmark names; `hot` is what the probes capture.
Every function returns a number that depends on all of its work. Runs on
CPython 3.7-3.15.
"""
import json
import re
import time

import settrace_tracer


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


# ---- a call that is captured -----------------------------------------------------
def hot(a, b):
    c = a + b
    d = [a, b]
    return c


def burst(count):
    for number in range(count):
        hot(number, 1)


# ---- measuring --------------------------------------------------------------------
def measure(name):
    """Nanoseconds of one run of a workload."""
    function = globals()[name]
    start = time.perf_counter()
    function()
    return int((time.perf_counter() - start) * 1e9)


def measure_burst(count):
    """Nanoseconds of count calls of hot."""
    start = time.perf_counter()
    burst(count)
    return int((time.perf_counter() - start) * 1e9)


def trace(function, stack):
    """Switches the pure-Python tracer on, for one function of this module."""
    settrace_tracer.start(globals()[function], stack)


def untrace():
    """Switches it off; how many calls it captured."""
    return settrace_tracer.stop()
