# SPDX-License-Identifier: MIT
"""systemd's units: well-formed, and the daemon does all its work with no more
than they leave it."""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

import proc
from jail import NOBODY, Jail
from machine import ROOT, Command, Target
from rpc import Client, RpcError
from test_activation import notified
from test_install import make
from unit_jail import Unit, allowed_calls
from users import ALICE, BOB

pytestmark = [
    pytest.mark.skipif(not shutil.which("systemd-analyze"),
                       reason="no systemd-analyze"),
    pytest.mark.skipif(os.geteuid() != 0, reason="not root")]
LISTED = Unit(ROOT / "systemd/nopdbd.service.in").words(
    "CapabilityBoundingSet")


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The folder of the units; what they name is installed where they say."""
    prefix = tmp_path_factory.mktemp("prefix") / "nopdb"
    for folder in (prefix.parent, prefix.parent.parent):
        folder.chmod(0o755)
    make("install", "PREFIX=%s" % prefix)
    return prefix / "lib/systemd/system"


class Service:
    """nopdbd as nopdbd.service has it, without these capabilities."""

    def __init__(self, units, folder, *without):
        self.folder = folder
        folder.chmod(0o755)
        self.socket = folder / "sock"
        self.manager = Manager(folder)
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private",
             "/usr/bin/python3", str(ROOT / "tests/live/unit_jail.py"),
             str(units), str(folder), *("-" + name for name in without)],
            env=dict(os.environ, NOTIFY_SOCKET=self.manager.name),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, universal_newlines=True)

    def __enter__(self):
        proc.wait_until(self.ready, 60, "service")
        return self

    def ready(self):
        assert self.process.poll() is None, self.process.communicate()[1]
        heard = select.select([self.manager.socket], [], [], 0)[0]
        return heard and notified(self.manager.socket) == "READY=1"

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=30)[1]
        self.manager.socket.close()
        # -31: a system call that the unit does not allow.
        assert self.process.returncode == 0, (self.process.returncode, said)

    def client(self):
        return Client(self.socket)


class Manager:
    """Hears what the service says of itself."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = "@%s/notify" % folder
        self.socket.bind("\0" + self.name[1:])


def use(client, target):
    """In, a capture, out: the target as before."""
    threads = proc.threads(target.pid)
    client.call("attach", pid=target.pid)
    with client.probe(target.pid, "idle:ping") as probe:
        target.call("ping", 1)
        probe.calls(1)
    client.call("detach", pid=target.pid)
    proc.wait_agent_gone(target.pid, threads)


def refused(units, folder, target, name, error):
    """Without this capability it is not entered."""
    assert name in LISTED
    (folder / "sock").unlink(missing_ok=True)
    with Service(units, folder, name) as service:
        with service.client() as client:
            with pytest.raises(RpcError) as caught:
                client.call("attach", pid=target.pid)
            assert caught.value.name == error, caught.value
    target.check()


def debian():
    """An interpreter that nobody can read, too."""
    from conftest import INTERPRETERS
    (found,) = [python for python in INTERPRETERS
                if python.path == "/usr/bin/python3"] or [None]
    return found or INTERPRETERS[-1]._replace(path="/usr/bin/python3")


@pytest.fixture
def nobodys():
    with Target(debian(), "idle", prefix=NOBODY.split()) as target:
        yield target


# ---- as systemd sees them ---------------------------------------------------
def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True,
                          env=dict(os.environ, SYSTEMD_COLORS="0",
                                   SYSTEMD_PAGER=""))


def test_they_are_well_formed(units):
    """Nothing said of ours; machines without man-db lack that command, and
    others' units may say something."""
    done = analyze("verify", str(units / "nopdbd.service"),
                   str(units / "nopdbd.socket"))
    said = [line for line in done.stdout.splitlines()
            if "nopdb" in line and "man " not in line]
    assert said == []


def test_a_setting_that_is_wrong_is_noticed(units, tmp_path):
    """The test above can fail."""
    for name in ("nopdbd.service", "nopdbd.socket"):
        text = (units / name).read_text()
        (tmp_path / name).write_text(text.replace("ProtectSystem=strict",
                                                  "ProtectSystem=a bit"))
    done = analyze("verify", str(tmp_path / "nopdbd.service"))
    assert "parse protect system value" in done.stdout.lower()


def test_exposure(units):
    """systemd's own mark, from 0 to 10, the less the better."""
    done = analyze("security", "--offline=true", "--no-pager",
                   str(units / "nopdbd.service"))
    mark = re.search(r"exposure level for nopdbd.service: ([0-9.]+)",
                     done.stdout)
    assert mark, done.stdout
    print("exposure", mark.group(1))
    assert float(mark.group(1)) < 3.5


def test_every_setting_is_justified():
    """A comment stands above it, or above the setting before it."""
    for unit in (ROOT / "systemd").iterdir():
        above = False
        for line in unit.read_text().splitlines():
            if line.startswith("#"):
                above = True
            elif not line or line.startswith("["):
                above = above and line.startswith("[")
            elif re.match(r"(Description|Documentation|Requires|After|Also"
                          r"|WantedBy|ListenStream)=|\t", line):
                continue
            else:
                assert above, "%s: %s" % (unit.name, line)


def test_what_is_dangerous_is_not_allowed(units):
    calls = allowed_calls(Unit(units / "nopdbd.service"))
    assert {"ptrace", "process_vm_readv", "pidfd_getfd", "memfd_create",
            "setresuid", "setgroups"} <= calls
    assert not {"mount", "reboot", "init_module", "bpf", "swapon", "kexec_load",
                "settimeofday", "keyctl", "chroot", "perf_event_open",
                "pivot_root"} & calls


# ---- and at work ------------------------------------------------------------
def test_all_its_work(units, folder, python, nobodys):
    """Every interpreter, and somebody else's process: in by ptrace, read from
    outside, with registers, listed, evaluated in."""
    with Service(units, folder) as service, Target(python, "idle") as target:
        cli = Command(service.socket)
        with service.client() as client:
            use(client, target)
            use(client, nobodys)
            checks = client.call("doctor", pid=nobodys.pid)["checks"]
            assert [check for check in checks if check["result"] == "fail"
                    ] == []
            listed = {row["pid"]: row for row
                      in client.call("ps")["processes"]}
            assert listed[nobodys.pid]["enter"] is True
            for options in ({"native": "all"}, {"stop": True},
                            {"locals": True}):
                record = client.call("stack", pid=nobodys.pid, **options)
                assert record["threads"][0]["frames"]
            client.call("attach", pid=target.pid)
            assert client.call("eval", pid=target.pid,
                               expr="6 * 7")["value"] == 42
            client.call("detach", pid=target.pid)
        assert cli("ps").status == 0
        done = subprocess.run(
            ["curl", "-sf", "--unix-socket", str(folder / "metrics"),
             "http://x/metrics"], stdout=subprocess.PIPE)
        assert b"nopdb_attaches_total 3\n" in done.stdout
        assert (folder / "metrics").stat().st_mode & 0o777 == 0o600
    assert (folder / "sock").exists()
    assert not (folder / "metrics").exists()


def test_every_user_within_its_own(units, folder):
    """An unprivileged client enters its own process and nobody else's; that
    the kernel is asked as this user takes two capabilities."""
    with ALICE.target("idle") as own, BOB.target("idle") as other:
        with Service(units, folder) as service:
            with ALICE.client(service) as client:
                use(client, own)
                assert client.refusal("attach", pid=other.pid)
                assert client.refusal("shutdown").name == "not-permitted"
            with service.client() as client:
                use(client, other)
        for name in ("CAP_SETUID", "CAP_SETGID"):
            (folder / "sock").unlink()
            with pytest.raises(AssertionError, match="serve every user takes"):
                with Service(units, folder, name):
                    pass


def test_a_root_without_proc(units, folder):
    """The agent goes in as a file of the process's user, into a root whose
    mounts are not the service's."""
    as_nobody = folder / "as_nobody"
    as_nobody.write_text('#!/bin/sh\nshift\nexec chroot '
                         '--userspec=65534:65534 "$@"\n')
    as_nobody.chmod(0o755)
    jail = Jail()
    jail.within = str(as_nobody)
    with jail.target(debian()) as target:
        with Service(units, folder) as service, service.client() as client:
            use(client, target)
        for name in ("CAP_CHOWN", "CAP_FOWNER"):
            refused(units, folder, target, name, "attach-failed")


def test_an_interpreter_that_an_upgrade_replaced(units, folder, request):
    """Only the kernel still knows the file that it runs."""
    # No "nopdb" in its name: the tests look for that in maps.
    place = pathlib.Path(tempfile.mkdtemp(prefix="upgraded-"))
    request.addfinalizer(lambda: shutil.rmtree(str(place)))
    place.chmod(0o755)
    copy = place / "python3"
    shutil.copy(os.path.realpath("/usr/bin/python3"), str(copy))
    with Target(debian()._replace(path=str(copy)), "idle",
                prefix=NOBODY.split(), env={"PYTHONHOME": "/usr"}) as target:
        copy.unlink()
        copy.write_text("another")
        with Service(units, folder) as service, service.client() as client:
            use(client, target)
        refused(units, folder, target, "CAP_CHECKPOINT_RESTORE", "not-python")


@pytest.mark.parametrize("name", ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"])
def test_it_cannot_do_without(units, folder, nobodys, name):
    refused(units, folder, nobodys, name, "not-permitted")
