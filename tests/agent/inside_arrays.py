# SPDX-License-Identifier: MIT
"""Arrays: array, memoryview, ctypes, mmap."""
import array
import base64
import ctypes
import math
import mmap
import sys
import tempfile
import threading

import inside

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
    return record["args"]["value"]


def check(seen, **members):
    for name, value in members.items():
        assert seen.get("$" + name) == value, (name, value, seen)


def content(seen):
    return base64.b64decode(seen["$base64"])


def check_array_array(agent):
    for code, name in (("b", "|i1"), ("B", "|u1"), ("h", "<i2"),
                       ("H", "<u2"), ("i", "<i4"), ("I", "<u4"),
                       ("l", "<i8"), ("L", "<u8"), ("q", "<i8"),
                       ("Q", "<u8"), ("f", "<f4"), ("d", "<f8")):
        value = array.array(code, [3, 1, 2])
        seen = see(agent, value)
        check(seen, type="array.array", id=hex(id(value)), dtype=name,
              shape=[3], strides=[value.itemsize], items=[3, 1, 2],
              stats={"min": 1, "max": 3, "mean": 2, "nan": 0})
        assert "$truncated" not in seen
        full = see(agent, value, arrays=1)
        assert content(full) == value.tobytes() and "$items" not in full
    check(see(agent, array.array("q", [2 ** 62, -2 ** 62])), items=[
        {"$type": "int", "$repr": str(2 ** 62)},
        {"$type": "int", "$repr": str(-2 ** 62)}])
    check(see(agent, array.array("Q", [2 ** 64 - 1])), items=[
        {"$type": "int", "$repr": str(2 ** 64 - 1)}])
    check(see(agent, array.array("u", "h\u00e9\U0001f600")), dtype="<U1",
          items=["h", "\u00e9", "\U0001f600"])
    check(see(agent, array.array("d")), shape=[0], items=[], stats=None)
    odd = array.array("d", [math.nan, math.inf, -0.0, 1.5])
    seen = see(agent, odd)
    assert seen["$stats"]["nan"] == 1
    assert seen["$stats"]["max"] == {"$type": "float", "$repr": "inf"}
    assert seen["$items"][0] == {"$type": "float", "$repr": "nan"}

    class Mine(array.array):
        pass
    mine = Mine("i", [7])
    mine.label = "x"
    check(see(agent, mine), items=[7], attrs={"label": "x"})


def check_limits(agent):
    value = array.array("i", range(10000))
    seen = see(agent, value, items=5)
    check(seen, items=[0, 1, 2, 3, 4], truncated=True, len=10000,
          sampled=4096)
    assert seen["$stats"]["max"] == 4095
    full = see(agent, value, arrays=1, record=16384)
    check(full, truncated=True, len=10000)
    some = content(full)
    assert len(some) % 4 == 0 and 1000 < len(some) < 16384
    assert value.tobytes().startswith(some)


def check_memoryview(agent):
    data = bytearray(range(12))
    check(see(agent, memoryview(data)), dtype="|u1", shape=[12],
          items=list(range(12)))
    check(see(agent, memoryview(data)[::-3]), shape=[4], strides=[-3],
          items=[11, 8, 5, 2])
    table = memoryview(data).cast("B", (3, 4))
    check(see(agent, table), shape=[3, 4], strides=[4, 1],
          items=list(range(12)))
    assert content(see(agent, memoryview(data)[::2], arrays=1)) == bytes(
        data[::2])
    check(see(agent, memoryview(data).cast("H")), dtype="<u2")
    gone = memoryview(data)
    gone.release()
    assert see(agent, gone)["$type"] == "memoryview"


def check_nothing_stays_exported(agent):
    """A bytearray can be resized by other threads while it is captured."""
    held = bytearray(b"abc" * 10)
    numbers = array.array("i", range(50))
    failed, stop = [], threading.Event()

    def resize():
        while not stop.is_set():
            try:
                held.append(1)
                numbers.append(2)
                del held[30:], numbers[50:]
            except BufferError as error:
                failed.append(error)
                return
    probe = agent.add(module=__name__, function="show", hits=0, rate=0)[
        "probe"]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    others = [threading.Thread(target=resize) for _ in range(2)]
    for other in others:
        other.start()
    for _ in range(3000):
        show((held, numbers))
    stop.set()
    for other in others:
        other.join()
    sys.setswitchinterval(interval)
    assert agent.remove(probe)["hits"] >= 3000
    assert not failed, failed


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double),
                ("tag", ctypes.c_char * 4), ("password", ctypes.c_int)]


class Deep(Point):
    _fields_ = [("inner", Point), ("low", ctypes.c_uint, 3),
                ("high", ctypes.c_int, 5)]


class Swapped(ctypes.BigEndianStructure):
    _fields_ = [("word", ctypes.c_uint16), ("long", ctypes.c_int32)]


class Either(ctypes.Union):
    _fields_ = [("number", ctypes.c_uint8), ("more", ctypes.c_uint16)]


def check_ctypes(agent):
    check(see(agent, (ctypes.c_int * 3)(1, -2, 3)), dtype="<i4", shape=[3],
          items=[1, -2, 3])
    grid = ((ctypes.c_double * 2) * 2)((1, 2), (3, 4))
    check(see(agent, grid), dtype="<f8", shape=[2, 2], strides=[16, 8],
          items=[1, 2, 3, 4])
    check(see(agent, ctypes.c_short(-5)), type="ctypes.c_short", value=-5)
    check(see(agent, ctypes.c_bool(True)), value=True)
    check(see(agent, ctypes.c_float(0.5)), value=0.5)
    point = Point(1, 2.5, b"ab", 1234)
    seen = see(agent, point)
    assert seen["$attrs"]["x"] == 1 and seen["$attrs"]["y"] == 2.5
    assert base64.b64decode(seen["$attrs"]["tag"]["$base64"]) == b"ab"
    assert seen["$attrs"]["password"]["$redacted"] == "name"
    deep = Deep(x=7)
    deep.low, deep.high = 5, -9
    attrs = see(agent, deep)["$attrs"]
    assert (attrs["x"], attrs["low"], attrs["high"]) == (7, 5, -9), attrs
    attrs = see(agent, Swapped(258, -2))["$attrs"]
    assert attrs == {"word": 258, "long": -2}, attrs
    check(see(agent, Either(7)), attrs={"number": 7, "more": 7})
    check(see(agent, (Point * 2)(point, point)), dtype="|V%d"
          % ctypes.sizeof(Point), shape=[2])
    # An address that leads nowhere is not followed.
    wild = (ctypes.c_int * 4).from_address(8)
    seen = see(agent, wild)
    check(seen, shape=[4])
    assert "$items" not in seen and "$stats" not in seen
    assert "$attrs" not in see(agent, Point.from_address(8))
    assert "$value" not in see(agent, ctypes.c_int.from_address(8))


def check_mapped_files(agent):
    """A file that became shorter: to read the mapping would be the end."""
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 8192)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 8192)
        file.truncate(0)
        check(see(agent, mapped), type="mmap.mmap", len=8192)
        view = memoryview(mapped)
        seen = see(agent, view, arrays=1)
        check(seen, shape=[8192], items=None, base64=None)
        view.release()
        mapped.close()
        check(see(agent, mapped), state="closed")


def check_strict(agent):
    cards = array.array("q", [4111111111111111, 5])
    assert "4111111111111111" not in str(see(agent, cards, strict=1))
    text = bytearray(b"Authorization: Bearer abcdefghijklmnop")
    assert "$redacted" in see(agent, memoryview(text), strict=1, arrays=1)


if __name__ == "__main__":
    inside.main(globals())
