# SPDX-License-Identifier: MIT
"""Keeps what is left to see of a failed cell: maps, stacks, logs."""
import os
import shutil
import subprocess
import traceback

TASK_FILES = ("comm", "status", "syscall", "wchan", "stack")
GDB_SECONDS = 30


def read(path):
    try:
        with open(path, errors="replace") as stream:
            return stream.read()
    except OSError as error:
        return "%s\n" % error


def tasks(pid):
    """What /proc tells of every thread."""
    try:
        tids = os.listdir("/proc/%d/task" % pid)
    except OSError as error:
        return str(error)
    return "\n".join(
        "== %s %s\n%s" % (tid, name, read("/proc/%d/task/%s/%s" % (
            pid, tid, name)))
        for tid in sorted(tids, key=int) for name in TASK_FILES)


def stacks(pid):
    """Native stacks, by gdb where it is installed."""
    if not shutil.which("gdb"):
        return "gdb is not installed\n"
    try:
        return subprocess.run(
            ["gdb", "-nx", "-q", "-batch", "-p", str(pid), "-ex",
             "thread apply all bt"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            errors="replace", timeout=GDB_SECONDS).stdout
    except subprocess.TimeoutExpired:
        return "gdb took longer than %d s\n" % GDB_SECONDS


def children(pid):
    """Those of its main thread: what a program waits for may be one of them."""
    return [int(word) for word in read("/proc/%d/task/%d/children" % (
        pid, pid)).split() if word.isdigit()]


def keep(folder, error, program, daemon):
    """Writes it all into folder; never fails for want of something."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "error").write_text("".join(traceback.format_exception(
        type(error), error, error.__traceback__)))
    (folder / "daemon-log").write_text(daemon.messages())
    (folder / "output").write_text(program.output())
    pids = list(program.pids())
    for pid in pids + [child for pid in pids for child in children(pid)]:
        (folder / ("maps-%d" % pid)).write_text(read("/proc/%d/maps" % pid))
        (folder / ("tasks-%d" % pid)).write_text(tasks(pid))
        (folder / ("stacks-%d" % pid)).write_text(stacks(pid))
