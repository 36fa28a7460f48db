# SPDX-License-Identifier: MIT
"""The processes of a test: interpreters, targets, daemons, the command."""
import ast
import collections
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

import proc
from rpc import Client

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGETS = HERE / "targets"
BUILD = pathlib.Path(os.environ.get("NOPDB_BUILD", ROOT / "build")).resolve()
PROGRAMS = BUILD / "test" / "targets"
MINORS = range(7, 16)

Interpreter = collections.namedtuple("Interpreter", "id version path")


def find_interpreters():
    """What scripts/pythons finds, oldest first."""
    listing = subprocess.run([str(ROOT / "scripts" / "pythons")], cwd=ROOT,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             universal_newlines=True, check=True).stdout
    found = []
    for line in listing.splitlines():
        name, version, path = line.split(" ", 2)
        found.append(Interpreter(
            name, tuple(int(part) for part in version.split(".")), path))
    found.sort(key=lambda python: (python.version, python.id))
    if os.environ.get("NOPDB_FEW"):
        return one_of_each_engine(found)
    return found


def one_of_each_engine(found):
    """The newest interpreter before 3.12, and the newest of all plain ones."""
    plain = [python for python in found if not python.id.startswith("forky")]
    hooks = [python for python in plain if python.version < (3, 12)]
    monitoring = [python for python in plain if python.version >= (3, 12)]
    return hooks[-1:] + monitoring[-1:]


class Ended(Exception):
    """The target is gone."""


class Target:
    """A program of targets/ under an interpreter; ours to end, and only it.
    `begun` is called with its pid before it has said that it is ready."""

    def __init__(self, python, module, *args, prefix=(), script=False,
                 env=None, begun=None):
        program = [TARGETS / (module + ".py")] if script else [
            TARGETS / "run.py", module]
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                           NOPDB_BIND="%s:%s" % (TARGETS, PROGRAMS),
                           NOPDB_PROGRAMS=str(PROGRAMS))
        environment.update(env or {})
        self.python = python
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [str(word) for word in (*prefix, python.path, *program, *args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, env=environment, bufsize=0)
        self.pending = b""
        self.ended = False
        try:
            if begun:
                begun(self.process.pid)
            self.pid = self.read(20)["ready"]
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None and not self.ended:
                self.check()
        finally:
            self.stop()

    def read(self, timeout=30.0):
        """The next JSON line of the target."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self.pending:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError("target %d is silent, state %s" % (
                    self.process.pid, proc.state(self.process.pid)))
            chunk = os.read(self.process.stdout.fileno(), 1 << 20)
            if not chunk:
                raise Ended("target ended with %r: %s" % (
                    self.process.wait(), self.stderr()))
            self.pending += chunk
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line.decode())

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read()[-4000:]

    def send(self, **command):
        """Sends a command without waiting for its answer."""
        self.process.stdin.write(json.dumps(command).encode() + b"\n")

    def ask(self, timeout=30.0, **command):
        self.send(**command)
        return self.read(timeout)

    def call(self, function, *args, **kwargs):
        """Calls a function of the target's module; its result, by literal
        where it has one. An exception comes as {"exception", "message"}."""
        answer = self.ask(call=function, args=args, kwargs=kwargs)
        if "result" not in answer:
            return answer
        try:
            return ast.literal_eval(answer["result"])
        except (ValueError, SyntaxError):
            return answer["result"]

    def start(self, function, *args, name=None):
        """The same in a thread of the target."""
        return self.ask(start=function, args=args, name=name)["started"]

    def status(self):
        return self.ask(status=True)

    def rounds(self):
        return self.status()["rounds"]

    def check(self):
        """Alive, answering, its sums right."""
        status = self.status()
        assert not status.get("bad"), status["bad"]
        assert proc.status_field(self.pid, "TracerPid") == "0"
        return status

    def check_progress(self):
        """Every busy thread goes on."""
        before = self.check()["rounds"]
        proc.wait_until(
            lambda: all(now > before[name] for name, now
                        in self.rounds().items()), 20,
            "progress of every thread")
        self.check()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        self.ended = True
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            stream.close()


class Daemon:
    """A nopdbd of our own on a private socket."""

    def __init__(self, folder, build=None, idle=0, env=None, options=(),
                 log=None, prefix=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "sock"
        self.build = pathlib.Path(build or BUILD)
        self.env = env or {}
        self.options = options
        self.log_path = log or self.folder / "log"
        self.prefix = prefix
        self.idle = idle
        self.process = None
        self.start()

    def start(self):
        self.log = open(self.folder / "stderr", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, str(self.build / "nopdbd"), "--foreground",
             "--idle", str(self.idle), "--socket", str(self.socket),
             "--log", str(self.log_path), *self.options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=dict(os.environ, **self.env))
        proc.wait_until(self.answers, 10, "daemon: " + self.messages())

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError("daemon ended with %d: %s" % (
                self.process.returncode, self.messages()))
        try:
            self.client().close()
        except OSError:
            return False
        return True

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        status = self.stop()
        if kind is None:
            assert status == 0, "daemon ended with %r: %s" % (
                status, self.messages())

    @property
    def pid(self):
        return self.process.pid

    def messages(self):
        text = ""
        for name in ("log", "stderr"):
            path = self.folder / name
            if path.exists():
                text += path.read_text(errors="replace")
        return text[-6000:]

    def client(self):
        return Client(self.socket)

    def kill(self):
        """SIGKILL, as the tests of survival need it."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return "SIGTERM was ignored"
        self.log.close()
        return self.process.returncode


class Command:
    """Runs build/nopdb against one socket."""

    def __init__(self, socket, env=None):
        self.env = dict(os.environ, NOPDB_SOCKET=str(socket), **(env or {}))

    def __call__(self, *args, timeout=60, prefix=(), **options):
        """Runs to its end; result has status, out, err and records."""
        done = subprocess.run(self.words(args, prefix), env=self.env,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=timeout,
                              **options)
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *args, prefix=(), **options):
        """Starts it; a Popen with text pipes."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.words(args, prefix), env=self.env,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                universal_newlines=True, **options)

    @staticmethod
    def words(args, prefix):
        return [str(word) for word in (*prefix, BUILD / "nopdb", *args)]


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    @property
    def records(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, event):
        return [record for record in self.records
                if record.get("event") == event]

    def __repr__(self):
        return "status %d\n%s\n%s" % (self.status, self.out[-3000:],
                                      self.err[-3000:])
