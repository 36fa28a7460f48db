# SPDX-License-Identifier: MIT
"""eval and exec outside of any frame: what they see, what they leave."""
import pytest

import proc
from machine import Target
from rpc import RpcError
from test_guard import RECURSES


@pytest.fixture(scope="module")
def pond(python):
    with Target(python, "pond") as target:
        yield target


@pytest.fixture
def at(client, pond):
    client.call("attach", pid=pond.pid)
    yield pond
    if not client.closed:
        client.call("detach", pid=pond.pid)


def evaluate(client, target, expr, **params):
    params.setdefault("module", "pond")
    return client.call("eval", pid=target.pid, expr=expr, **params)


def execute(client, target, code, **params):
    params.setdefault("module", "pond")
    return client.call("exec", pid=target.pid, code=code, **params)


@pytest.mark.smoke
def test_values_and_names(at, client):
    record = evaluate(client, at, "one_line(4), BASE.scale")
    assert record["event"] == "value" and record["pid"] == at.pid
    assert record["value"] == {"$type": "tuple", "$items": [5, 2]}
    assert client.call("eval", pid=at.pid,
                       expr="__name__")["value"] == "__main__"
    assert execute(client, at, "fresh = [COUNTER]\nfresh.append(2)")[
        "value"] is None
    assert evaluate(client, at, " fresh[1] ")["value"] == 2
    execute(client, at, "del fresh")
    assert evaluate(client, at, "list(range(50))", limits={"items": 2})[
        "value"]["$items"] == [0, 1]


def test_plain_names_that_sound_secret_are_withheld(at, client):
    execute(client, at, "password = 'hunter2'")
    assert evaluate(client, at, "password")["value"]["$redacted"] == "name"
    assert evaluate(client, at, "password", limits={
        "no_redact": "password"})["value"] == "hunter2"
    assert evaluate(client, at, "password.upper()")["value"] == "HUNTER2"
    execute(client, at, "del password")


DEEP = {"parentheses": "(" * 190 + "1" + ")" * 190, "minus": "-" * 900 + "1",
        "long minus": "-" * 9000 + "1", "attributes": "a" + ".b" * 7900,
        "plus": "1" + "+1" * 7900, "items": "a" + "[0]" * 5200}


@pytest.fixture
def shallow(python, client):
    """A program whose threads have little stack; 3.11 needs more for probes."""
    size = 1 << 20 if python.version[:2] == (3, 11) else 256 << 10
    with Target(python, "pond", prefix=(
            "prlimit", "--stack=%d" % size)) as target:
        client.call("attach", pid=target.pid)
        yield target
        client.call("detach", pid=target.pid)


def test_deep_code_where_stacks_are_small(shallow, client):
    """It is compiled on our thread."""
    for code in DEEP.values():
        for method, what in (("eval", {"expr": code}),
                             ("exec", {"code": "x = " + code})):
            if method == "eval" and len(code) >= 1024:
                continue
            try:
                client.call(method, pid=shallow.pid, **what)
            except RpcError as error:
                assert error.name == "bad-code", error


def test_deep_calls_where_stacks_are_small(shallow, client):
    """They run on a thread of their own."""
    code = "f = lambda n: f(n + 1)\nf(0)"
    record = client.call("exec", pid=shallow.pid, code=code)
    assert record["error"]["type"] == "RecursionError"


@pytest.mark.smoke
@pytest.mark.parametrize("code, kind", [
    ("raise SystemExit(3)", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("1 / 0", "ZeroDivisionError"),
    (RECURSES, "RecursionError"),
    ("b'x' * (10 << 30)", "MemoryError"),
    ("nothing", "NameError"),
])
def test_what_it_raises_is_the_answer(at, client, code, kind):
    answer = execute(client, at, code)
    assert answer["error"]["type"] == kind and "value" not in answer
    assert at.call("mixed", 2) == (2, "1.0")
    at.check()


@pytest.mark.parametrize("method, params, name, exits", [
    ("eval", {"expr": "x = = 1"}, "bad-code", 5),
    ("eval", {"expr": "x = 1"}, "bad-code", 5),
    ("exec", {"code": "COUNTER[0] = 99\nif x"}, "bad-code", 5),
    ("eval", {"expr": "1", "module": "nowhere"}, "bad-location", 5),
    ("eval", {"expr": "1", "time_ms": 0}, "invalid-params", 2),
    ("eval", {"code": "1"}, "invalid-params", 2),
    ("eval", {"expr": "1" * 5000}, "invalid-params", 2),
])
def test_refused_before_anything_runs(at, client, method, params, name, exits):
    with pytest.raises(RpcError) as error:
        client.call(method, pid=at.pid, **params)
    assert (error.value.name, error.value.exit) == (name, exits)
    assert evaluate(client, at, "COUNTER[0]")["value"] != 99
    if params.get("expr") == "x = = 1":
        assert ", column " in error.value.message
        assert "x = = 1" in error.value.message


@pytest.mark.smoke
def test_what_it_prints_is_its_own(at, client):
    """Another thread's output goes where it went."""
    record = execute(
        client, at, "import sys, threading\nprint('mine', end='')\n"
        "seen = []\ndef look(): seen.append(sys.stdout.name)\n"
        "t = threading.Thread(target=look); t.start(); t.join()\n"
        "print(seen, isinstance(sys.stdout, type(sys.__stdout__)))",
        stdout=True)
    assert record["stdout"] == "mine['<stdout>'] True\n"
    assert evaluate(client, at, "__import__('sys').stdout is "
                    "__import__('sys').__stdout__")["value"] is True
    long = execute(client, at, "print('x' * 100000)", stdout=True)
    assert long["stdout_truncated"] and set(long["stdout"]) == {"x"}
    quiet = evaluate(client, at, "1")
    assert "stdout" not in quiet


@pytest.mark.smoke
def test_its_time_is_limited(at, client):
    threads = set(proc.threads(at.pid))
    for code in ("while True: pass",
                 "while True:\n try:\n  while True: pass\n"
                 " except Exception: pass"):
        answer = execute(client, at, code, time_ms=50)
        assert answer["interrupted"] and "interrupted" in answer["error"][
            "message"]
    proc.wait_until(lambda: set(proc.threads(at.pid)) <= threads, 10,
                    "end of the threads")
    assert at.call("mixed", 2) == (2, "1.0")


def test_a_blocked_one_holds_up_nothing(python, client):
    """Neither other requests nor detaching; it ends when it comes back."""
    with Target(python, "pond") as target:
        before = set(proc.threads(target.pid))
        client.call("attach", pid=target.pid)
        execute(client, target, "LOCK.acquire()")
        answer = execute(client, target, "LOCK.acquire()\nCOUNTER[0] = 77",
                         time_ms=50, stdout=True)
        assert "blocked" in answer["error"]["message"]
        assert evaluate(client, target, "COUNTER[0]")["value"] == 0
        assert target.call("mixed", 2) == (2, "1.0")
        waits = client.request("exec", pid=target.pid, module="pond",
                               code="LOCK.acquire()", stdout=True)
        assert evaluate(client, target, "1 + 1")["value"] == 2
        client.call("detach", pid=target.pid)
        with pytest.raises(RpcError):
            client.answer(waits)
        proc.wait_until(lambda: not proc.agent_left(target.pid), 6,
                        "departure of the agent")
        # The two hold on to the lock in turn, and end with it.
        for _ in range(2):
            assert target.call("LOCK.release") is None
            proc.wait_until(lambda: target.call("LOCK.locked"), 10, "a taker")
        assert target.call("LOCK.release") is None
        proc.wait_until(lambda: set(proc.threads(target.pid)) <= before, 10,
                        "end of the threads")
        assert target.call("COUNTER.copy") == [0]
        assert target.call("state")[0] is True
        target.check()


def test_probes_see_what_it_calls(at, client):
    with client.probe(at.pid, "pond:mixed") as probe:
        assert evaluate(client, at, "mixed(6)[0]")["value"] == 6
        (record,) = probe.calls(1)
        assert record["args"] == {"x": 6}


def test_nothing_of_its_thread_stays(at, client):
    """Neither in threading nor with signals kept from its children."""
    execute(client, at, "import threading; threading.current_thread()")
    assert evaluate(client, at, "[t for t in __import__('threading')"
                    "._active.values() if 'Dummy' in t.name]"
                    )["value"] == []
    mask = evaluate(client, at, "[int(line.split()[1], 16) for line in open("
                    "'/proc/thread-self/status') if 'SigBlk' in line]")
    assert mask["value"] == [0]


def test_a_child_that_it_forks_ends(at, client):
    answer = execute(client, at, "import os\npid = os.fork()\n"
                     "if pid: status = os.waitpid(pid, 0)[1]")
    assert "error" not in answer
    assert evaluate(client, at, "status")["value"] == 0
    at.check()


def test_many_at_once_are_bounded(at, client):
    waiting = [client.request("exec", pid=at.pid, time_ms=20000,
                              code="import time\ntime.sleep(1)")
               for _ in range(9)]
    answers = []
    for number in waiting:
        try:
            answers.append(client.answer(number))
        except RpcError as error:
            assert error.name == "busy"
            answers.append(None)
    assert answers.count(None) == 1


@pytest.mark.smoke
def test_the_command(python, cli, folder):
    with Target(python, "pond") as target:
        command, threads = cli, set(proc.threads(target.pid))
        done = command("eval", target.pid, "one_line(1.0)", "--module", "pond")
        assert done.status == 0 and '"value":2.0' in done.out
        done = command("exec", target.pid, "print('out')", "--stdout")
        assert done.status == 0
        assert done.records[0]["stdout"] == "out\n"
        code = folder / "code.py"
        code.write_text("COUNTER[0] = 5\n")
        assert command("exec", target.pid, "--exec-file", code, "--module",
                       "pond").status == 0
        assert target.call("COUNTER.copy") == [5]
        done = command("eval", target.pid, "1 / 0")
        assert done.status == 1
        assert done.records[0]["error"]["type"] == "ZeroDivisionError"
        done = command("eval", target.pid, "x +")
        assert done.status == 5 and "column" in done.err
        done = command("exec", target.pid, "while True: pass", "-t", "50ms")
        assert done.status == 1 and done.records[0]["interrupted"]
        for words in (["exec", target.pid], ["eval", target.pid, "1", "-t",
                      "2h"], ["exec", target.pid, "1", "--exec-file", "x"],
                      ["eval", target.pid, "1", "-t", "1s", "--timeout", "1s"],
                      ["eval", target.pid, "1", "--line", "3"]):
            assert command(*words).status == 2, words
        proc.wait_agent_gone(target.pid, threads)
        target.check()
