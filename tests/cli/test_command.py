# SPDX-License-Identifier: MIT
"""The command against a fake daemon: what it makes of answers, records and
breakage that a real target does not bring about on demand."""
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import time

import pytest

from fake_daemon import EVIL, FakeDaemon, call, end

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("NOPDB_BUILD",
                                    str(HERE.parents[1] / "build")))
THREE = [call(1), call(2), call(3)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sock"


def start(path, *words, binary=BUILD / "nopdb", **options):
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen(
        [str(binary), "--socket", str(path)] + [str(word) for word in words],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        universal_newlines=True, **options)


def run(path, *words, **options):
    process = start(path, *words, **options)
    try:
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    return process.returncode, out, err


def on_terminal(path, *words):
    master, slave = pty.openpty()
    status, _, err = run(path, *words, stdout=slave,
                         env=dict(os.environ, COLUMNS="100", TZ="UTC"))
    os.close(slave)
    text = b""
    try:
        while True:
            chunk = os.read(master, 65536)
            if not chunk:
                break
            text += chunk
    except OSError:
        pass    # EIO: nobody holds the other end
    os.close(master)
    return status, text.decode().replace("\r\n", "\n"), err


# ---- calls: flow and exit status --------------------------------------------
@pytest.mark.parametrize("play, status", [
    (THREE + [end()], 0),
    ([end("time", hits=0)], 1),
    ([call(1), end(lost={"ring": 2})], 7),
    ([call(1), end(lost={"size": 1})], 7),
    ([call(1), end(lost={"slow-client": 1})], 7),
    ([call(1), end(lost={"rate": 9})], 0),
    ([call(1), end("agent-lost")], 7),
    ([call(1), end("target-exit")], 8),
    ([end("target-exit")], 8),
])
def test_exit_status(path, play, status):
    with FakeDaemon(path, play) as daemon:
        result, out, err = run(path, "calls", 42, "f")
        assert result == status, err
        assert len(out.splitlines()) == len(play)
        assert daemon.methods()[:3] == ["hello", "attach", "probe.add"]
        assert ("detach" in daemon.methods()) == (status != 8)


def test_records_pass_byte_for_byte(path):
    text = ('{"v":1,"event":"call","big":123456789012345678901,"f":1.0,'
            '"s":"\\u0000\\ud800 \\u001b","t":1763803923.123456}')
    line = '{"jsonrpc":"2.0","method":"record","params":%s}' % text
    with FakeDaemon(path, [line, end()]):
        _, out, _ = run(path, "calls", 42, "f")
        assert out.splitlines()[0] == text


def test_request(path):
    with FakeDaemon(path, [end()]) as daemon:
        run(path, "calls", 42, "m:f", "--file", "m.py", "-n", 5, "-t", "2s",
            "--min-duration", "1ms", "--no-locals", "--only-exceptions")
        (added,) = [params for method, params in daemon.seen
                    if method == "probe.add"]
        assert added == {
            "pid": 42, "kind": "calls", "where": "m:f", "file": "m.py",
            "limits": {"hits": 5, "time_ms": 2000, "min_duration_ns": 1000000,
                       "locals": False, "only_exceptions": True}}


def test_persist_sets_and_leaves(path):
    with FakeDaemon(path, THREE) as daemon:
        status, out, _ = run(path, "calls", 42, "m:f", "--persist")
        assert status == 0
        assert json.loads(out)["probe"] == 1
        assert daemon.methods() == ["hello", "attach", "probe.add"]
        assert daemon.seen[-1][1]["persist"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM,
                                    signal.SIGHUP])
def test_interrupted(path, number):
    with FakeDaemon(path, [call(1)]) as daemon:
        process = start(path, "calls", 42, "f")
        assert json.loads(process.stdout.readline())["seq"] == 1
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0, err
        assert json.loads(out)["reason"] == "removed"
        assert daemon.methods()[-2:] == ["probe.remove", "detach"]


def test_second_interrupt_leaves_at_once(path):
    results = {"probe.remove": {}}    # its end never comes
    with FakeDaemon(path, [call(1)], results=results) as daemon:
        process = start(path, "calls", 42, "f")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        while "probe.remove" not in daemon.methods():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=2)
        assert process.returncode == -signal.SIGINT


def test_reader_leaves_while_nothing_comes(path):
    with FakeDaemon(path, [call(1)]) as daemon:
        process = start(path, "calls", 42, "f")
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
        assert daemon.methods()[-1] == "detach"


def test_full_disk(path):
    with FakeDaemon(path, THREE + [end()]) as daemon:
        with open("/dev/full", "w") as full:
            status, _, err = run(path, "calls", 42, "f", stdout=full)
        assert status == 6
        assert "No space left" in err
        assert daemon.methods()[-1] == "detach"


# ---- the daemon's side breaks -----------------------------------------------
@pytest.mark.parametrize("play, said", [
    ([call(1), "close"], "daemon closed"),
    (["x" * (9 << 20)], "bytes"),
])
def test_broken_daemon(path, play, said):
    with FakeDaemon(path, play):
        status, _, err = run(path, "calls", 42, "f")
        assert status == 6
        assert said in err


@pytest.mark.parametrize("line", ["", "{}", "[", "null", '"x"', "{" * 5000,
                                  '{"method":"record"}',
                                  '{"method":"record","params":[1]}',
                                  '{"method":"other","params":{}}',
                                  '{"id":99,"result":{}}', "\x00\x01"])
def test_odd_lines_are_passed_over(path, line):
    with FakeDaemon(path, [line, call(1), end()]):
        status, out, err = run(path, "calls", 42, "f")
        assert status == 0, err
        assert len(out.splitlines()) == 2


@pytest.mark.parametrize("method, name, exit_status, status", [
    ("attach", "not-permitted", 3, 3),
    ("attach", "no-such-process", 4, 4),
    ("attach", "of-a-newer-daemon", 5, 5),
    ("probe.add", "bad-location", 5, 5),
    ("hello", "protocol", 6, 6),
])
def test_refusals(path, method, name, exit_status, status):
    refuse = {method: (name, exit_status, "do this" + EVIL)}
    with FakeDaemon(path, refuse=refuse) as daemon:
        result, out, err = run(path, "calls", 42, "f")
        assert (result, out) == (status, "")
        assert err.splitlines() == [
            "nopdb: fake: " + name, "  remedy: do this\\x1b]0;evil\\x07"]
        assert ("detach" in daemon.methods()) == (method == "probe.add")


# ---- for people -------------------------------------------------------------
def test_table(path):
    play = [call(1, args={"x": EVIL}, locals={"x": EVIL, "z": 2},
                 stack=[{"function": "m:" + EVIL, "file": "/m.py",
                         "line": 9}]), end()]
    with FakeDaemon(path, play):
        status, text, err = on_terminal(path, "calls", 42, "f", "--stack", 3)
        assert status == 0, err
        assert text == (
            "00:00:01.250 m:f(x='\\x1b]0;evil\\x07') -> None  1.00 us  "
            "MainThread\n    z=2\n    in m:\\x1b]0;evil\\x07  /m.py:9\n")


def test_ps(path):
    rows = [{"pid": 1, "user": "root", "python": "3.11.2", "threads": 2,
             "command": EVIL, "enter": True},
            {"pid": 22, "user": "a", "python": None, "threads": 1,
             "command": "x", "enter": False, "error": "stopped",
             "reason": "process 22 is stopped"}]
    with FakeDaemon(path, results={"ps": {"processes": rows}}):
        status, text, _ = on_terminal(path, "ps")
        assert status == 0
        assert text.splitlines() == [
            "PID  USER  PYTHON  THREADS  ENTER        COMMAND",
            "1    root  3.11.2  2        yes          \\x1b]0;evil\\x07",
            "22   a     -       1        no: stopped  x"]
        status, out, _ = run(path, "ps")
        assert [json.loads(line) for line in out.splitlines()] == rows


def test_nothing_to_show(path):
    results = {"ps": {"processes": []}, "probe.list": {"probes": []},
               "lines": {"locations": []}}
    with FakeDaemon(path, results=results):
        assert run(path, "ps")[:2] == (1, "")
        assert run(path, "list")[:2] == (1, "")
        assert run(path, "lines", 42, "f")[:2] == (1, "")


def test_lines_table(path):
    places = {"locations": [{"function": "m:f", "file": "/m.py", "line": 3,
                             "lines": [3, 4, 5, 7, 9, 10]}]}
    with FakeDaemon(path, results={"lines": places}) as daemon:
        status, text, _ = on_terminal(path, "lines", 42, "f")
        assert status == 0
        assert text.splitlines()[1].split(None, 2) == [
            "m:f", "/m.py:3", "3-5, 7, 9-10"]
        assert daemon.methods() == ["hello", "attach", "lines", "detach"]


def test_doctor(path):
    checks = {"enter": False, "checks": [
        {"name": "ptrace", "result": "ok", "detail": "allowed"},
        {"name": "state", "result": "fail", "detail": "stopped",
         "remedy": "send SIGCONT", "error": "stopped"}]}
    with FakeDaemon(path, results={"doctor": checks}):
        status, text, _ = on_terminal(path, "doctor", 42)
        assert status == 6
        assert text.splitlines()[-1].split() == ["remedy:", "send", "SIGCONT"]


def test_detach_spares_others(path):
    results = {"targets": {"targets": [{"pid": 42, "clients": 1}]}}
    with FakeDaemon(path, results=results) as daemon:
        status, _, err = run(path, "detach", 42)
        assert status == 6 and "--force" in err
        assert "detach" not in daemon.methods()
        assert run(path, "detach", 42, "--force")[0] == 0
        assert daemon.seen[-1] == ("detach", {"pid": 42, "force": True})


def test_quiet(path):
    with FakeDaemon(path, [end("time")]):
        assert run(path, "calls", 42, "f", "-q") == (
            1, json.dumps(end("time")) + "\n", "")


def test_tail_ends_with_its_probe(path):
    with FakeDaemon(path, THREE + [end()]) as daemon:
        status, out, _ = run(path, "tail", 1)
        assert status == 0
        assert len(out.splitlines()) == 4
        assert daemon.seen[-1] == ("subscribe", {"probe": 1})


# ---- starting the daemon ----------------------------------------------------
@pytest.fixture
def installed(tmp_path):
    """The command with a fake nopdbd beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(str(BUILD / "nopdb"), str(folder / "nopdb"))
    daemon = folder / "nopdbd"
    daemon.write_text('#!/bin/sh\nexec "%s" "%s" "$@"\n' % (
        sys.executable, HERE / "fake_daemon.py"))
    daemon.chmod(0o755)
    return folder / "nopdb"


def test_first_clients_start_one_daemon(installed, path):
    clients = [start(path, "ps", binary=installed) for _ in range(4)]
    results = [client.communicate(timeout=20) for client in clients]
    rows = [json.loads(out) for out, _ in results]
    assert [client.returncode for client in clients] == [0] * 4, results
    assert len({row["pid"] for row in rows}) == 1
    assert rows[0]["session"] != os.getsid(0)


def test_daemon_that_does_not_start(installed, tmp_path):
    path = tmp_path / "cannot"
    status, _, err = run(path, "ps", binary=installed)
    assert status == 6
    assert "the agent is missing" in err and str(path) in err


def test_no_daemon_anywhere(installed, path):
    (installed.parent / "nopdbd").unlink()
    status, _, err = run(path, "ps", binary=installed,
                         env={"PATH": "/nonexistent"})
    assert status == 6
    assert "cannot run nopdbd" in err


def test_socket_of_the_environment(path):
    with FakeDaemon(path, results={"ps": {"processes": [{"pid": 1}]}}):
        done = subprocess.run([str(BUILD / "nopdb"), "ps"],
                              env={"NOPDB_SOCKET": str(path)},
                              stdout=subprocess.PIPE)
        assert done.returncode == 0


def test_runtime_folder_of_another(tmp_path):
    """A folder that others may write to is no place for a socket."""
    (tmp_path / "nopdb").mkdir()
    tmp_path.chmod(0o777)
    with FakeDaemon(tmp_path / "nopdb" / "sock") as daemon:
        subprocess.run([str(BUILD / "nopdb"), "list", "-q"],
                       env={"XDG_RUNTIME_DIR": str(tmp_path)},
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=20)
        assert daemon.seen == []
