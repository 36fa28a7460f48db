#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""regrtest.py [options] FOLDER: CPython's own regression tests, as shipped with
each interpreter here, pass while the process that runs them is entered, probed
and left ten times a second.

Each module is first run alone. Tests that fail so are listed and left out by
name; what fails only while we are there is ours. Output of each run is kept as
FOLDER/PYTHON-MODULE.alone and .entered, the result as FOLDER/regrtest.json."""
import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import evidence
import report

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))

from machine import Daemon, find_interpreters  # noqa: E402
from rpc import RpcError  # noqa: E402

MODULES = (
    "test_json test_threading test_thread test_queue test_asyncio "
    "test_subprocess test_signal test_threadsignals test_sys_settrace "
    "test_sys_setprofile test_bdb test_trace test_generators test_coroutines "
    "test_asyncgen test_gc test_fork1 test_wait4 test_contextlib "
    "test_contextlib_async test_exceptions test_raise test_traceback "
    "test_weakref test_descr test_scope test_frame test_code test_dis "
    "test_inspect test_monitoring test_cprofile test_profile test_faulthandler "
    "test_atexit test_context test_contextvars test_concurrent_futures "
    "test_multiprocessing_fork test_tracemalloc test_unittest test_functools "
    "test_pickle test_dict test_list test_set test_sys test_capi "
    "test_selectors test_select test_epoll test_socket test_time "
    "test_sched test_warnings test_yield_from test_super test_dataclasses "
    "test_decimal test_re test_ctypes").split()
# Functions that nearly every module's tests run, and some of their own.
PLACES = ("json*:*", "asyncio*:*", "threading:*", "unittest.case:*",
          "contextlib:*", "subprocess:*", "queue:*", "test.{module}*:*",
          "tempfile:*", "weakref:*", "re:*", "traceback:*")
LIMITS = {"hits": 0, "rate": 50, "stack": 3}
# Neither does harm: to be tried again, or the run is just about to end.
PASSING = ("no-safe-thread", "timeout", "busy", "target-exited",
           "no-such-process", "zombie", "finalizing", "not-attached",
           "no-such-probe", "stopped", "agent", "attach-failed", "not-python",
           "not-permitted", "traced")
FAILED = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): "
                    r"(\w+)(?: \(([\w.<>]+)\))?", re.MULTILINE)
# The test that was running when the output ended.
BEGUN = re.compile(r"^(\w+) \(([\w.<>]+)\)(?:\n[^\n]*)? \.\.\. "
                   r"(?!ok|skip|FAIL)", re.MULTILINE)
# What an agent in the process may show, and why.
VISIBLE = {
    "*GCTests.test_get_count":
        "counts the containers made meanwhile, the agent's among them",
    "*ClassPropertiesAndMethods.test_slots":
        "compares the number of all containers before and after",
    "test_monitoring":
        "asserts before each test that no tool of sys.monitoring has an event",
    "*.test_prompt_cancellation":
        "a wait must end within 0.1 s: the agent holds the GIL for some of it",
}
CYCLES_WANTED = 30
REPEATS = 12


class Missing(Exception):
    """The interpreter has no such module; the reason."""


class Run:
    """One module on one interpreter."""

    def __init__(self, python, module, options):
        self.python = python
        self.module = module
        self.options = options
        self.base = options.folder / ("%s-%s" % (python.id, module))
        self.cycles = 0
        self.refused = {}
        self.messages = {}
        self.excluded = []
        self.visible = []
        self.failures = []
        self.skipped = None
        self.seconds = None

    def words(self, only=()):
        words = [self.python.path, "-X", "faulthandler", "-m", "test"]
        for name in self.excluded:
            words += ["-i", name]
        for name in only:
            words += ["-m", name]
        return words + ["-v", self.module]

    def start(self, kind, temporary, only=()):
        self.output = pathlib.Path("%s.%s" % (self.base, kind))
        env = dict(os.environ, TMPDIR=temporary)
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        with open(self.output, "wb") as stream:
            return subprocess.Popen(self.words(only), env=env, cwd=temporary,
                                    stdin=subprocess.DEVNULL, stdout=stream,
                                    stderr=stream, start_new_session=True)

    def finish(self, child):
        """Its exit status; None, and the evidence kept, when it hangs."""
        try:
            return child.wait(self.options.seconds)
        except subprocess.TimeoutExpired:
            return self.give_up(child)

    def give_up(self, child):
        pathlib.Path("%s.hung" % self.base).write_text(
            evidence.tasks(child.pid) + evidence.stacks(child.pid))
        child.kill()
        child.wait()
        return None

    def failed_tests(self):
        """Patterns of the tests that the last run names as failed."""
        text = self.output.read_text(errors="replace")
        named = FAILED.findall(text) or BEGUN.findall(text)[-1:]
        return sorted({pattern(test, where) for test, where in named
                       if not test.startswith(("setUp", "tearDown"))})

    def alone(self, kind="alone", only=()):
        """Runs it without us: the names that fail, or None: all of it."""
        with tempfile.TemporaryDirectory(prefix="regrtest-") as folder:
            status = self.finish(self.start(kind, folder, only))
        if status == 0:
            return []
        return self.failed_tests() or None

    def known_failures(self):
        """Those that fail without us, and the rest passes."""
        for _ in range(3):
            failed = self.alone()
            if failed == []:
                return
            if failed is None:
                raise Missing("fails without us: " + self.last_line())
            self.excluded += failed
        raise Missing("fails without us, each time otherwise: %s"
                      % " ".join(self.excluded))

    def last_line(self):
        lines = self.output.read_text(errors="replace").split("\n")
        return ([text for text in lines if text.strip()] or ["?"])[-1][:100]

    def check_module(self):
        found = subprocess.run(
            [self.python.path, "-c", "import test.regrtest, importlib.util as "
             "u, sys; sys.exit(not u.find_spec('test.' + sys.argv[1]))",
             self.module], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        if b"regrtest" in found.stderr or b"'test'" in found.stderr:
            raise Missing("its test package is not installed")
        if found.returncode:
            raise Missing("no such module in this version")

    def entered(self):
        """Runs it with us, short ones again and again: its status."""
        folder = tempfile.mkdtemp(prefix="nopdb-")
        began = time.monotonic()
        try:
            with Daemon(folder) as daemon:
                for _ in range(REPEATS):
                    status = self.entered_once(daemon)
                    if status != 0 or self.cycles >= CYCLES_WANTED:
                        return status
                return status
        finally:
            self.seconds = round(time.monotonic() - began, 1)
            shutil.rmtree(folder, ignore_errors=True)

    def entered_once(self, daemon):
        with tempfile.TemporaryDirectory(prefix="regrtest-") as folder:
            child = self.start("entered", folder)
            try:
                self.storm(daemon, child)
            except (EOFError, OSError, TimeoutError) as error:
                self.failures.append("%s: %s" % (type(error).__name__, error))
            return self.finish(child)

    def storm(self, daemon, child):
        """Cycles at the given rate until the child ends or hangs."""
        chance = random.Random(self.options.seed)
        end = time.monotonic() + self.options.seconds
        due = time.monotonic()
        with daemon.client() as client:
            while child.poll() is None and time.monotonic() < end:
                time.sleep(max(due - time.monotonic(), 0))
                due = max(due + 1 / self.options.rate, time.monotonic())
                if child.poll() is None and python_runs(child.pid):
                    self.cycle(client, child.pid, chance)

    def cycle(self, client, pid, chance):
        """Attach, two probes, a moment, detach."""
        places = [chance.choice(PLACES).format(module=self.module)
                  for _ in range(2)]
        try:
            client.call("attach", pid=pid, timeout=60)
            try:
                client.probe(pid, places[0], LIMITS)
                client.call("probe.add", pid=pid, kind="break", where=places[1],
                            limits=LIMITS, actions=[{"eval": "1 + 1"}])
                listen(client, chance.uniform(0, 0.05))
            finally:
                client.call("detach", pid=pid, timeout=60)
            self.cycles += 1
        except RpcError as error:
            if error.name not in PASSING:
                self.failures.append("%s: %s" % (
                    error.name, str(error).replace(str(pid), "PID")))
            self.refused[error.name] = self.refused.get(error.name, 0) + 1
            self.messages.setdefault(error.name, error.message)
        del client.records[:]

    def judge(self):
        """Runs it with us; what then fails must pass alone to be ours."""
        status = self.entered()
        if not self.cycles:
            self.failures.append("over before it was entered, each time")
        if status == 0:
            return
        failed = self.failed_tests() if status is not None else None
        if not failed or status is None:
            self.failures.append("hung" if status is None else
                                 "ended with %d: %s" % (status,
                                                        self.last_line()))
            return
        unsteady = set()
        for _ in range(3):
            unsteady.update(self.alone("again", failed) or [])
        self.excluded += sorted(unsteady)
        for name in failed:
            if explained(self.module, name):
                self.visible.append(name)
            elif name not in unsteady:
                self.failures.append(name)

    def __call__(self):
        try:
            self.check_module()
            self.known_failures()
            self.judge()
        except Missing as reason:
            self.skipped = str(reason)
        return self

    def figures(self):
        return {"python": self.python.id, "module": self.module,
                "cycles": self.cycles, "seconds": self.seconds,
                "refused": self.refused, "messages": self.messages,
                "visible": self.visible, "failed": len(self.failures),
                "failures": self.failures[:20], "excluded": self.excluded,
                "skipped": self.skipped}

    def __str__(self):
        head = "%-12s %-26s" % (self.python.id, self.module)
        if self.skipped:
            return head + "skipped: " + self.skipped
        lines = [head + "%5d cycles %7.1f s %3d failed  %s" % (
            self.cycles, self.seconds, len(self.failures),
            " ".join("%s:%d" % pair for pair in sorted(self.refused.items())))]
        lines += ["    fails without us: " + name for name in self.excluded]
        lines += ["    sees us: %s: %s" % (
            name, explained(self.module, name))
                  for name in self.visible]
        times = collections.Counter(self.failures)
        lines += ["    FAILED: %s%s" % (
            name, " (%d times)" % count if count > 1 else "")
            for name, count in times.items()]
        return "\n".join(lines)


def pattern(test, where):
    """test_x and test.test_m.Class, 3.11+ test.test_m.Class.test_x, as -i and
    -m take it."""
    words = [word for word in where.split(".") if word != test]
    return "*%s.%s" % (words[-1], test) if words else test


def explained(module, name):
    """Why this test may fail with us; None: it may not."""
    for known, reason in VISIBLE.items():
        if known == module or fnmatch.fnmatch(name, known):
            return reason
    return None


def listen(client, seconds):
    """Takes the records that come meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not client.pump(end - time.monotonic()):
            raise EOFError("the daemon is gone")


def python_runs(pid):
    """Past chroot and exec: the interpreter itself."""
    try:
        return "python" in os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return False


def few(pythons, count):
    """So many of them, old to new; of those that are not in a root of their
    own, which has no test package."""
    plain = [python for python in pythons if not python.id.startswith("forky")]
    last = len(plain) - 1
    return [plain[last * step // max(count - 1, 1)]
            for step in range(min(count, len(plain)))]


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-m", "--modules", default="", metavar="NAME,...")
    parser.add_argument("-p", "--pythons", default="", metavar="ID,...")
    parser.add_argument("--few", type=int, default=0, metavar="K",
                        help="K interpreters")
    parser.add_argument("-j", "--jobs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=10,
                        help="cycles a second")
    parser.add_argument("--seconds", type=float, default=900,
                        help="a run that takes longer hangs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("folder", type=pathlib.Path)
    return parser.parse_args()


def write(options, here, rows):
    (options.folder / "regrtest.json").write_text(json.dumps(
        {"machine": here, "rate": options.rate,
         "rows": [row.figures() for row in rows]}, indent=1))


def totals(rows):
    ran = [row for row in rows if not row.skipped]
    return "regrtest: %d runs, %d cycles, %d failed, %d skipped" % (
        len(ran), sum(row.cycles for row in ran),
        sum(bool(row.failures) for row in ran), len(rows) - len(ran))


def main():
    options = parse()
    os.environ.pop("NOPDB_FEW", None)
    # In the background of a shell it is ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    modules = options.modules.split(",") if options.modules else MODULES
    wanted = options.pythons.split(",") if options.pythons else None
    pythons = find_interpreters()
    if options.few:
        pythons = few(pythons, options.few)
    here, rows = report.machine(), []
    runs = [Run(python, module, options) for module in modules
            for python in pythons if not wanted or python.id in wanted]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run) for run in runs]):
            rows.append(done.result())
            print(rows[-1], flush=True)
            write(options, here, rows)
    print(totals(rows))
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
