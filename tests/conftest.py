# SPDX-License-Identifier: MIT
"""What holds for every test in Python.

NOPDB_TEST_SECONDS  how long one may take (300)
"""
import os
import signal

import pytest

TEST_SECONDS = int(os.environ.get("NOPDB_TEST_SECONDS", "300"))


def pytest_configure():
    # nohup and a shell's background jobs ignore these, and so would all that
    # we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def bounded():
    """No test hangs the run."""
    def expired(number, frame):
        raise TimeoutError("the test took longer than %d s" % TEST_SECONDS)
    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
