# SPDX-License-Identifier: MIT
"""stack_values.py: a function that is called again and again with the same
objects, one of each kind that values are shown of."""
import array
import builtins
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import os
import pathlib
import sys
import threading
import time
import types
import uuid


@dataclasses.dataclass
class Data:
    number: int
    token: str = "PLANTED"
    name: str = "ann"


class Slots:
    __slots__ = ("x", "password", "unset")

    def __init__(self):
        self.x, self.password = 1, "PLANTED"


class Plain:
    shared = 3

    def __init__(self):
        self.a, self.api_key, self.me = 1, "PLANTED", self


class Both(Slots):
    def __init__(self):
        super().__init__()
        self.more = [1]


class OwnDict(dict):
    pass


class OwnList(list):
    pass


class OwnInt(int):
    pass


class OwnStr(str):
    pass


class Color(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    ONE = 1


class Failure(Exception):
    pass


Pair = collections.namedtuple("Pair", "x y")
plain = Plain()
VALUES = {
    "small": 1, "negative": -5, "yes": True, "nothing": None, "number": 1.5,
    "infinite": float("inf"), "text": "h\u00e9llo", "raw": b"ab\0",
    "buffer": bytearray(b"xy"), "items": [1, [2, [3]]], "pair": (1, "x"),
    "table": {"k": 1, "password": "PLANTED", 3: 4}, "some": {1},
    "frozen": frozenset({2}), "data": Data(1), "slots": Slots(),
    "plain": plain, "both": Both(), "own_dict": OwnDict(a=1),
    "own_list": OwnList([1]), "own_int": OwnInt(7), "own_str": OwnStr("q"),
    "color": Color.RED, "one": Number.ONE, "named": Pair(1, 2),
    "failure": Failure("boom", 3), "fraction": fractions.Fraction(1, 2),
    "day": datetime.date(2020, 2, 29),
    "moment": datetime.datetime(2020, 1, 2, 3, 4, 5, 6),
    "midnight": datetime.datetime(2020, 1, 2), "unique": uuid.UUID(int=5),
    "path": pathlib.PurePosixPath("/tmp"),
    "row": collections.deque(range(200), maxlen=500),
    "endless": collections.deque([1]),
    "ordered": collections.OrderedDict(a=1),
    "preset": collections.defaultdict(list, {"a": [1]}),
    "counted": collections.Counter("aab"), "numbers": range(3),
    "whole": 1 + 2j, "part": slice(1, None), "function": dataclasses.field,
    "method": plain.__init__, "builtin": [].append, "kind": Plain,
    "module": os, "deep": {"a": {"b": {"c": 1}}}, "dots": ...,
    "proxy": types.MappingProxyType({"a": 1}), "lock": threading.Lock(),
    "big": 10 ** 40, "nested": [Plain(), Color.RED, Plain, Slots(), range(2)],
    # Of these a capture tells more.
    "decimal": decimal.Decimal("1.5"), "array": array.array("i", [1, 2]),
    "view": memoryview(b"abc"), "generator": (i for i in ()),
}


if sys.version_info >= (3, 15):
    frozendict = builtins.frozendict

    class OwnFrozen(frozendict):
        pass
    VALUES.update(frozen_map=frozendict(a=[1], password="PLANTED"),
                  frozen_pairs=frozendict({1: 2}), frozen_none=frozendict(),
                  frozen_deep=[frozendict(a=frozendict(b=frozendict(c=1)))],
                  own_frozen=OwnFrozen(a=1))


def made():
    """f(values) whose local variables they are."""
    lines = ["def f(values):"]
    lines += ["    %s = values[%r]" % (name, name) for name in VALUES]
    lines += ["    time.sleep(0.05)"]
    space = {"time": time, "__name__": "values"}
    exec(compile("\n".join(lines), "<values>", "exec"), space)
    return space["f"]


f = made()
print(json.dumps({"ready": os.getpid()}), flush=True)
while True:
    f(VALUES)
