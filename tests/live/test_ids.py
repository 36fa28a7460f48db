# SPDX-License-Identifier: MIT
"""Programs that change their user or group ids: to the kernel these are of one
thread, so the C library asks every thread by a signal, ours among them, and
holds the lock that pthread_create needs until all have answered."""
import time

import proc
from machine import Target

SECONDS = 1.0


def test_ids_change_while_we_are_in(python, client):
    with Target(python, "ids") as target:
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "ids:change") as probe:
            assert target.ask(10, call="change", args=[20])["result"] == "20"
            assert target.ask(10, call="change_in_c",
                              args=[20])["result"] == "20"
            (record,) = probe.calls(1)
            assert record["return"] == 20
        # On a thread that ours has made.
        value = client.call("eval", pid=target.pid, module="ids",
                            expr="change(20)")
        assert value["value"] == 20
        client.call("detach", pid=target.pid)


def test_ids_change_while_we_come_and_go(python, client):
    with Target(python, "ids", "storm") as target:
        threads = proc.threads(target.pid)
        rounds, stop = 0, time.monotonic() + SECONDS
        while time.monotonic() < stop or rounds < 2:
            before = target.rounds()
            client.call("attach", pid=target.pid)
            with client.probe(target.pid, "ids:change", {"rate": 0}) as probe:
                probe.calls(2)
            proc.wait_until(lambda: all(
                now > before[name] for name, now in target.rounds().items()),
                10, "more changes")
            client.call("detach", pid=target.pid)
            rounds += 1
        proc.wait_agent_gone(target.pid, threads)
        target.check_progress()
    assert rounds > 1
