# SPDX-License-Identifier: MIT
"""A daemon that knows one process, pid 42, and plays what it is told to: for
tests of the command that a real target cannot bring about."""
import json
import os
import socket
import sys
import threading
import time

EVIL = "\x1b]0;evil\x07"


def call(seq, **more):
    record = {"v": 1, "event": "call", "target": "42.1", "pid": 42,
              "probe": 1, "seq": seq, "time": 1.25,
              "thread": {"id": 42, "name": "MainThread"}, "function": "m:f",
              "file": "/m.py", "line": 3, "args": {"x": seq}, "return": None,
              "duration_ns": 1000}
    record.update(more)
    return record


def end(reason="hits", **more):
    record = {"v": 1, "event": "end", "pid": 42, "probe": 1, "hits": 3,
              "captures": 3, "lost": {}, "pause_us": 9, "reason": reason}
    record.update(more)
    return record


class Refused(Exception):
    """An error answer: its name, exit status, and remedy."""


class Peer:
    """One client. `play` is what happens after probe.add and subscribe: a
    list of records, texts (sent as they are), numbers (seconds to wait) and
    "close"."""

    def __init__(self, connection, daemon):
        self.connection = connection
        self.daemon = daemon
        self.lock = threading.Lock()
        self.removed = False

    def send(self, text):
        with self.lock:
            self.connection.sendall(text.encode("utf-8", "surrogatepass")
                                    + b"\n")

    def record(self, params):
        self.send(json.dumps({"jsonrpc": "2.0", "method": "record",
                              "params": params}))

    def play(self):
        try:
            self.play_steps()
        except OSError:
            pass    # the client left

    def play_steps(self):
        for step in self.daemon.play:
            if isinstance(step, dict):
                self.record(step)
            elif isinstance(step, str) and step != "close":
                self.send(step)
            elif step == "close":
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                time.sleep(step)

    def serve(self):
        try:
            for line in self.connection.makefile(encoding="utf-8"):
                self.answer(json.loads(line))
        except OSError:
            pass
        finally:
            self.connection.close()

    def answer(self, request):
        method, params = request["method"], request.get("params", {})
        self.daemon.seen.append((method, params))
        try:
            result = self.result(method, params)
        except Refused as refused:
            name, status, remedy = refused.args
            self.send(json.dumps({
                "jsonrpc": "2.0", "id": request["id"],
                "error": {"code": -32000, "message": "fake: " + name,
                          "data": {"name": name, "exit": status,
                                   "remedy": remedy}}}))
            return
        self.send(json.dumps({"jsonrpc": "2.0", "id": request["id"],
                              "result": result}))
        if method in ("probe.add", "subscribe"):
            threading.Thread(target=self.play, daemon=True).start()

    def result(self, method, params):
        if method in self.daemon.refuse:
            raise Refused(*self.daemon.refuse[method])
        if method in self.daemon.results:
            return self.daemon.results[method]
        if method == "probe.add":
            return {"probe": 1, "state": "armed", "locations": []}
        if method == "probe.remove":
            self.record(end("removed"))
        return {}


class FakeDaemon:
    def __init__(self, path, play=(), refuse=None, results=None):
        self.path = str(path)
        self.play = play
        self.refuse = refuse or {}
        self.results = results or {}
        self.seen = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            peer = Peer(connection, self)
            threading.Thread(target=peer.serve, daemon=True).start()

    def methods(self):
        return [method for method, _ in self.seen]

    def close(self):
        # Without the shutdown accept() would sit on in its thread.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def main():
    """As nopdbd: --socket PATH; lives for some seconds."""
    path = sys.argv[sys.argv.index("--socket") + 1]
    if "cannot" in path:
        print("nopdbd: the agent is missing", file=sys.stderr)
        return 1
    try:
        FakeDaemon(path, results={"ps": {"processes": [
            {"pid": os.getpid(), "python": "3.11.2", "session": os.getsid(0),
             "enter": True, "attached": False}]}})
    except OSError:
        return 0    # another is there already
    time.sleep(3)
    os.unlink(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
