# SPDX-License-Identifier: MIT
"""Names of native functions that a file with debug symbols has alone."""
import subprocess

import pytest

import proc
from machine import TARGETS, Target
from schema import Messages


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


# ---- what Python calls it -----------------------------------------------------------

def strip_socket(python, folder):
    """A copy of the extension module without symbols; None: it is built in,
    and the interpreter is Debian's, which has none."""
    path = subprocess.run(
        [python.path, "-c", "import _socket; print(getattr(_socket, "
         "'__file__', ''))"], check=True, stdout=subprocess.PIPE,
        universal_newlines=True).stdout.strip()
    if not path or python.id.startswith("forky"):
        return None
    run("strip", "--strip-all", "-o", folder / path.split("/")[-1], path,
        cwd=folder)
    return folder


def called_by(record, name, function):
    """Native frames that a thread's innermost Python frame called."""
    thread, = [thread for thread in record["threads"]
               if thread["name"] == name]
    frames = thread["frames"]
    at = max(index for index, frame in enumerate(frames)
             if frame["kind"] == "python")
    assert frames[at]["function"] == function
    return [(frame.get("function"), frame.get("named_by"))
            for frame in frames[at + 1:]]


def test_c_functions_by_their_python_names(python, client, folder):
    """What has no symbol is called by the name of what the calling frame has
    on its value stack."""
    stripped = strip_socket(python, folder)
    env = {"PYTHONPATH": str(stripped)} if stripped else {}
    with Target(python, "natives", env=env) as target:
        target.start("receive", name="receive")

        def named():
            record = client.call("stack", pid=target.pid, native="all")
            Messages().check("picture", record)
            try:
                called = called_by(record, "receive", "natives:receive")
            except ValueError:
                return False
            return ("_socket.socket.recv", "callee") in called
        proc.wait_until(named, 20, "the name of recv")
        target.call("end")
