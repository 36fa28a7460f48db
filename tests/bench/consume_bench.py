# SPDX-License-Identifier: MIT
"""How many records a second one Python client takes without loss, and a long
run at such a rate: BENCH_RECORDS (300000)."""
import os

from consumer import consume
from machine import ROOT, Target

SECONDS = 3  # of a trial
FIRST, STEP, MOST = 5000, 1.5, 200000  # records a second
CLIENT = ROOT / "clients" / "python"


def highest_rate(target, socket):
    """The highest of growing rates at which nothing was lost, 0: none."""
    found, rate = 0, FIRST
    while rate <= MOST:
        report = consume(target, socket, int(rate * SECONDS), rate, CLIENT)
        kept = report["taken"] / max(report["seconds"], 1e-9)
        if report["lost"] or kept < 0.9 * rate:
            break
        found, rate = rate, int(rate * STEP)
    return found


def measure_consumer(socket, python):
    """The rate, and what the long run says."""
    records = int(os.environ.get("BENCH_RECORDS", "300000"))
    with Target(python, "paced") as target:
        highest = highest_rate(target, socket)
        rate = max(highest // 2, 1000)
        report = consume(target, socket, records, rate, CLIENT)
    return dict(report, highest=highest, rate=rate)


def consume_rows(results):
    yield "%-13s %10s %10s %10s %6s %10s %10s" % (
        "client", "most a s", "taken", "a s", "lost", "peak kB", "grew kB")
    for name, result in results.items():
        one = result.get("consume")
        if one:
            yield "%-13s %10d %10d %10d %6d %10d %10d" % (
                name, one["highest"], one["taken"],
                one["taken"] / one["seconds"], one["lost"], one["peak_kb"],
                one["peak_kb"] - one["early_kb"])
