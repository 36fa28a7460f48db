# SPDX-License-Identifier: MIT
"""3.11: where the C stack could overflow under a hook, the agent refuses and
says which stack is too small; on 3.7-3.10 it has no reason to."""
import sys
import threading

from host import Agent, AgentError

REFUSES = sys.version_info >= (3, 11)


def refused(part):
    agent = Agent()
    try:
        agent.start()
    except AgentError as error:
        assert REFUSES and error.code == "engine", error
        assert part in error.message and "stack" in error.remedy, (
            error.message, error.remedy)
        return True
    agent.leave()
    return False


def deep(depth):
    return depth and deep(depth - 1) + 1


assert not refused("")

sys.setrecursionlimit(100000)
assert refused("the main thread") == REFUSES
sys.setrecursionlimit(1000)

threading.stack_size(128 << 10)
assert refused("new threads") == REFUSES
go_on = threading.Event()
thread = threading.Thread(target=go_on.wait)
thread.start()
threading.stack_size(0)
assert refused("of a thread") == REFUSES
go_on.set()
thread.join()

# As deep as the limit lets us, on the smallest stack that is accepted.
threading.stack_size(512 << 10)
with Agent() as agent:
    agent.add(module="__main__", function="nothing")
    depths = []
    thread = threading.Thread(target=lambda: depths.append(deep(900)))
    thread.start()
    thread.join()
    assert depths == [900]
