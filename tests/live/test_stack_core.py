# SPDX-License-Identifier: MIT
"""Stacks of processes that are no more, from their core files."""
import contextlib
import os
import pathlib
import random
import resource
import signal
import subprocess

import pytest

import proc
from machine import PROGRAMS, TARGETS, Ended, Target
from rpc import RpcError

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()


def python_frames(record):
    """{name of thread: [(function, line)]}, outermost first; one that begins
    has no name yet."""
    return {thread.get("name"): [(frame["function"], frame["line"])
                                 for frame in thread["frames"]
                                 if frame["kind"] == "python"]
            for thread in record["threads"]}


def sentences(record):
    return [(item["kind"], item["text"]) for item in record["verdict"]]


def save_core(pid, path):
    """What gcore leaves of a process that goes on."""
    subprocess.run(["gdb", "-p", str(pid), "-batch", "-nx", "-ex",
                    "generate-core-file %s" % path], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, timeout=120)
    return path


@contextlib.contextmanager
def leaving_cores():
    """What is started in here leaves a core file when it crashes."""
    if "/" in PATTERN or PATTERN.startswith("|"):
        pytest.skip("the kernel hands core files on: " + PATTERN)
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != resource.RLIM_INFINITY:
        pytest.skip("core files are limited to %d bytes" % hard)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def start(python, folder, how):
    return Target(python, "crash", how, folder, script=True, env={
        "NOPDB_BIND": "%s:%s:%s" % (TARGETS, PROGRAMS, folder)})


def core_in(folder):
    (core,) = folder.glob(PATTERN.split("%")[0] + "*")
    return core


def crash(python, folder, how):
    """Lets a target crash; the kernel's core file of it, and its pid."""
    with leaving_cores():
        target = start(python, folder, how)
    target.process.stdin.close()
    with pytest.raises(Ended):
        target.read()
    target.stop()
    return core_in(folder), target.pid


def root_of(python):
    """Where the files lie that an interpreter in a root of its own names."""
    return {"root": os.environ["NOPDB_FORKY"] + "/root"} if python.id.startswith(
        "forky") else {}


def check_deadlock(live, dead):
    """A core file tells what the process told."""
    assert dead["pid"] == live["pid"]
    assert dead["python"] == live["python"]
    assert dead["core"]["missing"] == []
    assert python_frames(dead) == python_frames(live)
    assert sentences(live)[0][0] == "deadlock"
    assert sentences(live)[0] in sentences(dead)
    assert all(thread["merged"] and thread["consistent"]
               for thread in dead["threads"])
    ids = {thread["name"]: thread["id"] for thread in dead["threads"]}
    owners = {thread["name"]: thread["waits"].get("owner")
              for thread in dead["threads"] if thread["name"] != "MainThread"}
    assert owners == {"left": ids["right"], "right": ids["left"]}
    taking = [frame for thread in dead["threads"]
              for frame in thread["frames"]
              if frame.get("function") == "__main__:take_both"]
    assert len(taking) == 2
    assert all(set(frame["locals"]) == {"one", "other", "mine", "theirs"}
               for frame in taking)


def hung_picture(target, client):
    """The picture once both threads wait for each other, and the main thread,
    which may still be at their start, for one of them."""
    pictures = []

    def deadlocked():
        pictures.append(client.call("stack", pid=target.pid, native="none"))
        now = python_frames(pictures[-1])
        main = now.get("MainThread", ())
        return ("deadlock" in dict(sentences(pictures[-1]))
                and any(name.endswith("join") for name, _ in main)
                and len(pictures) > 1
                and now == python_frames(pictures[-2]))
    proc.wait_until(deadlocked, 15, "the deadlock")
    return pictures[-1]


@pytest.mark.smoke
def test_a_core_tells_what_the_process_told(python, client, folder):
    with leaving_cores():
        target = start(python, folder, "deadlock")
    try:
        live = hung_picture(target, client)
        target.signal(signal.SIGABRT)
        target.process.wait(30)
    finally:
        target.stop()
    dead = client.call("stack", core=str(core_in(folder)), locals=True,
                       **root_of(python))
    assert dead["core"]["signal"] == "SIGABRT"
    check_deadlock(live, dead)


def test_a_core_of_gcore(newest, client, folder):
    target = start(newest, folder, "deadlock")
    try:
        live = hung_picture(target, client)
        save_core(target.pid, folder / "core")
    finally:
        target.stop()
    dead = client.call("stack", core=str(folder / "core"), locals=True)
    assert "signal" not in dead["core"]
    check_deadlock(live, dead)


def test_a_crash_is_told_with_its_line(python, client, folder):
    core, pid = crash(python, folder, "segv")
    record = client.call("stack", core=str(core), locals=True,
                         **root_of(python))
    assert record["pid"] == pid
    assert record["core"]["signal"] == "SIGSEGV"
    assert record["core"]["fault"] == "0x10"
    assert record["core"]["thread"] == pid
    kind, text = sentences(record)[0]
    assert kind == "signal"
    assert text.startswith("ended by SIGSEGV at address 0x10 in ")
    assert "string_at at " in text
    main, napper = record["threads"]
    functions = [frame["function"] for frame in main["frames"]
                 if frame["kind"] == "python"]
    assert functions[:2] == ["__main__:<module>", "__main__:main"]
    assert "__main__:fall" in functions
    fall = [frame for frame in main["frames"]
            if frame.get("function") == "__main__:fall"]
    assert fall[0]["locals"]["depth"] == 3
    assert fall[0]["locals"]["password"] == {"$type": "str",
                                             "$redacted": "name"}
    assert napper["name"] == "napper" and napper["waits"]["for"] == "sleep"


def test_the_command_reads_one(newest, cli, folder):
    core, pid = crash(newest, folder, "abort")
    text = cli("stack", core.name, "--json", cwd=folder)
    assert text.status == 0, text
    assert text.records[0]["core"]["signal"] == "SIGABRT"
    done = cli("stack", core, "-o", folder / "out")
    assert done.status == 0, done
    out = (folder / "out").read_text()
    assert out.startswith("process %d: Python " % pid)
    assert "from a core file of " in out.splitlines()[0]
    assert "signal: ended by SIGABRT in thread %d" % pid in out


def test_bad_ones_are_refused(newest, cli, folder):
    plain = folder / "plain"
    plain.write_text("no core")
    own = cli("stack", "/proc/self/exe")
    missing = cli("stack", folder / "absent")
    for result, status, words in (
            (cli("stack", plain), 4, "no core file"),
            (own, 4, "no core file"),
            (cli("stack", folder), 4, "not a regular file"),
            (missing, 4, "No such file"),
            (cli("stack", plain, "--tree"), 2, "--tree"),
            (cli("stack", str(os.getpid()), "--root", folder), 2, "--root")):
        assert result.status == status, result
        assert words in result.err, result
    assert "remedy" in missing.err


def test_a_core_without_its_files(newest, cli, folder):
    core, _ = crash(newest, folder, "abort")
    (folder / "empty").mkdir()
    result = cli("stack", core, "--root", folder / "empty")
    assert result.status == 4, result
    assert "none of the files" in result.err and "--root" in result.err


def test_damaged_ones_end_in_an_answer(newest, client, folder):
    core, _ = crash(newest, folder, "segv")
    chance = random.Random(5)
    size = core.stat().st_size
    whole = client.call("stack", core=str(core))
    with open(core, "r+b") as file:
        for _ in range(60):
            at = chance.choice((chance.randrange(8192),
                                chance.randrange(65536),
                                chance.randrange(size)))
            file.seek(at)
            before = file.read(8)
            file.seek(at)
            file.write(bytes(chance.randrange(256) for _ in before))
            file.flush()
            try:
                client.call("stack", core=str(core), locals=True)
            except RpcError as error:
                assert error.name in ("not-python", "unsupported-python",
                                      "system", "no-memory", "timeout")
            file.seek(at)
            file.write(before)
            file.flush()
    assert whole["threads"]


def test_cores_that_end_early(newest, client, folder):
    core, _ = crash(newest, folder, "segv")
    size = core.stat().st_size
    for part in (size - 100, size // 2, 4096, 100, 0):
        os.truncate(core, part)
        try:
            record = client.call("stack", core=str(core))
            assert record["core"]["cut"]
        except RpcError as error:
            assert error.name in ("not-python", "unsupported-python",
                                  "system"), part
    with pytest.raises(RpcError):
        client.call("stack", core=str(core))
