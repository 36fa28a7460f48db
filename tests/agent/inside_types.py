# SPDX-License-Identifier: MIT
"""Objects that are more than data: their type, their content, attributes."""
import builtins
import collections
import datetime
import decimal
import enum
import fractions
import functools
import gc
import pathlib
import sys
import types
import uuid
import weakref

import inside


def show(value):
    return value


def see(agent, value, **limits):
    limits.setdefault("depth", 6)
    probe = agent.add(module=__name__, function="show", **limits)["probe"]
    show(value)
    (record,) = agent.wait()
    stats = agent.remove(probe)
    assert stats["captures"] == 1 and stats["lost_size"] == 0, stats
    seen = record["args"]["value"]
    assert repr(record["return"]) == repr(seen)
    return seen


HERE = __name__ + "."


def whole(_object, _type, **members):
    """What an object of a type is seen as; its members without the "$"."""
    found = {"$type": _type, "$id": hex(id(_object))}
    found.update(("$" + key, each) for key, each in members.items())
    return found


def mine(_object, **members):
    return whole(_object, HERE + type(_object).__qualname__, **members)


class Plain:
    pass


class Slots:
    __slots__ = ("first", "second", "__weakref__")


class More(Slots):
    __slots__ = ("third", "__private")

    def set(self):
        self.__private = 4


class Both(Slots):
    pass


class Pair(collections.namedtuple("Pair", "left right")):
    pass


class Items(list):
    pass


class Names(dict):
    pass


class Row(tuple):
    pass


class Some(set):
    pass


class Text(str):
    pass


class Raw(bytes):
    pass


class Number(int):
    pass


class Real(float):
    pass


class Slotted(int):
    __slots__ = ()


class Color(enum.Enum):
    RED = 1
    PAIR = (1, 2)


class Level(enum.IntEnum):
    LOW = 3


class Refused(ValueError):
    def __init__(self, code):
        super().__init__("refused", code)
        self.code = code


def with_attributes(value, **attributes):
    for name in attributes:
        setattr(value, name, attributes[name])
    return value


def check_attributes(agent):
    value = with_attributes(Plain(), b=1, a=[2])
    assert see(agent, value) == mine(value, attrs={"b": 1, "a": [2]})
    assert list(see(agent, value)["$attrs"]) == ["b", "a"]
    del value.b
    assert see(agent, value) == mine(value, attrs={"a": [2]})
    value.b = 3
    assert list(see(agent, value)["$attrs"]) == ["a", "b"]
    assert vars(value) == {"a": [2], "b": 3}        # now it has a dict
    assert see(agent, value) == mine(value, attrs={"a": [2], "b": 3})
    value.__dict__ = {"c": 1}
    assert see(agent, value) == mine(value, attrs={"c": 1})
    assert see(agent, Plain()).keys() == {"$type", "$id"}
    value.__dict__[5] = 6
    assert see(agent, value) == mine(value, attrs={"c": 1}, truncated=True)
    wide = with_attributes(Plain(), **{"n%d" % i: i for i in range(200)})
    assert len(see(agent, wide, items=0)["$attrs"]) == 200
    assert see(agent, wide, items=3) == mine(
        wide, attrs={"n0": 0, "n1": 1, "n2": 2}, truncated=True)
    for count in range(40):
        some = with_attributes(Plain(), **{"k%d" % i: i for i in range(count)})
        assert len(see(agent, some).get("$attrs", ())) == count


def check_slots(agent):
    value = with_attributes(Slots(), second=2)
    assert see(agent, value) == mine(value, attrs={"second": 2})
    assert "$attrs" not in see(agent, Slots())
    value = with_attributes(More(), first=1, third=3)
    value.set()
    assert see(agent, value) == mine(
        value, attrs={"third": 3, "_More__private": 4, "first": 1})
    value = with_attributes(Both(), first=1, other=2)
    assert see(agent, value) == mine(value, attrs={"first": 1, "other": 2})


def check_made_of_builtins(agent):
    value = with_attributes(Items([1, [2]]), tag="x")
    assert see(agent, value) == mine(value, items=[1, [2]], attrs={"tag": "x"})
    assert see(agent, Items())["$items"] == []
    value = with_attributes(Names(a=1), tag="x")
    assert see(agent, value) == mine(value, items={"a": 1}, attrs={"tag": "x"})
    value = Names({1: 2})
    assert see(agent, value) == mine(value, pairs=[[1, 2]])
    for size in (0, 1, 5, 40):
        value = with_attributes(Row(range(size)), tag=[1])
        assert see(agent, value) == mine(value, items=list(range(size)),
                                         attrs={"tag": [1]})
    value = Some({5})
    assert see(agent, value) == mine(value, items=[5])
    value = Items(range(10))
    assert see(agent, value, items=2) == mine(value, items=[0, 1],
                                              truncated=True, len=10)
    assert see(agent, [value], depth=1) == [mine(value, truncated=True)]


def check_made_of_numbers(agent):
    for size in (0, 1, 2 ** 29, 2 ** 31, -2 ** 70, 2 ** 1000):
        value = with_attributes(Number(size), tag="x")
        seen = see(agent, value, string=0)
        number = seen.pop("$value")
        assert seen == mine(value, attrs={"tag": "x"})
        assert size == (number if isinstance(number, int)
                        else int(number["$repr"]))
    for value, shown in ((Text("t\xe9"), "t\xe9"), (Real(1.5), 1.5),
                         (Slotted(7), 7), (Text("\u20ac"), "\u20ac")):
        assert see(agent, value) == mine(value, value=shown)
        assert see(agent, [value], depth=1)[0]["$value"] == shown
    for size in (0, 1, 7, 8, 9, 100):
        value = with_attributes(Raw(b"x" * size), tag=1)
        seen = see(agent, value)
        assert seen["$attrs"] == {"tag": 1} and \
            seen["$value"]["$type"] == "bytes"


def check_enums(agent):
    assert see(agent, Color.RED) == mine(Color.RED, name="RED", value=1)
    assert see(agent, Color.PAIR)["$value"]["$items"] == [1, 2]
    assert see(agent, Level.LOW) == mine(Level.LOW, name="LOW", value=3)
    assert see(agent, [[Color.RED]], depth=2)[0][0]["$name"] == "RED"


class Ordered(collections.OrderedDict):
    def move(self, *keys):
        for key in keys:
            self.move_to_end(key, last=False)
        return self


class Alike:
    """Keys that hash alike: to look for one compares it with others."""

    asked = 0

    def __hash__(self):
        Alike.asked += 1
        return 1

    def __eq__(self, other):
        Alike.asked += 1
        return self is other


def check_order(agent):
    """Its own order, which the dict below does not have."""
    value = Ordered((i, str(i)) for i in range(3000)).move(5, 2999, 7)
    wanted = [[key, value[key]] for key in value]
    assert see(agent, value, items=4)["$pairs"] == wanted[:4]
    text = inside_text(agent, value, items=0, locals=0)
    seen = inside.check_json(text)["return"]
    assert seen["$truncated"] and seen["$len"] == 3000
    assert seen["$pairs"] == wanted[:1024]
    value = Ordered(b=1, a=Ordered(d=2, c=3).move("c")).move("a")
    text = inside_text(agent, value, depth=5)
    assert text.index('"a"') < text.index('"c"') < text.index('"d"')
    assert text.index('"d"') < text.index('"b"')
    value = Ordered([(1, 2), ("a", 3), (Alike(), 4), (Alike(), 5)]).move("a")
    Alike.asked = 0
    assert see(agent, value)["$pairs"][0] == ["a", 3]
    assert len(see(agent, value)["$pairs"]) == 4 and not Alike.asked
    assert see(agent, value, items=1) == mine(
        value, items={"a": 3}, truncated=True, len=4)
    dict.pop(value, "a")
    assert see(agent, value)["$truncated"]
    value = Ordered()
    dict.update(value, {"z": 1})
    assert see(agent, value)["$items"] == {"z": 1}


def check_frozendict(agent):
    """Read as a dict, and told by its type."""
    frozendict = getattr(builtins, "frozendict", None)
    if not frozendict:  # 3.15
        return

    class Kept(frozendict):
        pass
    value = frozendict(a=[1], password="hunter2", b=frozendict())
    assert see(agent, value) == {"$type": "frozendict", "$items": {
        "a": [1], "password": {"$type": "str", "$redacted": "name"},
        "b": {"$type": "frozendict", "$items": {}}}}
    value = frozendict({1: 2})
    assert see(agent, value) == {"$type": "frozendict", "$pairs": [[1, 2]]}
    value = frozendict((str(n), n) for n in range(9))
    assert see(agent, value, items=2) == {
        "$type": "frozendict", "$items": {"0": 0, "1": 1}, "$truncated": True,
        "$len": 9}
    value = Kept(a=1)
    value.more = 2
    assert see(agent, value) == whole(
        value, HERE + "check_frozendict.<locals>.Kept", items={"a": 1},
        attrs={"more": 2})


def check_collections(agent):
    value = Pair(1, [2])
    assert see(agent, value) == mine(value, attrs={"left": 1, "right": [2]})
    value = collections.deque(range(200), maxlen=150)
    assert see(agent, value, items=0) == whole(
        value, "collections.deque", items=list(range(50, 200)), maxlen=150)
    assert see(agent, value, items=2) == whole(
        value, "collections.deque", items=[50, 51], maxlen=150,
        truncated=True, len=150)
    value = collections.defaultdict(list, a=[1])
    assert see(agent, value) == whole(
        value, "collections.defaultdict", items={"a": [1]},
        default_factory=whole(list, "type", name="list"))
    value = collections.OrderedDict(b=1, a=2)
    assert see(agent, value) == whole(value, "collections.OrderedDict",
                                      items={"b": 1, "a": 2})
    value = collections.Counter("aab")
    assert see(agent, value) == whole(value, "collections.Counter",
                                      items={"a": 2, "b": 1})
    value = types.MappingProxyType({"a": 1})
    assert see(agent, value) == whole(value, "mappingproxy", value={"a": 1})
    value = types.SimpleNamespace(a=1)
    assert see(agent, value)["$attrs"] == {"a": 1}
    value = functools.partial(show, 5, x=6)
    seen = see(agent, value)
    assert seen["$function"]["$name"] == __name__ + ":show"
    assert seen["$args"]["$items"] == [5] and seen["$keywords"] == {"x": 6}
    target = Plain()
    value = weakref.ref(target)
    assert see(agent, value)["$to"] == mine(target)
    del target
    gc.collect()
    assert see(agent, value)["$to"] is None


def check_times(agent):
    zone = datetime.timezone
    delta = datetime.timedelta
    for value in (
            datetime.date(1, 2, 3), datetime.date(9999, 12, 31),
            datetime.time(1, 2, 3), datetime.time(1, 2, 3, 45),
            datetime.datetime(2024, 2, 29, 23, 59, 58, 999999),
            datetime.datetime(2024, 2, 29, tzinfo=zone.utc),
            datetime.datetime(2024, 2, 29, 1, tzinfo=zone(-delta(hours=3.5))),
            datetime.time(1, 2, tzinfo=zone(delta(seconds=3661)))):
        name = "datetime." + type(value).__name__
        assert see(agent, value) == whole(value, name, iso=value.isoformat())
    value = delta(days=-1, seconds=5, microseconds=7)
    assert see(agent, value) == whole(value, "datetime.timedelta", days=-1,
                                      seconds=5, microseconds=7)
    assert see(agent, zone(delta(hours=2)))["$iso"] == "+02:00"
    for value in (datetime.time(1, fold=1), datetime.datetime(1, 1, 1, fold=1)):
        assert see(agent, value)["$fold"] == 1

    class Odd(datetime.tzinfo):
        pass

    class Later(datetime.datetime):
        pass
    value = with_attributes(Later(2024, 1, 2, tzinfo=Odd()), tag=1)
    seen = see(agent, value)
    assert seen["$iso"] == "2024-01-02T00:00:00"
    assert seen["$tzinfo"]["$type"].endswith("Odd")
    assert seen["$attrs"] == {"tag": 1}


def check_decimals(agent):
    for text in ("0", "-0", "1.25", "-1.250", "123456789012345678901234567890",
                 "1E+5", "1E-7", "1.5E-10", "0.000001", "0.0000001", "0E+3",
                 "12345678901234567890.12345678901234567890", "Infinity",
                 "-Infinity", "NaN", "-sNaN", "1.2345E+30", "1" + "0" * 50,
                 "0.00"):
        value = decimal.Decimal(text)
        seen = see(agent, value)
        assert seen == whole(value, "decimal.Decimal", repr=str(value)), seen
    value = fractions.Fraction(1, 3)
    assert see(agent, value) == whole(
        value, "fractions.Fraction",
        attrs={"_numerator": 1, "_denominator": 3})


def check_library(agent):
    value = uuid.UUID(int=2 ** 100 + 1)
    assert see(agent, value)["$attrs"]["int"] == {
        "$type": "int", "$repr": str(2 ** 100 + 1)}
    assert "usr" in repr(see(agent, pathlib.PurePosixPath("/usr/lib")))


def generator(x):
    yield x
    yield from inner()


def inner():
    yield 2


async def coroutine():
    await sleeper()


@types.coroutine
def sleeper():
    yield


def check_code(agent):
    line = show.__code__.co_firstlineno
    file = __file__
    assert see(agent, show) == whole(show, "function", name="__main__:show",
                                     file=file, line=line)
    value = Refused("x").with_traceback
    assert see(agent, value)["$name"].endswith("with_traceback")
    value = More().set
    seen = see(agent, value)
    assert seen["$name"] == "__main__:More.set" and \
        seen["$self"]["$type"] == HERE + "More"
    assert see(agent, len) == whole(len, "builtin_function_or_method",
                                    name="builtins:len")
    assert see(agent, Plain) == whole(Plain, "type", name=HERE + "Plain")
    assert see(agent, Color) == whole(Color, type(Color).__module__ + "." +
                                      type(Color).__qualname__,
                                      name=HERE + "Color")
    assert see(agent, int) == whole(int, "type", name="int")
    assert see(agent, sys) == whole(sys, "module", name="sys")
    assert see(agent, enum)["$file"] == enum.__file__
    value = show.__code__
    assert see(agent, value) == whole(value, "code", name="show",
                                      file=file, line=line)
    frame = sys._getframe()
    seen = see(agent, frame)
    assert seen["$file"] == file and seen["$line"] > line


def check_suspended(agent):
    line = generator.__code__.co_firstlineno
    value = generator([1])
    seen = see(agent, value)
    assert seen["$name"] == "generator" and seen["$running"] is False
    assert seen["$line"] == line
    next(value)
    assert see(agent, value)["$at"] == line + 1
    next(value)
    seen = see(agent, value)
    assert seen["$at"] == line + 2
    assert seen["$awaits"]["$name"] == "inner" and \
        seen["$awaits"]["$at"] == inner.__code__.co_firstlineno + 1
    list(value)
    seen = see(agent, value)
    assert "$at" not in seen and "$awaits" not in seen
    value = coroutine()
    value.send(None)
    seen = see(agent, value)
    assert seen["$type"] == "coroutine"
    assert seen["$at"] == coroutine.__code__.co_firstlineno + 1
    assert seen["$awaits"]["$name"] == "sleeper"
    value.close()
    frames = [each for each in gc.get_objects()
              if isinstance(each, types.FrameType) and
              each.f_code is coroutine.__code__]
    assert not frames


COUNTED = collections.Counter()


def counting(name):
    def special(self, *args):
        COUNTED[name] += 1
        raise AttributeError(name)
    return special


class Descriptor:
    __get__ = __set__ = counting("descriptor")


class Curious:
    """Counts whatever is called of it."""

    descriptor = Descriptor()
    prop = property(counting("property"))

    def __init__(self):
        object.__setattr__(self, "own", 1)
        own = object.__getattribute__(self, "__dict__")
        own["prop"] = own["descriptor"] = 2


for _name in ("repr str getattr getattribute hash eq ne lt iter next len bool "
              "contains getitem int float index bytes format dir call "
              "reduce_ex sizeof length_hint fspath setattr").split():
    setattr(Curious, "__%s__" % _name, counting(_name))


def curious(base, *args):
    members = {name: each for name, each in vars(Curious).items()
               if name not in ("__dict__", "__weakref__", "__init__")}
    for name in ("items", "keys", "values", "get", "copy"):
        members[name] = counting(name)
    return type("Curious" + base.__name__, (base,), members)(*args)


def check_no_code_runs(agent):
    values = [Curious(), curious(list, [1]), curious(tuple, [1]),
              curious(set, [1]), curious(str, "x"), curious(int, 5),
              curious(float, 1.5), curious(bytes, b"x"),
              curious(collections.OrderedDict), curious(collections.deque),
              curious(collections.defaultdict), curious(decimal.Decimal, 1),
              curious(datetime.datetime, 2024, 1, 1),
              curious(datetime.timedelta, 1), curious(KeyError, 1),
              curious(complex, 1), curious(bytearray, b"x")]
    for value in values:
        if hasattr(type(value), "__mro__") and isinstance(value, dict):
            dict.__setitem__(value, "a", 1)
    COUNTED.clear()
    probe = agent.add(module=__name__, function="show", depth=0)["probe"]
    taken = 0
    for _ in range(600):
        for value in values:
            show(value)
        taken += len(agent.raw())
    assert taken == 600 * len(values) >= 10000
    assert not COUNTED, COUNTED
    assert agent.remove(probe)["lost_ring"] == 0


class Half:
    def __init__(self):
        show(self)
        self.late = 1


def check_half_built(agent):
    probe = agent.add(module=__name__, function="show")["probe"]
    Half()
    (record,) = agent.wait()
    assert record["return"].keys() == {"$type", "$id"}
    agent.remove(probe)


def check_deep(agent):
    """Objects in objects, with and without limits, cycles included."""
    value = last = Plain()
    for _ in range(100):
        last.next = Plain()
        last.text = Text("x")
        last.made = Items([show, Color.RED, {1: datetime.date(2024, 1, 1)}])
        last = last.next
    last.next = value
    for depth in (0, 1, 2, 5, 31, 32):
        text = inside_text(agent, value, depth=depth)
        assert "$truncated" in text
        inside.check_json(text)
    value.next = value
    assert see(agent, value)["$attrs"]["next"] == {"$ref": hex(id(value))}


def inside_text(agent, value, **limits):
    probe = agent.add(module=__name__, function="show", **limits)["probe"]
    show(value)
    ((_, _, text),) = agent.raw()
    assert agent.remove(probe)["lost_size"] == 0
    return text


def check_no_room(agent):
    some = [with_attributes(Items([Plain(), Color.RED, show] * 20), a="x" * 99,
                            b=collections.deque([Number(5)] * 99))
            for _ in range(30)]
    odd = with_attributes(Plain(), some=some, **{"n" * i: some
                                                 for i in range(1, 90)})
    for value in (some, odd, {"k": odd}, Pair(odd, some), [Pair(odd, odd)] * 9,
                  Refused(some), functools.partial(show, *some)):
        for size in (1200, 1333, 1500, 2000, 3333, 5000, 10000, 0):
            text = inside_text(agent, value, depth=0, items=0, string=0,
                               record=size)
            assert len(text.encode()) <= (size or 65536)
            inside.check_json(text)
            assert "$truncated" in text


def check_nothing_stays(agent):
    """No reference is kept, and nothing is made that the collector counts."""
    suspended = generator([1])
    next(suspended)
    values = [with_attributes(Plain(), a=1), Items([1]), Color.RED,
              collections.deque([1]), Refused(1), show, Plain, suspended,
              functools.partial(show), Pair(1, 2), decimal.Decimal(1),
              datetime.datetime(2024, 1, 1), weakref.ref(show), More().set,
              sys, types.MappingProxyType({}), Both(), Names(a=1),
              collections.defaultdict(list)]
    probe = agent.add(module=__name__, function="show", depth=9)["probe"]
    show(values)
    agent.wait()
    gc.collect()
    gc.disable()
    before = [sys.getrefcount(each) for each in values]
    counted = gc.get_count()[0]
    for _ in range(200):
        show(values)
    made = gc.get_count()[0] - counted
    gc.enable()
    assert [sys.getrefcount(each) for each in values] == before
    assert made < 20, made
    stats = agent.remove(probe)
    assert stats["captures"] + stats["lost_ring"] == 201
    assert stats["captures"] > 20


if __name__ == "__main__":
    inside.main(globals())
