# SPDX-License-Identifier: MIT
"""Targets that want to harm the daemon, by the agent's socket, by the ring, by
what their memory says: the daemon stands, its memory stays bounded, and the
other target is served. More is in test_hostile_ring.py, test_stack_hostile.py
and test_roots.py."""
import json
import random
import shutil
import struct
import subprocess
import tempfile
import threading
import time

import pytest

import proc
from machine import PROGRAMS, Daemon, Target
from rpc import RpcError
from test_hostile_client import BOUND_KB, Bystander
from test_hostile_ring import Ring, record

MAGIC = 0x6e70
READY, PONG, STATE, REMOVED, LINES, ERROR, LEAVING, VALUE, DEBUG = (
    64, 65, 66, 67, 68, 69, 70, 71, 80)
TARGET_KB = 6 << 10


def frame(kind, payload=b"", number=0, length=None, magic=MAGIC, reserved=0):
    return struct.pack("<HHIII", magic, kind, number,
                       len(payload) if length is None else length,
                       reserved) + payload


def stats(probe):
    return struct.pack("<II5QII", probe, 1, *[2 ** 64 - 1] * 5, 2 ** 32 - 1,
                       2 ** 32 - 1)


NOISE = bytes(random.Random(7).getrandbits(8) for _ in range(3000))
# name -> datagram, descriptors that go along, how often
DATAGRAMS = {
    "noise": (NOISE, 0, 1),
    "empty-header": (b"\0" * 16, 0, 1),
    "short": (b"np", 0, 1),
    "length": (frame(PONG, b"x" * 8, length=2 ** 32 - 1), 0, 1),
    "reserved": (frame(PONG, reserved=1), 0, 1),
    "large": (frame(PONG, b"\0" * 65000), 0, 1),
    "too-large": (frame(VALUE, b"x" * 70000), 0, 1),
    "direction": (frame(1, b"\0" * 16), 0, 1),
    "unknown": (frame(999), 0, 1),
    "answer-to-nothing": (frame(READY, b"{}", 77), 0, 1),
    "ready-again": (frame(READY, b"{}", 1), 0, 1),
    "any-answer": (frame(STATE, b'{"state":"armed"}', 3), 0, 1),
    "pong": (frame(PONG, stats(1)), 0, 1),
    "pongs": (frame(PONG, stats(1) * 800), 0, 2000),
    "leaving": (frame(LEAVING, b"\0" * 4), 0, 1),
    "error": (frame(ERROR, struct.pack("<i", 10 ** 9) + b"e" * 512), 0, 1),
    "debug": (frame(DEBUG, struct.pack("<II", 1, 1)), 0, 1),
    "debug-file": (frame(DEBUG, struct.pack("<II", 1, 1)), 1, 1),
    "debug-files": (frame(DEBUG, struct.pack("<II", 1, 7)), 1, 500),
    "descriptors": (frame(PONG), 200, 200),
}


@pytest.fixture(scope="module")
def home(newest):
    """A daemon of these tests and an honest program."""
    folder = tempfile.mkdtemp(prefix="nopdb-")
    with Daemon(folder) as daemon, Target(newest, "zoo") as honest:
        yield daemon, honest
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pair(home, newest):
    """A traitor and an honest program, attached to, with a probe each."""
    daemon, honest = home
    traitor = Target(newest, "traitor")
    with Bystander(daemon) as bystander, daemon.client() as client:
        client.call("attach", pid=honest.pid)
        client.call("attach", pid=traitor.pid)
        good = client.probe(honest.pid, "zoo:add", {"rate": 0, "hits": 0})
        bad = client.probe(traitor.pid, "zoo:add", {"rate": 0, "hits": 0})
        yield traitor, honest, client, good, bad
        bystander.rss -= 2 * TARGET_KB
        assert honest.call("add", 2, 3) == 5
        client.wait(lambda: [each for each in good.of("call")
                             if each["return"] == 5], 20, "a last record")
        client.call("detach", pid=honest.pid)
        # It answers still, or has ended itself: nothing of ours killed it.
        assert proc.alive(traitor.pid)
    try:
        proc.wait_until(lambda: not proc.agent_left(traitor.pid), 10,
                        "departure of the agent")
    finally:
        traitor.stop()
    proc.wait_until(lambda: len(proc.fds(daemon.pid)) < 40, 10,
                    "closed descriptors")
    assert proc.rss_kb(daemon.pid) <= BOUND_KB


@pytest.mark.smoke
@pytest.mark.parametrize("name", sorted(DATAGRAMS))
def test_datagrams(pair, name):
    traitor, honest, client, good, bad = pair
    data, fds, times = DATAGRAMS[name]
    assert traitor.call("send", data.hex(), fds, times) or len(data) > 65536
    assert honest.call("add", 1, 1) == 2
    good.calls(1)
    assert traitor.call("add", 1, 1) == 2
    try:
        client.call("detach", pid=traitor.pid)
    except RpcError as error:
        assert error.name in ("not-attached", "busy", "agent"), error.name
        assert error.message


@pytest.mark.smoke
def test_bell_that_never_rests(pair):
    traitor, honest, client, good, bad = pair
    assert traitor.call("ring_bell", 2)
    ends = time.monotonic() + 2
    count = 0
    while time.monotonic() < ends:
        assert honest.call("add", 1, 1) == 2
        count += 1
        good.calls(min(count, 100))
    assert count > 5
    client.call("detach", pid=traitor.pid)


def scribble(ring, ended):
    """Record after record, as fast as they are read."""
    line = record(ring, b'{"args":{},"return":"' + b"x" * 4000 + b'"}')
    while not ended.is_set():
        try:
            ring.put(line)
        except OSError:
            return


@pytest.mark.smoke
def test_endless_records(pair):
    """They are dropped for a client that does not follow, and others are
    served."""
    traitor, honest, client, good, bad = pair
    ended = threading.Event()
    with Ring(traitor.pid, bad.id) as ring:
        thread = threading.Thread(target=scribble, args=(ring, ended))
        thread.start()
        try:
            ends = time.monotonic() + 3
            while time.monotonic() < ends:
                assert honest.call("add", 1, 1) == 2
            client.wait(lambda: good.of("call"), 20, "a record of the other")
        finally:
            ended.set()
            thread.join(20)
    try:
        client.call("detach", 60, pid=traitor.pid)
    except RpcError as error:
        assert error.name in ("not-attached", "busy"), error.name


@pytest.mark.smoke
def test_closes_what_is_the_agents(pair):
    traitor, honest, client, good, bad = pair
    assert traitor.call("close_all") >= 1
    assert honest.call("add", 1, 1) == 2
    good.calls(1)
    try:
        client.call("detach", 30, pid=traitor.pid)
    except RpcError as error:
        assert error.message


@pytest.mark.smoke
@pytest.mark.parametrize("cookie", ["", "cookie"])
@pytest.mark.parametrize("how", ["zeros", "ones", "itself", "circle", "random",
                                 "wild"])
def test_fake_runtime(home, how, cookie):
    """No interpreter is where one seems to be."""
    words = [str(PROGRAMS / "fake_runtime"), how] + [cookie] * bool(cookie)
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        pid = json.loads(process.stdout.readline())["ready"]
        try:
            with Bystander(home[0]), home[0].client() as client:
                for options in ({}, {"locals": True}, {"native": "all"},
                                {"stop": True}):
                    # Reading does nothing to it, entering does.
                    assert process.poll() is None
                    try:
                        found = client.call("stack", 60, pid=pid, **options)
                        assert found["event"] == "stack"
                    except RpcError as error:
                        assert error.message and error.exit, error.name
                with pytest.raises(RpcError) as caught:
                    client.call("attach", 60, pid=pid)
                assert caught.value.message
            # It lied to the agent, too: what became of it is its own affair.
        finally:
            process.kill()
