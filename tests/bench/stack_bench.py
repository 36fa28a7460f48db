# SPDX-License-Identifier: MIT
"""Reading the stacks of one program, by nopdb and by whatever else the machine
has, side by side: how long each takes, and for how long the program stood
still meanwhile, by its own word."""
import os
import shutil
import subprocess
import sys
import time

from machine import BUILD, Target
from stand import program_of

THREADS = 100
FRAMES = 33
RUNS = int(os.environ.get("BENCH_STACKS", "5"))
GDB_RUNS = 1        # of tools that take seconds
LIMIT = 300         # seconds, for one run of a tool
ENVIRONMENT = {"LC_ALL": "C"}


def in_place_of(target, *words):
    """A command line in the target's own root: its interpreter's tools find
    the files that its memory map names only there."""
    if "/forky/" not in target.python.path:
        return [target.python.path, *words]
    return ["nsenter", "-t", str(target.pid), "--mount", "--root", "--wdns=/",
            "/usr/bin/python%d.%d" % target.python.version[:2], *words]


def gdb_line(target):
    """gdb knows Python's objects only by the debug files of its package."""
    helper = "/usr/share/gdb/auto-load%s-gdb.py" % os.path.realpath(
        target.python.path)
    if not shutil.which("gdb") or not os.path.exists(helper):
        return None
    return ["gdb", "-nx", "-batch", "-iex",
            "set auto-load safe-path /", "-p", str(target.pid),
            "-ex", "thread apply all py-bt"]


def other_tools(target):
    """(name, command line) of each tool that the machine has for it."""
    pid, version = str(target.pid), target.python.version
    if gdb_line(target):
        yield "gdb py-bt", gdb_line(target)
    spy, pystack = program_of("py-spy"), program_of("pystack")
    if spy:
        yield "py-spy", [spy, "dump", "--pid", pid]
        yield "py-spy, not stopped", [spy, "dump", "--nonblocking",
                                      "--pid", pid]
    if pystack:
        yield "pystack", [pystack, "remote", pid]
        yield "pystack, native", [pystack, "remote", "--native-all", pid]
    if version >= (3, 15):
        yield "profiling.sampling", in_place_of(
            target, "-m", "profiling.sampling", "dump", "--all-threads", pid)
    if version >= (3, 14):
        yield "asyncio pstree", in_place_of(
            target, "-m", "asyncio", "pstree", pid)


def own_tools(target):
    nopdb = [str(BUILD / "nopdb"), "stack", str(target.pid)]
    yield "nopdb", nopdb
    yield "nopdb --no-native", [*nopdb, "--no-native"]
    yield "nopdb --stop", [*nopdb, "--stop"]


def run_once(line, socket):
    """Milliseconds, or None when the tool fails."""
    begun = time.perf_counter()
    try:
        done = subprocess.run(line, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=LIMIT,
                              env=dict(os.environ, NOPDB_SOCKET=str(socket),
                                       **ENVIRONMENT))
    except subprocess.TimeoutExpired:
        print("stack bench: %s took more than %d s" % (line[0], LIMIT),
              file=sys.stderr)
        return None
    took = (time.perf_counter() - begun) * 1000
    if done.returncode:
        print("stack bench: %s: %s" % (
            line[0], done.stderr.decode(errors="replace")[-300:]),
            file=sys.stderr)
        return None
    return took


def measure(target, line, socket):
    """The least time, and the least of the longest pauses that a thread of
    the target saw in each run; milliseconds."""
    took, pauses = [], []
    for _ in range(GDB_RUNS if line[0] == "gdb" else RUNS):
        target.call("longest_gap")
        once = run_once(line, socket)
        pauses.append(target.call("longest_gap") / 1e6)
        if once is None:
            return None
        took.append(once)
    return {"ms": round(min(took), 2), "pause_ms": round(min(pauses), 2)}


def noise(target):
    """What the same thread sees while nobody looks."""
    gaps = []
    for _ in range(RUNS):
        target.call("longest_gap")
        time.sleep(0.05)
        gaps.append(target.call("longest_gap") / 1e6)
    return {"ms": 0, "pause_ms": round(min(gaps), 2)}


def measure_stacks(client, socket, python):
    """{tool: {"ms", "pause_ms"}} of one interpreter, and of nopdb, by its own
    word, the time over which the picture was taken and that of all its work,
    without native frames."""
    found = {}
    with Target(python, "stacks") as target:
        target.call("deep", THREADS, FRAMES)
        reads = [client.call("stack", pid=target.pid, native="none")
                 for _ in range(RUNS * 4)]
        target.call("watch_gaps")
        found["nobody"] = noise(target)
        for name, line in [*own_tools(target), *other_tools(target)]:
            result = measure(target, line, socket)
            if result:
                found[name] = result
        for kind in "read", "total":
            found["nopdb"][kind + "_ms"] = round(
                min(read[kind + "_us"] for read in reads) / 1000, 3)
    return found


def stack_rows(results):
    yield "%-13s %-20s %12s %12s %10s %10s" % (
        "stacks", "%dx%d" % (THREADS, FRAMES), "command, ms", "pause, ms",
        "read, ms", "total, ms")
    for name, result in results.items():
        for tool, figures in result["stacks"].items():
            yield ("%-13s %-20s %12.1f %12.2f %10s %10s" % (
                name, tool, figures["ms"], figures["pause_ms"],
                figures.get("read_ms", ""),
                figures.get("total_ms", ""))).rstrip()
