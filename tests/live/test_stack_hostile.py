# SPDX-License-Identifier: MIT
"""nopdb stack on memory that lies: an answer or an error, in time, and the
other threads as they are."""
import re
import signal
import struct
import time

import pytest

import proc
from machine import ROOT, Target
from rpc import RpcError
from test_stack import Wrecker, python_frames, threads_of

READS = 40
DEPTH = 6
ERRORS = ("system", "not-python", "timeout", "unsupported-python", "limit",
          "no-memory")


def offset(version, field):
    """Of the committed table."""
    table = (ROOT / "injector/stack/offsets_table.h").read_text()
    row = re.search(r"\.version=0x%02x%02x, \.free_threaded=false,(.*?)\}"
                    % version[:2], table, re.DOTALL).group(1)
    return int(re.search(r"\.%s=(-?\d+)" % field, row).group(1))


def read(client, pid, **options):
    """The record, or None for an error that says what is wrong."""
    begun = time.monotonic()
    try:
        return client.call("stack", pid=pid, **options)
    except RpcError as error:
        assert error.name in ERRORS, error.message
        assert error.message
        return None
    finally:
        assert time.monotonic() - begun < 60


@pytest.fixture
def held(python, client):
    """Two threads at rest in a stopped process, and a pen for its memory."""
    with Target(python, "wrecks") as target:
        target.call("hold", 2, DEPTH)
        proc.wait_until(lambda: [
            len(python_frames(thread)) for name, thread in threads_of(
                client.call("stack", pid=target.pid, native="none")).items()
            if name.startswith("held-")] == [DEPTH + 4] * 2, 20, "two threads")
        frame = target.call("frame_address", 0)
        target.signal(signal.SIGSTOP)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "SIGSTOP")
        wrecker = Wrecker(target.pid, 1)
        yield target, wrecker, frame + offset(python.version, "f_previous")
        wrecker.restore()
        target.signal(signal.SIGCONT)
        target.call("hold", 1, DEPTH)


def one_is_bad(client, target):
    found = threads_of(client.call("stack", pid=target.pid, native="none",
                                   locals=True))
    assert not found["held-0"]["consistent"]
    assert found["held-1"]["consistent"]
    assert len(python_frames(found["held-1"])) == DEPTH + 4


@pytest.mark.smoke
def test_frames_in_a_circle(client, held):
    """Of one frame, and of two."""
    target, wrecker, link = held
    at = offset(target.python.version, "f_previous")
    before = wrecker.word(link)
    wrecker.put(link, struct.pack("<Q", link - at))
    one_is_bad(client, target)
    wrecker.restore()
    wrecker.put(before + at, struct.pack("<Q", link - at))
    one_is_bad(client, target)


def test_frames_that_lead_nowhere(client, held):
    """Not mapped, not aligned, the kernel's, beyond any."""
    target, wrecker, link = held
    for where in (8, 4096, 17 * 4096, 0x7ffffffff000 - 8, 0xdeadbeef,
                  0xffffffffff600000, 1 << 63):
        wrecker.put(link, struct.pack("<Q", where))
        one_is_bad(client, target)
        wrecker.restore()


def test_overwrites_its_own_runtime(client, python):
    """While it is read, again and again."""
    with Target(python, "wrecks") as target:
        target.call("hold", 2, DEPTH)
        target.send(call="wreck", args=[2048])
        assert target.read() == {"wrecking": True}
        for number in range(READS):
            record = read(client, target.pid, locals=bool(number % 2),
                          native="none" if number % 3 else "waiting")
            assert record is None or record["event"] == "stack"
        assert proc.alive(target.pid)
        target.stop()
    assert client.call("ps")
