# SPDX-License-Identifier: MIT
"""Coming and going: pause, time until a probe is armed with a daemon that runs
and without one, leaving, and the memory that both sides need."""
import json
import os
import shutil
import subprocess
import tempfile
import time

from stand import UNLIMITED, percentiles, resident_kb, run_json
from machine import BUILD

ATTACHES = int(os.environ.get("BENCH_ATTACHES", "40"))
COLD = 5


def measure_floor(pid):
    """What an empty SEIZE, INTERRUPT, DETACH of the same thread costs here."""
    return run_json(BUILD / "test" / "injector" / "floor", pid, ATTACHES)


def elapsed_us(begun):
    return int((time.perf_counter() - begun) * 1e6)


def measure_program(stand, program, function):
    """Attach, arm, leave, again and again; microseconds."""
    found = {name: [] for name in ("pause", "attach", "armed", "detach")}
    with stand.target(program) as target:
        for _ in range(ATTACHES):
            begun = time.perf_counter()
            report = stand.attach(target)
            found["attach"].append(elapsed_us(begun))
            probe = stand.client.probe(target.pid, function, UNLIMITED)
            assert probe.state == "armed", probe.state
            found["armed"].append(elapsed_us(begun))
            found["pause"].append(report["pause_us"])
            probe.remove()
            begun = time.perf_counter()
            stand.detach(target)
            found["detach"].append(elapsed_us(begun))
        found["floor"] = measure_floor(target.pid)
    return {name: values if name == "floor" else percentiles(values)
            for name, values in found.items()}


def cold_start(target):
    """From the command's start to its word that a probe is armed, when there
    is no daemon: milliseconds. Its daemon ends with its last client."""
    folder = tempfile.mkdtemp(prefix="nopdb-cold-")
    begun = time.perf_counter()
    command = subprocess.Popen(
        [str(BUILD / "nopdb"), "--socket", folder + "/sock", "calls", "--json",
         str(target.pid), "workloads:idle"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    took = None
    for line in command.stdout:
        record = json.loads(line.decode())
        if record["event"] == "probe" and record["state"] == "armed":
            took = (time.perf_counter() - begun) * 1000
            break
    command.terminate()
    command.communicate()
    subprocess.run([str(BUILD / "nopdb"), "--socket", folder + "/sock",
                    "detach", str(target.pid)], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)
    return took


def gdb_visit(target):
    """gdb comes and goes, with nothing to do: milliseconds that the program
    stood still, which is most of the time that the command takes."""
    if not shutil.which("gdb"):
        return None
    begun = time.perf_counter()
    subprocess.run(["gdb", "-nx", "-batch", "-p", str(target.pid)],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000


def measure_attach(stand):
    found = {"idle": measure_program(stand, "idle", "view:traced"),
             "busy": measure_program(stand, "busy", "view:traced")}
    with stand.target() as target:
        cold = [cold_start(target) for _ in range(COLD)]
        found["cold_ms"] = percentiles([ms for ms in cold if ms is not None])
        found["gdb_ms"] = gdb_visit(target)
    return found


def measure_memory(stand):
    """KiB: what the program has more while a probe is armed, after 10,000
    captures, and after we left; the daemon with one target."""
    with stand.target() as target:
        target.call("measure_burst", "full", 2000)
        before = resident_kb(target.pid)
        daemon_before = resident_kb(stand.daemon.pid)
        stand.attach(target)
        probe = stand.client.probe(target.pid, "workloads:full", UNLIMITED)
        armed = resident_kb(target.pid)
        for _ in range(5):
            target.call("measure_burst", "full", 2000)
            stand.rest()
        captured = resident_kb(target.pid)
        daemon = resident_kb(stand.daemon.pid)
        probe.remove()
        stand.detach(target)
        after = resident_kb(target.pid)
    return {"armed": armed - before, "captured": captured - before,
            "left": after - before, "daemon": daemon,
            "daemon_more": daemon - daemon_before}


def attach_table(results):
    yield "%-13s %-5s %18s %18s %20s %20s %18s" % (
        "attach, us", "", "pause p50/p99/max", "floor p50/p99/max",
        "armed p50/p99/max", "detach p50/p99/max", "cold p50/max, ms")
    for name, result in results.items():
        for load in ("idle", "busy"):
            figures = result["attach"][load]
            cold = result["attach"]["cold_ms"]
            yield "%-13s %-5s %18s %18s %20s %20s %18s" % (name, load, *(
                "/".join("%.0f" % figures[what][part]
                         for part in ("p50", "p99", "max"))
                for what in ("pause", "floor", "armed", "detach")),
                "%.0f/%.0f" % (cold["p50"], cold["max"]))
        if result["attach"]["gdb_ms"]:
            yield "%-13s gdb comes and goes: %.0f ms" % (
                name, result["attach"]["gdb_ms"])


def memory_table(results):
    yield "%-13s %10s %10s %10s %10s %12s" % (
        "memory, KiB", "armed", "captured", "left", "daemon", "of that, new")
    for name, result in results.items():
        yield "%-13s %10d %10d %10d %10d %12d" % (name, *(
            result["memory"][key] for key in (
                "armed", "captured", "left", "daemon", "daemon_more")))
