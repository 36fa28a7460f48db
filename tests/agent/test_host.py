# SPDX-License-Identifier: MIT
"""The agent in a process of its own, on every interpreter: each of cases/ is
a program that plays the daemon (host.py) and asserts what it sees."""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("NOPDB_BUILD", str(ROOT / "build")))
CASES = sorted(path.stem for path in (HERE / "cases").glob("*.py")
               if path.stem != "sample")


def interpreters():
    """(id, path) of what scripts/pythons finds."""
    listing = subprocess.run([str(ROOT / "scripts" / "pythons")], cwd=str(ROOT),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             universal_newlines=True, check=True).stdout
    found = [line.split(" ", 2) for line in listing.splitlines()]
    return [(name, path) for name, _, path in found]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("python", [
    pytest.param(path, id=name) for name, path in interpreters()])
def test_case(python, case):
    environment = dict(os.environ, PYTHONPATH=str(HERE),
                       PYTHONDONTWRITEBYTECODE="1",
                       NOPDB_BUILD=str(BUILD.resolve()),
                       NOPDB_BIND="%s:%s" % (ROOT, BUILD.resolve()))
    result = subprocess.run([python, "-X", "faulthandler",
                             str(HERE / "cases" / (case + ".py"))],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            universal_newlines=True, timeout=120,
                            env=environment)
    assert result.returncode == 0, result.stdout
    assert result.stdout == ""
