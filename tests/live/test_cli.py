# SPDX-License-Identifier: MIT
"""The command: each verb, its output for people and for programs, its exit
codes."""
import json
import os
import pty
import select
import subprocess
import threading
import time

import pytest

import proc
from machine import BUILD, Target
from terminal import read_master


@pytest.fixture
def busy(newest):
    with Target(newest, "busy") as target:
        yield target


@pytest.fixture
def shape(python):
    target = Target(python, "shape", script=True)
    yield target
    alive = proc.alive(target.pid)
    target.stop()
    assert alive


def on_terminal(cli, *args, timeout=30):
    """Runs the command with a terminal as stdout; what it wrote there."""
    master, slave = pty.openpty()
    process = subprocess.Popen(cli.words(args, ()), env=cli.env,
                               stdin=subprocess.DEVNULL, stdout=slave,
                               stderr=slave)
    os.close(slave)
    text = b""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.5)[0]:
            continue
        chunk = read_master(master)
        if not chunk:
            break
        text += chunk
    os.close(master)
    if process.poll() is None and time.monotonic() >= deadline:
        process.kill()
    return process.wait(), text.decode()


@pytest.mark.smoke
def test_calls(cli, shape):
    result = cli("calls", shape.pid, "f", "-n", "3")
    assert result.status == 0, result
    calls = result.of("call")
    assert len(calls) == 3
    assert calls[0]["args"] == {"x": 1, "y": 1}
    assert calls[0]["locals"] == {"x": 1, "y": 1, "z": 2}
    assert calls[0]["return"] == 4
    assert len(calls[0]["stack"]) == 3
    assert result.of("end")[0]["reason"] == "hits"
    assert proc.agent_left(shape.pid) == []


def test_options_reach_the_record(cli, shape):
    result = cli("calls", shape.pid, "--function", "f", "--module",
                 "__main__", "--file", "shape.py", "-n", "1", "--stack", "1",
                 "--no-locals", "--json", "-q")
    assert result.status == 0, result
    (record,) = result.of("call")
    assert "locals" not in record
    assert len(record["stack"]) == 1
    assert result.err == ""


def test_options_before_the_verb(cli, busy):
    result = cli("--json", "-q", "calls", busy.pid, "busy:work_json", "-n",
                 "1")
    assert result.status == 0, result
    assert len(result.of("call")) == 1


def test_several_places(cli, busy):
    result = cli("calls", busy.pid, "busy:work_json", "busy:work_lists", "-n",
                 "2")
    assert result.status == 0, result
    assert [record["function"] for record in result.of("call")].count(
        "busy:work_lists") == 2
    assert len(result.of("end")) == 2


def test_nothing_came(cli, busy):
    started = time.monotonic()
    result = cli("calls", busy.pid, "busy:nothing", "-t", "500ms")
    assert result.status == 1, result
    assert 0.4 < time.monotonic() - started < 10
    assert not result.of("call")
    assert [record["state"] for record in result.of("probe")][0] == "pending"
    assert result.of("end")[0]["reason"] == "time"


def test_target_ends_first(cli, newest):
    target = Target(newest, "idle")
    command = cli.start("calls", target.pid, "ping")
    try:
        while '"event":"probe"' not in command.stdout.readline():
            assert command.poll() is None
        target.stop()
        out, err = command.communicate(timeout=20)
    finally:
        command.kill()
        command.wait()
        target.stop()
    assert command.returncode == 8, out + err


def test_reader_goes_away(cli, busy):
    """EPIPE: leaves quietly, and detaches."""
    threads = proc.threads(busy.pid)
    command = cli.start("calls", busy.pid, "busy:work_*", "-n", "0",
                        "--rate", "0")
    command.stdout.readline()
    command.stdout.close()
    try:
        command.wait(20)
        assert "nopdb: " not in command.stderr.read()
    finally:
        command.kill()
        command.wait()
        command.stderr.close()
    proc.wait_agent_gone(busy.pid, threads)


def test_table_on_a_terminal(cli, shape):
    status, text = on_terminal(cli, "calls", str(shape.pid), "f", "-n", "2")
    assert status == 0, text
    assert "\x1b[" not in text.replace("\x1b[0m", "") or "f" in text
    rows = [line for line in text.splitlines()
            if "x=1" in line and "4" in line]
    assert len(rows) == 2, text
    with pytest.raises(ValueError):
        json.loads(rows[0])


def test_terminal_gets_no_escapes_of_the_target(cli, newest):
    evil = "\x1b]0;evil\x07\r\n"
    done = threading.Event()

    def feed(target):
        while not done.is_set():
            target.call("echo", evil)
            time.sleep(0.05)
    with Target(newest, "idle") as target:
        feeder = threading.Thread(target=feed, args=(target,))
        feeder.start()
        try:
            status, text = on_terminal(cli, "calls", str(target.pid),
                                       "idle:echo", "-n", "1")
        finally:
            done.set()
            feeder.join()
        assert status == 0, text
        assert "evil" in text and "\x1b]" not in text and "\x07" not in text


def test_ps(cli, python):
    with Target(python, "idle") as target:
        result = cli("ps", "--json")
        assert result.status == 0, result
        (row,) = [row for row in result.records if row["pid"] == target.pid]
        assert row["python"] == ".".join(map(str, python.version))
        assert row["enter"] is True
        assert "run.py" in row["command"]


def test_ps_table(cli, busy):
    status, text = on_terminal(cli, "ps")
    assert status == 0, text
    assert [line for line in text.splitlines() if str(busy.pid) in line]


def test_doctor(cli, python):
    with Target(python, "idle") as target:
        result = cli("doctor", target.pid)
        assert result.status == 0, result
        target.signal(19)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "stop")
        result = cli("doctor", target.pid)
        target.signal(18)
        assert result.status == 6, result
        assert "CONT" in result.out + result.err


def test_doctor_of_the_machine(cli):
    result = cli("doctor")
    assert result.status == 0, result


def test_lines(cli, busy):
    result = cli("lines", busy.pid, "busy:fibonacci", "--json")
    assert result.status == 0, result
    assert '"busy:fibonacci"' in result.out
    assert cli("lines", busy.pid, "busy:nothing").status == 1
    assert proc.agent_left(busy.pid) == []


def test_list_rm_tail_detach(cli, client, busy):
    client.call("attach", pid=busy.pid)
    answer = client.call("probe.add", pid=busy.pid, kind="calls",
                         where="busy:work_json", persist=True,
                         limits={"hits": 0, "rate": 50})
    number = answer["probe"]
    listed = cli("list", "--json")
    assert listed.status == 0, listed
    assert [row for row in listed.records if row["probe"] == number]
    tail = cli.start("tail", number, "--json")
    try:
        assert '"probe":%d' % number in tail.stdout.readline()
        assert cli("disable", number).status == 0
        assert cli("enable", number).status == 0
        assert cli("rm", number).status == 0
        out, err = tail.communicate(timeout=20)
    finally:
        tail.kill()
        tail.wait()
    assert tail.returncode == 0, err
    assert '"event":"end"' in out.splitlines()[-1]
    client.call("detach", pid=busy.pid)
    client.call("attach", pid=busy.pid)
    assert cli("detach", busy.pid, "--force").status == 0
    proc.wait_until(lambda: not proc.agent_left(busy.pid), 5, "detach")


@pytest.mark.parametrize("verb", ["", "ps", "doctor", "calls", "lines",
                                  "list", "rm", "tail", "detach"])
def test_help(cli, verb):
    result = cli(*([verb] if verb else []), "--help")
    assert result.status == 0, result
    assert "usage" in result.out.lower()
    assert max(map(len, result.out.splitlines())) <= 80


def test_version(cli):
    result = cli("--version")
    assert result.status == 0 and result.out.startswith("nopdb ")
    daemon = subprocess.run([str(BUILD / "nopdbd"), "--version"],
                            stdout=subprocess.PIPE, universal_newlines=True)
    assert daemon.returncode == 0
    assert daemon.stdout.split()[1] == result.out.split()[1]
