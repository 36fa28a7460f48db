# SPDX-License-Identifier: MIT
"""Code that was turned away (DISABLE) is asked again: for another probe, for
another agent, and beside other tools, which must not notice."""
import sys

from host import Agent

MONITORING = sys.monitoring
TOOL = 1
seen = []


class Registry:
    """Functions that no namespace of a module leads to."""

    def __init__(self):
        self.found = [self.make()]

    @staticmethod
    def make():
        space = {"__name__": "__main__"}
        exec("def hidden(value): return value", space)
        return space.pop("hidden")


registry = Registry()


def call():
    return registry.found[0](5)


def other():
    return 1


def hits(agent):
    call()
    return len(agent.records())


def watch(function):
    """One agent's life: does it see the function that ran before?"""
    with Agent() as agent:
        agent.add(module="__main__", function="other")
        call()
        other()
        assert len(agent.records()) == 1
        agent.add(module="__main__", function=function)
        assert hits(agent) == 1
        # A second probe on what only its start made known.
        second = agent.add(module="__main__", function="*" + function[1:])
        assert hits(agent) == 2
        agent.disable(second["probe"])
        assert hits(agent) == 1
        agent.enable(second["probe"])
        assert hits(agent) == 2


def note(code, _):
    seen.append(code)
    return MONITORING.DISABLE


call()
for _ in range(3):
    watch("hidden")

MONITORING.use_tool_id(TOOL, "theirs")
MONITORING.register_callback(TOOL, MONITORING.events.PY_START, note)
MONITORING.set_events(TOOL, MONITORING.events.PY_START)
for _ in range(3):
    watch("hidden")
    assert len(seen) == len(set(map(id, seen))), "another tool's DISABLE was undone"
MONITORING.set_events(TOOL, 0)
MONITORING.register_callback(TOOL, MONITORING.events.PY_START, None)
MONITORING.free_tool_id(TOOL)
watch("hidden")
