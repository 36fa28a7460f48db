# SPDX-License-Identifier: MIT
"""debugpy, as an editor uses it: what a breakpoint that is never reached costs
the workloads, and a line with a log message the program, beside nopdb's."""
import subprocess
import sys
import time

from stand import median

from capture_rows import Hits, burst
from dap import Editor
from idle_rows import WORKLOADS, Probed, measure_ratio

CALLS = 100         # of a burst: it is slow
BURSTS = 3


class Attached:
    """An editor at the adapter of a target; with one breakpoint or none."""

    name = "debugpy"

    def __init__(self, target, path):
        self.path = path
        begun = time.perf_counter()
        port = int(target.ask(timeout=60, call="listen")["result"])
        self.editor = Editor(port)
        self.editor.start(path, target.call("idle_line"))
        self.armed_ms = round((time.perf_counter() - begun) * 1000)

    def on(self, **breakpoint):
        self.editor.call("setBreakpoints", source={"path": self.path},
                         breakpoints=[breakpoint] if breakpoint else [])

    def off(self):
        """Its tracing stays on the threads, whatever is set."""

    def log_ns(self, target):
        """What the line costs, with a message and without a breakpoint."""
        def least():
            return min(burst(target, "hot", CALLS)[1] for _ in range(BURSTS))
        self.on()
        plain = least()
        self.on(line=target.call("hot_line", "return"),
                logMessage="c is {c}")
        return round(least() - plain)


def has_debugpy(python):
    return not subprocess.run(
        [str(python.path), "-c", "import debugpy"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode


def once(target, workload):
    return int(target.ask(timeout=300, call="measure",
                          args=[workload])["result"])


def measure_debugpy(stand):
    """{tool: {"idle", "log_ns", "armed_ms"}}; None without debugpy."""
    if not has_debugpy(stand.python):
        print("bench: no debugpy for %s" % stand.python.id, file=sys.stderr)
        return None
    with stand.target() as target:
        before = {w: median([once(target, w) for _ in range(3)])
                  for w in WORKLOADS}
        line = {"kind": "break", "where": "workloads:hot",
                "line": target.call("hot_line", "return"),
                "actions": [{"log": "c is {c}"}]}
        tool = Hits(stand, target, **line)
        plain = burst(target, "hot", 2000)[1]
        tool.on()
        burst(target, "hot", 2000)
        tool.rest()
        own = {"log_ns": round(burst(target, "hot", 2000)[1] - plain),
               "idle": {}}
        tool.off()
        for workload in WORKLOADS:
            own["idle"][workload] = measure_ratio(
                target, [Probed(stand, target)], workload, 3)[
                    "nopdb"]["median"]
        begun = time.perf_counter()
        tool.on()
        own["armed_ms"] = round((time.perf_counter() - begun) * 1000)
        tool.off()
        editor = Attached(target, target.call("own_path"))
        theirs = {"armed_ms": editor.armed_ms, "idle": {
            w: round(once(target, w) / before[w], 3) for w in WORKLOADS}}
        theirs["log_ns"] = editor.log_ns(target)
        editor.editor.__exit__()
    return {"nopdb": own, "debugpy": theirs}


def debugpy_table(results):
    yield "%-13s %-8s %20s %12s %12s" % (
        "as an editor", "", "idle W1/W2/W3", "log, ns", "armed, ms")
    for name, result in results.items():
        for tool, row in (result["debugpy"] or {}).items():
            yield "%-13s %-8s %20s %12d %12d" % (
                name, tool, "/".join("%.2f" % row["idle"][w]
                                     for w in WORKLOADS),
                row["log_ns"], row["armed_ms"])
