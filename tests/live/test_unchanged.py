# SPDX-License-Identifier: MIT
"""The same program, with probes and without: the same output, the same
references, the same counts of the collector after detach."""
import pytest

from machine import Target

ROUNDS = 12
OPEN = {"hits": 0, "rate": 0, "depth": 0, "stack": 50}


def settled(target):
    """It has made what it makes once."""
    target.call("play", 3)
    target.call("counts")
    return target.call("counts")


def watch(client, target):
    """Probes of every kind on all that the program does."""
    calls = [client.probe(target.pid, module="twin", limits=dict(OPEN, **more))
             for more in ({}, {"yields": True}, {"repr": True, "items": 5},
                          {"strict": True, "arrays": "full"})]
    hits = [client.call("probe.add", pid=target.pid, kind="break",
                        limits=OPEN, **spec)["probe"] for spec in (
        {"where": "twin:show", "line": "return kept",
         "actions": [{"eval": "kept"}, {"log": "{kept!r:.20}"},
                     {"stack": True}]},
        {"where": "twin:fails", "if": "number == 0",
         "actions": [{"eval": "1 / number"}, {"exec": "pass"}]})]
    return calls, hits


@pytest.mark.smoke
def test_same_output_references_and_counts(python, client):
    with Target(python, "twin") as alone:
        settled(alone)
        wanted = alone.ask(60, call="play", args=[ROUNDS])["result"]
        made = alone.call("young")
    with Target(python, "twin") as target:
        before = settled(target)
        client.call("attach", pid=target.pid)
        calls, hits = watch(client, target)
        seen = target.ask(60, call="play", args=[ROUNDS])["result"]
        captured = [probe.remove()["captures"] for probe in calls]
        for hit in hits:
            client.call("probe.remove", probe=hit)
        client.call("detach", pid=target.pid)
        after = target.call("counts")
        young = target.call("young")
    assert all(count > 100 for count in captured), captured
    assert seen == wanted
    assert after == before
    assert young == made


def test_a_probe_makes_nothing_that_is_collected(python, client):
    """While it is set, too: a collection would run code of the program."""
    with Target(python, "twin") as target:
        settled(target)
        made = min(target.call("young") for _ in range(3))
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "twin:show", OPEN) as probe:
            target.call("young")
            young = min(target.call("young") for _ in range(3))
            assert probe.remove()["captures"] > 100
    print("%s: %d objects without, %d with a probe" % (python.id, made, young))
    assert young - made < 10
