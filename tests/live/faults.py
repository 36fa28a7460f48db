# SPDX-License-Identifier: MIT
"""Faults in the daemon, one at a time: faulty.so (targets/faulty.c) makes the
Nth call of one function fail. One daemon and one target meet them all; after
each of them both must be as before, and a whole attach must succeed."""
import collections
import errno
import json
import mmap
import pathlib
import re
import shutil
import struct
import sys
import tempfile

import proc
from machine import (PROGRAMS, ROOT, Daemon, Target, find_interpreters,
                     one_of_each_engine)
from rpc import RpcError
from users import ALICE, SystemDaemon

SHORT = -1
NAME = 32
PLAN = struct.Struct("<32siiIII")
# The agent notices the end of its socket at once; heartbeat limit is 4 s.
GONE_S = 5.0

# function -> what it fails with; SHORT transfers one byte
FAULTS = collections.OrderedDict([
    ("malloc", [errno.ENOMEM]),
    ("calloc", [errno.ENOMEM]),
    ("realloc", [errno.ENOMEM]),
    ("reallocarray", [errno.ENOMEM]),
    ("mmap", [errno.ENOMEM]),
    ("open", [errno.EMFILE, errno.EACCES]),
    ("openat", [errno.EMFILE, errno.ENOENT]),
    ("openat2", [errno.EMFILE]),
    ("opendir", [errno.EMFILE]),
    ("readdir", [errno.EIO]),
    ("access", [errno.EACCES]),
    ("stat", [errno.EACCES]),
    ("fstat", [errno.EIO]),
    ("readlink", [errno.EACCES]),
    ("readlinkat", [errno.EACCES]),
    ("read", [errno.EIO, errno.EINTR, SHORT]),
    ("pread", [errno.EIO, errno.EINTR, SHORT]),
    ("write", [errno.ENOSPC, errno.EPIPE, errno.EINTR, SHORT]),
    ("sendfile", [errno.EIO, SHORT]),
    ("process_vm_readv", [errno.EFAULT, errno.ENOMEM]),
    ("process_vm_writev", [errno.EFAULT, errno.ENOMEM]),
    ("ptrace", [errno.ESRCH, errno.EPERM, errno.EIO]),
    ("waitpid", [errno.ECHILD, errno.EINTR]),
    ("tgkill", [errno.EAGAIN]),
    ("rt_tgsigqueueinfo", [errno.EAGAIN]),
    ("pidfd_open", [errno.EMFILE, errno.ENOSYS]),
    ("pidfd_getfd", [errno.EMFILE, errno.EPERM]),
    ("memfd_create", [errno.EMFILE, errno.ENFILE]),
    ("ftruncate", [errno.ENOSPC]),
    ("fcntl", [errno.EMFILE]),
    ("eventfd", [errno.EMFILE]),
    ("socketpair", [errno.EMFILE]),
    ("accept4", [errno.EMFILE, errno.ENFILE, errno.ECONNABORTED]),
    ("getsockopt", [errno.ENOBUFS]),
    ("setsockopt", [errno.ENOBUFS]),
    ("sendmsg", [errno.ENOBUFS, errno.EPIPE]),
    ("recvmsg", [errno.ECONNRESET, errno.EINTR]),
    ("send", [errno.EPIPE]),
    ("recv", [errno.ECONNRESET, SHORT]),
    ("poll", [errno.ENOMEM, errno.EINTR]),
    ("fork", [errno.EAGAIN]),
    ("pipe2", [errno.EMFILE]),
    ("timer_create", [errno.EAGAIN]),
    ("timer_settime", [errno.EINVAL]),
    ("setpriority", [errno.EACCES]),
    ("getrandom", [errno.EAGAIN]),
    ("pthread_create", [errno.EAGAIN]),
])


# What only the target's own state may cause.
BLAMES = ("no-such-process", "not-python", "unsupported-python", "zombie",
          "already-traced", "stopped", "finalizing", "target-exited")


def error_text(number):
    return "short" if number == SHORT else errno.errorcode[number]


def known_errors():
    """Name -> exit status, as proto/schema.json lists them."""
    text = (ROOT / "proto" / "error.h").read_text()
    found = {}
    for line in text.splitlines():
        if "X(" in line and '"' in line:
            parts = line.split("X(", 1)[1].split(")")[0].split(",")
            found[parts[1].strip().strip('"')] = int(parts[3])
    return found


class Plan:
    """The file that daemon and test share."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "faults"
        self.path.write_bytes(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as stream:
            self.map = mmap.mmap(stream.fileno(), 0)

    def arm(self, name, error, nth):
        self.disarm()
        PLAN.pack_into(self.map, 0, name.encode(), error, nth, 0, 0, 0)
        PLAN.pack_into(self.map, 0, name.encode(), error, nth, 0, 0, 1)

    def disarm(self):
        """(calls seen, faults fired)"""
        self.map[PLAN.size - 4:PLAN.size] = bytes(4)
        return PLAN.unpack_from(self.map)[3:5]


class Field:
    """A daemon with faulty.so in it, and a target."""

    def __init__(self, folder, python):
        self.errors = known_errors()
        self.plan = Plan(folder)
        env = {"LD_PRELOAD": str(PROGRAMS / "faulty.so"),
               "NOPDB_FAULTS": str(self.plan.path)}
        self.start(folder, python, env)
        self.threads = proc.threads(self.target.pid)
        self.work()
        self.settle()
        self.before = proc.Snapshot(self.target.pid)
        self.fds = proc.fds(self.daemon.pid)

    def start(self, folder, python, env):
        self.audit = pathlib.Path(folder) / "audit"
        self.daemon = Daemon(folder, options=("--audit", str(self.audit)),
                             env=env)
        self.target = Target(python, "zoo")

    def connect(self):
        return self.daemon.client()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.plan.disarm()
        self.target.__exit__(kind, error, trace)
        self.daemon.__exit__(kind, error, trace)

    def work(self):
        """The whole way of a client: hello to detach."""
        pid = self.target.pid
        with self.connect() as client:
            client.call("hello", client="faults")
            client.call("attach", pid=pid)
            probe = client.probe(pid, "zoo:add", {"rate": 0})
            assert self.target.call("add", 1, 2) == 3
            probe.calls(1)
            assert client.call("eval", pid=pid, expr="1 + 1")["value"] == 2
            probe.remove()
            client.call("detach", pid=pid)

    def look(self):
        """The ways that enter nothing."""
        with self.daemon.client() as client:
            client.call("doctor", pid=self.target.pid)
            client.call("stack", pid=self.target.pid)
            client.call("stats")

    def audited(self):
        """Lines of the audit log; each is whole, whatever write failed."""
        return [json.loads(line) for line
                in self.audit.read_text().splitlines()]

    def settle(self):
        """Nothing is left of the work, in the daemon or in the target."""
        proc.wait_agent_gone(self.target.pid, self.threads, GONE_S)

    def list(self):
        """All processes of the machine."""
        with self.daemon.client() as client:
            client.call("ps", 60)

    def idle(self):
        """No target is left. While descriptors are short, libuv may turn
        whoever connects away."""
        try:
            with self.daemon.client() as client:
                return not client.call("targets")["targets"]
        except (EOFError, ConnectionError):
            return False

    def outcome(self, path, error):
        """What the client saw of it, as (kind, message)."""
        blamed = () if error in (errno.ESRCH, errno.ENOENT) else BLAMES
        try:
            path()
        except RpcError as error:
            assert error.message and error.exit == self.errors[error.name], (
                error.name, error.message, error.exit)
            # A lack of ours is not blamed on the target, which is fine.
            assert error.name not in blamed, (error.name, error.message)
            return error.name, error.message
        except (EOFError, ConnectionError):
            return "closed", "the daemon closed the connection"
        return "absorbed", ""

    def as_before(self):
        assert self.daemon.process.poll() is None, self.daemon.messages()
        self.settle()
        proc.wait_until(self.idle, GONE_S + 3, "daemon without targets")
        self.target.check()
        found = self.before.differences(proc.Snapshot(self.target.pid), 8000,
                                        3)
        assert not found, found
        proc.wait_until(
            lambda: len(proc.fds(self.daemon.pid)) <= len(self.fds), 5,
            "closed descriptors: %r" % (proc.fds(self.daemon.pid),))

    def count(self, name, path):
        """Calls of a function on the whole way."""
        self.plan.arm(name, 0, 1 << 30)
        path()
        self.settle()
        return self.plan.disarm()[0]

    def fault(self, name, error, nth, path):
        """One fault; (kind, message), or None when it was not reached."""
        self.plan.arm(name, error, nth)
        found = self.outcome(path, error)
        # What follows the client's end is part of the way, as leaving is.
        try:
            self.settle()
        except TimeoutError:
            pass  # as_before waits on, without the fault
        fired = self.plan.disarm()[1]
        self.as_before()
        path()
        assert self.audited()
        return found if fired else None


class SharedField(Field):
    """A daemon that serves every user, and asks the kernel for permission: the
    client and the target are those of an unprivileged one."""

    def start(self, folder, python, env):
        self.daemon = SystemDaemon(folder, env=env)
        self.audit = self.daemon.audit_path
        self.target = ALICE.target("zoo")

    def connect(self):
        return ALICE.client(self.daemon)


# What such a daemon calls besides.
SHARED = ("fork", "socketpair", "send", "poll", "waitpid", "fcntl",
          "calloc", "pthread_create")


def points(calls, most):
    """Which of so many calls fail: all, or the first and an even choice."""
    if not most or calls <= most:
        return list(range(1, calls + 1))
    first = most // 2
    rest = most - first
    return list(range(1, first + 1)) + [
        first + (calls - first) * (number + 1) // rest
        for number in range(rest)]


class Row:
    """A function and an errno: how often it failed, and how that ended."""

    def __init__(self, path, name, error, calls):
        self.path, self.name, self.error = path, name, error
        self.calls = calls
        self.kinds = collections.Counter()
        self.messages = {}

    def add(self, found):
        kind, message = found
        self.kinds[kind] += 1
        self.messages.setdefault(kind, message)

    def ends(self):
        return ", ".join("%s %d" % pair for pair in sorted(self.kinds.items()))

    def __str__(self):
        return "%s: %s %s: %d calls, %d faults: %s" % (
            self.path, self.name, error_text(self.error), self.calls,
            sum(self.kinds.values()), self.ends())


def merged(rows):
    """One row for each path, function and errno of all interpreters."""
    found = collections.OrderedDict()
    for row in rows:
        key = row.path, row.name, row.error
        if key not in found:
            found[key] = Row(*key, calls=row.calls)
        found[key].calls = max(found[key].calls, row.calls)
        found[key].kinds += row.kinds
        for kind, message in row.messages.items():
            found[key].messages.setdefault(kind, message)
    return found.values()


def sweep_one(field, path, name, errors, most, named=None):
    """Fails a function on a path; (its calls, a Row for each errno)."""
    rows = []
    way = getattr(field, path)
    calls = field.count(name, way)
    for error in errors if calls else ():
        row = Row(named or path, name, error, calls)
        for nth in points(calls, most):
            try:
                found = field.fault(name, error, nth, way)
            except Exception as failure:
                raise AssertionError(
                    "%s: call %d of %d of %s fails with %s: %s: %s\n%s" % (
                        path, nth, calls, name, error_text(error),
                        type(failure).__name__, failure,
                        field.daemon.messages()[-1500:])) from failure
            if found:
                row.add(found)
        rows.append(row)
    return calls, rows


def sweep(field, path, names, most, failures, named=None):
    """The same with many functions; their rows. What fails is added to
    failures, and the next function follows."""
    rows = []
    for name in names:
        try:
            found = sweep_one(field, path, name, FAULTS[name], most, named)[1]
        except AssertionError as failure:
            failures.append(str(failure))
            print(failure, flush=True)
            continue
        rows += found
        for row in found:
            print(row, flush=True)
    return rows


HEAD = """<!-- Generated by `make faults` (tests/live/faults.py). -->
# Faults

Each call that the daemon makes on its way through a request is made to fail,
one at a time, by a library preloaded into it (tests/live/targets/faulty.c).
After each fault the daemon serves, the target runs on with its threads,
descriptors and mappings as before, and the next attach succeeds. The path
`work` is hello, attach, probe, capture, eval, remove, detach; `look` is
doctor, stack, stats; `list` is ps; `guest` is `work` by an unprivileged user of
a daemon that serves all.

`absorbed`: the client saw nothing of it. `closed`: the daemon closed this
client's connection. Every other end is an error answer of that name, with its
reason and exit status; an example is given. `short` transfers one byte.

Left out: `epoll_ctl` and the eventfds of the loop, at whose failure libuv ends
the process. That is as SIGKILL is: the targets leave by themselves
(tests/live/test_daemon_kill.py). A full disk under the log, and a daemon that
has no descriptor left, are in tests/live/test_faults.py.

%d faults, on %s.

| path | call | fails with | calls | faults | ends | for example |
|---|---|---|---|---|---|---|
"""


def cells(row):
    """A row of the table; process ids are not for a document."""
    example = next((message for kind, message in sorted(row.messages.items())
                    if kind not in ("absorbed", "closed")), "")
    example = re.sub(r"(pid |process |thread |/proc/)\d+", r"\1N",
                     re.sub(r"0x[0-9a-f]+|\(\d+\)", "(N)", example))
    return "| %s | %s | %s | %d | %d | %s | %s |\n" % (
        row.path, row.name, error_text(row.error), row.calls,
        sum(row.kinds.values()), row.ends(), example.replace("|", "/"))


def main():
    """faults.py FILE [MOST]: every function on every path; the table in FILE.
    MOST points of each path are taken (0: all)."""
    most = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rows, failures = [], []
    pythons = one_of_each_engine(find_interpreters())
    for python in pythons:
        folder = tempfile.mkdtemp(prefix="nopdb-")
        with Field(folder, python) as field:
            for path in ("work", "look"):
                rows += sweep(field, path, FAULTS, most, failures)
            if python is pythons[0]:
                # It reads every process of the machine, which takes time.
                rows += sweep(field, "list", FAULTS, min(most or 3, 3),
                              failures)
        shutil.rmtree(folder)
    folder = tempfile.mkdtemp(prefix="nopdb-")
    with SharedField(folder, pythons[0]) as field:
        rows += sweep(field, "work", SHARED, min(most or 20, 20), failures,
                      named="guest")
    shutil.rmtree(folder)
    if failures:
        print("%d functions failed, the table is left as it was" %
              len(failures))
        return 1
    text = HEAD % (sum(sum(row.kinds.values()) for row in rows),
                   " and ".join(".".join(map(str, python.version))
                                for python in pythons))
    pathlib.Path(sys.argv[1]).write_text(
        text + "".join(cells(row) for row in merged(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
