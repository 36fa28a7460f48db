# SPDX-License-Identifier: MIT
"""What is sent to the socket by clients that are broken or malicious."""
import json
import os
import random
import time

import pytest

import proc
from rpc import RpcError

REQUEST = {"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {}}

# line, the error's code, the answer's id
MALFORMED = [
    (b"not json", -32700, None),
    (b"{", -32700, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"hello"}}', -32700, None),
    (b"\xff\xfe\x00", -32700, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"h\xff"}', -32700, None),
    (b"[" * 5000, None, None),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, -32700, None),
    (b'[{"jsonrpc":"2.0","id":1,"method":"hello"}]', -32600, None),
    (b"[]", -32600, None),
    (b"null", None, None),
    (b'"hello"', None, None),
    (b'{"id":1,"method":"hello"}', -32600, 1),
    (b'{"jsonrpc":"1.0","id":1,"method":"hello"}', -32600, 1),
    (b'{"jsonrpc":"2.0","id":{},"method":"hello"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600, 1),
    (b'{"jsonrpc":"2.0","id":1}', -32600, 1),
    (b'{"jsonrpc":"2.0","id":1,"method":"nonsense"}', -32601, 1),
    (b'{"jsonrpc":"2.0","id":"a","method":"hello","params":[1]}', -32602,
     "a"),
    (b'{"jsonrpc":"2.0","id":"a","method":"hello","params":7}', None, "a"),
    (b'{"jsonrpc":"2.0","id":1,"method":"attach"}', -32602, 1),
]


def assert_serves(daemon):
    with daemon.client() as other:
        assert other.call("hello", client="test")["server"] == "nopdbd"


@pytest.mark.smoke
@pytest.mark.parametrize("line, code, number", MALFORMED,
                         ids=[str(row[0][:40]) for row in MALFORMED])
def test_malformed(session_daemon, client, line, code, number):
    client.send_raw(line + b"\n")
    message = client.wait(lambda: client.answers.get(number), 5)
    assert "error" in message, message
    assert code is None or message["error"]["code"] == code, message
    assert message["error"]["message"]
    # The connection goes on, and so does the daemon.
    del client.answers[number]
    assert client.call("hello", client="test")["protocol"] == 1
    assert_serves(session_daemon)


@pytest.mark.parametrize("params, named", [
    ({"pid": "12"}, "pid"), ({"pid": 1.5}, "pid"), ({"pid": -1}, "pid"),
    ({"pid": 0}, "pid"), ({"pid": 1e300}, "pid"), ({"pid": None}, "pid"),
    ({"pid": True}, "pid"), ({"pid": [1]}, "pid"), ({"pid": 2 ** 40}, "pid"),
    ({"pid": 1, "nonsense": 1}, "nonsense"), ({}, "pid"),
])
def test_bad_pid(client, params, named):
    with pytest.raises(RpcError) as caught:
        client.call("attach", **params)
    assert caught.value.code == -32602
    assert (caught.value.name, caught.value.exit) == ("invalid-params", 2)
    assert named in caught.value.message


@pytest.mark.parametrize("limits", [
    {"hits": -1}, {"hits": "many"}, {"hits": 1.5}, {"nonsense": 1},
    {"depth": 1e300}, {"locals": 1}, [], 7])
def test_bad_limits(attached, client, limits):
    with pytest.raises(RpcError) as caught:
        client.probe(attached.pid, "zoo:add", limits)
    assert caught.value.name == "invalid-params"


def test_bad_probe_requests(attached, client):
    for method, params in (
            ("probe.add", {"pid": attached.pid, "where": "f"}),
            ("probe.add", {"pid": attached.pid, "kind": "calls"}),
            ("probe.add", {"pid": attached.pid, "kind": "x", "where": "f"}),
            ("probe.add", {"kind": "calls", "where": "f"}),
            ("probe.remove", {"probe": 10 ** 6}),
            ("probe.remove", {"probe": "1"}),
            ("probe.enable", {"probe": -1}),
            ("detach", {"pid": 1}),
            ("subscribe", {"probe": 10 ** 6}),
            ("hello", {"client": "test", "protocol": -1})):
        with pytest.raises(RpcError) as caught:
            client.call(method, **params)
        assert caught.value.message, method
        assert caught.value.exit is not None, method


def test_not_attached_yet(client, zoo):
    with pytest.raises(RpcError) as caught:
        client.probe(zoo.pid, "zoo:add")
    assert caught.value.name == "not-attached"
    assert caught.value.remedy


def test_line_without_end(daemon):
    """More than a line may hold: refused, memory bounded."""
    before = proc.rss_kb(daemon.pid)
    with daemon.client() as client:
        try:
            for _ in range(64):
                client.send_raw(b"x" * (1 << 18))
            client.pump(5)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert daemon.process.poll() is None, daemon.messages()
    assert proc.rss_kb(daemon.pid) < before + 16384
    assert_serves(daemon)


def test_requests_in_pieces_and_at_once(client):
    line = json.dumps(dict(REQUEST, id=77)).encode() + b"\n"
    for byte in line:
        client.send_raw(bytes([byte]))
    assert client.answer(77)["server"] == "nopdbd"
    client.send_raw(b"".join(json.dumps(dict(REQUEST, id=n)).encode() + b"\n"
                             for n in range(100, 400)))
    for number in range(100, 400):
        assert client.answer(number)["protocol"] == 1


def test_ids_come_back_exactly(client):
    for number in ("text", "", 0, -5, 2 ** 53 - 1, "\u00e9"):
        client.send_raw(json.dumps(dict(REQUEST, id=number)).encode() + b"\n")
        message = client.wait(lambda: client.answers.get(number), 5)
        assert message["id"] == number
        assert type(message["id"]) is type(number)


def mutate(chance, line):
    """Flips, cuts, doubles or inserts bytes; never a newline."""
    data = bytearray(line)
    for _ in range(chance.randrange(1, 8)):
        where = chance.randrange(len(data) + 1)
        what = chance.randrange(4)
        if what == 0 and where < len(data):
            data[where] = chance.randrange(256)
        elif what == 1:
            del data[where:where + chance.randrange(8)]
        elif what == 2:
            data[where:where] = data[:chance.randrange(40)]
        else:
            data[where:where] = bytes(
                chance.choice(b'{}[]",:\\0e.-') for _ in range(3))
    return bytes(data).replace(b"\n", b" ")


@pytest.mark.smoke
def test_fuzzed_requests(daemon):
    """Mutated requests for some seconds; the daemon stands, and serves."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    methods = ["hello", "ps", "targets", "attach", "probe.add", "probe.list",
               "subscribe", "stats", "lines", "detach"]
    deadline = time.monotonic() + float(
        os.environ.get("NOPDB_SOCKET_FUZZ_S", "3"))
    while time.monotonic() < deadline:
        with daemon.client() as client:
            for _ in range(100):
                line = json.dumps({
                    "jsonrpc": "2.0", "id": chance.randrange(100),
                    "method": chance.choice(methods),
                    "params": {"pid": 2 ** 22, "where": "m:f",
                               "limits": {"hits": 1}}}).encode()
                try:
                    client.send_raw(mutate(chance, line) + b"\n")
                    while client.pump(0) and client.pending:
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    break
        assert daemon.process.poll() is None, daemon.messages()
    assert_serves(daemon)


@pytest.mark.parametrize("protocol, word, remedy", [
    (2, "too new", "end it (kill "), (2 ** 53, "too new", "end it (kill "),
    (0, "too old", "use a client of version "),
])
def test_other_protocols_are_refused(client, protocol, word, remedy):
    """Told which of the two is behind; the connection stays of use."""
    known = client.call("hello", client="test", protocol=1)
    assert known["protocol_oldest"] <= 1 <= known["protocol"]
    with pytest.raises(RpcError) as caught:
        client.call("hello", client="test", protocol=protocol)
    error = caught.value
    assert (error.name, error.code, error.exit) == ("protocol", -32002, 6)
    assert str(protocol) in error.message and word in error.message
    assert known["version"] in error.message
    assert error.remedy.startswith(remedy) or remedy in error.remedy
    assert client.call("hello", client="test")["pid"] == known["pid"]
