# SPDX-License-Identifier: MIT
"""clients/python: against targets of every interpreter, and inside of each."""
import array
import asyncio
import math
import os
import pathlib
import subprocess
import sys

import pytest

import proc
from conftest import INTERPRETERS
from consumer import consume
from machine import BUILD, ROOT, TARGETS, Target, one_of_each_engine

CLIENT = ROOT / "clients" / "python"
UNITS = ROOT / "tests" / "python"
sys.path[:0] = [str(CLIENT), str(TARGETS)]

import golden  # noqa: E402
import nopdb  # noqa: E402

LIMITS = {"hits": 0, "rate": 0, "seconds": 0}


@pytest.fixture
def process(zoo, session_daemon):
    with nopdb.attach(zoo.pid, session_daemon.socket) as attached:
        yield attached


@pytest.fixture
def values(python, session_daemon):
    """Name -> what the client has for golden's value of that name."""
    names = sorted(golden.VALUES)
    with Target(python, "golden") as target:
        if "attr" in target.call("missing"):
            names = [name for name in names if not name.startswith("attrs")]
        with nopdb.attach(target.pid, session_daemon.socket) as attached:
            with attached.capture_calls("show", module="golden", depth=6, items=50,
                                        string=6000, locals=False, stack=1,
                                        **LIMITS) as calls:
                assert target.call("show_all", names) == len(names)
            assert calls.lost == 0
            return {name: call.args["value"]
                    for name, call in zip(names, calls)}


# ---- values ---------------------------------------------------------------------
def check_equal(values):
    for name, wanted in golden.EQUAL.items():
        found = values[name]
        assert type(found) is type(wanted), (name, found)
        assert found == wanted, name
        # -0.0 is equal to 0.0; a set has no order, a default no factory, and
        # Python refuses to print a long int.
        assert name in ("set", "defaults", "huge", "hex") or (
            repr(found) == repr(wanted)), (name, found)
    for name, text in golden.PATHS.items():
        assert values[name] == pathlib.PurePosixPath(text), values[name]


def check_objects(values):
    def known(name):
        return nopdb.facts(values[name])
    for name in set(golden.SEEN) & set(values):
        assert isinstance(values[name], nopdb.Snapshot), name
        assert known(name).type in repr(values[name])
    assert known("member").type == "golden.Color"
    assert known("member").members["name"] == "RED"
    assert known("member").value == 1
    assert (values["point"].x, values["point"][1]) == (1, 2)
    assert list(values["point"]) == [1, 2]
    assert (values["item"].name, values["item"].price) == ("tea", 2.5)
    assert values["plain"].size == 3
    assert (values["slots"].one, values["slots"].two) == (1, "2")
    if "attrs" in values:
        assert (values["attrs"].name, values["attrs"].size) == ("leaf", 2)
        assert values["attrs_slots"].name == "slot"
    assert (values["both"].one, values["both"].three) == (1, 3)
    with pytest.raises(AttributeError):
        values["slots"].unset
    assert list(values["words"]) == [1] and values["table"]["a"] == 1
    assert known("text").value == "abc" and known("number").value == 5
    assert known("exception").members["args"] == ("outer", 2)
    assert nopdb.facts(known("exception").members["cause"]).type == "KeyError"
    (place,) = known("exception").members["traceback"]
    assert place["function"] == "golden:caught"
    assert nopdb.facts(known("context").members["context"]).type == "KeyError"
    for name in ("function", "code", "frame", "generator"):
        assert known(name).members["file"].endswith("golden.py"), name
    assert known("method").members["self"].name == "plain"
    assert known("class").members["name"] == "golden.Plain"
    assert known("module").members["name"] == "collections"
    assert known("proxy").value == {"a": 1}
    assert known("partial").members["args"] == (1,)
    assert nopdb.facts(values["ring"].itself).type == "cycle"
    assert values["namespace"].a == 1
    assert all(values[name] == wanted for name, wanted in golden.FEW.items())


def check_arrays(python, found):
    """What was captured whole comes back equal, where Python has the type."""
    for name, value in found.items():
        wanted = golden.ARRAYS[name]
        if isinstance(wanted, golden.numpy.ndarray):
            assert isinstance(value, golden.numpy.ndarray), (name, value)
            assert value.dtype == wanted.dtype and (
                value.shape == wanted.shape), name
            assert value.tobytes() == wanted.tobytes(), name
            continue
        if isinstance(wanted, array.array):
            assert type(value) is array.array, (name, value)
            assert value.tolist() == wanted.tolist(), name
            continue
        assert isinstance(value, memoryview), (name, value)
        plain = memoryview(wanted)
        assert value.shape == plain.shape, name
        assert value.tobytes() == plain.tobytes(), name
        assert value.itemsize == plain.itemsize, name
    assert len(found) == (20 if python.id.startswith(("debian", "forky"))
                          and "floats" in found else 9)


def check_limits(values):
    assert math.isnan(values["nan"])
    assert isinstance(values["cycle"], list)
    assert len(values["many"]) == 1000 and "of 1000" in repr(values["many"])
    assert values["many"][49] == 49
    with pytest.raises(IndexError, match="cut"):
        values["many"][50]
    assert values["secrets"]["user"] == "ann"
    assert nopdb.facts(values["secrets"]["password"]).redacted == "name"
    assert "hunter2" not in repr(values["secrets"])


@pytest.mark.smoke
def test_every_type_comes_back(values):
    check_equal(values)
    check_objects(values)
    check_limits(values)


@pytest.mark.smoke
def test_arrays_come_back_whole(python, session_daemon):
    with Target(python, "golden") as target:
        with nopdb.attach(target.pid, session_daemon.socket) as attached:
            with attached.capture_calls("show", module="golden",
                                        arrays="full", locals=False, stack=0,
                                        **LIMITS) as calls:
                names = target.call("show_arrays", sorted(golden.ARRAYS))
        found = {name: call.args["value"] for name, call in zip(names, calls)}
        lacking = target.call("missing")
    check_arrays(python, found)
    assert ("numpy" in lacking) is ("floats" not in found)


# ---- another process --------------------------------------------------------------
@pytest.mark.smoke
def test_calls_of_a_process(process, zoo):
    with process.capture_call("add", module="zoo") as call:
        zoo.call("add", 1, 2)
        zoo.call("add", 3, 4)
    assert call.args == {"x": 3, "y": 4} and call.return_value == 7
    assert call.locals["total"] == 7 and call.name == "add"
    assert call.stack[-1].name == "add"
    assert call.globals["SHAPE"].side == 3 and "add" in call.globals
    with process.capture_calls("raises", module="zoo") as calls:
        zoo.call("raises", 5)
    assert calls[0].exception.type == "zoo.Refused"
    assert calls[0].exception.message == "not 5"
    assert calls[0].duration > 0 and calls[0].thread.name == "MainThread"
    assert calls.reason == "removed" and process.probes() == []


def test_lists_are_complete(process, zoo):
    with process.capture_calls("add", module="zoo", **LIMITS) as calls:
        zoo.call("burst", 2000)
    assert len(calls) + calls.lost == 2000
    assert not calls.lost
    assert [call.args["x"] for call in calls] == list(range(2000))


def test_following(process, zoo):
    seen = []
    with process.capture_calls("add", module="zoo", hits=50, keep=False,
                               rate=0) as calls:
        zoo.send(call="burst", args=[200])
        for call in calls:
            seen.append(call.args["x"])
    assert seen == list(range(50)) and len(calls) == 0
    assert calls.reason == "hits" and zoo.read() == {"result": "200"}
    with process.capture_calls("add", module="zoo") as calls:
        zoo.call("add", 1, 1)
        assert calls.wait(1, timeout=30) == 1
        assert [call.return_value for call in calls.follow(0.2)] == [2]
        with pytest.raises(nopdb.WaitTimeout):
            calls.wait(2, timeout=0.05)


def test_a_slow_reader_has_bounded_memory(process, zoo, monkeypatch):
    monkeypatch.setattr("nopdb.capture.PENDING_MOST", 100)
    most = 0
    with process.capture_calls("add", module="zoo", keep=False, locals=False,
                               stack=1, **LIMITS) as calls:
        zoo.send(call="burst", args=[3000])
        for number, call in enumerate(calls.follow(30), 1):
            most = max(most, len(calls))
            if number == 200:
                process.lines("add")  # an answer comes all the same
            if number + calls.lost == 3000:
                break
    assert zoo.read(60) == {"result": "3000"}
    assert most <= 3000 and number + calls.lost == 3000


@pytest.mark.parametrize("python", one_of_each_engine(INTERPRETERS),
                         ids=lambda python: python.id)
def test_many_records_without_loss(python, session_daemon):
    """Each one, in bounded memory: NOPDB_RECORDS=1000000 is the long form, and
    `make bench` finds the rate of a machine."""
    count = int(os.environ.get("NOPDB_RECORDS", "20000"))
    with Target(python, "paced") as target:
        report = consume(target, session_daemon.socket, count,
                         int(os.environ.get("NOPDB_RECORDS_RATE", "8000")),
                         CLIENT)
    assert report["taken"] == report["right"] == count, report
    assert report["lost"] == 0, report
    assert report["peak_kb"] < report["early_kb"] + 64000, report


def test_async_for(process, zoo):
    async def collect():
        found = []
        with process.capture_calls("add", module="zoo", hits=3,
                                   rate=0) as calls:
            zoo.send(call="burst", args=[9])
            async for call in calls:
                found.append(call.args["x"])
        return found
    assert asyncio.run(collect()) == [0, 1, 2]
    zoo.read()


def test_async_for_over_hits(process, zoo):
    async def collect():
        found = []
        with process.breakpoint("add", module="zoo", hits=2, rate=0,
                                enabled=False) as bp:
            bp.eval("x")
            bp.enable()
            zoo.send(call="burst", args=[9])
            async for hit in bp:
                found += hit.values
        return found, [hit.values for hit in bp]
    assert asyncio.run(collect()) == ([0, 1], [[0], [1]])
    zoo.read()


def test_threads_and_tasks(process, zoo):
    with process.capture_calls("add", module="zoo", thread="other*") as calls:
        zoo.call("add", 1, 2)
        zoo.start("add", 5, 6, name="other-1")
        assert calls.wait(1, timeout=30) == 1
    assert [call.args["x"] for call in calls] == [5]
    assert calls[0].thread.name == "other-1" and calls[0].task is None


def test_what_is_lost_is_told(process, zoo):
    with process.capture_calls("add", module="zoo", rate=5,
                               hits=0) as calls:
        zoo.call("burst", 100)
    assert calls.lost_by_reason["rate"] == 100 - len(calls) > 0
    assert calls.lost == calls.lost_by_reason["rate"]


def test_a_breakpoint_in_a_process(process, zoo):
    with process.breakpoint("add", module="zoo", line="return total",
                            cond="x > 1") as bp:
        totals = bp.eval("total")
        bp.exec("total = total * 10")
        texts = bp.log("{x}+{y}")
        with pytest.raises(nopdb.LocationError):
            bp.eval("x =")
        assert zoo.call("add", 1, 2) == 3
        assert zoo.call("add", 2, 3) == 50
    assert totals == [5] and texts == ["2+3"] and len(bp.hits) == 1
    assert zoo.call("add", 2, 3) == 5


def test_questions(process, zoo, session_daemon):
    assert [place["function"] for place in process.lines("add", module="zoo")
            ] == ["zoo:add"]
    assert any(thread.get("main") for thread in process.stack()["threads"])
    with pytest.raises(nopdb.NopdbError, match="redact: longer than"):
        process.stack(locals=True, redact="x" * 300, strict=True)
    mine = [each for each in nopdb.processes(session_daemon.socket)
            if each.pid == zoo.pid]
    assert mine and mine[0].enter
    assert process.engine in ("monitoring", "evalframe")


def test_a_process_that_ends(python, session_daemon):
    with Target(python, "zoo") as target:
        with nopdb.attach(target.pid, session_daemon.socket) as process:
            with process.capture_calls("add", module="zoo") as calls:
                target.call("add", 1, 2)
                target.stop()
                assert calls.wait(9, timeout=20) == 1
            assert calls.reason == "target-exit"
            assert process.ended


# ---- not to any interpreter ---------------------------------------------------------
def test_refusals(newest, session_daemon):
    with pytest.raises(nopdb.NoSuchProcess) as caught:
        nopdb.attach(4194304, session_daemon.socket)
    assert caught.value.name == "no-such-process" and caught.value.exit == 4
    with pytest.raises(nopdb.DaemonError):
        nopdb.attach(1, "/tmp/" + "x" * 200)
    with Target(newest, "zoo") as target:
        with nopdb.attach(target.pid, session_daemon.socket) as process:
            call = process.capture_call("add", module="zoo")
            target.call("add", 1, 2)
        assert call.return_value == 3
        for use in (lambda: process.capture_call("add"), call.enable,
                    lambda: call.globals, lambda: process.eval("1")):
            with pytest.raises(nopdb.NopdbError) as caught:
                use()
            assert "closed" in str(caught.value) or "not set" in str(
                caught.value)


def test_a_daemon_that_dies(newest, daemon):
    with Target(newest, "zoo") as target:
        process = nopdb.attach(target.pid, daemon.socket)
        with pytest.raises(nopdb.DaemonError):
            with process.capture_calls("add", module="zoo") as calls:
                daemon.kill()
                calls.wait(1, timeout=20)
                assert calls.failure
                process.lines("add")
        process.detach()
        daemon.start()


def test_it_starts_the_daemon(newest, folder):
    env = dict(os.environ, NOPDB_SOCKET=str(folder / "sock"),
               NOPDB_BUILD=str(BUILD), PYTHONPATH=str(CLIENT))
    with Target(newest, "zoo") as target:
        code = ("import nopdb\n"
                "from nopdb.connection import Connection\n"
                "with nopdb.attach(%d) as p: print(p.engine)\n"
                "c = Connection(); print(c.call('hello')['pid'])\n"
                "c.call('shutdown')\n" % target.pid)
        done = subprocess.run([newest.path, "-c", code], env=env, timeout=60,
                              stdout=subprocess.PIPE,
                              universal_newlines=True, check=True)
    engine, pid = done.stdout.split()
    assert engine in ("monitoring", "evalframe")
    proc.wait_until(lambda: not proc.alive(int(pid)), 20, "end of the daemon")
    done = subprocess.run([newest.path, "-m", "nopdb", "--version"], env=env,
                          stdout=subprocess.PIPE, universal_newlines=True,
                          check=True)
    assert "nopdb" in done.stdout


# ---- under each interpreter ---------------------------------------------------------
def run_under(python, daemon, *words):
    """Runs unittests under an interpreter, with the client to import."""
    if python.version < (3, 8):
        pytest.skip("the client needs Python 3.8")
    env = dict(os.environ, PYTHONPATH=str(CLIENT),
               PYTHONDONTWRITEBYTECODE="1", NOPDB_SOCKET=str(daemon.socket),
               NOPDB_BUILD=str(BUILD),
               NOPDB_BIND=":".join(map(str, (TARGETS, CLIENT, UNITS,
                                             daemon.folder))))
    done = subprocess.run([python.path, *words], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True,
                          timeout=200)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "\nOK" in done.stdout


@pytest.mark.smoke
def test_the_own_process(python, session_daemon):
    """What NoPdb's users write, unchanged, in their own process."""
    run_under(python, session_daemon, str(TARGETS / "own_use.py"))


@pytest.mark.smoke
def test_what_nopdb_documents(python, session_daemon):
    """The same lines in the own process and against a second one."""
    run_under(python, session_daemon, str(TARGETS / "classic_use.py"))


def test_units(python, session_daemon):
    run_under(python, session_daemon, "-m", "unittest", "discover", "-s",
              str(UNITS))
