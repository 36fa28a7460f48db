# SPDX-License-Identifier: MIT
"""Arrays and numbers of numpy, by the layout of 1.x and 2.x."""
import mmap
import tempfile

import inside
from inside_arrays import check, content, see

NEEDS = "numpy"
try:
    import numpy
except ImportError:
    inside.skip(NEEDS)


def check_numpy(agent):
    table = numpy.arange(12.0).reshape(3, 4)
    check(see(agent, table), type="numpy.ndarray", dtype="<f8", shape=[3, 4],
          strides=[32, 8], items=[float(i) for i in range(12)],
          stats={"min": 0, "max": 11, "mean": 5.5, "nan": 0})
    for each in (table, table.T, table[::-1, ::2], table[1], table[:0],
                 numpy.asfortranarray(table), numpy.float32(table),
                 numpy.float16(table / 3), numpy.longdouble(table / 3),
                 table > 3, table.astype(">i4"), table.astype("u8"),
                 table.astype(">f8"), table + 1j, numpy.array(7),
                 numpy.broadcast_to(numpy.array(3), (2, 2)),
                 numpy.array(["2020-01-01", "NaT"], "M8[s]"),
                 numpy.array([5, -3], "m8[25ns]"),
                 numpy.array([b"ab", b"c\0d"]), numpy.array(["a\u4e2d", ""]),
                 numpy.array(["abc"], ">U3")):
        seen = see(agent, each)
        check(seen, dtype=each.dtype.str, shape=list(each.shape),
              strides=list(each.strides))
        back = numpy.frombuffer(content(see(agent, each, arrays=1)),
                                each.dtype).reshape(each.shape)
        assert back.tobytes() == each.tobytes()
        if each.dtype.kind in "fiub":
            assert seen["$items"] == [float(x) for x in each.ravel()], seen
            if each.size:
                stats = seen["$stats"]
                assert (stats["min"], stats["max"]) == (
                    each.min(), each.max()) and abs(
                    stats["mean"] - each.mean()) < 1e-3
    check(see(agent, numpy.array(["2020-01-01", "NaT"], "M8[s]")),
          items=[1577836800, None],
          stats={"min": 1577836800, "max": 1577836800, "nan": 1})
    check(see(agent, numpy.array(["a\u4e2d", ""])), items=["a\u4e2d", ""])
    check(see(agent, numpy.array([1, "x", None, [2]], object)),
          dtype="|O", items=[1, "x", None, [2]])
    rows = numpy.array([(1, 2.5, b"x", 9)], [
        ("a", "<i4"), ("b", ">f8"), ("c", "S2"), ("password", "i4")])
    seen = see(agent, rows, arrays=1)
    check(seen, dtype="|V18", fields=[["a", "<i4", 0], ["b", ">f8", 4],
                                      ["c", "|S2", 12],
                                      ["password", "<i4", 14]])
    assert "$base64" not in seen        # one of the fields is withheld
    (row,) = seen["$items"]
    assert row["$items"][:2] == [1, 2.5]
    assert row["$items"][3]["$redacted"] == "name"

    class Mine(numpy.ndarray):
        def __getattribute__(self, name):
            raise AssertionError(name)

        def __array_finalize__(self, other):
            pass
    check(see(agent, numpy.arange(3).view(Mine)), items=[0, 1, 2])
    cycle = numpy.empty(1, object)
    cycle[0] = cycle
    assert see(agent, cycle)["$items"] == [{"$ref": hex(id(cycle))}]
    cycle[0] = None
    for scalar in (numpy.float32(0.5), numpy.float64(1.25), numpy.int8(-3),
                   numpy.uint64(7), numpy.bool_(True), numpy.float16(2),
                   numpy.longdouble(1) / 4):
        check(see(agent, scalar), value=scalar.item(),
              dtype=scalar.dtype.str)
    check(see(agent, numpy.datetime64(5, "ms")), value=5, dtype="<M8[ms]")


def check_huge(agent):
    """A summary looks at the first items; untouched memory stays so."""
    huge = numpy.empty(1 << 33, "u1")
    before = resident()
    seen = see(agent, huge, arrays=1)
    check(seen, shape=[1 << 33], sampled=4096, truncated=True, len=1 << 33)
    assert resident() - before < 4096


def resident():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])


def check_mapped_files(agent):
    """A file that became shorter: to read the mapping would be the end."""
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 8192)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 8192)
        file.truncate(0)
        check(see(agent, numpy.frombuffer(mapped, "u1")[2:], arrays=1),
              shape=[8190], items=None, stats=None, base64=None)


if __name__ == "__main__":
    inside.main(globals())
