# SPDX-License-Identifier: MIT
"""examples/ does what it says, with the system's Python on both sides."""
import importlib.util
import os
import socket
import subprocess
import urllib.request

import pytest

import proc
from machine import BUILD, ROOT

EXAMPLES = ROOT / "examples"
PYTHON = "/usr/bin/python3"


@pytest.fixture
def env(session_daemon):
    return dict(os.environ, PYTHONPATH=str(ROOT / "clients" / "python"),
                PYTHONDONTWRITEBYTECODE="1", NOPDB_BUILD=str(BUILD),
                NOPDB_SOCKET=str(session_daemon.socket))


@pytest.fixture
def start(env):
    """Starts a program; it is ended with the test, and only it."""
    running = []

    def launch(*words, **options):
        running.append(subprocess.Popen(
            [PYTHON, *map(str, words)], env=env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            universal_newlines=True, **options))
        return running[-1]
    yield launch
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def ready(example):
    line = example.stdout.readline()
    assert line.startswith("watching"), line + example.stdout.read()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_a_web_server(start, folder):
    port = free_port()
    server = start("-m", "http.server", port, "--bind", "127.0.0.1",
                   cwd=str(folder))

    def serves():
        try:
            return urllib.request.urlopen("http://127.0.0.1:%d/" % port)
        except OSError:
            return None
    proc.wait_until(serves, 20, "web server").close()
    example = start(EXAMPLES / "trace_requests.py", server.pid, 60)
    ready(example)
    urllib.request.urlopen("http://127.0.0.1:%d/?a=1" % port).close()
    words = example.stdout.readline().split()
    assert words[:2] == ["127.0.0.1", "/?a=1"] and words[-1] == "ok", words
    assert float(words[2]) > 0


def test_a_pytest_run(start, folder, env):
    (folder / "test_some.py").write_text(
        "import pathlib, time\n"
        "def test_first():\n"
        "    while not pathlib.Path(%r).exists():\n"
        "        time.sleep(0.02)\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 1 == 2, 'no'\n"
        "def test_last(): pass\n" % str(folder / "go"))
    run = start("-m", "pytest", "-q", "-p", "no:cacheprovider", folder,
                cwd=str(folder))
    proc.wait_until(lambda: "test_first" in subprocess.run(
        [str(BUILD / "nopdb"), "stack", str(run.pid), "--json"],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        universal_newlines=True).stdout, 30, "first test")
    example = start(EXAMPLES / "watch_pytest.py", run.pid)
    ready(example)
    (folder / "go").touch()
    lines = example.communicate(timeout=60)[0].splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["pass", "test_first"], ["pass", "test_good"], ["FAIL", "test_bad"],
        ["pass", "test_last"]], lines
    assert "AssertionError" in lines[2]
    assert lines[-1] == "ended: target-exit"


@pytest.mark.parametrize("name, needs, package", [
    ("model.py", "numpy", "python3-numpy"),
    ("torch_model.py", "torch", "python3-torch")])
def test_attention_weights(start, name, needs, package):
    """Equal to those of the model, bit for bit."""
    if importlib.util.find_spec(needs) is None:
        pytest.skip("%s is not installed" % package)
    model = start(EXAMPLES / name)
    pid = int(model.stdout.readline())
    example = start(EXAMPLES / "attention.py", pid, 3)
    printed = example.communicate(timeout=90)[0]
    assert example.returncode == 0, printed
    taken = dict(line.split() for line in printed.splitlines()
                 if not line.startswith(" "))
    assert len(taken) == 3, printed
    truth, last = {}, max(map(int, taken))
    while not truth or int(max(truth, key=int)) < last:
        step, checksum = model.stdout.readline().split()
        truth[step] = checksum
    assert all(truth[step] == checksum for step, checksum in taken.items())


def test_the_own_process(env):
    done = subprocess.run([PYTHON, str(EXAMPLES / "own_process.py")], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=60)
    assert done.stdout.splitlines() == [
        "0.5 6 3.0", "0.25 6 1.5", "[3.0, 25.0] [6]"], done.stdout


def test_every_example_is_tested():
    text = (ROOT / "tests" / "live" / "test_examples.py").read_text()
    for path in EXAMPLES.glob("*.py"):
        assert '"%s"' % path.name in text, path
