# SPDX-License-Identifier: MIT
"""Which interpreters were found; the missing ones are skipped by name. The
harness itself is tested here too: it must work before anything else."""
import pytest

import proc
from conftest import INTERPRETERS
from machine import MINORS, Target


@pytest.mark.parametrize("minor", MINORS, ids=["3.%d" % n for n in MINORS])
def test_found(minor):
    if not any(python.version[1] == minor for python in INTERPRETERS):
        pytest.skip("no Python 3.%d on this machine" % minor)


def test_target_reports(python):
    with Target(python, "busy") as target:
        status = target.status()
        assert status["left"] == []
        assert len(status["rounds"]) == 5
        assert len(proc.threads(target.pid)) == 6
        target.check_progress()
