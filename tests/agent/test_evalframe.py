# SPDX-License-Identifier: MIT
"""The evalframe engine in processes of its own, on every interpreter that has it:
each of evalframe/ is a program that plays the daemon (host.py) and asserts what
it sees. And on the disassembly: what must leave by a jump does."""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("NOPDB_BUILD", str(ROOT / "build")))
CASES = sorted(path.stem for path in (HERE / "evalframe").glob("*.py"))


def interpreters():
    """(id, path) of 3.7 to 3.11, of what scripts/pythons finds."""
    listing = subprocess.run([str(ROOT / "scripts" / "pythons")], cwd=str(ROOT),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             universal_newlines=True, check=True).stdout
    found = [line.split(" ", 2) for line in listing.splitlines()]
    return [(name, path) for name, version, path in found
            if int(version.split(".")[1]) <= 11]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("python", [
    pytest.param(path, id=name) for name, path in interpreters()])
def test_evalframe(python, case):
    environment = dict(os.environ, PYTHONPATH=str(HERE),
                       PYTHONDONTWRITEBYTECODE="1",
                       NOPDB_BUILD=str(BUILD.resolve()),
                       NOPDB_BIND="%s:%s" % (ROOT, BUILD.resolve()))
    result = subprocess.run([python, "-W", "ignore", "-X", "faulthandler",
                             str(HERE / "evalframe" / (case + ".py"))],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            universal_newlines=True, timeout=120,
                            env=environment)
    assert result.returncode == 0, result.stdout
    assert result.stdout == ""


def body(listing, function):
    """The instructions of a function in the output of objdump."""
    start = listing.index("<%s>:\n" % function)
    return listing[start:].split("\n\n")[0].splitlines()[1:]


@pytest.mark.parametrize("function", [
    "hook37", "hook39", "unknown37", "unknown39", "running37", "running39"])
def test_hook_leaves_by_a_jump(function):
    """A call of the evaluator would keep the agent on the stack of every frame
    that begins meanwhile, and unloading it would crash."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn",
                              str(BUILD / "nopdb-agent.so")],
                             stdout=subprocess.PIPE, universal_newlines=True,
                             check=True).stdout
    code = body(listing, function)
    assert code
    assert not any("\tret" in line for line in code), code
    indirect = [line for line in code if "call" in line and "*" in line]
    # 3.7 and 3.8 ask for the thread state; nothing else is called so.
    assert len(indirect) == (function == "running37"), indirect


def test_program_profiler_is_left_by_a_jump():
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn",
                              str(BUILD / "nopdb-agent.so")],
                             stdout=subprocess.PIPE, universal_newlines=True,
                             check=True).stdout
    code = body(listing, "running_profile")
    assert any("jmp" in line and "*" in line for line in code), code
