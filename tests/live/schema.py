# SPDX-License-Identifier: MIT
"""proto/schema.json at work: what goes over the socket, checked against it."""
import json

from json_schema import Invalid, Schema
from machine import ROOT
from rpc import Client

SCHEMA = json.loads((ROOT / "proto" / "schema.json").read_text())


def part(name):
    """A validator of $defs/NAME."""
    return Schema(SCHEMA, name)


class Messages:
    """Checks messages; seen counts them by what they were."""

    def __init__(self):
        self.validators = {}
        self.seen = {}

    def check(self, name, message):
        """Raises AssertionError that names the first thing that is wrong."""
        if name not in self.validators:
            self.validators[name] = part(name)
        try:
            self.validators[name].check(message)
        except Invalid as error:
            raise AssertionError("%s: %.500s at %s of %.2000r" % (
                name, error, error.path, message)) from None
        self.seen[name] = self.seen.get(name, 0) + 1


class CheckedClient(Client):
    """A client whose whole traffic is checked as it passes."""

    def __init__(self, path, messages):
        super().__init__(path)
        self.messages = messages
        self.methods = {}

    def request(self, method, **params):
        number = super().request(method, **params)
        self.methods[number] = method
        return number

    def send_raw(self, data):
        try:
            self.sent = json.loads(data.decode())
        except ValueError:
            self.sent = None
        super().send_raw(data)

    def take(self, message):
        if "method" in message:
            self.messages.check("notification", message)
            self.messages.check("record." + message["params"]["event"],
                                message["params"])
        elif "error" in message:
            self.messages.check("failure", message)
        else:
            self.messages.check("answer", message)
            method = self.methods[message["id"]]
            self.messages.check("result." + method, message["result"])
        super().take(message)

    def call(self, method, timeout=20.0, **params):
        """The request is checked once it is known to be a good one."""
        number = self.request(method, **params)
        sent = self.sent
        result = self.answer(number, timeout)
        self.messages.check("request", sent)
        self.messages.check("params." + method, params)
        return result
