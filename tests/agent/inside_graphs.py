# SPDX-License-Identifier: MIT
"""Graphs of any kind of objects, made by chance: valid JSON within the limits,
as proto/schema.json says. $NOPDB_GRAPHS: how many."""
import array
import collections
import datetime
import decimal
import functools
import json
import os
import pathlib
import random
import sys
import types

import inside
from inside_types import (Color, Items, Ordered, Pair, Plain, Refused, Slots,
                          generator, inside_text, show, with_attributes)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(1, str(ROOT / "tests" / "live"))

from json_schema import Schema  # noqa: E402

VALUE = Schema(json.loads((ROOT / "proto" / "schema.json").read_text()),
               "value")
GRAPHS = int(os.environ.get("NOPDB_GRAPHS", "300"))


def raised(depth, value):
    """An exception that came a long way."""
    def below(depth):
        if depth:
            return below(depth - 1)
        raise Refused(value)
    try:
        below(depth)
    except Refused as error:
        return error


def random_graph(chance, made, depth):
    """Any kind of object, that holds others or some that were made before."""
    def some():
        if made and chance.random() < 0.2:
            return chance.choice(made)
        return random_graph(chance, made, depth - 1)
    leaves = (lambda: chance.getrandbits(chance.choice((3, 60, 300))),
              lambda: "\ud800\"\n\u20acx" * chance.randrange(30),
              lambda: b"\x00" * chance.randrange(99), chance.random,
              lambda: decimal.Decimal(chance.getrandbits(200)), Plain,
              lambda: datetime.timedelta(chance.randrange(99)),
              lambda: show, lambda: Color.PAIR, lambda: None, Slots,
              lambda: generator(1), lambda: Refused(1).__init__)
    trees = (lambda n: [some() for _ in range(n)],
             lambda n: tuple(some() for _ in range(n)),
             lambda n: {str(i): some() for i in range(n)},
             lambda n: {(i, "$x"): some() for i in range(n)},
             lambda n: {"$%d" % i: some() for i in range(n)},
             lambda n: Items(some() for _ in range(n)),
             lambda n: collections.deque(some() for _ in range(n)),
             lambda n: functools.partial(show, *[some() for _ in range(n)]),
             lambda n: Pair(some(), some()), lambda n: raised(n, some()),
             lambda n: Ordered((i, some()) for i in range(n + 1)).move(n),
             lambda n: collections.deque((some() for _ in range(n)), 3),
             lambda n: collections.defaultdict(Plain, {n: some()}),
             lambda n: memoryview(bytes(range(n))), lambda n: {n, n / 7},
             lambda n: array.array("d", range(n)), lambda n: slice(some()),
             lambda n: types.SimpleNamespace(password=some(), a=some()),
             lambda n: with_attributes(Plain(), **{
                 "a%d" % i: some() for i in range(n)}),
             lambda n: types.MappingProxyType({"a": some()}))
    if depth <= 0 or chance.random() < 0.3:
        return chance.choice(leaves)()
    found = chance.choice(trees)(chance.randrange(7))
    made.append(found)
    if isinstance(found, list):
        found.append(found)
    return found


def check_random_graphs(agent):
    for seed in range(GRAPHS):
        chance = random.Random(seed)
        value = random_graph(chance, [], 7)
        text = inside_text(agent, value, depth=chance.choice((0, 1, 2, 9)),
                           items=chance.choice((0, 3)),
                           record=chance.choice((0, 0, 2000, 9999)),
                           strict=chance.randrange(2))
        record = inside.check_json(text)
        VALUE.check(record["args"].get("value"))
        VALUE.check(record.get("return"))


if __name__ == "__main__":
    inside.main(globals())
