# SPDX-License-Identifier: MIT
"""Entering a program on musl. The host is a stub, named so: it exports what an
interpreter exports and has threads that allocate, but is none, because no
CPython for musl can be had from Debian. What is tried is the entry: the safe
thread, mmap, thread creation, musl's dlopen, the way back."""
import json
import select
import signal
import subprocess

import pytest

import proc
from examine import doctor
from machine import BUILD, PROGRAMS

HOST = PROGRAMS / "musl_host"
ENTER = BUILD / "test" / "injector" / "enter"
AGENT = BUILD / "test" / "injector" / "empty_agent.so"
CYCLES = 30

pytestmark = pytest.mark.skipif(not HOST.exists(),
                                reason="no musl-gcc: no stub host on musl")


class Host:
    """A stub host; its standard input stays open and silent."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [str(HOST), *words], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, universal_newlines=True)
        self.pid = self.read()["ready"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self):
        assert select.select([self.process.stdout], [], [], 20)[0]
        return json.loads(self.process.stdout.readline())

    def rounds(self):
        self.process.send_signal(signal.SIGUSR1)
        report = self.read()
        assert report["bad"] == 0
        return report["rounds"]


def enter(pid, cycles):
    return subprocess.run([str(ENTER), str(pid), str(cycles), str(AGENT)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=120)


@pytest.mark.parametrize("how", [("poll",), ("lock",), ("sleep",),
                                 ("poll", "ids")])
def test_entered(how):
    """Its malloc is as it was, whatever its threads did meanwhile; and all of
    them, ours too, take part in a change of ids."""
    with Host(*how) as host:
        threads = proc.threads(host.pid)
        before = host.rounds()
        done = enter(host.pid, CYCLES)
        assert done.returncode == 0, done.stdout
        assert "ok %d failed 0" % CYCLES in done.stdout
        assert proc.threads(host.pid) == threads
        assert host.rounds() > before


def test_refused_with_its_cause():
    """musl has no unwind tables: of a lone thread in read() it cannot be told
    whether a lock is held, and it is left alone."""
    with Host("read", "alone") as host:
        before = proc.Snapshot(host.pid)
        done = enter(host.pid, 1)
        assert done.returncode == 1, done.stdout
        assert "no-safe-thread" in done.stdout
        assert "thread %d: waits in libc.so [try again]" % host.pid \
            in done.stdout
        assert before.differences(proc.Snapshot(host.pid), 1000) == []
        host.rounds()


def test_doctor_says_so(cli):
    with Host("poll") as host:
        status, checks = doctor(cli, host.pid)
        assert status == 0, checks
        assert checks["version"]["result"] == "warn"
        assert "musl" in checks["version"]["detail"]
        assert "mappings" in checks["version"]["remedy"]
