# SPDX-License-Identifier: MIT
"""Exceptions of the program's signal handlers, which Python runs on the main
thread whatever that does: in the middle of a condition or an action, too."""
import pytest

from breaks import stop
from machine import Target

SECONDS = 0.4
LONG = "sum(i + 1 for i in range(60))"


def with_condition(client, pid):
    return stop(client, pid, "alarms:step", {"eval": "1"}, if_=LONG + " < 0",
                limits={"hits": 0, "rate": 0})


def with_action(client, pid):
    return stop(client, pid, "alarms:step", {"exec": "total = " + LONG},
                {"eval": LONG}, {"log": "{%s}" % LONG},
                limits={"hits": 0, "rate": 0})


def with_repr(client, pid):
    return client.probe(pid, "alarms:step", {"hits": 0, "rate": 0,
                                             "repr": True})


@pytest.mark.parametrize("kind", ["late", "interrupt"])
@pytest.mark.parametrize("probe", [with_condition, with_action, with_repr])
def test_exceptions_reach_the_program(python, client, probe, kind):
    with Target(python, "alarms") as target:
        client.call("attach", pid=target.pid)
        with probe(client, target.pid):
            came, lost = target.call("chase", kind, SECONDS)
        client.call("detach", pid=target.pid)
        assert came > 20 and lost == 0
        assert target.stderr() == ""


BUSY = """import time
end = time.monotonic() + 0.1
while time.monotonic() < end:
    pass
"""


def test_exceptions_do_not_wait(python, client):
    """For the end of the call before which the breakpoint was."""
    with Target(python, "alarms") as target:
        client.call("attach", pid=target.pid)
        with stop(client, target.pid, "alarms:nap", {"exec": BUSY},
                  line="time.sleep(NAP_S)") as probe:
            assert target.call("nap_until_alarm") < 4
        assert len(probe.of("hit")) == 1
        client.call("detach", pid=target.pid)
