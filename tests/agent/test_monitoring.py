# SPDX-License-Identifier: MIT
"""The monitoring engine in processes of its own, on every interpreter that has
one, those in a root of their own too: each of monitoring/ is a program that
plays the daemon (host.py) and asserts what it sees."""
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("NOPDB_BUILD", str(ROOT / "build")))
CASES = sorted(path.stem for path in (HERE / "monitoring").glob("*.py"))


def interpreters():
    """(id, path) of 3.12 and later, of what scripts/pythons finds."""
    listing = subprocess.run([str(ROOT / "scripts" / "pythons")], cwd=str(ROOT),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             universal_newlines=True, check=True).stdout
    found = [line.split(" ", 2) for line in listing.splitlines()]
    return [(name, path) for name, version, path in found
            if int(version.split(".")[1]) >= 12]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("python", [
    pytest.param(path, id=name) for name, path in interpreters()])
def test_monitoring(python, case):
    environment = dict(os.environ, PYTHONPATH=str(HERE),
                       PYTHONDONTWRITEBYTECODE="1",
                       NOPDB_BUILD=str(BUILD.resolve()),
                       NOPDB_BIND="%s:%s" % (ROOT, BUILD.resolve()))
    result = subprocess.run([python, "-W", "ignore", "-X", "faulthandler",
                             str(HERE / "monitoring" / (case + ".py"))],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            universal_newlines=True, timeout=120,
                            env=environment)
    assert result.returncode == 0, result.stdout
    assert result.stdout == ""
