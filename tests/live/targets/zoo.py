# SPDX-License-Identifier: MIT
"""One of each: every kind of function, value and outcome that tests capture."""
import asyncio
import collections
import functools
import threading
import time


# ---- functions ----------------------------------------------------------------
def add(x, y):
    total = x + y
    return total


def signature(a, b=2, *rest, c, d=4, **options):
    return a


def outer(x):
    def inner(y):
        return x + y
    return inner(x + 1)


def call_lambda(x):
    double = lambda value: value * 2  # noqa: E731
    return double(x)


def rebinds(x):
    x = x + 100
    return x


def deletes(x):
    kept = x
    del x
    return kept


def recurse(n):
    return 0 if n == 0 else 1 + recurse(n - 1)


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


@logged
def decorated(x):
    return x * 3


@functools.lru_cache(maxsize=None)
def cached(x):
    return x * 5


class Shape:
    kind = "shape"

    def __init__(self, side):
        self.side = side

    def area(self, scale=1):
        return self.side * self.side * scale

    @classmethod
    def unit(cls):
        return cls(1).side

    @staticmethod
    def perimeter(side):
        return 4 * side

    @property
    def diagonal(self):
        return self.side * 2

    class Inner:
        def deep(self, x):
            return x + 1


class Square(Shape):
    def area(self, scale=1):
        return super().area(scale) + 1


SHAPE = Shape(3)
SQUARE = Square(3)
INNER = Shape.Inner()


def read_diagonal():
    return SHAPE.diagonal


# ---- outcomes ------------------------------------------------------------------
class Refused(Exception):
    pass


def raises(x):
    note = "about to"
    raise Refused("not %d" % x)


def raises_below(x):
    return raises(x)


def reraises(x):
    try:
        return raises(x)
    except Refused:
        raise


def recovers(x):
    try:
        raises(x)
    except Refused as error:
        return str(error)


def returns_none():
    pass


def exits():
    raise SystemExit(3)


# ---- generators and coroutines ---------------------------------------------------
def generator(n):
    for index in range(n):
        yield index
    return "done"


def drain(n):
    return list(generator(n))


def close_early():
    running = generator(5)
    next(running)
    running.close()
    return "closed"


def throw_into():
    running = generator(5)
    next(running)
    try:
        running.throw(Refused("thrown"))
    except Refused as error:
        return str(error)


def delegating(n):
    result = yield from generator(n)
    return result


def drain_delegating(n):
    return list(delegating(n))


async def coroutine(x):
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return x + 1


async def failing_coroutine(x):
    await asyncio.sleep(0)
    raise Refused("coroutine %d" % x)


async def numbers(n):
    for index in range(n):
        await asyncio.sleep(0)
        yield index


async def use_numbers(n):
    return [index async for index in numbers(n)]


async def together(n):
    return await asyncio.gather(*[coroutine(index) for index in range(n)])


def run_async(function, args):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(globals()[function](*args))
    finally:
        loop.close()


# ---- values -----------------------------------------------------------------------
class Plain:
    def __init__(self):
        self.value = 1

    def __repr__(self):
        raise AssertionError("repr was called")

    def __getattr__(self, name):
        raise AssertionError("getattr was called")


class Sub(dict):
    pass


Point = collections.namedtuple("Point", "x y")


def cycle():
    ring = [1]
    ring.append(ring)
    return ring


def nest(depth):
    value = "bottom"
    for _ in range(depth):
        value = [value]
    return value


VALUES = {
    "none": None, "true": True, "int": 7, "negative": -7,
    "edge": 2 ** 53, "big": 2 ** 200, "bigger": -10 ** 5000,
    "float": 1.5, "inf": float("inf"), "nan": float("nan"),
    "complex": 1 + 2j, "str": "text", "quotes": "a\"b\\c\n\t\x00\x7f",
    "unicode": "\u00e9\u4e2d\U0001f600", "surrogate": "\ud800x",
    "long": "x" * 100000, "bytes": b"\x00\xffab", "longbytes": b"y" * 100000,
    "bytearray": bytearray(b"abc"), "list": [1, "two", None],
    "tuple": (1, (2, 3)), "set": {1}, "frozenset": frozenset([2]),
    "dict": {"a": 1, "b": [2]}, "intkeys": {1: "a", (2, 3): "b"},
    "dollar": {"$type": "evil"}, "longlist": list(range(1000)),
    "range": range(3, 9, 2), "slice": slice(1, 2), "ellipsis": Ellipsis,
    "cycle": cycle(), "nested": nest(50), "object": Plain(), "sub": Sub(a=1),
    "point": Point(1, 2), "function": add, "class": Plain,
    "module": functools, "method": SHAPE.area, "builtin": len,
    "generator": generator(3), "lock": threading.Lock(),
    "wide": [["w" * 1000] * 50 for _ in range(50)],
}


def show(value):
    kept = value
    return kept


def show_named(name):
    return show(VALUES[name]) is VALUES[name]


# ---- running already -----------------------------------------------------------------
STOP = threading.Event()


def slow(seconds):
    marker = "slow"
    time.sleep(seconds)
    return marker


def step(count):
    return count + 1


def forever():
    count = 0
    while not STOP.is_set():
        count = step(count)
        time.sleep(0.005)


def call_after(seconds, name, args):
    time.sleep(seconds)
    return globals()[name](*args)


def burst(count):
    for index in range(count):
        add(index, 1)
    return count


def import_late():
    import late
    return late.arrived(5)


def names():
    return sorted(VALUES)
