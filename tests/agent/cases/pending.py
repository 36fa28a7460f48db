# SPDX-License-Identifier: MIT
"""Code that comes after its probe, in a new module, a closure, a redefinition;
and code that a probe turned away before another one asked for it."""
import sys
import types

from host import Agent

SOURCE = """
def late(x):
    return x + 1

def make():
    def closure(x):
        return x
    return closure

class Later:
    def method(self, x):
        return x
"""


def load(name):
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(SOURCE, name + ".py", "exec"), module.__dict__)
    return module


def comes(agent, probe, call, function):
    """The call arms the probe, and is captured itself."""
    call()
    states = agent.records("")
    assert [state["event"] for state in states] == ["probe", "call"], states
    assert states[0]["state"] == "armed" and states[0]["probe"] == probe
    assert [where["function"] for where in states[0]["locations"]] \
        == [function], states
    assert states[1]["function"] == function, states
    call()
    again, = agent.records("")
    assert again["event"] == "call" and again["args"] == {"x": 1}, again


def main():
    with Agent() as agent:
        state = agent.add(module="late_module", function="late")
        assert state == {"state": "pending", "locations": [],
                         "probe": state["probe"]}, state
        module = load("late_module")
        comes(agent, state["probe"], lambda: module.late(1),
              "late_module:late")
        # Run once without a probe, so that the engine turned it away.
        closure = module.make()
        closure(0)
        del module.make
        state = agent.add(module="late_module", function="closure")
        assert state["state"] == "pending", state
        name = "late_module:make.<locals>.closure" \
            if sys.version_info >= (3, 11) else "late_module:closure"
        comes(agent, state["probe"], lambda: closure(1), name)
        # A second probe, on code that has one.
        other = agent.add(module="late_module", function="clos*")
        closure(1)
        assert {record["probe"] for record in agent.records()} \
            == {state["probe"], other["probe"]}
        state = agent.add(module="later_module", function="Later.method")
        later = load("later_module").Later()
        later.method(1)
        found = agent.records("")
        assert [record["event"] for record in found] == ["probe", "call"]
        assert found[1]["function"] == "later_module:Later.method", found


main()
