# SPDX-License-Identifier: MIT
"""Exceptions: what they carry, and the way that they came."""
import sys
import time

import inside
from inside_types import Refused, mine, see, whole


def is_place(seen, code, line):
    (place,) = seen
    assert place["function"].endswith("raised"), place
    assert place["file"] == code.co_filename
    assert place["line"] == code.co_firstlineno + line
    assert ("column" in place) is (sys.version_info >= (3, 11))


def show(value):
    return value


def dig(depth):
    if not depth:
        raise Refused(7)
    dig(depth - 1)


def climbs(depth):
    dig(depth)


def keeps(depth):
    try:
        climbs(depth)
    except Refused as error:
        kept = error
    return show(kept)


def check_tracebacks(agent):
    """Where an exception came from, in the value and where it passes."""
    probes = [agent.add(module=__name__, function=name, stack=4)["probe"]
              for name in ("climbs", "show")]
    keeps(2)
    time.sleep(0.05)
    middle = time.time()
    time.sleep(0.05)
    keeps(9)
    records = agent.wait(4)
    assert [agent.remove(probe)["cut"] for probe in probes] == [1, 2]
    for record in records:
        seen = record.get("exception", {}).get("value") or record["return"]
        places = seen["$traceback"]
        assert len(places) == 4
        assert places[-1]["line"] == dig.__code__.co_firstlineno + 2
        names = [place["function"].split(":")[1] for place in places]
        # Of an exception without an instance (<= 3.11) nothing else is known.
        deep = record["time"] > middle
        assert names == (["dig"] if deep else ["climbs"]) + ["dig"] * 3
        assert ("$truncated" in seen) is (deep or "return" in record)
    probe = agent.add(module=__name__, function="show", stack=0)["probe"]
    keeps(1)
    (record,) = agent.wait()
    assert "$traceback" not in record["return"] and "$truncated" not in record[
        "return"]
    agent.remove(probe)


def check_exceptions(agent):
    def raised():
        try:
            try:
                raise KeyError("inner")
            except KeyError:
                raise Refused(5)
        except Refused as error:
            return error
    error = raised()
    seen = see(agent, error)
    inner = error.__context__
    is_place(seen.pop("$traceback"), raised.__code__, 5)
    is_place(seen["$context"].pop("$traceback"), raised.__code__, 3)
    assert seen == mine(
        error, args={"$type": "tuple", "$items": ["refused", 5]},
        attrs={"code": 5}, context=whole(
            inner, "KeyError", args={"$type": "tuple", "$items": ["inner"]}))
    error.__cause__ = ValueError()
    seen = see(agent, error)
    assert seen["$cause"]["$type"] == "ValueError" and "$context" not in seen
    if hasattr(error, "add_note"):
        error.add_note("a note")
        assert see(agent, error)["$notes"] == ["a note"]
        assert see(agent, error)["$attrs"] == {"code": 5}
    value = OSError(2, "gone", "/x")
    assert see(agent, value)["$args"]["$items"][:2] == [2, "gone"]


if __name__ == "__main__":
    inside.main(globals())
