# SPDX-License-Identifier: MIT
"""What pandas has: shape and types, nothing else."""
import sys

import inside
from inside_arrays import check, see

NEEDS = "pandas"
try:
    import pandas
except ImportError:
    inside.skip(NEEDS)


def check_pandas(agent):
    """Shape and types; nothing of the content, and no code of pandas."""
    frame = pandas.DataFrame({
        "secret": [1, 2], "words": ["hunter2", "y"],
        "kind": pandas.Categorical(["u", "v"]),
        "day": pandas.to_datetime(["2020", "2021"]),
        "maybe": pandas.array([1, None], dtype="Int64")})
    types = ["<i8", "|O", "Categorical", "<M8[ns]", "IntegerArray"]

    class Mine(pandas.DataFrame):
        def __getattr__(self, name):
            raise AssertionError(name)
    for value, shape, known in (
            (frame, [2, 5], types), (frame.iloc[:0], [0, 5], types),
            (frame[[]], [2, 0], []), (pandas.DataFrame(), [0, 0], []),
            (frame.T, [5, 2], ["|O"]), (Mine({"x": [1.5] * 3}), [3, 1],
                                        ["<f8"])):
        seen = see(agent, value)
        check(seen, shape=shape, dtypes=known, attrs=None)
        assert "hunter2" not in str(seen)
    for value, known in (
            (frame.secret, "<i8"), (frame.day, "<M8[ns]"),
            (frame.kind, "Categorical"), (frame.columns, "|O"),
            (pandas.RangeIndex(10, 0, -3), None),
            (pandas.Index([1.5]), "<f8"), (frame.set_index("day").index,
                                           "<M8[ns]"),
            (frame.set_index(["secret", "words"]).index, None)):
        check(see(agent, value), shape=[len(value)], dtype=known)
    references = sys.getrefcount(frame)
    see(agent, frame)
    assert sys.getrefcount(frame) == references


if __name__ == "__main__":
    inside.main(globals())
