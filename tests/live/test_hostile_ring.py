# SPDX-License-Identifier: MIT
"""A target that writes what it likes into the ring: the daemon and its clients
survive, say what they refused, and serve other targets."""
import random
import struct

import pytest

import proc
from machine import Target

HEADER = 4096
ALIGN = 16


def ring_of(pid):
    """Address and size of the ring's mapping in a target."""
    with open("/proc/%d/maps" % pid) as stream:
        for line in stream:
            if "memfd:" in line and "nopdb" in line and "rw-s" in line:
                low, high = line.split()[0].split("-")
                return int(low, 16), int(high, 16) - int(low, 16)
    raise AssertionError("no ring in %d" % pid)


def record(ring, text, kind=1, length=None, word=None):
    """A record as a writer leaves it, or nearly so."""
    size = -(-(ALIGN + len(text)) // ALIGN) * ALIGN
    return struct.pack("<IHHII", size if word is None else word, kind, 0,
                       ring.probe, len(text) if length is None else length) + (
        text.ljust(size - ALIGN, b"\0"))


class Ring:
    """The ring of a target, from its own side."""

    def __init__(self, pid, probe):
        self.probe = probe
        self.address, self.size = ring_of(pid)
        self.memory = open("/proc/%d/mem" % pid, "r+b", buffering=0)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.memory.close()

    def write(self, offset, data):
        self.memory.seek(self.address + offset)
        self.memory.write(data)

    def head(self):
        self.memory.seek(self.address + 64)
        return struct.unpack("<Q", self.memory.read(8))[0]

    def put(self, data):
        """Where the next record is expected, as if it were one; cut at the
        end of the ring, behind which the program has memory of its own."""
        head = self.head()
        room = self.size - HEADER
        self.write(HEADER + head % room, data[:room - head % room])
        self.write(64, struct.pack("<Q", head + len(data)))


def garbage(ring, seed):
    chance = random.Random(seed)
    ring.put(bytes(chance.getrandbits(8) for _ in range(4096)))


HOSTILE = {
    "garbage": lambda ring: garbage(ring, 1),
    "more-garbage": lambda ring: garbage(ring, 2),
    "ones": lambda ring: ring.put(b"\xff" * 4096),
    "length": lambda ring: ring.put(record(ring, b"{}", length=0xffffffff)),
    "word": lambda ring: ring.put(record(ring, b"{}", word=0x7ffffff0)),
    "odd-word": lambda ring: ring.put(record(ring, b"{}", word=33)),
    "kind": lambda ring: ring.put(record(ring, b"{}", kind=77)),
    "skip": lambda ring: ring.put(record(ring, b"{}", word=0x80000010)),
    "no-json": lambda ring: ring.put(record(ring, b"{nonsense")),
    "utf8": lambda ring: ring.put(record(ring, b'{"a":"\xff\xfe"}')),
    "newline": lambda ring: ring.put(record(ring, b'{"a":\n1}')),
    "envelope": lambda ring: ring.put(record(
        ring, b'{}},"jsonrpc":"2.0","id":1,"result":{}')),
    "deep": lambda ring: ring.put(record(ring, b'{"a":' + b"[" * 9999 +
                                         b"]" * 9999 + b"}")),
    "nothing": lambda ring: ring.put(record(ring, b"")),
    "header": lambda ring: ring.write(0, b"\xff" * HEADER),
    "all": lambda ring: ring.write(0, b"\xa5" * ring.size),
}


PAYLOADS = {"no-json", "utf8", "newline", "envelope", "deep", "nothing"}


def refused(client, pid):
    """What the daemon said of it: records that came, text of a refusal."""
    return [each for each in client.records if each.get("pid") == pid
            and each["event"] in ("detached", "lost", "error", "end")]


@pytest.mark.parametrize("how", sorted(HOSTILE))
def test_hostile_ring(session_daemon, newest, how):
    with Target(newest, "zoo") as target, Target(newest, "zoo") as other:
        with session_daemon.client() as client:
            client.call("attach", pid=target.pid)
            client.call("attach", pid=other.pid)
            with client.probe(other.pid, "zoo:add", {"rate": 0}) as good:
                bad = client.probe(target.pid, "zoo:add",
                                   {"rate": 0, "hits": 0})
                assert target.call("add", 1, 2) == 3
                client.wait(lambda: [each for each in client.records
                                     if each["event"] == "call"])
                with Ring(target.pid, bad.id) as ring:
                    HOSTILE[how](ring)
                    for _ in range(200):
                        assert target.call("add", 1, 2) == 3
                if how in PAYLOADS:
                    # One record is not what it should be; others are.
                    bad.remove()
                    told = str(bad.removed) + str(bad.of("end"))
                    assert "invalid" in told, told
                elif how != "header":
                    client.wait(lambda: refused(client, target.pid),
                                what="word of what was refused")
                for each in refused(client, target.pid):
                    assert each.get("reason") or each.get("cause") or (
                        each.get("message")), each
                # The other target is served as before.
                assert other.call("add", 2, 2) == 4
                (call,) = good.calls(1)
                assert call["return"] == 4
                target.check()
                client.call("detach", pid=other.pid)
        proc.wait_until(lambda: not proc.agent_left(target.pid), 10,
                        "departure of the agent")
    assert session_daemon.process.poll() is None
