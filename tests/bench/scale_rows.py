# SPDX-License-Identifier: MIT
"""How cost grows: probes 1 to 1,000, threads 1 to 500, frames 10 to 1,000,
targets 1 to 200."""
import time

from stand import BURST, UNLIMITED, median, resident_kb
from capture_rows import Hits, burst
from machine import Ended

PROBES = (1, 10, 100, 1000)
THREADS = (1, 10, 100, 500)
FRAMES = (10, 100, 1000)
TARGETS = (1, 10, 50, 200)
REPEAT = 5


def median_of(measure):
    return median([measure() for _ in range(REPEAT)])


def milliseconds(begun):
    return round((time.perf_counter() - begun) * 1000, 2)


def w1(target):
    return min(target.call("measure", "w1") for _ in range(3))


def measure_probes(stand):
    """With so many probes on other functions: a workload's ratio, and what a
    captured call costs; and what the last one took to set."""
    found = {}
    with stand.target() as target:
        target.call("many", max(PROBES))
        plain = median_of(lambda: burst(target, "hot", BURST)[1])
        before = w1(target)
        stand.attach(target)
        mine = Hits(stand, target, kind="calls", where="workloads:hot",
                    limits={"stack": 0})
        others = []
        for count in PROBES:
            while len(others) < count - 1:
                others.append(stand.client.probe(
                    target.pid, "workloads:many_%d" % len(others), UNLIMITED))
            begun = time.perf_counter()
            mine.on()
            took = milliseconds(begun)
            idle = w1(target) / before

            def call():
                ns = burst(target, "hot", BURST)[1]
                stand.rest()
                return ns
            found[count] = {"set_ms": took, "idle": round(idle, 3),
                            "call_ns": median_of(call) - plain}
            mine.probe.remove()
        stand.detach(target)
    return found


def measure_threads(stand):
    """With so many threads that wait: attach until armed, and the pause."""
    found = {}
    with stand.target() as target:
        for count in THREADS:
            target.call("crowd", count)
            armed, pauses = [], []
            for _ in range(REPEAT):
                begun = time.perf_counter()
                pauses.append(stand.attach(target)["pause_us"])
                stand.client.probe(target.pid, "workloads:hot",
                                   UNLIMITED).remove()
                armed.append(milliseconds(begun))
                stand.detach(target)
            found[count] = {"armed_ms": median(armed, 2),
                            "pause_us": median(pauses)}
    return found


def measure_frames(stand):
    """A captured call with ten frames of its stack, so deep; and with all."""
    found = {}
    with stand.target() as target:
        target.call("deep_enough", 1200)
        for frames in (10, 0):
            tool = Hits(stand, target, kind="calls", where="workloads:full",
                        limits={"stack": frames or 512, "record": 0})
            for depth in FRAMES:
                def run():
                    ns = int(target.ask(
                        timeout=60, call="measure_deep",
                        args=[depth, 200])["result"]) / 200
                    stand.rest()
                    return ns
                plain = median_of(run)
                tool.on()
                row = found.setdefault(depth, {})
                row["ten_ns" if frames else "all_ns"] = (
                    median_of(run) - plain)
                tool.off()
    return found


def measure_targets(stand):
    """One daemon and so many programs, each attached and with a probe."""
    found, targets = {}, []
    try:
        for count in TARGETS:
            while len(targets) < count:
                targets.append(stand.target())
                begun = time.perf_counter()
                stand.attach(targets[-1])
                stand.client.probe(targets[-1].pid, "workloads:hot",
                                   UNLIMITED)
                took = milliseconds(begun)
            begun = time.perf_counter()
            for target in targets:
                target.call("measure_burst", "hot", 20)
            stand.rest()
            found[count] = {"last_ms": took,
                            "daemon_kb": resident_kb(stand.daemon.pid)}
    finally:
        for target in targets:
            try:
                stand.detach(target)
            except (Ended, EOFError):
                pass
            target.stop()
    return found


def measure_scale(stand):
    return {"probes": measure_probes(stand),
            "threads": measure_threads(stand),
            "frames": measure_frames(stand),
            "targets": measure_targets(stand)}


def scale_table(results):
    for name, result in results.items():
        scale = result["scale"]
        for what, row in scale.items():
            keys = list(next(iter(row.values())))
            for key in keys:
                yield "%-13s %-8s %-10s %s" % (name, what, key, "  ".join(
                    "%d: %g" % (count, figures[key])
                    for count, figures in row.items()))
