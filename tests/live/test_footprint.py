# SPDX-License-Identifier: MIT
"""What the agent takes of a program's memory: the ring, and 2 MiB at most
besides, whatever is captured."""
import pytest

from machine import Target

MOST = 2 << 20
ROUNDS = 2
OPEN = {"hits": 0, "rate": 0, "depth": 0, "items": 0, "string": 0}


@pytest.mark.smoke
def test_memory(python, client):
    """Thousands of open calls with large arguments, values without limits,
    stacks from everywhere, evaluations and logs."""
    size = (4500, ROUNDS)  # more calls than are kept
    with Target(python, "weigh") as target:
        alone = target.call("settle", *size)
        target.call("forget")
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "weigh:suspends", OPEN), client.probe(
                target.pid, "weigh:show", dict(OPEN, stack=500)):
            hit = client.call(
                "probe.add", pid=target.pid, kind="break", where="weigh:last",
                actions=[{"eval": "WIDE"}, {"log": "{len(WIDE)}"},
                         {"stack": True}], limits=OPEN)
            most = int(target.ask(120, call="work", args=size)["result"])
            client.call("eval", pid=target.pid,
                        expr="__import__('weigh').WIDE")
            most = max(most, target.call("anonymous"))
            client.call("probe.remove", probe=hit["probe"])
            target.call("forget")
        client.call("detach", pid=target.pid)
        after = target.call("work", *size)
    print("%s: %d KiB while captured, %d KiB after detach" % (
        python.id, (most - alone) >> 10, (after - alone) >> 10))
    assert most - alone < MOST
    assert after - alone < MOST // 2
