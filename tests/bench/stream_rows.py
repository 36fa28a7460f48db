# SPDX-License-Identifier: MIT
"""Records from the program to clients, end to end: how many a second arrive
without one lost, at one client and at ten; and what the program asks of the
kernel meanwhile."""
import select
import shutil
import subprocess
import tempfile
import threading
import time

from stand import UNLIMITED
from rpc import Client

RATES = (50, 100, 200, 300, 400, 600)    # thousands a second
SECONDS = 1.0
CLIENTS = 10
QUIET = 0.3         # seconds without a byte: all is there


class Reader:
    """Reads what comes to a client as fast as it can, in a thread, and counts
    lines and bytes: any program may do as little."""

    def __init__(self, client):
        self.client, self.lines, self.bytes = client, 0, 0
        self.last, self.ended = time.perf_counter(), False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended:
            if not select.select([self.client.socket], [], [], 0.1)[0]:
                continue
            data = self.client.socket.recv(1 << 20)
            if not data:
                return
            self.lines += data.count(b"\n")
            self.bytes += len(data)
            self.last = time.perf_counter()

    def end(self):
        """Waits until nothing comes any more."""
        while time.perf_counter() - self.last < QUIET:
            time.sleep(0.05)
        self.ended = True
        self.thread.join()


def once(stand, target, count, thousands):
    """One probe, so many clients, records at one rate: what arrived."""
    owner = stand.client
    probe = owner.probe(target.pid, "workloads:hot", dict(
        UNLIMITED, stack=0, locals=False))
    clients = [owner] + [stand.daemon.client() for _ in range(count - 1)]
    for client in clients[1:]:
        client.call("subscribe", probe=probe.id)
    readers = [Reader(client) for client in clients]
    begun = time.perf_counter()
    made = int(target.ask(timeout=60, call="stream", args=[
        thousands * 1000, SECONDS])["result"])
    for reader in readers:
        reader.end()
    took = max(reader.last for reader in readers) - begun
    for client in clients[1:]:
        client.close()
    probe.remove(timeout=60)
    del owner.records[:]
    return {"asked": thousands * 1000, "made": made,
            "lost": made * count - sum(reader.lines for reader in readers),
            "bytes": readers[0].bytes // max(readers[0].lines, 1),
            "a_second": int(readers[0].lines / took)}


def best_of(stand, target, count):
    """The highest rate at which every record arrived at every client, and all
    that was tried."""
    tried, best = [], 0
    for thousands in RATES:
        result = once(stand, target, count, thousands)
        if result["lost"]:
            # Once more: the machine may have had something else to do.
            tried.append(result)
            result = once(stand, target, count, thousands)
        tried.append(result)
        if result["lost"]:
            break
        best = max(best, result["a_second"])
    return {"best": best, "bytes": tried[0]["bytes"], "tried": tried,
            "top": max(result["a_second"] for result in tried)}


def system_calls(target):
    """{call: how many} of the program's main thread during 20,000 captures,
    by strace; None without it."""
    if not shutil.which("strace"):
        return None
    with tempfile.NamedTemporaryFile("r") as report:
        tracer = subprocess.Popen(
            ["strace", "-c", "-U", "calls,name", "-o", report.name,
             "-p", str(target.pid)], stderr=subprocess.PIPE)
        tracer.stderr.readline()        # attached
        target.call("measure_burst", "hot", 20000)
        tracer.terminate()
        tracer.communicate()
        lines = [line.split() for line in report.read().splitlines()]
    return {words[1]: int(words[0]) for words in lines
            if len(words) == 2 and words[0].isdigit() and words[1] != "total"}


def measure_stream(stand):
    with stand.target() as target:
        stand.attach(target)
        found = {"one": best_of(stand, target, 1),
                 "ten": best_of(stand, target, CLIENTS)}
        probe = stand.client.probe(target.pid, "workloads:hot", dict(
            UNLIMITED, stack=0, locals=False))
        found["calls"] = system_calls(target)
        stand.rest()
        probe.remove()
        stand.detach(target)
    return found


def stream_table(results):
    yield "%-13s %6s %16s %16s %16s %16s" % (
        "records/s", "bytes", "1: none lost", "at most", "10: none lost",
        "at most")
    for name, result in results.items():
        one, ten = result["stream"]["one"], result["stream"]["ten"]
        yield "%-13s %6d %16d %16d %16d %16d" % (
            name, one["bytes"], one["best"], one["top"], ten["best"],
            ten["top"])
    for name, result in results.items():
        yield "%-13s system calls in 20,000 captures: %s" % (
            name, ", ".join("%s %d" % item for item in sorted(
                (result["stream"]["calls"] or {}).items())) or "none")
