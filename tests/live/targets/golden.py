# SPDX-License-Identifier: MIT
"""One value of every type that a capture knows, and what a client makes of it.

EQUAL: decodes to an equal value of an equal type. SEEN: decodes to a Snapshot
of which the type's name, and what is listed, is known. The client's tests
import this file as well, so its values are made without chance.
"""
import array
import collections
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import sys
import threading
import types
import uuid
import weakref


def moved(keys, *first):
    """An OrderedDict whose order is not that of the dict below."""
    made = collections.OrderedDict((key, 0) for key in keys)
    for key in first:
        made.move_to_end(key, last=False)
    return made


UTC = datetime.timezone.utc
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
WEST = datetime.timezone(-datetime.timedelta(hours=3, minutes=30, seconds=15))

EQUAL = {
    "none": None, "true": True, "false": False, "int": -7, "edge": 2 ** 53,
    "over": 2 ** 53 + 1, "big": -2 ** 200, "huge": 7 ** 4000,
    "hex": 1 << 20000, "float": 0.1, "whole": 3.0, "tiny": 5e-324,
    "inf": float("inf"), "minus_inf": -float("inf"), "minus_zero": -0.0,
    "complex": 1.5 - 2j, "imaginary": 2j,
    "decimal": decimal.Decimal("-1.250"), "exponent": decimal.Decimal("1E+30"),
    "infinite": decimal.Decimal("-Infinity"),
    "fraction": fractions.Fraction(-3, 7),
    "str": "a\"b\\c\n\x00\u00e9\u4e2d\U0001f600", "empty": "",
    "surrogate": "\ud800x", "bytes": b"\x00\xffab", "no_bytes": b"",
    "bytearray": bytearray(b"abc"), "list": [1, [2, [3]]], "no_list": [],
    "tuple": (1, (2, "x")), "no_tuple": (), "set": {1, "a", (2, 3)},
    "no_set": set(), "frozenset": frozenset([2.5]),
    "dict": {"b": 1, "a": {"c": None}}, "keys": {1: "a", (2, 3): "b", None: 0},
    "marks": {"$type": "evil", "$ref": "0x1"}, "no_dict": {},
    "range": range(3, 9, 2), "slice": slice(1, None), "ellipsis": ...,
    "deque": collections.deque([1, 2]),
    "ordered": collections.OrderedDict([("z", 1), ("a", 2)]),
    "ordered_ints": collections.OrderedDict([(2, 1), (1, 2)]),
    "moved": moved("abcd", "c", "b"), "moved_ints": moved((3, 1, 2), 2),
    "bounded": collections.deque([1, 2], 3),
    "twice": datetime.datetime(2024, 10, 27, 2, 30, fold=1),
    "counter": collections.Counter("abca"),
    "defaults": collections.defaultdict(list, a=[1]),
    "date": datetime.date(2024, 2, 29), "time": datetime.time(23, 59, 59, 7),
    "datetime": datetime.datetime(1999, 12, 31, 1, 2, 3, 400),
    "aware": datetime.datetime(2024, 1, 1, tzinfo=UTC),
    "east": datetime.datetime(2024, 1, 1, 5, tzinfo=EAST),
    "west": datetime.time(1, 2, tzinfo=WEST), "zone": EAST, "utc": UTC,
    "delta": datetime.timedelta(-3, 5, 7),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
}
PATHS = {
    "path": "/srv/app/data.txt", "relative": "a/b", "pure": "/etc/x.conf",
}


class Color(enum.Enum):
    RED = 1


class Flags(enum.IntFlag):
    READ = 4


class Plain:
    def __init__(self):
        self.name, self.size = "plain", 3


class Slots:
    __slots__ = ("one", "two", "unset")

    def __init__(self):
        self.one, self.two = 1, "2"


class Both(Slots):
    def __init__(self):
        super().__init__()
        self.three = 3


class Words(list):
    pass


class Table(dict):
    pass


class Text(str):
    pass


class Number(int):
    pass


@dataclasses.dataclass
class Item:
    name: str
    price: float = 2.5


Point = collections.namedtuple("Point", "x y")


def function(x):
    return x


def generator():
    yield 1
    yield 2


class Pause:
    def __await__(self):
        yield


async def coroutine():
    await Pause()


async def agen():
    yield 1


def caught():
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer", 2) from inner
    except ValueError as error:
        return error


def contextual():
    try:
        try:
            raise KeyError("before")
        except KeyError:
            raise OSError(2, "No such file", "name")
    except OSError as error:
        return error


def half():
    started = generator()
    next(started)
    return started


def waiting():
    """A coroutine in its first await."""
    made = coroutine()
    made.send(None)
    return made


PLAIN = Plain()
CYCLE = [1]
CYCLE.append(CYCLE)
RING = Plain()
RING.itself = RING

SEEN = {
    "member": Color.RED, "flag": Flags.READ, "point": Point(1, 2),
    "item": Item("tea"), "plain": PLAIN, "slots": Slots(), "both": Both(),
    "words": Words([1]), "table": Table(a=1), "text": Text("abc"),
    "number": Number(5), "exception": caught(), "context": contextual(),
    "function": function, "method": PLAIN.__init__, "builtin": len,
    "class": Plain, "module": collections, "code": function.__code__,
    "frame": sys._getframe(), "generator": half(), "coroutine": waiting(),
    "agen": agen(), "weakref": weakref.ref(PLAIN),
    "proxy": types.MappingProxyType({"a": 1}),
    "partial": functools.partial(function, 1), "lock": threading.Lock(),
    "ring": RING, "object": object(), "namespace": types.SimpleNamespace(a=1),
}
# Small enough for a summary to have all their items.
FEW = {"memoryview": memoryview(b"ab"), "few": array.array("i", [1, -2])}
OTHER = {"nan": float("nan"), "cycle": CYCLE,
         "long": "x" * 1000, "many": list(range(1000)), "deep": [[[[[1]]]]],
         "secrets": {"password": "hunter2", "user": "ann"}}


class Pair(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]


# Captured whole: what comes back is equal to these.
ARRAYS = {
    "array": array.array("i", [1, -2, 3]), "doubles": array.array("d", [0.5]),
    "letters": array.array("u", "h\u00e9"), "no_array": array.array("q"),
    "view": memoryview(bytearray(range(6))),
    "reversed": memoryview(bytes(range(6)))[::-2],
    "table": memoryview(bytes(range(8))).cast("H", (2, 2)),
    "row": (ctypes.c_int * 3)(1, -2, 3),
    "grid": ((ctypes.c_double * 2) * 2)((1, 2), (3, 4)),
}
try:
    import numpy
    RECORD = numpy.dtype([("a", "<i4"), ("b", ">f8"), ("c", "S2")])
    ARRAYS.update(
        floats=numpy.arange(6.0).reshape(2, 3),
        strided=numpy.arange(12).reshape(3, 4)[::-1, ::2],
        point=numpy.array(7), nothing=numpy.zeros((0, 3)),
        big_endian=numpy.array([1, 2], ">i4"),
        half=numpy.array([0.5], "f2"), truth=numpy.array([True, False]),
        times=numpy.array(["2020-01-01", "NaT"], "M8[s]"),
        words=numpy.array(["a\u4e2d", ""]), raw=numpy.array([b"ab", b"c"]),
        records=numpy.array([(1, 2.5, b"x")], RECORD))
except ImportError:
    numpy = None
try:
    import attr

    @attr.s
    class Attrs:
        name = attr.ib(default="leaf")
        size = attr.ib(default=2)

    @attr.s(slots=True)
    class Slotted:
        name = attr.ib(default="slot")

    SEEN.update(attrs=Attrs(), attrs_slots=Slotted())
except ImportError:
    attr = None

MAKERS = {"path": pathlib.Path, "relative": pathlib.PurePosixPath,
          "pure": pathlib.PurePath}
VALUES = dict(EQUAL, **SEEN)
VALUES.update(OTHER, **FEW)
VALUES.update((name, MAKERS[name](text)) for name, text in PATHS.items())


def show(value):
    return None


def show_arrays(names):
    """Those that this interpreter has; which these are."""
    names = [name for name in names if name in ARRAYS]
    for name in names:
        show(ARRAYS[name])
    return names


def missing():
    return [name for name, module in (("numpy", numpy), ("attr", attr))
            if module is None]


def show_all(names):
    for name in names:
        show(VALUES[name])
    return len(names)
