# SPDX-License-Identifier: MIT
"""Another tool that chains our hook: here a second agent, from a copy of the
file. Each sees its calls, whoever leaves first; what the first one left in
the interpreter is found and passed by when a third one comes."""
import pathlib
import shutil
import tempfile

from hook_pages import pages
from host import BUILD, Agent


def first(value):
    return value


def second(value):
    return value


def calls(agent):
    return [record["function"] for record in agent.records()]


def both(one, two):
    first(1)
    second(2)
    assert calls(one) == ["__main__:first"]
    assert calls(two) == ["__main__:second"]


with tempfile.TemporaryDirectory() as folder:
    copy = pathlib.Path(folder) / "other-agent.so"
    shutil.copy(str(BUILD / "nopdb-agent.so"), str(copy))
    for order in (0, 1):
        one = Agent()
        two = Agent(library=copy)
        one.start()
        one.add(module="__main__", function="first")
        two.start()
        two.add(module="__main__", function="second")
        both(one, two)
        pair = (one, two) if order else (two, one)
        pair[0].leave()
        first(1)
        second(2)
        if order:
            assert calls(two) == ["__main__:second"]
        else:
            assert calls(one) == ["__main__:first"]
        pair[1].leave()
        # In the first order nothing stays; in the second the entry that was
        # chained, for good.
        assert pages() == order, (order, pages())
        first(1)

with Agent() as agent:
    agent.add(module="__main__", function="first")
    first(3)
    assert calls(agent) == ["__main__:first"]
assert pages() == 1
