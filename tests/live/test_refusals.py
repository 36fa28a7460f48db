# SPDX-License-Identifier: MIT
"""Bad input and processes that cannot be entered: the message names the input
and the reason, the remedy says what to do, the exit code is the contract's."""
import os
import shutil
import signal
import subprocess
import time

import pytest

import proc
from machine import BUILD, Command, Interpreter, Target
from rpc import Client, RpcError

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
DEBIAN = Interpreter("debian", None, "/usr/bin/python3")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def assert_refused(result, status, *names, remedy=True):
    """Exit code, a message with these names, a remedy, nothing on stdout."""
    assert result.status == status, result
    assert result.out == "", result
    assert result.err.startswith("nopdb: "), result
    for name in names:
        assert str(name).lower() in result.err.lower(), result
    if remedy:
        assert "remedy: " in result.err, result


def ended_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


# ---- processes ---------------------------------------------------------------------
def test_no_such_process(cli):
    pid = ended_pid()
    assert_refused(cli("calls", pid, "f"), 4, pid, "no process")
    assert_refused(cli("detach", pid), 6, pid)
    assert_refused(cli("lines", pid, "f"), 4, pid)


def test_not_a_python(cli, child):
    sleeper = child("sleep", 60)
    assert_refused(cli("calls", sleeper.pid, "f"), 4, sleeper.pid, "python")
    assert proc.alive(sleeper.pid)


def test_thread_is_no_process(cli, newest):
    with Target(newest, "busy") as target:
        thread = max(proc.threads(target.pid))
        assert_refused(cli("calls", thread, "f"), 4, thread, target.pid)


def test_zombie(cli, child):
    dead = child("true")
    proc.wait_until(lambda: proc.state(dead.pid) == "Z", 5, "zombie")
    assert_refused(cli("calls", dead.pid, "f"), 4, dead.pid)


# The system call ends the first thread alone, as pthread_exit in a C main.
LEADERLESS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(99,)).start()
ctypes.CDLL(None).syscall(60, 0)
"""


def test_first_thread_ended(cli, child, newest):
    headless = child(newest.path, "-c", LEADERLESS)
    proc.wait_until(lambda: proc.state(headless.pid) == "Z", 10, "zombie")
    for verb in (("calls", headless.pid, "f"), ("stack", headless.pid)):
        assert_refused(cli(*verb), 4, headless.pid, "first thread", "others")
    assert headless.poll() is None and len(proc.threads(headless.pid)) == 2


LARGE = "import time; held = b'x' * (1 << 30); print(flush=True); time.sleep(99)"
ENDINGS = 20  # at most, until one was seen at some length


@pytest.mark.parametrize("method", ["attach", "stack"])
def test_ending(session_daemon, child, newest, method):
    """Its memory is gone before its id: it ends, and is no less a Python."""
    names = []
    for _ in range(ENDINGS):
        large = child(newest.path, "-c", LARGE, stdout=subprocess.PIPE)
        large.stdout.readline()
        with session_daemon.client() as client:
            large.kill()
            while proc.state(large.pid) != "Z":
                with pytest.raises(RpcError) as caught:
                    client.call(method, pid=large.pid)
                names.append(caught.value.name)
        large.wait()
        if len(names) > 2:
            break
    assert len(names) > 2, names
    assert set(names) <= {"zombie", "no-such-process", "target-exited"}, names


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind here")
def test_valgrind(cli, child):
    """The threads are valgrind's, whatever they seem to run."""
    emulated = child("valgrind", "-q", DEBIAN.path, "-c",
                     "print('ready', flush=True); import time; time.sleep(99)",
                     stdout=subprocess.PIPE)
    assert emulated.stdout.readline() == b"ready\n"
    before = proc.Snapshot(emulated.pid)
    assert_refused(cli("calls", emulated.pid, "f"), 4, emulated.pid,
                   "valgrind", "nopdb stack")
    assert before.differences(proc.Snapshot(emulated.pid), 4000) == []
    assert cli("stack", emulated.pid).status == 0


def test_stopped(cli, newest):
    with Target(newest, "idle") as target:
        target.signal(signal.SIGSTOP)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "stop")
        assert_refused(cli("calls", target.pid, "ping"), 6, target.pid,
                       "stopped", "CONT")
        assert proc.state(target.pid) == "T"
        target.signal(signal.SIGCONT)
        assert target.call("ping", 1) == 2


def test_already_traced(cli, newest, child):
    with Target(newest, "idle") as target:
        tracer = child("strace", "-f", "-o", "/dev/null", "-p", target.pid,
                       stderr=subprocess.DEVNULL)
        proc.wait_until(lambda: proc.status_field(
            target.pid, "TracerPid") == str(tracer.pid), 5, "tracer")
        assert_refused(cli("calls", target.pid, "ping"), 6, target.pid,
                       tracer.pid, "trace")
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        assert target.call("ping", 1) == 2
        done = cli("calls", target.pid, "ping", "-t", "200ms")
        assert done.status == 1, done


@pytest.fixture
def nobody(folder):
    """The command run by an unprivileged user, with a daemon of its own."""
    os.chmod(folder, 0o755)
    private = folder / "nobody"
    private.mkdir()
    os.chown(private, 65534, 65534)
    command = Command(private / "sock", env={"HOME": "/nonexistent"})
    yield command
    try:
        with Client(private / "sock") as client:
            client.call("shutdown")
    except (OSError, EOFError):
        pass


@needs_root
def test_other_users_process(nobody, newest):
    with Target(newest, "idle") as target:
        assert_refused(nobody("calls", target.pid, "ping", prefix=NOBODY),
                       3, target.pid)
        assert target.call("ping", 1) == 2


@needs_root
def test_own_process_of_an_unprivileged_user(nobody):
    with Target(DEBIAN, "idle", prefix=NOBODY) as target:
        command = nobody.start("calls", target.pid, "ping", "-n", "1",
                               prefix=NOBODY)
        try:
            for number in range(200):
                target.call("ping", number)
                if command.poll() is not None:
                    break
                time.sleep(0.05)
            out, err = command.communicate(timeout=10)
        finally:
            command.kill()
            command.wait()
        assert command.returncode == 0, out + err
        assert '"idle:ping"' in out


@needs_root
def test_unprivileged_peer_is_refused_by_roots_daemon(session_daemon, folder):
    """The socket's own folder keeps others out; SO_PEERCRED does too."""
    open_socket = folder / "sock"
    os.chmod(folder, 0o755)
    os.link(session_daemon.socket, open_socket)
    os.chmod(open_socket, 0o777)
    done = subprocess.run(
        [*NOBODY, "/usr/bin/python3", "-c",
         "import socket, sys; s = socket.socket(socket.AF_UNIX); "
         "s.settimeout(5); s.connect(sys.argv[1]); "
         "s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"targets\"}\\n'"
         "); print(s.recv(4096))", str(open_socket)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True)
    assert "result" not in done.stdout, done.stdout
    os.chmod(session_daemon.socket, 0o600)


LAST_PID = "/proc/sys/kernel/ns_last_pid"


def start_with_pid(python, module, pid):
    """A target that gets just this process id."""
    for _ in range(50):
        with open(LAST_PID, "w") as stream:
            stream.write(str(pid - 1))
        target = Target(python, module)
        if target.pid == pid:
            return target
        target.stop()
    return None


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK),
                    reason="cannot choose process ids here")
def test_reused_pid(client, newest):
    """A new process with an attached one's id is not mistaken for it."""
    first = Target(newest, "idle")
    report = client.call("attach", pid=first.pid)
    client.probe(first.pid, "idle:ping")
    first.stop()
    second = start_with_pid(newest, "idle", first.pid)
    if second is None:
        pytest.skip("the process id was taken by another")
    with second:
        with pytest.raises(RpcError) as caught:
            client.call("probe.add", target=report["target"], kind="calls",
                        where="idle:ping")
        assert caught.value.name in ("not-attached", "no-such-process")
        again = client.call("attach", pid=second.pid)
        assert again["target"] != report["target"]
        with client.probe(second.pid, "idle:ping") as probe:
            second.call("ping", 1)
            assert probe.calls(1)[0]["target"] == again["target"]
        client.call("detach", pid=second.pid)


# ---- the command line ------------------------------------------------------------------
@pytest.mark.parametrize("words, status, named", [
    (["calls", "abc", "f"], 2, ["abc"]),
    (["calls", "0", "f"], 2, ["0"]),
    (["calls", "-1", "f"], 2, ["1"]),
    (["calls", "99999999999999999999", "f"], 2, ["99999999999999999999"]),
    (["calls", "1x", "f"], 2, ["1x"]),
    (["calls"], 2, ["pid"]),
    (["calls", "SELF"], 2, ["where"]),
    (["calls", "SELF", "f", "-n", "many"], 2, ["many"]),
    (["calls", "SELF", "f", "-n", "-3"], 2, ["-3"]),
    (["calls", "SELF", "f", "-t", "soon"], 2, ["soon"]),
    (["calls", "SELF", "f", "--depth", "1e99"], 2, ["1e99"]),
    (["calls", "SELF", "f", "--nonsense"], 2, ["nonsense"]),
    (["nonsense"], 2, ["nonsense"]),
    ([], 2, []),
    (["rm"], 2, []),
    (["rm", "x7"], 2, ["x7"]),
    (["rm", "999999"], 2, ["999999"]),
    (["detach"], 2, ["pid"]),
])
def test_bad_command_line(cli, newest, words, status, named):
    with Target(newest, "idle") as target:
        words = [target.pid if word == "SELF" else word for word in words]
        result = cli(*words)
        assert result.status == status, result
        assert result.out == "", result
        for name in named:
            assert name.lower() in result.err.lower(), result


@pytest.mark.parametrize("where", ["", ":", "a:b:c", "zoo.py:120", "zoo:["])
def test_bad_where(cli, newest, where):
    with Target(newest, "zoo") as target:
        result = cli("calls", target.pid, where)
        assert_refused(result, 5, *([where] if where else []))
        assert proc.agent_left(target.pid) == []


def test_no_daemon_to_be_had(folder):
    cli = Command(folder / "absent" / "folder" / "sock")
    result = cli("calls", os.getpid(), "f")
    assert result.status == 6, result
    assert "absent" in result.err


def test_socket_path_too_long(folder):
    cli = Command(folder / ("x" * 200))
    result = cli("ps")
    assert result.status in (2, 6), result
    assert "x" * 50 in result.err


def test_agent_that_is_not_there(folder, newest):
    """A daemon without its agent says so and touches nothing."""
    done = subprocess.run(
        [str(BUILD / "nopdbd"), "--foreground", "--socket",
         str(folder / "sock"), "--agent", str(folder / "none.so")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
        universal_newlines=True)
    assert done.returncode not in (0, -6, -11), done.stdout
    assert "none.so" in done.stdout
