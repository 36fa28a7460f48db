# SPDX-License-Identifier: MIT
"""What a location resolves to, without anything having run."""
import os
import sys

import sample
from host import Agent

HERE = os.path.dirname(os.path.abspath(sample.__file__))
FILE = os.path.join(HERE, "sample.py")

# Guarded and Local have a `method` as well; Lazy is found on its class.
METHODS = {"Outer.method", "Outer.Inner.method", "Guarded.method",
           "factory.<locals>.Local.method"}

CASES = [
    (dict(module="sample", function="plain"), {"plain"}),
    (dict(module="samp*", function="plain"), {"plain"}),
    (dict(module="sampl", function="plain"), set()),
    (dict(module="sample", function="method"), METHODS),
    (dict(module="sample", function="Outer.method"), {"Outer.method"}),
    (dict(module="sample", function="Outer.Inner.method"),
     {"Outer.Inner.method"}),
    (dict(module="sample", function="Inner.method"), set()),
    (dict(module="sample", function="Outer.*"),
     {"Outer.method", "Outer.made", "Outer.static", "Outer.value",
      "Outer.wrapped", "Outer.Inner.method"}),
    (dict(module="sample", function="*.method"), METHODS),
    (dict(module="sample", function="inn*"),
     {"outer.<locals>.inner",
      "outer.<locals>.inner.<locals>.innermost"}),
    (dict(module="sample", function="outer.inner"),
     {"outer.<locals>.inner"}),
    (dict(module="sample", function="outer.<locals>.inner"),
     {"outer.<locals>.inner"}),
    (dict(module="sample", function="factory.Local.method"),
     {"factory.<locals>.Local.method"}),
    (dict(module="sample", function="<lambda>"),
     {"<lambda>", "lambdas.<locals>.<lambda>"}),
    (dict(module="sample", function="lambdas.<lambda>"),
     {"lambdas.<locals>.<lambda>"}),
    (dict(module="sample", function="decorated"), {"decorated"}),
    (dict(module="sample", function="closed_over"), {"closed_over"}),
    (dict(module="sample", function="cached"), {"cached"}),
    (dict(module="sample", function="_partial"), {"_partial"}),
    (dict(module="sample", function="wrapper"),
     {"logged.<locals>.wrapper"}),
    (dict(module="sample", function="hidden"), {"bare.<locals>.hidden"}),
    (dict(module="sample", function="Outer.value"), {"Outer.value"}),
    (dict(module="sample", function="Outer.wrapped"), {"Outer.wrapped"}),
    (dict(file="sample.py", function="plain"), {"plain"}),
    (dict(file="s*.py", function="plain"), {"plain"}),
    (dict(file="cases/sample.py", function="plain"), {"plain"}),
    (dict(file=FILE, function="plain"), {"plain"}),
    (dict(file="other/sample.py", function="plain"), set()),
    (dict(file="sample.py", module="other", function="plain"), set()),
    (dict(function="Outer.Inner.method"), {"Outer.Inner.method"}),
    (dict(module="nopdb agent", function="*"), set()),
    (dict(function="probed"), set()),
]


def names(answer):
    found = set()
    for location in answer["locations"]:
        module, name = location["function"].split(":", 1)
        if module == "sample":
            found.add(name)
    return found


def main():
    with Agent() as agent:
        for where, expected in CASES:
            found = names(agent.lines(**where))
            assert found == expected, (where, found, expected)
        for where, expected in CASES:
            state = agent.add(**where)
            assert names(state) == expected, (where, state)
            if not expected:
                assert state["state"] == "pending", state
            agent.remove(state["probe"])
        lines = agent.lines(module="sample", function="plain")
        first = sample.plain.__code__.co_firstlineno
        assert lines["locations"] == [{
            "function": "sample:plain", "file": sample.plain.__code__
            .co_filename, "line": first, "lines": [first + 1]}], lines
        # More than an answer lists.
        many = agent.add(module="*", function="*a*")
        assert len(many["locations"]) == 32 and many["truncated"]
        agent.remove(many["probe"])
        assert agent.leave() == 0
    assert not sys.exc_info()[0]


main()
