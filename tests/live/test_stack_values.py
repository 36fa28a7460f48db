# SPDX-License-Identifier: MIT
"""nopdb stack --locals: values as captures have them, read from memory."""
import json

import pytest

import proc
from machine import Target
from schema import Messages

# A capture has a way to look into these that is theirs alone.
ADDRESS_ALONE = {"decimal", "array", "view", "generator"}


@pytest.fixture
def target(python):
    running = Target(python, "stack_values", script=True)
    try:
        yield running
    finally:
        running.stop()


def locals_of(client, pid):
    """Of f(), once all its variables are set."""
    found = []

    def complete():
        record = client.call("stack", pid=pid, locals=True, native="none")
        Messages().check("picture", record)
        for frame in record["threads"][0]["frames"]:
            if frame["file"] == "<values>" and "generator" in frame["locals"]:
                found[:] = [frame["locals"]]
                return record["threads"][0]["consistent"]
        return False
    proc.wait_until(complete, 30, "the local variables")
    return found[0]


def test_as_captures_have_them(target, client, cli):
    seen = locals_of(client, target.pid)
    result = cli("calls", target.pid, "values:f", "-n", "1", "--json")
    captured, = [record["locals"] for record in result.of("call")]
    assert "PLANTED" not in json.dumps(seen)
    for name in ADDRESS_ALONE:
        alone = seen.pop(name)
        more = captured.pop(name)
        assert alone == {key: more[key] for key in ("$type", "$id")}
    seen.pop("values")      # one of them, deeper
    captured.pop("values", None)
    assert set(seen) == set(captured)
    for name, value in captured.items():
        assert seen[name] == value, name
