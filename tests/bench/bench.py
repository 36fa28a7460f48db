# SPDX-License-Identifier: MIT
"""bench.py DIR: measures nopdb beside whatever else traces Python, in one run;
writes a table to stdout and DIR/bench.txt, DIR/bench.json and plots,
DIR/*.svg. README.md beside this file has the method.

ROWS=name,name chooses rows, NOPDB_PYTHONS interpreters, PEERS folders with
packages of others. Rows that do not depend on the interpreter's version are
measured on one of each engine, unless NOPDB_PYTHONS or BENCH_ALL says more."""
import datetime
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time
import traceback

from stand import Stand, processor    # first: it finds tests/live

import goals
import plots
from attach_rows import (attach_table, measure_attach, measure_memory,
                         memory_table)
from capture_rows import (floors_table, hit_table, measure_calls,
                          measure_floors, measure_lines, measure_rate,
                          rate_table)
from consume_bench import consume_rows, measure_consumer
from debugpy_rows import debugpy_table, measure_debugpy
from idle_rows import (after_table, idle_table, measure_after, measure_idle,
                       measure_programs, programs_table)
from machine import ROOT, Daemon, find_interpreters, one_of_each_engine
from scale_rows import measure_scale, scale_table
from stack_bench import measure_stacks, stack_rows
from stream_rows import measure_stream, stream_table
from web_rows import measure_web, web_table

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- make bench: -->", "<!-- :make bench -->"
EACH, FEW, SYSTEM = "each", "few", "system"     # interpreters of a row


def stacks(stand):
    return measure_stacks(stand.client, stand.daemon.socket, stand.python)


def consume(stand):
    return measure_consumer(stand.daemon.socket, stand.python)


ROWS = {
    "floors": (measure_floors, floors_table, FEW),
    "idle": (measure_idle, idle_table, EACH),
    "calls": (measure_calls, hit_table(
        "call, ns", "calls", "nopdb"), EACH),
    "lines": (measure_lines, hit_table(
        "line, ns", "lines", "nopdb, eval"), EACH),
    "after": (measure_after, after_table, EACH),
    "attach": (measure_attach, attach_table, EACH),
    "memory": (measure_memory, memory_table, EACH),
    "stacks": (stacks, stack_rows, FEW),
    "programs": (measure_programs, programs_table, FEW),
    "rate": (measure_rate, rate_table, FEW),
    "stream": (measure_stream, stream_table, FEW),
    "consume": (consume, consume_rows, FEW),
    "scale": (measure_scale, scale_table, FEW),
    "debugpy": (measure_debugpy, debugpy_table, SYSTEM),
    "web": (measure_web, web_table, SYSTEM),
}


def chosen_rows():
    names = [name for name in os.environ.get("ROWS", "").split(",") if name]
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        sys.exit("bench: no such row: %s\n  remedy: ROWS is of %s" % (
            ", ".join(unknown), ", ".join(ROWS)))
    return names or list(ROWS)


def interpreters_of(kind, pythons):
    if kind == SYSTEM:
        return [python for python in pythons
                if python.path.startswith("/usr/bin/")]
    if kind == EACH or os.environ.get("NOPDB_PYTHONS") or os.environ.get(
            "BENCH_ALL"):
        return pythons
    return one_of_each_engine(pythons)


def about():
    return {"date": datetime.date.today().isoformat(),
            "processor": processor(), "kernel": platform.release(),
            "load_before": os.getloadavg()[0]}


def measure(folder, names, pythons):
    """{row: {interpreter: figures}}, written after each row: a run that is
    broken off leaves what it has. A row that failed is named at the end."""
    failed = []
    found = {"about": about()}
    few = interpreters_of(FEW, pythons)
    private = tempfile.mkdtemp(prefix="nopdb-")
    try:
        with Daemon(private) as daemon, daemon.client() as client:
            for name in names:
                begun = time.monotonic()
                found[name] = {}
                for python in interpreters_of(ROWS[name][2], pythons):
                    stand = Stand(daemon, client, python, python in few)
                    try:
                        result = ROWS[name][0](stand)
                    except Exception:  # the other rows are worth having
                        traceback.print_exc()
                        failed.append("%s of %s" % (name, python.id))
                        continue
                    found[name][python.id] = {name: result}
                print("bench: %-9s %4d s" % (name, time.monotonic() - begun),
                      file=sys.stderr, flush=True)
                (folder / "bench.json").write_text(
                    json.dumps(found, indent=1) + "\n")
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return found, failed


def table(found):
    what = found["about"]
    yield "%s, %s, Linux %s" % (what["date"], what["processor"],
                                what["kernel"])
    for name in ROWS:
        if found.get(name):
            yield ""
            yield from ROWS[name][1](found[name])
    yield from goals.table(found)


def keep(text):
    """The table of a whole run goes into docs/performance.md, between the
    lines that mark its place."""
    before, mark, rest = DOCUMENT.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if mark and end:
        DOCUMENT.write_text("%s%s\n```\n%s```\n%s%s" % (
            before, BEGIN, text, END, after))


def main():
    folder = pathlib.Path(sys.argv[1])
    found, failed = measure(folder, chosen_rows(), find_interpreters())
    text = "\n".join(table(found)) + "\n"
    (folder / "bench.txt").write_text(text)
    plots.draw(folder, found)
    if not failed and not os.environ.get("ROWS") and not os.environ.get(
            "NOPDB_PYTHONS"):
        keep(text)
    print(text, end="")
    if failed:
        sys.exit("bench: failed: " + ", ".join(failed))


if __name__ == "__main__":
    main()
