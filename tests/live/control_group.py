# SPDX-License-Identifier: MIT
"""Control groups of our own, in either version."""
import os
import pathlib

import pytest

import proc


class Group:
    """A control group of our own below the mount of a controller."""

    def __init__(self, version, controller="freezer"):
        self.version = version
        self.controller = controller
        self.path = None
        kind = "cgroup2" if version == 2 else "cgroup"
        for line in pathlib.Path("/proc/self/mountinfo").read_text().split(
                "\n"):
            before, _, after = line.partition(" - ")
            if after.startswith(kind + " ") and (
                    version == 2 or controller in after.split()[-1].split(",")):
                self.path = pathlib.Path(before.split()[4]) / (
                    "nopdb-test-%d" % os.getpid())
        self.inner = self.path and self.path / "inner"

    def __enter__(self):
        if self.path is None:
            pytest.skip("no %s of version %d is mounted" % (
                self.controller, self.version))
        try:
            self.inner.mkdir(parents=True)
        except OSError as error:
            pytest.skip("no control group can be made: %s" % error)
        return self

    def __exit__(self, *exc):
        if self.controller == "freezer":
            self.freeze(self.path, False)
            self.freeze(self.inner, False)
        for pid in (self.inner / "cgroup.procs").read_text().split():
            self.move(pid, self.path.parent)
        # A process that has just left may still be counted.
        for folder in (self.inner, self.path):
            proc.wait_until(lambda: removed(folder), 10, "empty group")

    @staticmethod
    def move(pid, folder):
        (folder / "cgroup.procs").write_text("%s\n" % pid)

    def freeze(self, folder, on):
        if self.version == 2:
            (folder / "cgroup.freeze").write_text("1" if on else "0")
        else:
            (folder / "freezer.state").write_text(
                "FROZEN" if on else "THAWED")


def removed(folder):
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
