# SPDX-License-Identifier: MIT
"""A client of a debug adapter (DAP), as an editor is one: as much of it as the
tests need to debug a program by debugpy."""
import json
import select
import socket
import time


class Editor:
    """Attached to the adapter on a port of this machine."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.pending = b""
        self.messages = []
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def pump(self, timeout):
        if not select.select([self.socket], [], [], max(timeout, 0))[0]:
            return
        data = self.socket.recv(65536)
        assert data, "the adapter left"
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            head, rest = self.pending.split(b"\r\n\r\n", 1)
            size = int(head.split(b"Content-Length:")[1].split()[0])
            if len(rest) < size:
                return
            self.messages.append(json.loads(rest[:size].decode()))
            self.pending = rest[size:]

    def request(self, command, **arguments):
        self.number += 1
        text = json.dumps({"seq": self.number, "type": "request",
                           "command": command,
                           "arguments": arguments}).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        return self.number

    def wait(self, fits, what, timeout=30.0):
        """Takes the first message that fits."""
        deadline = time.monotonic() + timeout
        while True:
            for message in self.messages:
                if fits(message):
                    self.messages.remove(message)
                    return message
            assert time.monotonic() < deadline, (what, self.messages[-5:])
            self.pump(0.5)

    def event(self, name):
        return self.wait(lambda message: message.get("event") == name, name)

    def answer(self, number):
        message = self.wait(
            lambda message: message.get("request_seq") == number, number)
        assert message["success"], message
        return message.get("body", {})

    def call(self, command, **arguments):
        return self.answer(self.request(command, **arguments))

    def start(self, path, line):
        """From the hello to a program that runs with one breakpoint."""
        self.call("initialize", adapterID="nopdb", clientID="nopdb",
                  pathFormat="path", linesStartAt1=True)
        attach = self.request("attach", justMyCode=False)
        self.event("initialized")
        answer = self.call("setBreakpoints", source={"path": path},
                           breakpoints=[{"line": line}])
        assert answer["breakpoints"][0]["verified"], answer
        self.call("configurationDone")
        self.answer(attach)

    def stopped(self):
        """The frames of the thread that stops next; (name, line), and the
        thread."""
        thread = self.event("stopped")["body"]["threadId"]
        frames = self.call("stackTrace", threadId=thread)["stackFrames"]
        return thread, [(frame["name"], frame["line"]) for frame in frames]

    def step(self, thread):
        self.call("next", threadId=thread)
        return self.stopped()[1][0]

    def go_on(self, thread):
        self.call("continue", threadId=thread)
