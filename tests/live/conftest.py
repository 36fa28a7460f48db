# SPDX-License-Identifier: MIT
"""Fixtures of the live tests: see machine.py for what they hand out.

NOPDB_BUILD   the build under test (build)
NOPDB_CYCLES  attach/detach cycles of the survival test (200)
NOPDB_KILLS   random SIGKILLs of the daemon (50)
NOPDB_RACE_SECONDS  of each race of test_users.py (3)
NOPDB_SNAPSHOTS, NOPDB_RUNNING  pictures of stacks at rest, and running
NOPDB_FREE_THREADED  interpreters without the GIL, for the tests of stacks
NOPDB_FEW     one interpreter of each engine, instead of all
NOPDB_PYTHONS the interpreters' paths, colon separated
NOPDB_RECORDS records that a client consumes (20000), at NOPDB_RECORDS_RATE
              a second (8000)
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from machine import (BUILD, Command, Daemon, Target, find_interpreters)

INTERPRETERS = find_interpreters()


def pytest_configure(config):
    for name in ("nopdb", "nopdbd", "nopdb-agent.so"):
        if not (BUILD / name).exists():
            raise pytest.UsageError("%s is not built: run make" % (
                BUILD / name))
    config.addinivalue_line("markers", "smoke: the subset for sanitizers")


def pytest_generate_tests(metafunc):
    """Every test that asks for `python` runs on every interpreter."""
    if "python" in metafunc.fixturenames and not any(
            "python" in mark.args[0].split(",") for mark
            in metafunc.definition.iter_markers("parametrize")):
        metafunc.parametrize("python", INTERPRETERS, scope="session",
                             ids=[python.id for python in INTERPRETERS])


@pytest.fixture(scope="session")
def newest():
    """One interpreter, for what does not depend on it."""
    plain = [python for python in INTERPRETERS
             if not python.id.startswith("forky")]
    return (plain or INTERPRETERS)[-1]


@pytest.fixture
def folder():
    """A short path: a socket's is limited to 107 bytes."""
    path = tempfile.mkdtemp(prefix="nopdb-")
    yield pathlib.Path(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def session_daemon():
    path = tempfile.mkdtemp(prefix="nopdb-")
    with Daemon(path) as daemon:
        yield daemon
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def child():
    """Starts processes that are ended and collected afterwards."""
    started = []

    def start(*words, **options):
        options.setdefault("stdout", subprocess.DEVNULL)
        process = subprocess.Popen([str(word) for word in words], **options)
        started.append(process)
        return process
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def daemon(folder):
    with Daemon(folder) as running:
        yield running


@pytest.fixture
def client(session_daemon):
    with session_daemon.client() as connected:
        yield connected


@pytest.fixture
def cli(session_daemon):
    return Command(session_daemon.socket)


@pytest.fixture(scope="session")
def zoo(python):
    """One zoo.py per interpreter, shared: tests leave it as they found it."""
    with Target(python, "zoo") as target:
        yield target


@pytest.fixture
def attached(client, zoo):
    """The shared zoo with the agent in it, held by `client`."""
    client.call("attach", pid=zoo.pid)
    yield zoo
    if not client.closed:
        client.call("detach", pid=zoo.pid)


@pytest.fixture(scope="session")
def cycles():
    return int(os.environ.get("NOPDB_CYCLES", "200"))


@pytest.fixture(scope="session")
def kills():
    return int(os.environ.get("NOPDB_KILLS", "50"))
