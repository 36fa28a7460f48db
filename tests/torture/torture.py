#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""torture.py [options] FOLDER: enters programs of every kind again and again,
by the daemon's socket, and shows that none of them notices.

A cycle is attach, probe, captured call, detach. Writes FOLDER/result.json and
FOLDER/table.txt, and FOLDER/evidence/CELL-PYTHON/ of a cell that failed."""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import evidence
import report
from cells import CELLS
from programs import Beginning, Ending, Unavailable

import proc
from machine import BUILD, Daemon, find_interpreters
from rpc import RpcError

LIMITS = {"hits": 0, "rate": 0, "stack": 3}
LINE_LIMITS = {"hits": 0, "rate": 200}
# Refusals that leave the program alone and say "try again".
AGAIN = ("no-safe-thread", "timeout", "busy")
TRIES = 5
# What may be answered about a program that is just about to end.
ENDED = AGAIN + ("target-exited", "no-such-process", "zombie", "finalizing",
                 "not-permitted", "not-python", "agent", "attach-failed",
                 "not-attached", "no-such-probe", "stopped")
# ... and about one that only begins; a foreign root's by another program.
BEGUN = AGAIN + ("finalizing", "bad-location", "not-python")
FAILURES_MAX = 5
RSS_SLACK_KB = 4000
# An allocator keeps more for each thread that came to use it; what a program
# of 200 threads holds stops growing after some hundred cycles.
RSS_THREAD_KB = 50
CODE_SLACK = 3


def attach(client, pid, row):
    """Attaches; asks again as often as a user would who is told to."""
    for attempt in range(TRIES):
        try:
            answer = client.call("attach", pid=pid, timeout=30)
            row.took(answer)
            return
        except RpcError as error:
            if error.name not in AGAIN or attempt == TRIES - 1:
                raise
            row.refuse(error.name)
            time.sleep(0.02)


def cycle(client, program, cell, row, chance):
    pid = chance.choice(program.pids())
    attach(client, pid, row)
    with client.probe(pid, cell.where, LIMITS) as probe:
        probe.calls(1, timeout=20)
    client.call("detach", pid=pid)
    del client.records[:]
    assert program.alive(), "the target is gone"


def lines_cycle(client, program, cell, row, chance):
    """Left with its lines armed, while the program runs them."""
    pid = chance.choice(program.pids())
    attach(client, pid, row)
    for where, line in cell.lines:
        client.call("probe.add", pid=pid, kind="break", where=where, line=line,
                    limits=LINE_LIMITS, actions=[{"eval": "len(locals())"}])
    client.wait(lambda: any(record["event"] == "hit"
                            for record in client.records), 20, "a hit")
    time.sleep(chance.random() * 0.02)
    client.call("detach", pid=pid, timeout=30)
    del client.records[:]
    assert program.alive(), "the target is gone"


def visit(client, pid, row, allowed):
    """As far as the program, which is not there for long, lets us."""
    try:
        row.took(client.call("attach", pid=pid, timeout=30))
        with client.probe(pid, "__main__:tick", LIMITS):
            time.sleep(0.005)
        client.call("detach", pid=pid)
    except RpcError as error:
        if error.name not in allowed or " signal " in str(error):
            raise
        row.refuse(error.name)
    del client.records[:]


def ending_cycle(client, program, cell, row, chance):
    """The program ends somewhere on our way; it must end as ever."""
    pid, delay = program.renew()
    timer = threading.Timer(delay, program.end)
    timer.start()
    try:
        visit(client, pid, row, ENDED)
    finally:
        timer.join()
    program.check_end()


def beginning_cycle(client, program, cell, row, chance):
    """The program begins as we come, and goes on as ever."""
    def come(pid):
        time.sleep(chance.uniform(0, 0.03))
        visit(client, pid, row, BEGUN)
    program.run(come)


PASSING = {Beginning: beginning_cycle, Ending: ending_cycle}


def measure_floor(program, count):
    """What an empty stop of the first thread costs, now, here."""
    done = subprocess.run(
        [str(BUILD / "test" / "injector" / "floor"), str(program.pids()[0]),
         str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout.decode()) if done.returncode == 0 else None


def assert_nothing_left(program, before):
    for pid in program.pids():
        proc.wait_until(lambda: not proc.agent_left(pid), 10,
                        "departure of the agent from %d" % pid)
    after = program.snapshot()
    if before and after:
        slack = RSS_SLACK_KB + RSS_THREAD_KB * len(before.threads)
        found = before.differences(after, slack, CODE_SLACK)
        assert not found, found


def cycle_of(cell):
    if cell.lines:
        return lines_cycle
    return PASSING.get(cell.start, cycle)


class Run:
    def __init__(self, options):
        self.options = options
        self.folder = options.folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows = []
        self.machine = report.machine()

    def fail(self, row, error, program, daemon):
        """Notes a failure; the evidence is that of the first."""
        row.failures.append("%s: %s" % (type(error).__name__,
                                        str(error)[:300]))
        if len(row.failures) == 1:
            evidence.keep(self.folder / "evidence" / (
                row.cell + "-" + row.python), error, program, daemon)

    def cycles(self, client, program, cell, row, daemon):
        """N of them, or until the end of the cell's time."""
        chance = random.Random(self.options.seed)
        one = cycle_of(cell)
        end = time.monotonic() + self.options.seconds
        while row.cycles < self.options.cycles and time.monotonic() < end:
            row.cycles += 1
            try:
                one(client, program, cell, row, chance)
            except (AssertionError, OSError, EOFError, RpcError,
                    TimeoutError) as error:
                self.fail(row, error, program, daemon)
                if (len(row.failures) >= FAILURES_MAX or client.closed
                        or not program.alive()):
                    return

    def cell(self, cell, python, row, daemon):
        with cell.start(python) as program, daemon.client() as client:
            if cell.where:
                row.floor = measure_floor(program, 50)
                for _ in range(2):
                    cycle(client, program, cell, report.Row(cell, python),
                          random)
            before = program.snapshot()
            self.cycles(client, program, cell, row, daemon)
            try:
                assert_nothing_left(program, before)
                program.check()
            except Exception as error:
                self.fail(row, error, program, daemon)

    def one(self, cell, python):
        """One row: a daemon of its own, so that its log is the cell's."""
        row = report.Row(cell, python)
        folder = tempfile.mkdtemp(prefix="nopdb-")
        try:
            with Daemon(folder) as daemon:
                self.cell(cell, python, row, daemon)
        except Unavailable as reason:
            row.skipped = str(reason)
        except Exception as error:
            row.failures.append("%s: %s" % (type(error).__name__, error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self.rows.append(row)
        print(row, flush=True)
        for failure in row.failures:
            print("    " + failure, flush=True)
        report.write(self.folder, self.machine, self.rows)

    def all(self, cells, pythons):
        print(report.heading(), flush=True)
        for number, cell in enumerate(cells):
            chosen = pythons
            if self.options.few:
                chosen = rotate(pythons, number, self.options.few)
            for python in chosen:
                self.one(cell, python)
        print(report.totals(self.rows))
        return any(row.failures for row in self.rows)


def rotate(pythons, number, count):
    """A few of them, others for each cell; the distribution's always."""
    chosen = [pythons[(number + step * len(pythons) // count) % len(pythons)]
              for step in range(count)]
    chosen += [python for python in pythons
               if python.path.startswith("/usr/bin/")]
    return sorted(set(chosen), key=pythons.index)


def chosen(names, known, kind):
    """Those of known that are named, all when none is."""
    by_name = {getattr(one, kind): one for one in known}
    for name in names:
        if name not in by_name:
            raise SystemExit("torture: no %s; there are: %s" % (
                name, " ".join(by_name)))
    return [by_name[name] for name in names] or known


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-n", "--cycles", type=int, default=1000)
    parser.add_argument("-c", "--cells", default="", metavar="NAME,...")
    parser.add_argument("-p", "--pythons", default="", metavar="ID,...")
    parser.add_argument("--few", type=int, default=0, metavar="K",
                        help="K interpreters a cell, others for each")
    parser.add_argument("--seconds", type=float, default=3600,
                        help="a cell on an interpreter ends after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("folder", type=pathlib.Path)
    return parser.parse_args()


def main():
    options = parse()
    os.environ.pop("NOPDB_FEW", None)
    cells = chosen(options.cells.split(",") if options.cells else [], CELLS,
                   "name")
    pythons = chosen(options.pythons.split(",") if options.pythons else [],
                     find_interpreters(), "id")
    return 1 if Run(options).all(cells, pythons) else 0


if __name__ == "__main__":
    sys.exit(main())
