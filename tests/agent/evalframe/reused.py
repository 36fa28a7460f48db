# SPDX-License-Identifier: MIT
"""Code objects come and go, often to the same address: one that is turned
away must not hide the next."""
import gc

from host import Agent

SOURCE = "def %s(value):\n    return value\n"


def make(name, line):
    namespace = {"__name__": "__main__"}
    code = compile("\n" * line + SOURCE % name, "<made>", "exec")
    exec(code, namespace)
    return namespace[name]


addresses = set()
reused = 0
with Agent() as agent:
    agent.add(module="__main__", function="wanted")
    for round in range(200):
        for name, captures in (("other", 0), ("wanted", 1)):
            function = make(name, round % 3)
            address = id(function.__code__)
            reused += address in addresses
            addresses.add(address)
            assert function(round) == round and function(round) == round
            records = agent.records()
            assert len(records) == 2 * captures, (round, name, records)
            del function
            gc.collect(0)
assert reused > 10, reused
