# SPDX-License-Identifier: MIT
"""Redaction as a user asks for it; what is withheld when is tested inside
(tests/agent/inside_redact.py)."""
import pytest

from machine import Target
from rpc import RpcError

HIDDEN = {"$type": "int", "$redacted": "name"}


def test_lists_reach_the_agent(attached, client):
    limits = {"redact": "x,total", "no_redact": "total"}
    with client.probe(attached.pid, "zoo:add", limits) as probe:
        assert attached.call("add", 2, 3) == 5
        (record,) = probe.calls(1)
    assert record["args"] == {"x": HIDDEN, "y": 3}
    assert record["locals"] == {"x": HIDDEN, "y": 3, "total": 5}
    assert record["return"] == 5


def test_too_long_a_list_is_refused(attached, client):
    with pytest.raises(RpcError) as refused:
        client.probe(attached.pid, "zoo:add", {"redact": "x" * 300})
    assert "redact: longer than" in refused.value.message


def test_the_command_has_the_options(cli, newest):
    target = Target(newest, "shape", script=True)
    result = cli("calls", target.pid, "f", "-n", "1", "--json",
                 "--redact", "x,other", "--no-redact", "y", "--strict")
    target.stop()
    (record,) = result.of("call")
    assert record["args"]["x"] == HIDDEN
