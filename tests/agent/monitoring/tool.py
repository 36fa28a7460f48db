# SPDX-License-Identifier: MIT
"""Our place in sys.monitoring: taken politely, given back whole."""
import gc
import os
import pathlib
import shutil
import sys
import tempfile

from host import Agent, AgentError, BUILD, STAY, UNLOAD

MONITORING = sys.monitoring
START = MONITORING.events.PY_START


def probed(value):
    return value


def tools():
    return [MONITORING.get_tool(number) for number in range(6)]


def refused(library=None):
    """The message of an attach that must fail, and leaves nothing."""
    before = tools()
    try:
        Agent(library=library).start()
    except AgentError as error:
        assert tools() == before
        assert error.code == "engine" and error.remedy
        return error.message
    raise AssertionError("attached")


def is_gone(number):
    """Nothing is left under a tool id."""
    MONITORING.use_tool_id(number, "look")
    assert MONITORING.get_events(number) == 0
    assert MONITORING.get_local_events(number, probed.__code__) == 0
    for event in vars(MONITORING.events).values():
        if event and not event & (event - 1):
            try:
                assert MONITORING.register_callback(number, event,
                                                    None) is None
            except ValueError:
                pass  # an event without a callback of its own
    MONITORING.free_tool_id(number)


# The name tells whose it is, and all of it goes.
assert tools() == [None] * 6
with Agent() as agent:
    assert MONITORING.get_tool(4).startswith("nopdb:%d:" % os.getpid())
    agent.add(module="__main__", function="probed")
    assert probed(1) == 1
    assert MONITORING.get_local_events(4, probed.__code__)
    assert len(agent.records()) == 1
assert agent.left == UNLOAD and tools() == [None] * 6
is_gone(4)



def share(library):
    """Beside another tool, and beside another daemon's agent."""
    MONITORING.use_tool_id(4, "theirs")
    with Agent():
        assert MONITORING.get_tool(3).startswith("nopdb:")
        assert "in use" in refused(library)
        MONITORING.free_tool_id(4)
        # Of agents that are gone: another process', an ended thread's.
        for name in ("nopdb:1:1", "nopdb:%d:1" % os.getpid()):
            MONITORING.use_tool_id(4, name)
            with Agent(library=library):
                assert MONITORING.get_tool(4) not in (name, None)
            assert MONITORING.get_tool(4) is None
        # Not ours to take: names that only look alike.
        for name in ("nopdb", "nopdb:1", "nopdb:x:1", "nopdb:1:1:1", "nopdb::"):
            MONITORING.use_tool_id(4, name)
            assert "in use" in refused(library)
            MONITORING.free_tool_id(4)
    assert tools() == [None] * 6


with tempfile.TemporaryDirectory() as folder:
    # A mapping of its own: as the injector does it.
    share(shutil.copy(str(BUILD / "nopdb-agent.so"),
                      str(pathlib.Path(folder) / "agent.so")))

# What was replaced is not called.
original = MONITORING.set_events
MONITORING.set_events = lambda *_: 1 / 0
assert "replaced" in refused()
MONITORING.set_events = original
sys.monitoring = None
try:
    Agent().start()
except AgentError as error:
    assert "absent" in error.message
sys.monitoring = MONITORING

# A callback that somebody holds keeps the agent mapped, and does nothing.
agent = Agent()
agent.start()
agent.add(module="__main__", function="probed")
held = [one for one in gc.get_objects()
        if type(one).__name__ == "builtin_function_or_method"
        and one.__self__ is None and one.__module__ is None
        and one.__name__ in ("start", "resume", "return", "unwind")]
assert len(held) == 4
for one in held:
    assert one() is None and one(1, 2) is None and one(1, 2, 3) is None
agent.records()
assert agent.leave() == STAY
for one in held:
    assert one(probed.__code__, 0) is None
assert tools() == [None] * 6
del held, one

# An audit hook's veto is an answer, not an accident.
veto = [True]


def hook(event, _):
    if event == "sys.monitoring.register_callback" and veto:
        raise RuntimeError("no")


sys.addaudithook(hook)
assert "refused" in refused()
veto.clear()
with Agent() as agent:
    pass
assert agent.left == UNLOAD
