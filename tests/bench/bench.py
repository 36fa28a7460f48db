# SPDX-License-Identifier: MIT
"""bench.py DIR: measures what nopdb costs, side by side with a pure-Python
tracer, and writes a table to stdout and DIR/bench.json. README.md beside this
file has the method."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import os
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from machine import (BUILD, TARGETS, Daemon, Target,  # noqa: E402
                     find_interpreters, one_of_each_engine)
from consume_bench import consume_rows, measure_consumer  # noqa: E402
from stack_bench import measure_stacks, stack_rows  # noqa: E402
from rpc import Probe  # noqa: E402

ATTACHES = int(os.environ.get("BENCH_ATTACHES", "200"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
BURST = 2000
BURSTS = 12
WORKLOADS = ("w1", "w2", "w3")
ENVIRONMENT = {"PYTHONPATH": str(HERE),
               "NOPDB_BIND": "%s:%s" % (TARGETS, HERE)}
UNLIMITED = {"hits": 0, "rate": 0}


def percentiles(values):
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2],
            "p99": ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)],
            "max": ordered[-1]}


def measure_floor(pid):
    """What an empty SEIZE, INTERRUPT, DETACH of the same thread costs here."""
    done = subprocess.run([str(BUILD / "test" / "injector" / "floor"),
                           str(pid), str(ATTACHES)], stdout=subprocess.PIPE,
                          check=True)
    return json.loads(done.stdout.decode())


def measure_attach(client, python, program):
    """Attach and detach again and again; microseconds."""
    pauses, attaches, waits = [], [], []
    with Target(python, program) as target:
        for _ in range(ATTACHES):
            start = time.perf_counter()
            report = client.call("attach", pid=target.pid)
            waits.append(int((time.perf_counter() - start) * 1e6))
            pauses.append(report["pause_us"])
            attaches.append(report["attach_us"])
            client.call("detach", pid=target.pid)
        floor = measure_floor(target.pid)
    return {"pause_us": percentiles(pauses), "floor_us": floor,
            "attach_us": percentiles(attaches),
            "client_us": percentiles(waits)}


class Probed:
    """nopdb as a tracer that can be switched on and off."""

    name = "nopdb"

    def __init__(self, client, target):
        self.client = client
        self.target = target
        self.probe = None

    def on(self, function, stack):
        self.client.call("attach", pid=self.target.pid)
        self.probe = self.client.probe(
            self.target.pid, "workloads:" + function,
            dict(UNLIMITED, stack=stack))

    def rest(self):
        """Reads all records that are under way."""
        seen = None
        while seen != self.client.received:
            seen = self.client.received
            self.client.pump(0.1)
        del self.client.records[:]

    def off(self):
        """How many calls were captured, and how many lost."""
        removed = self.probe.remove()
        self.client.call("detach", pid=self.target.pid)
        del self.client.records[:]
        return removed["captures"], sum(removed["lost"].values())


class Traced:
    """The pure-Python tracer, switched from within."""

    name = "settrace"

    def __init__(self, target):
        self.target = target

    def on(self, function, stack):
        self.target.call("trace", function, stack)

    def rest(self):
        """Nothing is under way: it writes as it goes."""

    def off(self):
        return self.target.call("untrace"), 0


def measure_idle(tool, target):
    """Ratio of the least times with and without an idle probe, off and on
    taking turns in one process."""
    ratios = {}
    for workload in WORKLOADS:
        least = {"off": None, "on": None}
        target.call("measure", workload)
        for _ in range(ROUNDS):
            for state in ("off", "on"):
                if state == "on":
                    tool.on("idle", 0)
                took = target.call("measure", workload)
                if state == "on":
                    tool.off()
                if least[state] is None or took < least[state]:
                    least[state] = took
        ratios[workload] = round(least["on"] / least["off"], 3)
    return ratios


def measure_capture(tool, target, stack):
    """Nanoseconds that a captured call costs the program, least of bursts
    that fit the ring; and the share of calls lost."""
    plain = min(target.call("measure_burst", BURST) for _ in range(BURSTS))
    tool.on("hot", stack)
    took = []
    for _ in range(BURSTS):
        took.append(target.call("measure_burst", BURST))
        tool.rest()
    captured, lost = tool.off()
    return {"ns": (min(took) - plain) // BURST, "captured": captured,
            "lost": lost}


def measure_line(client, target, actions=(), **params):
    """Nanoseconds that coming to a line costs the program, with a probe on it;
    and the share of hits lost."""
    plain = min(target.call("measure_burst", BURST) for _ in range(BURSTS))
    tool = Probed(client, target)
    client.call("attach", pid=target.pid)
    tool.probe = Probe(client, client.call(
        "probe.add", pid=target.pid, kind="break", where="workloads:hot",
        line="return c", limits=UNLIMITED, actions=list(actions), **params))
    took = []
    for _ in range(BURSTS):
        took.append(target.call("measure_burst", BURST))
        tool.rest()
    captured, lost = tool.off()
    return {"ns": (min(took) - plain) // BURST, "captured": captured,
            "lost": lost}


def measure_after(client, target):
    """The speed of the workloads after a breakpoint on a line was removed and
    the process left, as a ratio to that before: least times, in turns."""
    ratios = {}
    for workload in WORKLOADS:
        before, after = [], []
        for _ in range(ROUNDS):
            before.append(target.call("measure", workload))
            client.call("attach", pid=target.pid)
            with Probe(client, client.call(
                    "probe.add", pid=target.pid, kind="break",
                    where="workloads:hot", line="return c", limits=UNLIMITED,
                    actions=[{"eval": "c"}])):
                target.call("measure_burst", 100)
            client.call("detach", pid=target.pid)
            after.append(target.call("measure", workload))
        ratios[workload] = round(min(after) / min(before), 3)
    return ratios


def measure_lines(client, python):
    with Target(python, "workloads", env=ENVIRONMENT) as target:
        return {
            "after": measure_after(client, target),
            "eval": measure_line(client, target, [{"eval": "c"}]),
            "false": measure_line(client, target, [{"eval": "c"}],
                                  **{"if": "c < 0"}),
            "log": measure_line(client, target, [{"log": "c is {c}"}]),
        }


def measure_tools(client, python):
    found = {}
    with Target(python, "workloads", env=ENVIRONMENT) as target:
        for tool in (Probed(client, target), Traced(target)):
            found[tool.name] = {
                "idle": measure_idle(tool, target),
                "capture": measure_capture(tool, target, 0),
                "capture_stack": measure_capture(tool, target, 20),
            }
    return found


def measure_all(client, socket, python):
    return {
        "python": ".".join(map(str, python.version)),
        "attach_idle": measure_attach(client, python, "idle"),
        "attach_busy": measure_attach(client, python, "busy"),
        "tools": measure_tools(client, python),
        "stacks": measure_stacks(client, socket, python),
        "lines": measure_lines(client, python),
    }


def attach_rows(results):
    yield "%-13s %-5s %20s %18s %22s" % (
        "attach, us", "", "pause p50/p99/max", "floor p50/p99/max",
        "whole p50/p99/max")
    for name, result in results.items():
        for load in ("idle", "busy"):
            figures = result["attach_" + load]
            yield "%-13s %-5s %20s %18s %22s" % (name, load, *(
                "/".join("%.0f" % figures[what][part]
                         for part in ("p50", "p99", "max"))
                for what in ("pause_us", "floor_us", "client_us")))


def tool_rows(results):
    yield "%-13s %-8s %18s %12s %16s %6s" % (
        "cost", "tool", "idle W1/W2/W3", "ns a call", "with 20 frames",
        "lost")
    for name, result in results.items():
        for tool, figures in result["tools"].items():
            yield "%-13s %-8s %18s %12d %16d %6d" % (
                name, tool, "/".join("%.2f" % figures["idle"][w]
                                     for w in WORKLOADS),
                figures["capture"]["ns"], figures["capture_stack"]["ns"],
                figures["capture"]["lost"] + figures["capture_stack"]["lost"])


def line_rows(results):
    yield "%-13s %10s %10s %10s %6s %20s" % (
        "line, ns", "eval", "if: false", "log", "lost", "left W1/W2/W3")
    for name, result in results.items():
        lines = result["lines"]
        kinds = ("eval", "false", "log")
        yield "%-13s %10d %10d %10d %6d %20s" % (
            name, *(lines[kind]["ns"] for kind in kinds),
            sum(lines[kind]["lost"] for kind in kinds),
            "/".join("%.2f" % lines["after"][w] for w in WORKLOADS))


def main():
    folder = pathlib.Path(sys.argv[1])
    private = tempfile.mkdtemp(prefix="nopdb-")
    results = {}
    try:
        with Daemon(private) as daemon, daemon.client() as client:
            for python in find_interpreters():
                print("bench: %s" % python.id, file=sys.stderr, flush=True)
                results[python.id] = measure_all(
                    client, daemon.socket, python)
            for python in one_of_each_engine(find_interpreters()):
                print("bench: %s, a client that takes all" % python.id,
                      file=sys.stderr, flush=True)
                results[python.id]["consume"] = measure_consumer(
                    daemon.socket, python)
    finally:
        shutil.rmtree(private, ignore_errors=True)
    (folder / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    table = "\n".join([*attach_rows(results), "", *tool_rows(results), "",
                       *stack_rows(results), "",
                       *line_rows(results), "", *consume_rows(results)])
    (folder / "bench.txt").write_text(table + "\n")
    print(table)


if __name__ == "__main__":
    main()
