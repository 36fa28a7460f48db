# SPDX-License-Identifier: MIT
"""What all rows of the benchmark stand on: the daemon and its client, targets
with the workloads, and how a figure is taken."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from machine import BUILD, TARGETS, Target  # noqa: E402
from rpc import RpcError  # noqa: E402

UNLIMITED = {"hits": 0, "rate": 0}
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
BURST = 2000
ATTEMPTS = 5        # to attach


def peer_paths():
    """Where packages of others are: PEERS=FOLDER[:FOLDER..], each of them
    with packages of any version; a target takes those that it can import."""
    return [path for path in os.environ.get("PEERS", "").split(":") if path]


def program_of(name):
    """A command of a peer: in PEERS' bin/, or on PATH."""
    folders = [os.path.join(path, "bin") for path in peer_paths()]
    return shutil.which(name, path=os.pathsep.join(
        [*folders, os.environ.get("PATH", os.defpath)]))


class Stand:
    """One interpreter on the stand."""

    def __init__(self, daemon, client, python, all_tools=True):
        self.daemon, self.client, self.python = daemon, client, python
        self.all_tools = all_tools

    def target(self, module="workloads", *args, **options):
        env = {"PYTHONPATH": str(HERE),
               "BENCH_PEERS": ":".join(peer_paths()),
               "BENCH_NOTHING": str(BUILD / "bench" / "nothing.so"),
               "NOPDB_BIND": ":".join(map(str, [
                   TARGETS, HERE, BUILD, *peer_paths()]))}
        env.update(options.pop("env", {}))
        return Target(self.python, module, *args, env=env, **options)

    def attach(self, target):
        """What a loaded machine refuses once ("did not stop within ..") it may
        grant when asked again; the program is as before."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self.client.call("attach", pid=target.pid)
            except RpcError as error:
                print("bench: asked again: %s" % error, file=sys.stderr)
        return self.client.call("attach", pid=target.pid)

    def detach(self, target):
        self.client.call("detach", pid=target.pid)
        del self.client.records[:]

    def rest(self):
        """Reads all records that are under way, and drops them."""
        seen = None
        while seen != self.client.received:
            seen = self.client.received
            self.client.pump(0.05)
        del self.client.records[:]


def spread(values):
    """Median, least and most of some figures."""
    return {"median": statistics.median(values), "least": min(values),
            "most": max(values), "count": len(values)}


def percentiles(values):
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2],
            "p99": ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)],
            "max": ordered[-1]}


def median(values, digits=None):
    return round(statistics.median(values), digits)


def resident_kb(pid):
    """Memory of a process that is its own, KiB (shared pages by share)."""
    with open("/proc/%d/smaps_rollup" % pid) as stream:
        for line in stream:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def run_json(*words):
    """What a program of ours prints, as JSON."""
    import json
    done = subprocess.run([str(word) for word in words],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode())


def processor():
    """The name of this machine's processor and how many there are."""
    with open("/proc/cpuinfo") as stream:
        names = [line.split(":", 1)[1].strip() for line in stream
                 if line.startswith("model name")]
    return "%d x %s" % (len(names), names[0] if names else "?")
