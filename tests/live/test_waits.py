# SPDX-License-Identifier: MIT
"""Entering a thread that waits in the kernel changes neither what its system
call answers nor when. The program has one thread: it is this one that is
stopped and borrowed."""
import time

import pytest

from machine import Target
from rpc import RpcError

WAIT_MS = 500
ENTER_AFTER_S = 0.15
# A busy machine is late: then the time, not the answer, is looked at again.
LATE_MS = 120
EARLY_MS = 3
TRIES = 4

# The kernel ends these with EINTR at a stop, and keeps no record of the time
# that is left: they can only begin anew, time-out and all. See nopdbd(8).
ANEW = {"epoll-wait", "epoll-pwait", "epoll-pwait2", "sigtimedwait",
        "semtimedop", "recv-timeout", "recvmsg-timeout", "read-timeout",
        "send-timeout", "accept-timeout", "io-getevents", "io-uring"}
# A stop would cut these short, so nobody is stopped in them.
SHORT = {"write-long", "recv-all"}
SEARCH_S = 3.0
PYTHON = ("python-asyncio", "python-epoll", "python-sigtimedwait")


@pytest.fixture
def waiting(newest):
    with Target(newest, "waits", script=True) as target:
        target.ended = True
        yield target


def enter(client, pid):
    """Attaches and detaches; the seconds from the beginning of the wait."""
    time.sleep(ENTER_AFTER_S)
    began = time.monotonic()
    client.call("attach", pid=pid)
    client.call("detach", pid=pid)
    return ENTER_AFTER_S + time.monotonic() - began


def is_late(plain, seen, entered_s, anew):
    """Did it take longer than it may?"""
    expected = WAIT_MS + (min(entered_s * 1000, WAIT_MS) if anew else 0)
    return max(plain["took_ms"] - WAIT_MS, 0) + expected + LATE_MS \
        < seen["took_ms"]


def examine(client, target, name):
    """What is wrong with a wait; None when nothing is."""
    for _ in range(TRIES):
        plain = target.ask(wait=name, ms=WAIT_MS)
        target.send(wait=name, ms=WAIT_MS)
        entered = enter(client, target.pid)
        seen = target.read()
        if seen["result"] != plain["result"]:
            return "%s: %r, was %r" % (name, seen, plain)
        if seen["took_ms"] < WAIT_MS - EARLY_MS:
            return "%s: too early: %r" % (name, seen)
        if not is_late(plain, seen, entered, name in ANEW):
            return None
    return "%s: too late: %r, was %r" % (name, seen, plain)


def test_no_wait_notices(waiting, client):
    names = set(waiting.ask(names=True)["names"]) - SHORT
    assert len(names) > 40
    found = [examine(client, waiting, name) for name in sorted(names)]
    assert not any(found), [what for what in found if what]


@pytest.mark.parametrize("name", PYTHON)
def test_python_waits_for_the_time_left(python, client, name):
    """Python's own calls retry after EINTR with the time that is left (PEP
    475): not even an epoll with a time-out begins anew."""
    with Target(python, "waits", script=True) as target:
        target.ended = True
        assert examine(client, target, name) is None


@pytest.mark.parametrize("name", sorted(SHORT))
def test_no_transfer_is_cut_short(waiting, client, name):
    """Not entered while it lasts, and not stopped."""
    milliseconds = int(SEARCH_S * 1000) + 2000
    plain = waiting.ask(wait=name, ms=50)["result"]
    waiting.send(wait=name, ms=milliseconds)
    time.sleep(ENTER_AFTER_S)
    with pytest.raises(RpcError) as refusal:
        client.call("attach", pid=waiting.pid)
    assert refusal.value.name == "timeout"
    assert "cut short" in refusal.value.message
    assert refusal.value.remedy == "try again"
    assert waiting.read()["result"] == plain
    client.call("attach", pid=waiting.pid)
    client.call("detach", pid=waiting.pid)
