# SPDX-License-Identifier: MIT
"""Finalizers run on whatever thread collects garbage: on the agent's, too."""
from machine import Target


def test_attach_among_finalizers(client, python):
    with Target(python, "finalizes") as target:
        before = target.call("finalized")
        for number in range(3):
            client.call("attach", pid=target.pid)
            with client.probe(target.pid, "finalizes:double") as probe:
                target.call("double", number)
                (record,) = probe.calls(1)
                assert record["return"] == 2 * number
            client.call("detach", pid=target.pid)
        assert target.call("finalized") > before
