# SPDX-License-Identifier: MIT
"""Breakpoints for the tests: set one, and find the line of a text."""
from machine import TARGETS
from rpc import Probe


def line_of(text, module="pond"):
    """The number of the line of a target that is this text, stripped."""
    source = (TARGETS / (module + ".py")).read_text().splitlines()
    numbers = [number for number, line in enumerate(source, 1)
               if line.strip() == text]
    assert len(numbers) == 1, (text, numbers)
    return numbers[0]


def stop(client, pid, where=None, *actions, **params):
    """Sets a breakpoint; a context manager that removes it. Words that Python
    reserves come with an underscore: if_."""
    if where is not None:
        params["where"] = where
    params = {name.rstrip("_"): value for name, value in params.items()}
    return Probe(client, client.call("probe.add", pid=pid, kind="break",
                                     actions=list(actions), **params))


def hits(probe, count, timeout=10.0):
    """Waits for that many hits, and returns all there are."""
    probe.client.wait(lambda: len(probe.of("hit")) >= count, timeout,
                      "%d hits of probe %d" % (count, probe.id))
    return probe.of("hit")


def evaluated(record):
    """The values of a hit's expressions; of one that failed, its type."""
    return [item.get("value", item.get("error", {}).get("type"))
            for item in record.get("eval", [])]
