# SPDX-License-Identifier: MIT
"""The policy file: what its rules do to real users and programs, what the
doctor says of it, what it is refused for, and how it is read again."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import proc
from examine import doctor
from json_schema import Invalid, Schema
from machine import BUILD, ROOT, Command, Daemon, Target
from rpc import RpcError
from users import ALICE, ALL, BOB, DEBIAN, SystemDaemon, own, rules

SCHEMA = json.loads((ROOT / "proto" / "policy.schema.json").read_text())
DOCUMENT = Schema({"$defs": dict(SCHEMA["$defs"], policy={
    key: value for key, value in SCHEMA.items() if not key.startswith("$")})},
    "policy")

needs_root = pytest.mark.skipif(os.getuid() != 0,
                                reason="needs root, to be other users")


def requests(client, pid):
    """Requests about its process, each by a name; the first six are called as
    the right that they take, the others take what is named with them."""
    def probe(**params):
        number = client.call("probe.add", pid=pid, where="idle:ping",
                             **params)["probe"]
        client.call("probe.remove", probe=number)

    def action(**given):
        probe(kind="break", actions=[given])
    return {
        "see": lambda: client.call("probe.list", pid=pid),
        "stack": lambda: client.call("stack", pid=pid),
        "capture": lambda: probe(kind="calls"),
        "eval": lambda: client.call("eval", pid=pid, expr="1"),
        "exec": lambda: client.call("exec", pid=pid, code="1"),
        "debug": lambda: action(debug=True),
        "capture: values in stacks": lambda: client.call(
            "stack", pid=pid, locals=True),
        "capture: lines": lambda: client.call("lines", pid=pid,
                                              where="idle:ping"),
        "capture: listening": lambda: client.call("subscribe", pid=pid),
        "eval: condition": lambda: probe(
            kind="break", **{"if": "True", "actions": [{"stack": True}]}),
        "eval: callable": lambda: client.call(
            "probe.add", pid=pid, kind="calls", callable="len"),
        "eval: repr": lambda: probe(kind="calls", limits={"repr": True}),
        "eval: log": lambda: action(log="{number}"),
        "exec: jump": lambda: client.call(
            "probe.add", pid=pid, kind="break", where="idle:ping",
            line="return number + 1", actions=[{"jump": "9"}]),
        "exec: call": lambda: action(call="os:getpid"),
    }


def refusals(client, pid):
    """Which of these were refused, and the right that was said to lack."""
    found = {}
    for name, ask in requests(client, pid).items():
        try:
            ask()
        except RpcError as error:
            if error.name != "not-permitted":
                continue  # it had the right; what came of it is not ours
            assert error.exit == 3 and error.remedy, error
            found[name] = re.search(r"'(\w+)' process", error.message)[1]
    return found


@needs_root
@pytest.mark.parametrize("rights", [
    ALL, ["see"], ["see", "stack"], ["see", "stack", "capture"],
    ["see", "stack", "capture", "eval"], ["see", "capture", "exec"],
    ["see", "capture", "debug"]], ids="-".join)
def test_each_right(folder, rights):
    """What is not granted is refused, by its right and the rule; all else
    works."""
    with SystemDaemon(folder, rules(own(*rights))) as daemon, \
            ALICE.target("idle") as target, ALICE.client(daemon) as client:
        if not set(rights) & {"capture", "eval", "exec", "debug"}:
            error = client.refusal("attach", pid=target.pid)
            assert error.name == "not-permitted"
            assert "rule 'own'" in error.message
            assert "nopdb doctor %d" % target.pid in error.remedy
            shown = client.call("ps")["processes"][0]
            assert shown["enter"] is False and "policy" in shown["reason"]
            return
        client.call("attach", pid=target.pid)
        found = refusals(client, target.pid)
        missing = set(ALL) - set(rights)
        assert set(found.values()) == missing, found
        assert {name for name in found if name in ALL} == missing, found
        for name in requests(client, target.pid):
            # By what it takes, or by what it takes first.
            if name.split(":")[0] in missing:
                assert name in found, found
        target.call("ping", 1)


@needs_root
def test_the_doctor_tells_the_rule(folder):
    """In text and JSON: which rule, what it grants, and what is refused."""
    policy = rules(own("see", "stack", name="watch only"),
                   {"name": "staff", "group": 61200, "rights": ALL})
    with SystemDaemon(folder, policy) as daemon, \
            ALICE.target("idle") as target, BOB.target("idle") as other:
        cli = Command(daemon.socket)
        for words in ((), ("--json",)):
            told = cli("doctor", target.pid, *words, prefix=ALICE.prefix)
            assert told.status == 3, told
            assert ("rule 'watch only' grants user 61101 see and stack"
                    in told.out), told
        checks = {check["name"]: check for check in told.records}
        assert checks["user"]["result"] == "ok"
        assert checks["policy"]["result"] == "fail"
        assert checks["policy"]["error"] == "not-permitted"
        assert checks["python"]["result"] == "ok"
        refusal = cli("calls", target.pid, "idle:ping", prefix=ALICE.prefix)
        assert refusal.status == 3 and "rule 'watch only'" in refusal.err
        # Of another's, the kernel's word and no rule.
        told = cli("doctor", other.pid, "--json", prefix=ALICE.prefix)
        assert told.status == 3 and [check["name"] for check
                                     in told.records] == ["user"]
        with ALICE.client(daemon) as client:
            found = client.call("doctor", pid=target.pid)
        assert found["rule"] == "watch only"
        assert found["policy"] == str(daemon.policy)
        assert found["rights"] == ["see", "stack"]


@needs_root
def test_a_doctor_of_nobody_says_no_process(folder):
    with SystemDaemon(folder) as daemon, ALICE.client(daemon) as client:
        found = client.call("doctor", pid=4194304)
        assert [check["error"] for check in found["checks"]] == [
            "no-such-process"]
        assert client.refusal("attach", pid=4194304).exit == 4


def test_one_s_own_daemon_has_no_policy(cli, newest):
    with Target(newest, "idle") as target:
        _, checks = doctor(cli, target.pid)
        assert checks["policy"]["result"] == "ok"
        assert "its own user alone" in checks["policy"]["detail"]


# ---- what rules match ----------------------------------------------------------------
@needs_root
def test_by_group(folder):
    policy = rules({"name": "staff", "group": [61200],
                    "process": {"owner": "self"}, "rights": ["see"]},
                   {"name": "rest", "group": 61201, "rights": ["see",
                                                               "stack"]})
    with SystemDaemon(folder, policy) as daemon, \
            ALICE.target("idle") as hers, BOB.target("idle") as his, \
            ALICE.client(daemon) as alice, BOB.client(daemon) as bob:
        assert alice.call("doctor", pid=hers.pid)["rule"] == "staff"
        assert bob.call("doctor", pid=his.pid)["rule"] == "rest"
        bob.call("stack", pid=his.pid)
        alice.refusal("stack", pid=hers.pid)
        # The kernel comes first, whatever a rule grants.
        assert bob.refusal("stack", pid=hers.pid).message.startswith(
            "the kernel")


@needs_root
def test_by_program(folder):
    """The very file: neither a copy, nor what says so in another root."""
    os.chmod(folder, 0o755)
    copy = folder / "python3"
    shutil.copy(os.path.realpath(DEBIAN.path), copy)
    policy = rules({"name": "system's", "rights": ["see", "stack"],
                    "process": {"program": "/usr/bin/python3*"}},
                   {"name": "copies", "rights": ["see"],
                    "process": {"program": str(folder / "p*")}})
    with SystemDaemon(folder, policy) as daemon, \
            ALICE.target("idle") as plain, ALICE.client(daemon) as client, \
            Target(DEBIAN._replace(path=str(copy)), "idle",
                   prefix=ALICE.prefix) as copied:
        assert client.call("doctor", pid=plain.pid)["rule"] == "system's"
        found = client.call("doctor", pid=copied.pid)
        assert found["rule"] == "copies"
        # Replaced under its feet: its path proves nothing any more, so that
        # every rule about paths may hold, and only takes away.
        os.rename(copy, folder / "old")
        shutil.copy(os.path.realpath(DEBIAN.path), copy)
        found = client.call("doctor", pid=copied.pid)
        assert found["rule"] is None and found["rights"] == []


def groups_mounted():
    """Where a group can be made: the hierarchy of version 2 if it counts,
    else that of systemd."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 ") or "name=systemd" in after:
            yield pathlib.Path(before.split()[4])


@pytest.fixture
def unit():
    """A control group as systemd makes it for a service."""
    for mount in groups_mounted():
        path = mount / "nopdbtest.slice" / ("web-%d.service" % os.getpid())
        try:
            path.mkdir(parents=True)
        except OSError:
            continue
        yield path
        for pid in (path / "cgroup.procs").read_text().split():
            (mount / "cgroup.procs").write_text(pid)
        for folder in (path, path.parent):
            try:
                folder.rmdir()
            except OSError:
                time.sleep(0.2)
                folder.rmdir()
        return
    pytest.skip("no control group can be made here")


@needs_root
def test_by_unit_and_control_group(folder, unit):
    policy = rules({"name": "web", "process": {"unit": "web-*.service"},
                    "rights": ["see", "stack"]},
                   {"name": "slice", "rights": ["see"],
                    "process": {"cgroup": "/nopdbtest.slice"}},
                   own(name="rest"))
    with SystemDaemon(folder, policy) as daemon, \
            ALICE.target("idle") as target, ALICE.client(daemon) as client:
        assert client.call("doctor", pid=target.pid)["rule"] == "rest"
        (unit / "cgroup.procs").write_text("%d\n" % target.pid)
        assert client.call("doctor", pid=target.pid)["rule"] == "web"
        client.refusal("attach", pid=target.pid)
        (unit.parent / "cgroup.procs").write_text("%d\n" % target.pid)
        assert client.call("doctor", pid=target.pid)["rule"] == "slice"


@needs_root
def test_a_policy_narrows_one_user_s_daemon(folder):
    """Without privileges: nobody else is served, and less than all is done."""
    os.chmod(folder, 0o755)
    private = folder / "alice"
    private.mkdir()
    policy = private / "policy.json"
    policy.write_text(json.dumps(rules(own("see", "stack"))))
    for path in (private, policy):
        os.chown(path, ALICE.uid, ALICE.uid)
    process = subprocess.Popen(
        [*ALICE.prefix, str(BUILD / "nopdbd"), "--foreground", "--socket",
         str(private / "sock"), "--policy", str(policy)],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        proc.wait_until((private / "sock").exists, 10, "socket")
        cli = Command(private / "sock")
        with ALICE.target("idle") as target, BOB.target("idle") as other:
            assert cli("stack", target.pid, prefix=ALICE.prefix).status == 0
            refusal = cli("calls", target.pid, "idle:ping",
                          prefix=ALICE.prefix)
            assert refusal.status == 3 and "rule 'own'" in refusal.err
            assert cli("stack", other.pid, prefix=ALICE.prefix).status == 3
            # root there: no more than the daemon itself can.
            assert cli("stack", other.pid).status == 3
            assert cli("ps", prefix=BOB.prefix).status == 3
    finally:
        process.terminate()
        process.wait(20)


# ---- what is refused -----------------------------------------------------------------
def start(folder, *options, prefix=()):
    """Of a daemon that must not start: its exit status and words."""
    done = subprocess.run(
        [*prefix, str(BUILD / "nopdbd"), "--foreground", "--socket",
         str(folder / "run" / "sock"), "--audit", "none",
         *map(str, options)], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=30,
        universal_newlines=True, check=False)
    assert not (folder / "run" / "sock").exists()
    return done.returncode, done.stdout


BAD = [
    ("{", 2, ["line 1", "not JSON"]),
    ('{"version": 1,\n "rules": [\n  {"rights": ["see", "execute"]}]}', 2,
     ["rules[0].rights[1]", "execute", "one of see, stack"]),
    ('{"version": 1, "rules": [], "default": "deny"}', 2,
     ["default", "one of version"]),
    ('{"version": 1, "rules": [{"user": "no-such-user-here", '
     '"rights": []}]}', 2, ["rules[0].user", "no-such-user-here"]),
    ('{"version": 1, "rules": [{"process": {"program": "python"}, '
     '"rights": []}]}', 2, ["rules[0].process.program", "'python'"]),
    ('{"version": 3, "rules": []}', 2, ["version", "\"version\": 1"]),
]


@pytest.mark.parametrize("text, status, words", BAD)
def test_a_bad_policy_is_a_refusal_to_start(folder, text, status, words):
    """Which names the file, the key, the reason and the remedy."""
    path = folder / "policy.json"
    path.write_text(text)
    code, said = start(folder, "--policy", path)
    assert code == status, said
    for word in [str(path), "remedy:", *words]:
        assert word in said, said


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "absent",
                                  "group-writable", "owner", "open-folder",
                                  "huge"])
def test_a_policy_that_others_could_write_is_refused(folder, kind):
    path = folder / "policy.json"
    text = json.dumps(rules(own()))
    status, word = 3, ""
    if kind == "link":
        (folder / "real").write_text(text)
        path.symlink_to(folder / "real")
        word = "symbolic link"
    elif kind == "fifo":
        os.mkfifo(path)
        word = "regular file"
    elif kind == "folder":
        path.mkdir()
        word = "regular file"
    elif kind == "absent":
        status, word = 6, "No such file"
    else:
        path.write_text(text)
    if kind == "group-writable":
        path.chmod(0o664)
        word = "others may write to it"
    elif kind == "owner":
        if os.getuid() != 0:
            pytest.skip("needs root")
        os.chown(path, ALICE.uid, ALICE.uid)
        word = "another user"
    elif kind == "open-folder":
        folder.chmod(0o777)
        word = "others may write to it"
    elif kind == "huge":
        path.write_text(text + " " * (300 << 10))
        status, word = 2, "longer than"
    code, said = start(folder, "--policy", path)
    assert code == status, said
    assert word in said and "remedy:" in said and str(folder) in said, said


def test_a_system_daemon_without_privileges_is_refused(folder):
    if os.getuid() != 0:
        pytest.skip("needs root, to give it up")
    os.chmod(folder, 0o777)
    for prefix in (ALICE.prefix, ("setpriv", "--bounding-set=-setuid")):
        code, said = start(folder, "--system", prefix=prefix)
        assert code == 3 and "CAP_SETUID" in said and "remedy:" in said, said


@pytest.mark.parametrize("options, word", [
    (["--audit-size", "10"], "--audit-size 10"),
    (["--audit-size", "x"], "--audit-size x"),
    (["--policy"], "--policy needs a value")])
def test_bad_options(folder, options, word):
    code, said = start(folder, *options)
    assert code == 2 and word in said, said


# ---- the schema says the same ----------------------------------------------------------
def valid(text):
    try:
        DOCUMENT.check(json.loads(text))
    except (ValueError, Invalid):
        return False
    return True


def test_the_schema_and_the_daemon_agree(folder):
    """But for names of accounts, which no schema knows."""
    for text, _, words in BAD:
        assert valid(text) == ("no-such-user-here" in words), text
    good = rules(own(), {"user": ["root", 7], "group": "root", "rights": [],
                         "process": {"owner": ["self", 0], "unit": "a*",
                                     "program": ["/usr/bin/*"],
                                     "cgroup": "/a"}}, yama="own")
    assert valid(json.dumps(good))
    if os.getuid() == 0:
        with SystemDaemon(folder, good):
            pass


def test_the_default_is_as_the_manual_says(folder):
    """The manual shows it, and it is what is built in."""
    page = (ROOT / "man" / "nopdbd.8").read_text()
    shown = page.split(".\\\" the default policy")[1]
    text = shown.split(".Bd -literal", 1)[1].split("\n", 1)[1].split(
        "\n.Ed")[0]
    source = (ROOT / "daemon" / "policy.c").read_text().split(
        "policy_default_text[] =")[1].split(";")[0]
    built_in = "".join(json.loads(line.strip()) for line
                       in source.strip().splitlines())
    assert json.loads(text) == json.loads(built_in)
    assert valid(built_in)


# ---- read again ----------------------------------------------------------------------
@needs_root
def test_read_again(folder):
    """New rules count at once: for requests, for what is set, and for what is
    heard; others do not notice."""
    with SystemDaemon(folder, rules(own())) as daemon, \
            ALICE.target("idle") as hers, BOB.target("idle") as his, \
            ALICE.client(daemon) as alice, BOB.client(daemon) as bob:
        for client, target in ((alice, hers), (bob, his)):
            client.call("attach", pid=target.pid)
        plain = alice.probe(hers.pid, "idle:ping")
        number = alice.call("probe.add", pid=hers.pid, kind="break",
                            where="idle:ping",
                            actions=[{"exec": "x = 1"}])["probe"]
        his_probe = bob.probe(his.pid, "idle:ping")
        daemon.write(rules({"user": ALICE.uid, "name": "less",
                            "process": {"owner": "self"},
                            "rights": ["see", "capture"]}, own()))
        assert daemon.reload()["result"] == "ok"
        alice.wait(lambda: [record for record in alice.records
                            if record["event"] == "end"
                            and record["probe"] == number
                            and record["reason"] == "not-permitted"], 10,
                   "end of what runs code")
        assert alice.refusal("eval", pid=hers.pid,
                             expr="1").name == "not-permitted"
        hers.call("ping", 1)
        plain.calls(1)
        daemon.write(rules({"user": ALICE.uid, "name": "none",
                            "rights": []}, own()))
        assert daemon.reload()["result"] == "ok"
        alice.wait(lambda: [record for record in alice.records
                            if record["event"] == "detached"], 10, "detach")
        heard = len(alice.records)
        hers.call("ping", 2)
        assert alice.call("ps")["processes"] == []
        assert alice.records[heard:] == []
        proc.wait_until(lambda: proc.agent_left(hers.pid) == [], 10, "end")
        his.call("ping", 1)
        assert his_probe.calls(1)
        assert not [record for record in bob.records
                    if record["event"] in ("detached", "end")]


@needs_root
@pytest.mark.parametrize("spoil", ["text", "owner", "gone"])
def test_what_cannot_be_read_again_changes_nothing(folder, spoil):
    with SystemDaemon(folder, rules(own("see", "stack"))) as daemon, \
            ALICE.target("idle") as target, ALICE.client(daemon) as client:
        if spoil == "text":
            daemon.write('{"version": 1, "rules": [{"rights": ["all"]}]}')
        elif spoil == "owner":
            daemon.write(rules(own()))
            os.chown(daemon.policy, ALICE.uid, ALICE.uid)
        else:
            daemon.policy.unlink()
        line = daemon.reload()
        assert line["result"] != "ok" and str(daemon.policy) in line["reason"]
        assert client.call("doctor", pid=target.pid)["rights"] == ["see",
                                                                   "stack"]
        client.call("stack", pid=target.pid)
        client.refusal("attach", pid=target.pid)
        assert "the old one stays" in daemon.messages()


def test_without_rules_a_hangup_ends_it(folder):
    """As it always did."""
    daemon = Daemon(folder)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.process.wait(10) == 0
    daemon.stop()


# ---- on every interpreter --------------------------------------------------------------
@pytest.fixture(scope="module")
def system():
    path = tempfile.mkdtemp(prefix="nopdb-")
    with SystemDaemon(path) as running:
        yield running
    shutil.rmtree(path, ignore_errors=True)


@needs_root
def test_entered_within_a_policy(system, python):
    """The way in by the memory that was asked about, and back, is the same."""
    with Target(python, "idle") as target, system.client() as client:
        before = proc.Snapshot(target.pid)
        client.call("attach", pid=target.pid)
        with client.probe(target.pid, "idle:ping") as probe:
            target.call("ping", 1)
            assert probe.calls(1)[0]["args"] == {"number": 1}
        assert client.call("eval", pid=target.pid, expr="1 + 1")["value"] == 2
        assert client.call("exec", pid=target.pid,
                           code="import os")["value"] is None
        client.call("detach", pid=target.pid)
        proc.wait_agent_gone(target.pid, before.threads)
        assert target.call("ping", 2) == 3
