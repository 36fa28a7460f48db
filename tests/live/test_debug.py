# SPDX-License-Identifier: MIT
"""pdb in a running program, on the terminal of nopdb break --debug: what can be
done there, and that the program goes on whatever becomes of the debugger."""
import subprocess

import proc
import pytest

from breaks import evaluated, hits, line_of, stop
from machine import Target
from terminal import PROMPT, Terminal

CLEAN = [None, None, "settrace", [], False, False, True, True, True]
LINE = line_of("z = str(y)", "debugged")
WHERE = "debugged.py:%d" % LINE


@pytest.fixture(scope="module")
def program(python):
    with Target(python, "debugged") as target:
        yield target


@pytest.fixture
def debugged(program):
    """The program, without results yet; afterwards it is as it was."""
    program.call("RESULTS.clear")
    yield program
    assert program.call("state") == CLEAN


def old(python):
    return tuple(python.version[:2]) < (3, 12)


def stopped(socket, target, *options, value=4):
    """A terminal at pdb's first prompt, and a thread of the target in it."""
    terminal = Terminal(socket, "break", target.pid, WHERE, "--debug",
                        *options)
    terminal.expect("armed")
    target.start("keeps", value, name="worker")
    terminal.expect(PROMPT)
    return terminal


def freed(target, result, timeout=20):
    """Waits until the thread went on; with this result."""
    proc.wait_until(lambda: target.call("results"), timeout, "result")
    assert target.call("results") == [result]


def gone(target, threads):
    proc.wait_agent_gone(target.pid, threads)


@pytest.mark.smoke
def test_a_session_on_a_terminal(debugged, session_daemon):
    with stopped(session_daemon.socket, debugged) as pdb:
        # Its other threads run on.
        assert debugged.call("inner", 4) == 2
        where = pdb.say("where")
        assert "keeps()" in where and "> " in where, where
        assert "debugged.py(%d)mixed()" % LINE in where
        assert pdb.say("p x").strip() == "4"
        assert pdb.say("x = 5").strip() == ""
        assert pdb.say("p x").strip() == "5"
        assert "mixed()" in pdb.say("next")
        assert pdb.say("print(x, y)").strip() == "5 2.0"
        assert "return x, z" in pdb.say("list")
        assert debugged.call("results") == []
        pdb.write("continue\n")
        freed(debugged, (5, "2.0"))
        pdb.write("\x03")
        assert pdb.wait() == 0
        assert "readline" not in pdb.text


def test_it_steps_into_and_out_of_functions(debugged, session_daemon):
    with Terminal(session_daemon.socket, "break", debugged.pid,
                  "debugged:mixed", "--line", "+1", "--debug",
                  "-n", "1") as pdb:
        pdb.expect("armed")
        debugged.start("keeps", 6, name="worker")
        pdb.expect(PROMPT)
        assert "--Call--" in pdb.say("step")
        assert "half = value / 2" in pdb.say("step")
        assert pdb.say("p value").strip() == "6"
        assert "> " in pdb.say("up")
        assert pdb.say("p x").strip() == "6"
        assert "inner()" in pdb.say("down")
        assert "--Return--" in pdb.say("return")
        assert "mixed()" in pdb.say("next")
        assert pdb.say("p y").strip() == "3.0"
        assert "*** ZeroDivisionError" in pdb.say("1 / 0")
        assert "*** SystemExit" in pdb.say("raise SystemExit")
        assert "***" in pdb.say("break 3")
        pdb.write("continue\n")
        freed(debugged, (6, "3.0"))
        assert pdb.wait() == 0


def test_quit_ends_the_command_and_not_the_program(debugged, session_daemon):
    threads = proc.threads(debugged.pid)
    with stopped(session_daemon.socket, debugged) as pdb:
        pdb.write("quit\n")
        freed(debugged, (4, "2.0"))
        assert pdb.wait() == 0
    with stopped(session_daemon.socket, debugged, value=2) as pdb:
        pdb.write("\x04")
        proc.wait_until(lambda: len(debugged.call("results")) == 2, 20,
                        "result")
        assert pdb.wait() == 0
    gone(debugged, threads)


def test_a_client_that_is_killed_frees_the_program(debugged, session_daemon):
    threads = proc.threads(debugged.pid)
    with stopped(session_daemon.socket, debugged) as pdb:
        pdb.say("x = 7")
        pdb.kill()
        freed(debugged, (7, "2.0"))
    gone(debugged, threads)


def test_a_client_killed_while_it_steps(debugged, session_daemon):
    """The thread's trace function is gone although it is at no prompt."""
    threads = proc.threads(debugged.pid)
    with stopped(session_daemon.socket, debugged) as pdb:
        pdb.say("up")
        pdb.say("next")
        pdb.kill()
        freed(debugged, (4, "2.0"))
    gone(debugged, threads)


def test_what_was_typed_does_not_hold_the_program(debugged, session_daemon):
    """A loop at the prompt, and nobody there any more."""
    threads = proc.threads(debugged.pid)
    with stopped(session_daemon.socket, debugged) as pdb:
        pdb.write("while True: pass\n")
        pdb.kill()
        freed(debugged, (4, "2.0"))
    gone(debugged, threads)


def test_a_daemon_that_is_killed_frees_the_program(debugged, daemon):
    threads = proc.threads(debugged.pid)
    with stopped(daemon.socket, debugged):
        daemon.kill()
        freed(debugged, (4, "2.0"))
    gone(debugged, threads)
    daemon.start()


def test_silence_frees_the_program(debugged, session_daemon):
    with stopped(session_daemon.socket, debugged, "--debug-timeout",
                 "1s") as pdb:
        pdb.say("x = 8")
        freed(debugged, (8, "2.0"))
        pdb.expect("time is up")
        pdb.write("\x03")
        assert pdb.wait() == 0


def test_detach_and_rm_free_the_program(debugged, session_daemon, cli):
    threads = proc.threads(debugged.pid)
    with stopped(session_daemon.socket, debugged) as pdb:
        assert cli("detach", debugged.pid, "--force").status == 0
        freed(debugged, (4, "2.0"))
        pdb.wait()
    gone(debugged, threads)
    with session_daemon.client() as client:
        client.call("attach", pid=debugged.pid)
        with stop(client, debugged.pid, WHERE, {"debug": True}) as probe:
            debugged.start("keeps", 2)
            probe.event("debug", state="open")
            probe.remove()
            assert probe.event("debug", state="closed")["reason"] == "removed"
        proc.wait_until(lambda: len(debugged.call("results")) == 2, 20,
                        "result")
    gone(debugged, threads)


def test_other_probes_come_and_go_meanwhile(debugged, session_daemon, client):
    client.call("attach", pid=debugged.pid)
    with stopped(session_daemon.socket, debugged) as pdb:
        with stop(client, debugged.pid, "debugged:inner",
                  {"eval": "value"}) as probe:
            debugged.call("inner", 6)
            assert evaluated(hits(probe, 1)[0]) == [6]
            with stop(client, debugged.pid, WHERE, {"eval": "x"}):
                pass
        assert pdb.say("p x").strip() == "4"
        pdb.write("quit\n")
        freed(debugged, (4, "2.0"))
        pdb.wait()
    client.call("detach", pid=debugged.pid)


def test_threads_stop_in_turn(debugged, session_daemon):
    """Two threads at once: one has the terminal, the other waits for it."""
    with stopped(session_daemon.socket, debugged) as pdb:
        debugged.start("keeps", 6, name="second")
        pdb.expect("waits for its turn")
        assert pdb.say("p x").split()[-1] == "4"
        pdb.write("continue\n")
        pdb.expect(PROMPT)
        assert pdb.say("p x").strip() == "6"
        pdb.write("quit\n")
        proc.wait_until(lambda: len(debugged.call("results")) == 2, 20,
                        "results")
        assert pdb.wait() == 0


def test_lines_from_a_pipe(debugged, session_daemon, cli):
    """No terminal: the same, as JSON lines."""
    with cli.start("break", debugged.pid, WHERE, "--debug", "-n", "1",
                   stdin=subprocess.PIPE) as command:
        command.stdin.write("p x * 3\nx = 9\ncontinue\n")
        command.stdin.flush()
        for line in command.stdout:
            if '"armed"' in line:
                break
        debugged.start("keeps", 4)
        out = command.stdout.read()
        assert command.wait(20) == 0
    assert '"text":"12\\u000a' in out, out
    freed(debugged, (9, "2.0"))


def test_a_program_that_traces_itself(debugged, client, python):
    """<= 3.11: refused, with the reason; later: no steps, all else."""
    plain = debugged.call("traced", 4)
    client.call("attach", pid=debugged.pid)
    with stop(client, debugged.pid, WHERE, {"debug": True}) as probe:
        debugged.send(call="traced", args=[4])
        if old(python):
            (record,) = hits(probe, 1)
            error = record["errors"][0]["error"]
            assert "sys.settrace" in error["message"]
            assert not probe.of("debug")
        else:
            session = probe.event("debug", state="open")["session"]
            for line in ("next", "continue"):
                client.call("debug.input", probe=probe.id, session=session,
                            text=line)
            probe.event("debug", state="closed")
            text = "".join(record.get("text", "")
                           for record in probe.of("debug"))
            assert "*** next: the program traces itself" in text
        assert debugged.read()["result"] == repr(tuple(plain))
    client.call("detach", pid=debugged.pid)


def test_only_its_owner_may_type(debugged, session_daemon, client):
    client.call("attach", pid=debugged.pid)
    with stop(client, debugged.pid, WHERE, {"debug": True}) as probe:
        debugged.start("keeps", 4)
        session = probe.event("debug", state="open")["session"]
        with session_daemon.client() as other:
            other.call("subscribe", probe=probe.id)
            answer = other.request("debug.input", probe=probe.id,
                                   session=session, text="x = 1")
            with pytest.raises(Exception, match="no debugger session"):
                other.answer(answer)
            assert not [record for record in other.records
                        if record["event"] == "debug"]
    freed(debugged, (4, "2.0"))
    client.call("detach", pid=debugged.pid)


def test_it_is_refused_without_a_client(cli, debugged):
    result = cli("break", debugged.pid, WHERE, "--debug", "--persist")
    assert result.status == 2 and "--persist" in result.err
    result = cli("break", debugged.pid, WHERE, "--debug-timeout", "1s")
    assert result.status == 2 and "without --debug" in result.err
