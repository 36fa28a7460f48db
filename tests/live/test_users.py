# SPDX-License-Identifier: MIT
"""Two unprivileged users at one daemon: neither sees, enters nor hears the
other's processes, through any method, by race or by reused process id."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

import proc
from machine import Command, Target
from rpc import RpcError
from schema import SCHEMA, CheckedClient, Messages
from users import ALICE, BOB, DEBIAN, SystemDaemon

LAST_PID = "/proc/sys/kernel/ns_last_pid"
METHODS = SCHEMA["$defs"]["request"]["properties"]["method"]["enum"]
RACE_SECONDS = float(os.environ.get("NOPDB_RACE_SECONDS", "3"))

pytestmark = pytest.mark.skipif(os.getuid() != 0,
                                reason="needs root, to be other users")


@pytest.fixture(scope="module")
def system():
    """By its default policy."""
    path = tempfile.mkdtemp(prefix="nopdb-")
    with SystemDaemon(path) as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def alice(system):
    with ALICE.client(system) as client:
        yield client


@pytest.fixture
def bob(system):
    with BOB.client(system) as client:
        yield client


@pytest.fixture
def hers():
    with ALICE.target("idle") as target:
        yield target


@pytest.fixture
def his():
    with BOB.target("idle") as target:
        yield target


@pytest.fixture
def probed(alice, hers):
    """Alice's process with a probe of hers in it."""
    report = alice.call("attach", pid=hers.pid)
    with alice.probe(hers.pid, "idle:ping") as probe:
        probe.target = report["target"]
        yield probe


# ---- every method --------------------------------------------------------------------
def attempts(pid, target, probe):
    """How one might get at it: by method, each way to name it."""
    by = [{"pid": pid}, {"target": target}]
    code = [{"exec": "import os"}]
    return {
        "attach": [{"pid": pid}],
        "detach": by + [dict(way, force=True) for way in by],
        "doctor": [{"pid": pid}],
        "stack": [{"pid": pid}, {"pid": pid, "locals": True},
                  {"pid": pid, "native": "all", "stop": True},
                  {"core": "/proc/%d/mem" % pid}],
        "eval": [dict(way, expr="1") for way in by],
        "exec": [dict(way, code="1") for way in by],
        "lines": [dict(way, where="idle:ping") for way in by],
        "probe.add": [dict(way, kind="calls", where="idle:ping")
                      for way in by] + [
            dict(way, kind="break", where="idle:ping", actions=code,
                 persist=True) for way in by],
        "probe.list": by,
        "subscribe": by + [{"probe": probe}],
        "probe.remove": [{"probe": probe}],
        "probe.enable": [{"probe": probe}],
        "probe.disable": [{"probe": probe}],
        "probe.actions": [{"probe": probe, "actions": code}],
        "debug.input": [{"probe": probe, "session": 1, "text": "c"}],
        # These name nothing: what they show is looked at below.
        "ps": [], "targets": [], "hello": [], "stats": [], "shutdown": [],
    }


def test_no_method_is_left_out():
    assert sorted(attempts(1, "1.1", 1)) == sorted(METHODS)


NAMED = [method for method in METHODS if attempts(1, "1.1", 1)[method]]


@pytest.mark.parametrize("method", NAMED)
def test_not_by_this_method(system, alice, bob, hers, probed, method):
    """Refused, as if it were not there where it is named by what only its
    user knows; nothing of it comes back, and nothing changes."""
    for params in attempts(hers.pid, probed.target, probed.id)[method]:
        if method == "doctor":
            found = bob.call("doctor", **params)
            assert not found["enter"] and found["rights"] == []
            assert [check["name"] for check in found["checks"]] == ["user"]
            assert found["checks"][0]["error"] == "not-permitted"
            continue
        error = bob.refusal(method, **params)
        by_pid = "pid" in params or "core" in params
        assert error.name in (["not-permitted"] if by_pid else
                              ["not-attached", "no-such-probe"]), error
        assert error.remedy, error
        assert "idle" not in error.message and "python" not in error.message
    # Hers goes on.
    hers.call("ping", 1)
    assert probed.calls(1)
    assert alice.call("probe.list")["probes"][0]["owner"] is True
    assert bob.records == []


@pytest.mark.parametrize("method", NAMED)
def test_whether_it_is_attached_does_not_show(alice, bob, hers, method):
    """The answer is the same before, during and after."""
    def answers(target, probe):
        found = []
        for params in attempts(hers.pid, target, probe)[method]:
            try:
                found.append(repr(bob.call(method, **params)))
            except RpcError as error:
                found.append((error.name, error.message, error.remedy))
        return found
    with ALICE.target("idle") as other:
        # A probe's number and a target's name that are not there yet.
        report = alice.call("attach", pid=other.pid)
        with alice.probe(other.pid, "idle:ping") as probe:
            number = probe.id + 1
        alice.call("detach", pid=other.pid)
        start = report["target"].split(".")[1]
    name = "%d.%s" % (hers.pid, start)
    before = answers(name, number)
    report = alice.call("attach", pid=hers.pid)
    with alice.probe(hers.pid, "idle:ping") as probe:
        assert probe.id == number
        during = [repr(answer).replace(report["target"], name)
                  for answer in answers(report["target"], number)]
    alice.call("detach", pid=hers.pid)
    assert during == [repr(answer) for answer in before]
    assert answers(name, number) == before


def test_what_names_nothing_shows_nothing(system, alice, bob, hers, his,
                                          probed):
    assert bob.call("targets")["targets"] == []
    assert bob.call("probe.list")["probes"] == []
    for client, target in ((alice, hers), (bob, his)):
        shown = client.call("ps")["processes"]
        assert [process["pid"] for process in shown] == [target.pid]
        assert shown[0]["enter"] is True
    assert bob.call("hello") == alice.call("hello")
    for method in ("stats", "shutdown"):
        error = bob.refusal(method)
        assert error.name == "not-permitted" and error.exit == 3, error
    assert alice.call("targets")["targets"][0]["pid"] == hers.pid


def test_each_has_all_of_its_own(alice, bob, hers, his):
    """At the same time, and each alone."""
    for client, target in ((alice, hers), (bob, his)):
        client.call("attach", pid=target.pid)
    with alice.probe(hers.pid, "idle:ping") as one, \
            bob.probe(his.pid, "idle:ping") as other:
        for client, target, probe in ((alice, hers, one), (bob, his, other)):
            target.call("ping", 3)
            assert probe.calls(1)[0]["args"] == {"number": 3}
            assert client.call("eval", pid=target.pid,
                               expr="1 + 1")["value"] == 2
            assert client.call("exec", pid=target.pid,
                               code="import os")["value"] is None
            assert client.call("stack", pid=target.pid, locals=True)[
                "threads"]
            assert client.call("lines", pid=target.pid, where="idle:ping")
            assert {record["pid"] for record in client.records} == {
                target.pid}
    for client, target in ((alice, hers), (bob, his)):
        client.call("detach", pid=target.pid)


# ---- hearing -------------------------------------------------------------------------
def test_who_listens_to_all_hears_its_own(system, alice, bob, hers, his):
    """Subscribed before there was anything, and again while there is."""
    bob.call("subscribe")
    alice.call("subscribe")
    with BOB.client(system) as second:
        second.call("subscribe")
        alice.call("attach", pid=hers.pid)
        bob.call("attach", pid=his.pid)
        with alice.probe(hers.pid, "idle:ping"), \
                bob.probe(his.pid, "idle:ping") as probe:
            bob.call("subscribe")
            for _ in range(3):
                hers.call("ping", 1)
                his.call("ping", 2)
            probe.calls(3)
            # Of one's own all clients hear that asked to.
            second.wait(lambda: [record for record in second.records
                                 if record["event"] == "call"][2:], 10,
                        "calls")
        for client in (bob, second):
            client.call("hello")
            assert {record["pid"] for record in client.records} == {his.pid}


def test_a_debugger_s_session_is_nobody_else_s(system, alice, bob, hers):
    alice.call("attach", pid=hers.pid)
    number = alice.call("probe.add", pid=hers.pid, kind="break",
                        where="idle:ping", actions=[{"debug": True}])["probe"]
    hers.send(call="ping", args=[1])
    opened = alice.wait(lambda: [record for record in alice.records
                                 if record["event"] == "debug"], 10, "pdb")
    error = bob.refusal("debug.input", probe=number,
                        session=opened[0]["session"], text="!quit()")
    assert error.name == "no-such-probe"
    # Another client of hers has the right, and yet not this session.
    with ALICE.client(system) as second:
        assert second.refusal("debug.input", probe=number,
                              session=opened[0]["session"],
                              text="c").name == "no-such-probe"
    alice.call("debug.input", probe=number, session=opened[0]["session"],
               text="c")
    assert hers.read() == {"result": "2"}
    alice.call("detach", pid=hers.pid)


# ---- root ----------------------------------------------------------------------------
def test_root_looks_but_runs_no_code(system, alice, hers):
    """By default: others' processes are entered by root, without code."""
    with system.client() as root:
        root.call("attach", pid=hers.pid)
        assert root.call("eval", pid=hers.pid, expr="1 + 1")["value"] == 2
        for method, params in (
                ("exec", {"code": "1"}),
                ("probe.add", {"kind": "break", "where": "idle:ping",
                               "actions": [{"exec": "1"}]}),
                ("probe.add", {"kind": "break", "where": "idle:ping",
                               "actions": [{"debug": True}]})):
            with pytest.raises(RpcError) as caught:
                root.call(method, pid=hers.pid, **params)
            assert caught.value.name == "not-permitted"
            assert "rule 'root'" in caught.value.message
        with Target(DEBIAN, "idle") as own:
            root.call("attach", pid=own.pid)
            root.call("exec", pid=own.pid, code="1")
            assert own.pid not in [process["pid"] for process
                                   in alice.call("ps")["processes"]]
            assert alice.refusal("attach",
                                 pid=own.pid).name == "not-permitted"
            root.call("detach", pid=own.pid)
        # A probe of hers that runs code is not root's to set to work.
        alice.call("attach", pid=hers.pid)
        number = alice.call("probe.add", pid=hers.pid, kind="break",
                            where="idle:ping",
                            actions=[{"exec": "x = 1"}])["probe"]
        root.call("probe.disable", probe=number)
        with pytest.raises(RpcError) as caught:
            root.call("probe.enable", probe=number)
        assert caught.value.name == "not-permitted"
        assert root.call("stats")["targets"] == 1
        root.call("detach", pid=hers.pid, force=True)


def test_root_without_capabilities_is_as_the_kernel_says(system, hers):
    """As in a container: uid 0 alone opens nothing of another's."""
    cli = Command(system.socket)
    bare = ("setpriv", "--bounding-set=-sys_ptrace")
    refusal = cli("calls", hers.pid, "idle:ping", "-n", "1", prefix=bare)
    assert refusal.status == 3 and "user 0" in refusal.err, refusal
    # Nor do those that it has in a namespace of its own.
    refusal = cli("calls", hers.pid, "idle:ping", "-n", "1", prefix=(
        *bare, "unshare", "--user", "--map-root-user"))
    assert refusal.status == 3, refusal


# ---- by changing what a process is -----------------------------------------------------
def test_what_gave_up_privileges_is_not_its_user_s(alice):
    """It was root's: its memory may hold what was."""
    with Target(DEBIAN, "dumpable") as target:
        alice.refusal("attach", pid=target.pid)
        assert target.call("become", ALICE.uid) == ALICE.uid
        error = alice.refusal("attach", pid=target.pid)
        assert error.name == "not-permitted", error
        assert "not dumpable" in error.remedy
        (shown,) = [process for process in alice.call("ps")["processes"]
                    if process["pid"] == target.pid]
        assert shown["enter"] is False and shown["python"] is None
        assert alice.refusal("stack", pid=target.pid).name == "not-permitted"


@pytest.fixture
def mask(folder):
    """A set-user-ID interpreter, and one that is not; and a report."""
    os.chmod(folder, 0o755)
    setuid, report = folder / "python-root", folder / "report"
    shutil.copy(os.path.realpath(DEBIAN.path), setuid)
    os.chmod(setuid, 0o4755)
    probe = subprocess.run([*ALICE.prefix, setuid, "-c",
                            "import os; print(os.geteuid())"],
                           stdout=subprocess.PIPE, universal_newlines=True,
                           check=False)
    if probe.stdout.strip() != "0":
        pytest.skip("set-user-ID has no effect here: " + str(folder))
    report.touch()
    return setuid, report


def masked(mask):
    """Alice's process that becomes root's and hers again, for ever."""
    setuid, report = mask
    script = os.path.join(os.path.dirname(__file__), "targets",
                          "twofaced.py")
    return subprocess.Popen(
        [*ALICE.prefix, DEBIAN.path, script, DEBIAN.path, str(setuid),
         str(report)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))


def outcome(client, number, method):
    """Of a request, in a word; nothing of root's mask may be in it."""
    try:
        answer = client.answer(number, 60)
    except RpcError as error:
        assert "as_root" not in error.message
        return error.name
    assert "as_root" not in repr(answer)
    if method != "doctor" or "python" in [check["name"] for check
                                          in answer["checks"]]:
        return "done"
    return "not-permitted"


def race(clients, pid, method, outcomes):
    """Each asks at another moment, while those before it are served."""
    numbers = []
    for client in clients:
        numbers.append(client.request(method, pid=pid))
        time.sleep(0.003)
    for client, number in zip(clients, numbers):
        word = outcome(client, number, method)
        outcomes[word] = outcomes.get(word, 0) + 1


@pytest.mark.parametrize("method", ["attach", "stack", "doctor"])
def test_not_by_race(system, mask, method):
    """Asked for again and again, while it is hers and while it is root's:
    root's is never entered nor shown."""
    target = masked(mask)
    clients = [ALICE.client(system) for _ in range(4)]
    outcomes = {}
    start = time.monotonic()
    try:
        # Until both were met, or this shows nothing.
        while time.monotonic() < start + RACE_SECONDS or (
                not {"done", "not-permitted"} <= set(outcomes)
                and time.monotonic() < start + 60):
            race(clients, target.pid, method, outcomes)
            assert target.poll() is None, target.stderr.read()
    finally:
        target.kill()
        target.wait()
        target.stderr.close()
        for client in clients:
            client.close()
    print(method, outcomes)
    found = mask[1].read_text().split()
    assert found and set(found) == {"clean"}, set(found)
    assert {"done", "not-permitted"} <= set(outcomes), outcomes


# ---- by another's process id -----------------------------------------------------------
def with_pid(user, pid):
    """A process of that user with just this id; None when it was taken."""
    for _ in range(50):
        with open(LAST_PID, "w") as stream:
            stream.write(str(pid - 1))
        target = user.target("idle")
        if target.pid == pid:
            return target
        target.stop()
    return None


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK),
                    reason="cannot choose process ids here")
def test_not_by_a_reused_pid(alice, bob):
    """What she may do with her process is not had with one of his that gets
    its id."""
    first = ALICE.target("idle")
    report = alice.call("attach", pid=first.pid)
    alice.call("subscribe", pid=first.pid)
    number = alice.call("probe.add", pid=first.pid, kind="calls",
                        where="idle:ping", persist=True)["probe"]
    first.stop()
    alice.wait(lambda: [record for record in alice.records
                        if record["event"] == "target_exit"], 10, "the end")
    seen = len(alice.records)
    second = with_pid(BOB, first.pid)
    if second is None:
        pytest.skip("the process id was taken by another")
    with second:
        bob.call("attach", pid=second.pid)
        with bob.probe(second.pid, "idle:ping") as probe:
            for method, ways in attempts(second.pid, report["target"],
                                         number).items():
                for params in ways:
                    if method == "doctor":
                        assert not alice.call(method, **params)["enter"]
                        continue
                    assert alice.refusal(method, **params).name in (
                        "not-permitted", "not-attached", "no-such-probe")
            second.call("ping", 1)
            probe.calls(1)
            assert second.pid not in [
                target["pid"] for target in alice.call("targets")["targets"]]
        bob.call("detach", pid=second.pid)
    assert alice.records[seen:] == []


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK),
                    reason="cannot choose process ids here")
def test_not_by_a_pid_that_changes_hands(alice):
    """Asked for while it is hers, granted when it is his: never."""
    for turn in range(8):
        first = ALICE.target("idle")
        pid = first.pid
        numbers = [alice.request("attach", pid=pid) for _ in range(3)]
        time.sleep(0.002 * turn)
        first.stop()
        second = with_pid(BOB, pid)
        if second is None:
            continue
        with second:
            numbers += [alice.request("attach", pid=pid) for _ in range(3)]
            for number in numbers:
                try:
                    report = alice.answer(number)
                except RpcError as error:
                    assert error.name in (
                        "not-permitted", "no-such-process", "target-exited",
                        "zombie", "agent", "attach-failed", "busy"), error
                else:
                    # Then it was the first, which the answer names.
                    assert alice.refusal("eval", target=report["target"],
                                         expr="1").name == "not-attached"
            assert proc.agent_left(pid) == []
            assert second.call("ping", turn) == turn + 1


# ---- with as little as the service has ---------------------------------------------------
HARDENED = ("setpriv", "--no-new-privs", "--bounding-set=-all," + ",".join(
    "+" + name for name in (
        "sys_ptrace", "dac_read_search", "setuid", "setgid",
        "checkpoint_restore", "sys_nice", "chown", "fowner")))


def test_by_the_service_s_capabilities(folder, hers):
    """All of it works, and no more than it should, without root's powers over
    files; what a peer does to the child that asks for it hurts nobody."""
    with SystemDaemon(folder, prefix=HARDENED) as daemon, \
            ALICE.client(daemon) as alice, BOB.client(daemon) as bob:
        alice.call("attach", pid=hers.pid)
        with alice.probe(hers.pid, "idle:ping") as probe:
            hers.call("ping", 1)
            assert probe.calls(1)
        assert alice.call("eval", pid=hers.pid, expr="1 + 1")["value"] == 2
        assert alice.call("stack", pid=hers.pid, locals=True)["threads"]
        for method in ("attach", "stack"):
            assert bob.refusal(method,
                               pid=hers.pid).name == "not-permitted"
        assert bob.call("ps")["processes"] == []
        alice.call("detach", pid=hers.pid)
        with daemon.client() as root:
            root.call("attach", pid=hers.pid)
            root.call("detach", pid=hers.pid)


# ---- what a user may cost the others ---------------------------------------------------
def test_one_user_leaves_room_for_others(system, bob):
    many = [ALICE.client(system) for _ in range(3)]
    limit = 32
    try:
        crowd = subprocess.Popen(
            [*ALICE.prefix, DEBIAN.path, "-c", CROWD, str(system.socket),
             str(limit)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            universal_newlines=True)
        assert crowd.stdout.readline().strip() == "refused 3"
        assert bob.call("hello")
        with system.client() as root:
            assert root.call("stats")["clients"] <= limit + 3
        crowd.stdin.close()
        crowd.stdout.close()
        assert crowd.wait(20) == 0
    finally:
        for client in many:
            client.close()


CROWD = """
import socket, sys
clients, refused = [], 0
for _ in range(int(sys.argv[2])):
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1])
    try:
        client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\\n')
    except BrokenPipeError:
        pass  # it was told why, and closed
    refused += b'"limit"' in client.recv(4096)
    clients.append(client)
print("refused", refused, flush=True)
sys.stdin.read()
"""


def test_who_sends_no_more_is_answered_still(system, hers):
    """What was asked before the end, in order, although it takes a while."""
    with ALICE.client(system) as client:
        numbers = [client.request(method, pid=hers.pid)
                   for method in ("doctor", "stack", "probe.list", "attach")]
        numbers.append(client.request("hello"))
        client.socket.shutdown(socket.SHUT_WR)
        for number in numbers[:2] + numbers[3:]:
            client.answer(number)
        # Nothing was attached yet when its turn came.
        with pytest.raises(RpcError):
            client.answer(numbers[2])


def test_the_command_says_so(system, hers):
    """Exit code 3, the process and the remedy; nothing of the program."""
    cli = Command(system.socket)
    for words in (("calls", hers.pid, "idle:ping", "-n", "1"),
                  ("stack", hers.pid), ("eval", hers.pid, "1"),
                  ("lines", hers.pid, "idle:ping")):
        refusal = cli(*words, prefix=BOB.prefix)
        assert refusal.status == 3, refusal
        assert str(hers.pid) in refusal.err and "remedy:" in refusal.err
    listed = cli("ps", "--json", prefix=BOB.prefix)
    assert hers.pid not in [record.get("pid") for record in listed.records]
    done = cli("stack", hers.pid, prefix=ALICE.prefix)
    assert done.status == 0, done


def test_traffic_fits_the_schema(system, hers):
    """Also what a policy adds to it."""
    messages = Messages()
    with CheckedClient(system.socket, messages) as root:
        root.call("doctor", pid=hers.pid)
        root.call("stats")
        root.call("ps")
        with pytest.raises(RpcError):
            root.call("exec", pid=hers.pid, code="1")
    assert messages.seen["result.doctor"] == 1
