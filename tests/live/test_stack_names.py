# SPDX-License-Identifier: MIT
"""Names of native functions that a file with debug symbols has alone."""
import subprocess

import pytest

import proc
from machine import TARGETS, Target


def run(*words, cwd):
    subprocess.run([str(word) for word in words], check=True, cwd=str(cwd))


@pytest.fixture
def library(folder):
    """A stripped library with a debug link, and its debug file."""
    library, debug = folder / "linked.so", folder / "linked.debug"
    run("cc", "-g", "-O1", "-fPIC", "-shared", "-o", library,
        TARGETS / "linked.c", cwd=folder)
    run("objcopy", "--only-keep-debug", library, debug, cwd=folder)
    run("strip", "--strip-unneeded", library, cwd=folder)
    run("objcopy", "--add-gnu-debuglink=" + debug.name, library, cwd=folder)
    return library, debug


def names_in(client, pid, module):
    """Names of the frames in a module, once the thread waits in it."""
    found = []

    def inside():
        record = client.call("stack", pid=pid, native="all")
        found[:] = [frame.get("function")
                    for frame in record["threads"][0]["frames"]
                    if frame.get("module") == module]
        return len(found) == 2
    proc.wait_until(inside, 20, "frames of " + module)
    return found


@pytest.mark.parametrize("where", ("beside", ".debug"))
def test_debug_link(newest, client, library, where):
    path, debug = library
    if where == ".debug":
        (path.parent / ".debug").mkdir()
        debug.rename(path.parent / ".debug" / debug.name)
    target = Target(newest, "linked", path, script=True)
    try:
        assert names_in(client, target.pid, path.name) == [
            "enter", "wait_inside"]
    finally:
        target.stop()


def test_the_debug_file_of_another_build_is_passed_over(newest, client,
                                                        library):
    path, debug = library
    run("cc", "-g", "-O1", "-fPIC", "-shared", "-Dwait_inside=other",
        "-o", "other.so", TARGETS / "linked.c", cwd=path.parent)
    run("objcopy", "--only-keep-debug", "other.so", debug, cwd=path.parent)
    target = Target(newest, "linked", path, script=True)
    try:
        assert names_in(client, target.pid, path.name) == ["enter", None]
    finally:
        target.stop()
