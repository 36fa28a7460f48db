# SPDX-License-Identifier: MIT
"""A client of the daemon's socket that shares no code with the product."""
import json
import select
import socket
import time

# Seconds for what must come. Who waits in vain has found a defect, and a busy
# machine is none.
PATIENCE = 60.0


class RpcError(Exception):
    """An error answer: code, message and the data members as attributes."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]
        self.message = error["message"]
        data = error.get("data") or {}
        self.name = data.get("name")
        self.remedy = data.get("remedy")
        self.exit = data.get("exit")


class Client:
    """One connection. Records that arrive are kept, in order, in records."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.records = []
        self.answers = {}
        self.next_id = 1
        self.pending = b""
        self.received = 0
        self.closed = False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send_raw(self, data):
        self.socket.sendall(data)

    def request(self, method, **params):
        """Sends a request; its id."""
        number = self.next_id
        self.next_id += 1
        self.send_raw(json.dumps({"jsonrpc": "2.0", "id": number,
                                  "method": method,
                                  "params": params}).encode() + b"\n")
        return number

    def pump(self, timeout):
        """Reads what comes within timeout seconds; False at end of file."""
        if not select.select([self.socket], [], [], max(timeout, 0))[0]:
            return True
        try:
            chunk = self.socket.recv(1 << 20)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self.closed = True
            return False
        self.received += len(chunk)
        self.pending += chunk
        *lines, self.pending = self.pending.split(b"\n")
        for line in lines:
            self.take(json.loads(line.decode("utf-8")))
        return True

    def take(self, message):
        assert message.get("jsonrpc") == "2.0", message
        if "method" in message:
            assert message["method"] == "record", message
            self.records.append(message["params"])
        else:
            self.answers[message["id"]] = message

    def wait(self, ready, timeout=PATIENCE, what="an answer"):
        """Pumps until ready() is true, then returns its value."""
        deadline = time.monotonic() + timeout
        while True:
            value = ready()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no %s within %g s; records: %r"
                                   % (what, timeout, self.records[-5:]))
            if not self.pump(min(left, 0.5)):
                raise EOFError("daemon closed while waiting for " + what)

    def answer(self, number, timeout=PATIENCE):
        """The result, or RpcError; an answer to no id is taken for ours."""
        message = self.wait(lambda: self.answers.pop(number, None)
                            or self.answers.pop(None, None), timeout,
                            "answer %r" % number)
        if "error" in message:
            raise RpcError(message["error"])
        return message["result"]

    def call(self, method, timeout=PATIENCE, **params):
        return self.answer(self.request(method, **params), timeout)

    def probe(self, pid, where=None, limits=None, **location):
        """Sets a calls probe; a context manager that removes it."""
        if where is not None:
            location["where"] = where
        if limits is not None:
            location["limits"] = limits
        return Probe(self, self.call("probe.add", pid=pid, kind="calls",
                                     **location))


class Probe:
    """A probe that this client owns."""

    def __init__(self, client, answer):
        self.client = client
        self.id = answer["probe"]
        self.state = answer["state"]
        self.locations = answer.get("locations", [])
        self.truncated = answer.get("truncated", False)
        self.removed = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.removed is None and not self.client.closed and not any(exc):
            try:
                self.remove()
            except RpcError as error:
                # A limit ended it first.
                assert error.name == "no-such-probe", error
                self.event("end")

    def of(self, *events):
        """This probe's records of these events, so far."""
        return [record for record in self.client.records
                if record.get("probe") == self.id
                and record["event"] in events]

    @property
    def functions(self):
        return sorted(place["function"] for place in self.locations)

    def calls(self, count, timeout=PATIENCE):
        """Waits for that many captured calls, and returns all there are."""
        self.client.wait(lambda: len(self.of("call")) >= count, timeout,
                         "%d calls of probe %d" % (count, self.id))
        return self.of("call")

    def event(self, name, timeout=PATIENCE, **members):
        """Waits for a record of that event with these members."""
        def match():
            for record in self.of(name):
                if all(record.get(key) == value
                       for key, value in members.items()):
                    return record
            return None
        return self.client.wait(match, timeout,
                                "%s %r of probe %d" % (name, members, self.id))

    def remove(self, timeout=PATIENCE):
        self.removed = self.client.call("probe.remove", timeout=timeout,
                                        probe=self.id)
        return self.removed
