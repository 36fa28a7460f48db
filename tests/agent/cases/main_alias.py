# SPDX-License-Identifier: MIT
"""A main module answers to the name that `python -m` ran it by."""
import importlib.util
import sys

from host import Agent


def served(x):
    return x


class Odd:
    """A spec of the program's own: not to be asked."""

    def __getattr__(self, name):
        raise AssertionError(name)


def main():
    module = sys.modules["__main__"]
    module.__spec__ = importlib.util.spec_from_loader("pkg.tool", None)
    with Agent() as agent:
        state = agent.add(module="pkg.tool", function="served")
        assert state["state"] == "armed", state
        served(1)
        record, = agent.wait()
        assert record["function"] == "__main__:served", record
        agent.remove(state["probe"])
        module.__spec__ = Odd()
        assert agent.add(module="pkg.tool")["state"] == "pending"
        assert agent.add(module="__main__",
                         function="served")["state"] == "armed"


main()
