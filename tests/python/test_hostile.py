# SPDX-License-Identifier: MIT
"""Records that no honest daemon sends: the client goes on and counts them."""
import json
import random
import unittest

import nopdb
from test_connection import Daemon, good, line

HOSTILE = [
    {"event": "call", "thread": 5}, {"event": "call", "args": 3},
    {"event": "hit", "eval": [5]}, {"event": "hit", "eval": 7},
    {"event": "hit", "errors": [{"error": None}]}, {"event": "hit", "log": 3},
    {"event": "lost", "count": "many"}, {"event": "probe", "locations": 5},
    {"event": "error", "error": 3}, {"event": []}, {},
    {"event": "hit", "stack": [3], "eval": None},
    {"event": "hit", "eval": [{"expr": "x", "value": {"$type": 1}}]},
]


def serving(records, kind):
    """A daemon that has these records for the first probe."""
    def reply(request):
        if request["method"] == "attach":
            return line(id=request["id"], result={
                "python": "3", "engine": "none", "pause_us": 1})
        if request["method"] != "probe.add":
            return good(request)
        found = [line(id=request["id"], result={
            "probe": 7, "state": "armed", "locations": []})]
        found += [line(method="record", params=dict(record, probe=7))
                  for record in records]
        found.append(line(method="record", params={
            "probe": 7, "event": kind, "args": {}, "eval": [], "seq": 99}))
        return b"".join(found)
    return reply


class Hostile(unittest.TestCase):
    def session(self, records, kind):
        daemon = Daemon(serving(records, kind))
        self.addCleanup(daemon.folder.cleanup)
        self.addCleanup(daemon.server.close)
        process = nopdb.attach(1, daemon.path)
        self.addCleanup(process.detach)
        return process

    def test_breakpoints(self):
        process = self.session(HOSTILE, "hit")
        with process.breakpoint("f") as bp:
            bp._wait(lambda: any(hit.raw.get("seq") == 99
                                 for hit in bp.hits), 20)
            self.assertEqual(bp.hits[-1].seq, 99)
            self.assertGreater(bp.lost_by_reason["malformed"], 5)

    def test_calls(self):
        process = self.session(HOSTILE, "call")
        with process.capture_calls("f") as calls:
            calls._wait(lambda: any(call.raw.get("seq") == 99
                                    for call in calls[:]), 20)
            self.assertEqual(calls[-1].seq, 99)
        for call in list(calls) + [nopdb.CallInfo(raw) for raw in HOSTILE]:
            self.read(call, "args", "locals", "return_value", "exception",
                      "duration", "truncated")

    def read(self, record, *names):
        """Everything it tells is there, or refused as nonsense."""
        for name in names + ("time", "seq", "thread", "task", "function",
                             "module", "name", "file", "line", "stack"):
            try:
                getattr(record, name)
            except nopdb.DecodeError:
                pass

    def test_whatever_comes(self):
        chance = random.Random(8)
        names = ["event", "seq", "thread", "args", "locals", "return", "line",
                 "exception", "stack", "eval", "log", "errors", "error",
                 "count", "lost", "state", "locations"]
        values = [None, 5, -1, "x", [], [5], [{}], {}, {"id": "x"},
                  [{"error": {}}], {"$type": "int"}, True, 1e300]
        records = []
        for _ in range(3000):
            record = {chance.choice(names): chance.choice(values)
                      for _ in range(4)}
            record.setdefault("event", chance.choice(
                ["call", "hit", "lost", "probe", "error"]))
            if record["event"] != "end":
                records.append(json.loads(json.dumps(record)))
        process = self.session(records, "hit")
        with process.breakpoint("f") as bp:
            bp._wait(lambda: any(hit.raw.get("seq") == 99
                                 for hit in bp.hits[-1:]), 60)
            self.assertEqual(bp.hits[-1].raw["seq"], 99)
        for raw in records:
            self.read(nopdb.Hit(raw), "values", "expressions", "log", "errors")
            self.read(nopdb.CallInfo(raw), "args", "exception", "duration")

    def test_an_answer_that_cannot_be(self):
        def reply(request):
            if request["method"] == "probe.add":
                return line(id=request["id"], result={"prob": 7})
            return serving([], "hit")(request)
        daemon = Daemon(reply)
        self.addCleanup(daemon.folder.cleanup)
        self.addCleanup(daemon.server.close)
        with nopdb.attach(1, daemon.path) as process:
            with self.assertRaises(nopdb.DecodeError):
                process.capture_call("f")


if __name__ == "__main__":
    unittest.main()
