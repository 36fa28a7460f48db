# SPDX-License-Identifier: MIT
"""The victims of the torture: programs of tests/live/targets/, and servers and
debuggers of the distribution that embed or fork an interpreter.

Each is a context manager with `pids()`, the processes to enter, `check()`,
which raises when one of them was harmed, and `snapshot()`."""
import contextlib
import glob
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

import proc  # noqa: E402
from machine import PROGRAMS, TARGETS, Target  # noqa: E402

ENDINGS = {"exit": 3, "exec": 7, "kill": -9, "finalize": 3}


class Unavailable(Exception):
    """The cell cannot run here; the reason."""


def library(name):
    """The path of a library of the distribution, for LD_PRELOAD."""
    found = sorted(glob.glob("/usr/lib/*/" + name))
    if not found:
        raise Unavailable(name + " is not installed")
    return found[0]


def need(*commands):
    for command in commands:
        if not shutil.which(command):
            raise Unavailable(command + " is not installed")


def need_distribution(python):
    if not python.path.startswith("/usr/bin/"):
        raise Unavailable("for the distribution's interpreter")


class Single:
    """One program of targets/."""

    def __init__(self, python, module, *args, script=False, preload=None,
                 moving=False):
        env = {"LD_PRELOAD": library(preload)} if preload else None
        if preload and python.id.startswith("forky"):
            raise Unavailable("no %s in the foreign root" % preload)
        self.moving = moving
        self.target = Target(python, module, *args, script=script, env=env)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.target.stop()

    def pids(self):
        return [self.target.pid]

    def alive(self):
        return proc.alive(self.target.pid)

    def check(self):
        """Alive, its sums right, every thread going on."""
        try:
            self.target.check_progress()
        except BaseException:
            sys.stderr.write(self.target.stderr())
            raise

    def snapshot(self):
        return None if self.moving else proc.Snapshot(self.target.pid)

    def output(self):
        return self.target.stderr()


class Numpy(Single):
    def __init__(self, python):
        probe = subprocess.run([python.path, "-c", "import numpy"],
                               stderr=subprocess.DEVNULL)
        if probe.returncode:
            raise Unavailable("it has no numpy")
        super().__init__(python, "lone", "numpy", script=True)


class Group:
    """Programs of the distribution, in a folder of their own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="torture-")
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        self.children = []

    def start(self, *words, **options):
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
        child = subprocess.Popen([str(word) for word in words],
                                 stdin=options.pop("stdin",
                                                   subprocess.DEVNULL),
                                 stdout=options.pop("stdout", self.log),
                                 stderr=self.log, env=env, **options)
        self.children.append(child)
        return child

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
            child.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def alive(self):
        return all(child.poll() is None for child in self.children)

    def snapshot(self):
        return None

    def output(self):
        self.log.seek(0)
        return self.log.read()[-4000:].decode(errors="replace")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server(Group):
    """A web server whose workers are entered while wrk asks; not one request
    may fail."""

    def __init__(self, python):
        need_distribution(python)
        need("wrk")
        super().__init__()
        self.port = free_port()
        self.master = self.start(*self.command(python), cwd=str(TARGETS))
        try:
            self.expect_answer()
            self.first = self.pids()
            self.load = self.start("wrk", "-t1", "-c4", "-d", "1h", self.url(),
                                   stdout=subprocess.PIPE,
                                   universal_newlines=True)
        except BaseException:
            sys.stderr.write(self.output())
            self.__exit__(None, None, None)
            raise

    def url(self):
        return "http://127.0.0.1:%d/" % self.port

    def expect_answer(self):
        def answers():
            if self.master.poll() is not None:
                raise Unavailable("the server ended: " + self.output())
            try:
                return urllib.request.urlopen(self.url(), timeout=5).read()
            except (urllib.error.URLError, OSError):
                return None
        assert proc.wait_until(answers, 20, "answer") == b"42\n"

    def pids(self):
        """The workers."""
        path = "/proc/%d/task/%d/children" % (self.master.pid,
                                              self.master.pid)
        with open(path) as stream:
            return sorted(int(word) for word in stream.read().split())

    def check(self):
        """The same workers as ever, and nothing wrong with any request."""
        self.load.send_signal(signal.SIGINT)
        report = self.load.communicate(timeout=30)[0]
        assert "Socket errors" not in report, report
        assert "Non-2xx" not in report, report
        requests = re.search(r"(\d+) requests in", report)
        assert requests and int(requests.group(1)) > 0, report
        self.expect_answer()
        assert self.pids() == self.first, (self.pids(), self.first,
                                           self.output())

    def alive(self):
        return self.master.poll() is None and self.pids() == self.first


class Gunicorn(Server):
    def command(self, python):
        need("gunicorn")
        return (python.path, "-m", "gunicorn.app.wsgiapp", "-w", "4", "-b",
                "127.0.0.1:%d" % self.port, "--log-level", "warning",
                "webapp:application")

    def expect_answer(self):
        super().expect_answer()
        proc.wait_until(lambda: len(self.pids()) == 4, 20, "four workers")


class Uwsgi(Server):
    def command(self, python):
        need("uwsgi")
        return ("uwsgi", "--plugin", "python3", "--http-socket",
                "127.0.0.1:%d" % self.port, "--wsgi-file", "webapp.py",
                "--pythonpath", TARGETS, "--master", "--processes", "2",
                "--enable-threads", "--die-on-term", "--disable-logging",
                "--add-header", "Connection: close")


class Postgres(Group):
    """A PostgreSQL server's process that runs a function in PL/Python, as a
    user other than root; it is asked as much as it asks."""

    FUNCTION = """
CREATE EXTENSION plpython3u;
CREATE FUNCTION work(path text) RETURNS int AS $$
import os, time
def tick(number):
    return number + 1
number = 0
with open(path, "w") as stream:
    while True:
        number = tick(number)
        answer = plpy.execute("SELECT %d * 2 AS twice" % number)
        if answer[0]["twice"] != number * 2:
            plpy.error("wrong: %r" % answer)
        stream.seek(0)
        stream.write("%d %d\\n" % (os.getpid(), number))
        stream.flush()
        time.sleep(0.001)
$$ LANGUAGE plpython3u;
SELECT work('%s');
"""

    def __init__(self, python):
        need_distribution(python)
        need("setpriv")
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        if not found or not glob.glob("/usr/lib/postgresql/*/lib/plpython3.so"):
            raise Unavailable("no PostgreSQL with PL/Python is installed")
        super().__init__()
        self.bin = os.path.dirname(found[-1])
        self.data = os.path.join(self.folder, "data")
        self.count = os.path.join(self.data, "count")
        self.backend = None
        shutil.chown(self.folder, "postgres")
        try:
            self.begin()
        except BaseException:
            sys.stderr.write(self.output())
            self.__exit__(None, None, None)
            raise

    def run(self, program, *words, **options):
        """Starts a program of PostgreSQL as its own user."""
        return self.start("setpriv", "--reuid=postgres", "--regid=postgres",
                          "--clear-groups", os.path.join(self.bin, program),
                          *words, cwd=self.folder, **options)

    def begin(self):
        made = self.run("initdb", "-A", "trust", "-N", "-D", self.data)
        assert made.wait(60) == 0
        self.children.remove(made)
        self.run("postgres", "-D", self.data, "-k", self.folder, "-c",
                 "listen_addresses=", "-F")
        proc.wait_until(lambda: glob.glob(self.folder + "/.s.PGSQL.*"), 20,
                        "socket of PostgreSQL")
        query = os.path.join(self.folder, "query")
        with open(query, "w") as stream:
            stream.write(self.FUNCTION.replace("'%s'", "'%s'" % self.count))
        time.sleep(0.5)
        self.run("psql", "-h", self.folder, "-U", "postgres", "-v",
                 "ON_ERROR_STOP=1", "-f", query, "postgres")
        self.backend = proc.wait_until(self.progress, 20, "the function")[0]

    def __exit__(self, kind, error, trace):
        """The server's processes have groups of their own: this one would go
        on for ever."""
        if self.backend:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.backend, signal.SIGKILL)
        super().__exit__(kind, error, trace)

    def progress(self):
        """The server process's id, and how often it went round."""
        try:
            with open(self.count) as stream:
                words = stream.read().split("\n")[0].split()
        except OSError:
            return None
        return tuple(map(int, words)) if len(words) == 2 else None

    def pids(self):
        return [self.backend]

    def check(self):
        before = self.progress()
        proc.wait_until(lambda: self.progress() > before, 20,
                        "progress in PostgreSQL: " + self.output())
        assert self.progress()[0] == self.backend
        assert self.alive(), self.output()


class Gdb(Group):
    """The interpreter inside gdb, which runs lone.py."""

    SCRIPT = ("python import sys, threading; sys.path.insert(0, %r); "
              "sys.argv = ['lone.py', 'asleep']; import lone; lone.main()")

    def __init__(self, python):
        need_distribution(python)
        need("gdb")
        super().__init__()
        read, self.commands = os.pipe()
        self.gdb = self.start("gdb", "-nx", "-q", "-batch", "-ex",
                              self.SCRIPT % str(TARGETS), stdin=read,
                              stdout=subprocess.PIPE)
        os.close(read)
        assert b"ready" in self.gdb.stdout.readline(), self.output()

    def __exit__(self, kind, error, trace):
        os.close(self.commands)
        super().__exit__(kind, error, trace)

    def pids(self):
        return [self.gdb.pid]

    def rounds(self):
        os.write(self.commands, b'{"status": true}\n')
        line = self.gdb.stdout.readline()
        assert b'"bad": []' in line, line
        return int(re.search(rb'"main": (\d+)', line).group(1))

    def check(self):
        before = self.rounds()
        time.sleep(0.1)
        assert self.rounds() > before


class Ending:
    """A program that ends as we enter; a new one for each cycle."""

    moving = True

    def __init__(self, python):
        self.python = python
        self.chance = random.Random(7)
        self.number = 0
        self.target = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.target:
            self.target.stop()

    def renew(self):
        """The next kind of end, and when it is to come, in seconds."""
        self.kind = sorted(ENDINGS)[self.number % len(ENDINGS)]
        self.number += 1
        self.target = Target(self.python, "ends", self.kind, script=True)
        self.target.ended = True
        return self.target.pid, self.chance.uniform(0, 0.04)

    def end(self):
        self.target.send(end=True)

    def check_end(self):
        """It ended, as it would have without us."""
        status = self.target.process.wait(20)
        errors = self.target.stderr()
        self.target.stop()
        self.target = None
        assert status == ENDINGS[self.kind], (self.kind, status, errors)
        assert not errors, (self.kind, errors)

    def pids(self):
        return [self.target.pid] if self.target else []

    def alive(self):
        return True

    def check(self):
        pass

    def snapshot(self):
        return None

    def output(self):
        return self.target.stderr() if self.target else ""


class Beginning(Ending):
    """A program that begins as we enter; a new one for each cycle."""

    def run(self, visit):
        """From its begin, when visit(pid) is called, to its end."""
        self.kind = "exit"
        self.target = Target(self.python, "ends", self.kind, script=True,
                             begun=visit)
        self.target.ended = True
        self.end()
        self.check_end()


__all__ = ["Beginning", "Ending", "Gdb", "Gunicorn", "Numpy", "PROGRAMS",
           "Postgres", "Single", "Unavailable", "Uwsgi"]
