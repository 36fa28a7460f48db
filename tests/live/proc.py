# SPDX-License-Identifier: MIT
"""What /proc says of a process: maps, fds, threads, memory."""
import collections
import os
import time


def alive(pid):
    """Runs, and is no zombie."""
    return state(pid) not in (None, "Z", "X")


def state(pid):
    try:
        with open("/proc/%d/stat" % pid) as stream:
            return stream.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def status_field(pid, name):
    with open("/proc/%d/status" % pid) as stream:
        for line in stream:
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()
    return None


def rss_kb(pid):
    return int(status_field(pid, "VmRSS").split()[0])


def threads(pid):
    """Thread id -> comm."""
    found = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/comm" % (pid, tid)) as stream:
                found[int(tid)] = stream.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def fds(pid):
    """Descriptor -> what it is, without the number of a socket or pipe."""
    found = {}
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            found[int(fd)] = os.readlink("/proc/%d/fd/%s" % (pid, fd))
        except FileNotFoundError:
            continue
    return found


def maps(pid):
    """(permissions, path) -> how many mappings; "" is anonymous memory."""
    found = collections.Counter()
    with open("/proc/%d/maps" % pid) as stream:
        for line in stream:
            fields = line.split(None, 5)
            path = fields[5].strip() if len(fields) > 5 else ""
            found[fields[1], path] += 1
    return found


def file_maps(pid):
    """Mappings of files and of named memory alone."""
    return {key: count for key, count in maps(pid).items()
            if key[1] and key[1] not in ("[heap]", "[stack]")}


def executable_anonymous(pid):
    """Mappings that hold code and belong to no file."""
    return sum(count for (access, path), count in maps(pid).items()
               if "x" in access and not path)


def agent_left(pid):
    """Whatever of the agent shows from outside: maps, fds."""
    left = ["map " + path for _, path in maps(pid)
            if "memfd" in path or "nopdb" in path]
    left += ["fd %d %s" % (fd, what) for fd, what in fds(pid).items()
             if "memfd" in what or "nopdb" in what]
    return left


class Snapshot:
    """State of a process to be compared before and after."""

    def __init__(self, pid):
        self.fds = fds(pid)
        self.threads = threads(pid)
        self.files = file_maps(pid)
        self.code = executable_anonymous(pid)
        self.rss = rss_kb(pid)

    def differences(self, other, rss_slack_kb, code_slack=0):
        """What other has, or lacks, against this one, as text."""
        found = []
        for name in ("fds", "threads", "files"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                found.append("%s: %r" % (name, sorted(
                    set(mine.items()) ^ set(theirs.items()), key=repr)))
        if other.code > self.code + code_slack:
            found.append("anonymous code: %d, was %d"
                         % (other.code, self.code))
        if other.rss > self.rss + rss_slack_kb:
            found.append("rss: %d KB, was %d KB" % (other.rss, self.rss))
        return found


def wait_until(ready, timeout, what):
    """Polls ready() until it is true; its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = ready()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError("no %s within %g s" % (what, timeout))
        time.sleep(0.02)


def wait_agent_gone(pid, threads_before, timeout=6.0):
    """Waits until no thread, map or descriptor of the agent is left."""
    wait_until(lambda: set(threads(pid)) <= set(threads_before)
               and not agent_left(pid), timeout,
               "departure of the agent from %d (%r, %r)"
               % (pid, threads(pid), agent_left(pid)))
