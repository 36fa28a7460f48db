# SPDX-License-Identifier: MIT
"""Clients that want to harm: the daemon stands, its memory stays within
16 MiB and 6 MiB a target, and the others are served meanwhile.

What is malformed or fuzzed is in test_socket.py."""
import json
import os
import resource
import select
import socket
import threading
import time

import pytest

import proc
from machine import BUILD, Target
from rpc import RpcError

SANITIZED = BUILD.name in ("asan", "tsan")
# A sanitizer's own memory is none of the daemon's.
BOUND_KB = (512 if SANITIZED else 16) << 10
HELLO = (b'{"jsonrpc":"2.0","id":1,"method":"hello",'
         b'"params":{"client":"test"}}\n')


class Bystander:
    """A client that is served all the time; how long it had to wait."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.longest = 0.0
        self.served = 0
        self.rss = 0
        self.error = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            with self.daemon.client() as client:
                while not self.ended.wait(0.01):
                    begun = time.monotonic()
                    client.call("stats", 30)
                    self.longest = max(self.longest,
                                       time.monotonic() - begun)
                    self.served += 1
                    self.rss = max(self.rss, proc.rss_kb(self.daemon.pid))
        except Exception as error:  # told by the test
            self.error = error

    def __enter__(self):
        self.thread.start()
        proc.wait_until(lambda: self.served or self.error, 20, "service")
        return self

    def __exit__(self, kind, error, trace):
        self.ended.set()
        self.thread.join(60)
        if kind is None:
            assert self.error is None, repr(self.error)
            assert self.served and self.longest < 10, self.longest
            assert self.rss <= BOUND_KB, self.rss


def connect(daemon):
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # It waits when many others do, which it would not with a time-out.
    stream.connect(str(daemon.socket))
    stream.settimeout(30)
    return stream


def readable(stream, timeout):
    """As select, which knows no descriptor over 1023."""
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(max(timeout, 0) * 1000))


def read_line(stream, timeout=20):
    """A line, or what came before the end of file."""
    data = b""
    ends = time.monotonic() + timeout
    while not data.endswith(b"\n"):
        if not readable(stream, ends - time.monotonic()):
            raise TimeoutError("no line within %g s, but %r" % (timeout, data))
        try:
            chunk = stream.recv(65536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        data += chunk
    return data


def send_all_it_takes(stream, chunk, count):
    """Sends until the daemon wants no more; the bytes that it took."""
    sent = 0
    try:
        for _ in range(count):
            stream.sendall(chunk)
            sent += len(chunk)
    except OSError:
        pass
    return sent


@pytest.mark.smoke
def test_line_of_a_gigabyte(daemon):
    with Bystander(daemon), connect(daemon) as stream:
        sent = send_all_it_takes(stream, b"x" * (1 << 20), 1024)
        assert sent < 64 << 20
        assert b"longer than" in read_line(stream)


@pytest.mark.smoke
def test_many_long_lines_that_do_not_end(daemon):
    """A MiB each of 100 clients at once: some are refused."""
    refused = 0
    with Bystander(daemon):
        streams = [connect(daemon) for _ in range(100)]
        for stream in streams:
            stream.setblocking(False)
            try:
                stream.send(b"x" * (900 << 10))
            except BlockingIOError:
                pass
        time.sleep(1)
        for stream in streams:
            stream.setblocking(True)
            if readable(stream, 0):
                assert b"no room now" in read_line(stream)
                refused += 1
            stream.close()
        assert refused
    with daemon.client() as client:
        # Their room is free again.
        client.send_raw(HELLO[:-1] + b" " * (512 << 10) + b"\n")
        assert client.answer(1)["server"] == "nopdbd"


@pytest.mark.smoke
def test_values_that_would_fill_the_memory(daemon):
    """A MiB of small values is forty MiB when it is parsed."""
    with Bystander(daemon), daemon.client() as client:
        for text in ("[" + "0," * 400000 + "0]", "[" * 60 + "]" * 60,
                     "{" + ",".join('"%d":0' % n for n in range(90000)) + "}"):
            client.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"hello",'
                            b'"params":{"client":' + text.encode() + b"}}\n")
            with pytest.raises(RpcError) as caught:
                client.answer(1)
            assert caught.value.name in ("limit", "invalid-params")
            assert caught.value.message


@pytest.mark.smoke
def test_requests_that_wait_with_ballast(daemon, newest):
    """Each keeps its whole line until it is answered."""
    junk = json.dumps("j" * (200 << 10)).encode()
    answered = 0
    with Target(newest, "zoo") as target, Bystander(daemon), connect(
            daemon) as stream:
        def send():
            for number in range(100):
                stream.sendall(
                    b'{"jsonrpc":"2.0","id":%d,"junk":%s,"method":"stack",'
                    b'"params":{"pid":%d}}\n' % (number, junk, target.pid))
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        pending = b""
        while answered < 100:
            assert readable(stream, 60)
            chunk = stream.recv(1 << 20)
            assert chunk
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                message = json.loads(line)
                assert "result" in message or (
                    message["error"]["data"]["name"] == "limit"), message
                answered += 1
        sender.join(10)


@pytest.mark.smoke
def test_ten_thousand_connections(daemon):
    """More than there may be: refused with the reason, or they give way; who
    is served already stays so, and who comes later is served, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = int(os.environ.get("NOPDB_CONNECTIONS", "10000"))
    most = min(most, hard - 200, 1000 if SANITIZED else most)
    streams, refused = [], 0
    try:
        with Bystander(daemon):
            for _ in range(most):
                streams.append(connect(daemon))
                assert len(streams) % 500 or (
                    len(proc.fds(daemon.pid)) < 400), "descriptors"
            # Those in the listening socket's queue come later.
            ends = time.monotonic() + 60
            while refused < most - 130 and time.monotonic() < ends:
                for stream in list(streams):
                    if not readable(stream, 0):
                        continue
                    line = read_line(stream)
                    assert b'"limit"' in line, line
                    stream.close()
                    streams.remove(stream)
                    refused += 1
            assert refused >= most - 130
            # All others hold their place and say nothing: they give way.
            time.sleep(1.1)
            with daemon.client() as client:
                assert client.call("hello")["server"] == "nopdbd"
    finally:
        for stream in streams:
            stream.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    proc.wait_until(lambda: len(proc.fds(daemon.pid)) < 40, 10,
                    "closed descriptors")
    assert proc.rss_kb(daemon.pid) <= BOUND_KB


@pytest.mark.smoke
def test_slow_loris(daemon):
    """A byte now and then from 100 clients; each is served in the end."""
    streams = [connect(daemon) for _ in range(100)]
    with Bystander(daemon) as bystander:
        for at in range(0, len(HELLO), 8):
            for stream in streams:
                stream.sendall(HELLO[at:at + 8])
            time.sleep(0.05)
        for stream in streams:
            assert b'"nopdbd"' in read_line(stream)
            stream.close()
    assert bystander.longest < 5


@pytest.mark.smoke
def test_half_messages_and_gone(daemon, newest):
    """The connection ends at any byte of a request, and also after it."""
    with Target(newest, "zoo") as target:
        threads = proc.threads(target.pid)
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "attach",
                           "params": {"pid": target.pid}}).encode() + b"\n"
        with Bystander(daemon):
            for at in range(1, len(line) + 1):
                with connect(daemon) as stream:
                    stream.sendall(line[:at])
            for _ in range(20):
                with connect(daemon) as stream:
                    stream.sendall(line * 3)
        proc.wait_agent_gone(target.pid, threads, 10)


@pytest.mark.smoke
def test_who_reads_no_answer(daemon):
    """Many answers wait for it, not more than there is room for."""
    request = HELLO.replace(b"hello", b"stats").replace(
        b'{"client":"test"}', b"{}")
    with Bystander(daemon), connect(daemon) as stream:
        stream.settimeout(5)
        begun = time.monotonic()
        while time.monotonic() - begun < 60:
            try:
                stream.sendall(request * 100)
            except (BrokenPipeError, ConnectionResetError):
                break
        else:
            pytest.fail("it was never closed")
    assert "does not read" in daemon.messages()


@pytest.mark.smoke
def test_probes_that_fill_the_memory(daemon, newest):
    """Their texts are kept: as many as there is room for."""
    with Target(newest, "zoo") as target, Bystander(daemon) as bystander:
        with daemon.client() as client:
            client.call("attach", pid=target.pid)
            names = set()
            for number in range(1000):
                try:
                    client.call("probe.add", 60, pid=target.pid, kind="break",
                                where="zoo:add", actions=[
                                    {"exec": "x = 1 #" + "y" * 16000}])
                except RpcError as error:
                    names.add(error.name)
                    assert error.message
                    if number > 300:
                        break
            assert names <= {"limit", "no-memory"} and names, names
            assert target.call("add", 1, 1) == 2
            client.call("detach", 60, pid=target.pid)
        # One target more.
        bystander.rss -= 6 << 10
