# SPDX-License-Identifier: MIT
"""Captures inside the interpreter itself: inside_*.py, on each one found."""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "live"))

from inside import SKIPPED  # noqa: E402
from machine import BUILD, ROOT, find_interpreters  # noqa: E402


@pytest.mark.parametrize("script", sorted(
    path.stem for path in HERE.glob("inside_*.py")))
@pytest.mark.parametrize("python", find_interpreters(), ids=lambda p: p.id)
def test_inside(python, script):
    # What the forky interpreters see of this machine, in their own root.
    seen = ":".join(map(str, (ROOT / "tests", ROOT / "proto", BUILD)))
    done = subprocess.run(
        [str(python.path), "-X", "faulthandler", str(HERE / (script + ".py"))],
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", NOPDB_BIND=seen,
                 NOPDB_BUILD=str(BUILD)), timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    if done.returncode == SKIPPED:
        pytest.skip(text.strip())
    assert done.returncode == 0, text[-4000:]
