# SPDX-License-Identifier: MIT
"""Hits, rate, filters, disable and enable, removal, room."""
import time

from host import Agent, AgentError


def target(x):
    if x < 0:
        raise ValueError(x)
    if x > 100:
        time.sleep(0.02)
    return x


def loop(n):
    """Does not end before its callees: its own call is not in the way."""
    for x in range(n):
        target(x)


def refused(call, code):
    try:
        call()
    except AgentError as error:
        assert error.code == code, error.code
    else:
        raise AssertionError("not refused")


def hits(agent):
    probe = agent.add(module="__main__", function="target", hits=3)["probe"]
    loop(10)
    found = agent.records("")
    assert [record["event"] for record in found] \
        == ["call"] * 3 + ["done"], found
    assert found[-1]["reason"] == "hits"
    assert agent.ping()[probe]["captures"] == 3
    stats = agent.remove(probe)
    assert (stats["captures"], stats["locations"]) == (3, 1), stats
    refused(lambda: agent.remove(probe), "no-such-probe")


def outer_loop(agent):
    probe = agent.add(module="__main__", function="[lt]*", hits=2)["probe"]
    loop(10)
    assert [record["function"] for record in agent.records()] \
        == ["__main__:target"] * 2
    agent.remove(probe)


def rate(agent):
    probe = agent.add(module="__main__", function="target", rate=5)["probe"]
    for x in range(50):
        target(x)
    stats = agent.remove(probe)
    assert 5 <= stats["captures"] <= 10, stats
    assert stats["captures"] + stats["lost_rate"] == 50, stats
    agent.records()


def filters(agent):
    probe = agent.add(module="__main__", function="target", rate=5,
                      only_exceptions=1)["probe"]
    loop(50)
    for _ in range(3):
        try:
            target(-1)
        except ValueError:
            pass
    assert [record["exception"]["type"] for record in agent.records()] \
        == ["ValueError"] * 3
    assert agent.remove(probe)["lost_rate"] == 0
    probe = agent.add(module="__main__", function="target",
                      min_duration_ns=10000000)["probe"]
    loop(50)
    target(101)
    record, = agent.records()
    assert record["duration_ns"] >= 20000000
    agent.remove(probe)


def switches(agent):
    probe = agent.add(module="__main__", function="target")["probe"]
    target(1)
    assert agent.disable(probe) == {"state": "disabled", "locations": []}
    target(2)
    assert agent.enable(probe)["state"] == "armed"
    target(3)
    assert [record["args"]["x"] for record in agent.records()] == [1, 3]
    refused(lambda: agent.add(identity=probe, function="x"), "busy")
    agent.remove(probe)
    target(4)
    assert agent.raw() == []


def room(agent):
    """Thirty-two probes on one function, and none more."""
    probes = [agent.add(module="__main__", function="target")["probe"]
              for _ in range(32)]
    refused(lambda: agent.add(module="__main__", function="target"), "limit")
    target(1)
    assert {record["probe"] for record in agent.records()} == set(probes)
    for probe in probes:
        agent.remove(probe)
    # With nothing on it any more it is found anew.
    assert agent.add(module="__main__", function="target")["state"] == "armed"


def many(agent):
    """Until the table or the memory is used up; then it all works again."""
    probes = []
    try:
        while len(probes) < 1100:
            probes.append(agent.add(module="nowhere")["probe"])
    except AgentError as error:
        assert error.code in ("limit", "no-memory") and error.remedy
    assert 100 < len(probes) <= 1024, len(probes)
    assert len(agent.ping()) >= len(probes)
    for probe in probes:
        agent.remove(probe)
    assert agent.add(module="__main__", function="loop")["state"] == "armed"


def main():
    with Agent() as agent:
        for check in (hits, outer_loop, rate, filters, switches, room, many):
            check(agent)


main()
