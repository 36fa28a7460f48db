# SPDX-License-Identifier: MIT
"""A service manager opens the sockets and hands them on; systemd's units."""
import os
import shutil
import signal
import socket
import subprocess

import pytest

import proc
from machine import BUILD, Target
from rpc import Client

# dup2 to 3 and on, tell the number of this very process, become the daemon.
LAUNCHER = """
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",") if fd]
spare = [os.dup(fd) for fd in fds]
spare = [os.dup2(fd, 100 + i) for i, fd in enumerate(spare)]
for i, fd in enumerate(spare):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(spare), 200)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ.setdefault("LISTEN_FDS", str(len(spare)))
os.execv(sys.argv[2], sys.argv[2:])
"""


def listening(path, kind=socket.SOCK_STREAM, mode=0o666):
    opened = socket.socket(socket.AF_UNIX, kind)
    opened.bind(str(path))
    os.chmod(str(path), mode)
    if kind == socket.SOCK_STREAM:
        opened.listen(8)
    return opened


def start(sockets, *options, env=None, **how):
    """nopdbd with these as descriptors 3 and on; `start` is its Popen."""
    fds = [opened.fileno() for opened in sockets]
    return subprocess.Popen(
        ["/usr/bin/python3", "-c", LAUNCHER, ",".join(map(str, fds)),
         str(BUILD / "nopdbd"), *map(str, options)],
        pass_fds=fds, env=dict(os.environ, **(env or {})),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True, **how)


def finish(daemon):
    """Ends it; what it said."""
    if daemon.poll() is None:
        daemon.send_signal(signal.SIGTERM)
    out, err = daemon.communicate(timeout=30)
    assert daemon.returncode == 0, (out, err)
    return err


def notified(opened, timeout=20):
    opened.settimeout(timeout)
    return opened.recv(4096).decode()


def test_a_socket_that_was_handed_on(folder, python):
    """It is served, its file is left to who made it, and a client that comes
    before the daemon is ready only waits."""
    with listening(folder / "sock") as opened, Target(python, "zoo") as target:
        early = Client(folder / "sock")
        asked = early.request("hello", client="early")
        daemon = start([opened], "--foreground", "--idle", 0)
        try:
            assert early.answer(asked, 30)["pid"] == daemon.pid
            assert early.call("attach", pid=target.pid)["python"]
            with early.probe(target.pid, "zoo:add") as probe:
                target.call("add", 1, 1)
                probe.calls(1)
            early.call("detach", pid=target.pid)
        finally:
            said = finish(daemon)
        assert "serving %s" % (folder / "sock") in said
        assert (folder / "sock").is_socket()
        assert sorted(os.listdir(str(folder))) == ["sock"]
        # Who comes now is served by the next one.
        late = Client(folder / "sock")
        asked = late.request("hello", client="late")
        again = start([opened], "--foreground", "--socket", folder / "sock")
        try:
            assert late.answer(asked, 30)["pid"] == again.pid
        finally:
            finish(again)


def test_it_leaves_when_idle_and_comes_back(folder):
    with listening(folder / "sock") as opened:
        for _ in range(2):
            client = Client(folder / "sock")
            asked = client.request("stats")
            daemon = start([opened], "--foreground", "--idle", 1)
            assert client.answer(asked, 30)["clients"] == 1
            client.close()
            daemon.communicate(timeout=30)
            assert daemon.returncode == 0
        assert (folder / "sock").exists()


def test_two_sockets_go_where_they_are_named(folder):
    """In whatever order they come."""
    with listening(folder / "m") as metrics, listening(folder / "s") as rpc:
        daemon = start([metrics, rpc], "--foreground", "--metrics",
                       folder / "m")
        try:
            with Client(folder / "s") as client:
                assert client.call("hello", client="t")["server"] == "nopdbd"
            done = subprocess.run(
                ["curl", "-sf", "--unix-socket", str(folder / "m"),
                 "http://x/metrics"], stdout=subprocess.PIPE, timeout=30)
            assert b"nopdb_clients_total 1\n" in done.stdout
        finally:
            finish(daemon)
        assert sorted(os.listdir(str(folder))) == ["m", "s"]


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told(folder, abstract):
    name = ("\0%s/notify" if abstract else "%s/notify") % folder
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        with listening(folder / "sock") as opened:
            daemon = start([opened], "--foreground",
                           env={"NOTIFY_SOCKET": name.replace("\0", "@")})
            try:
                assert notified(manager) == "READY=1"
            finally:
                finish(daemon)
            assert notified(manager) == "STOPPING=1"


@pytest.mark.parametrize("what, said", [
    ("datagram", "descriptor 3 is not a Unix stream socket"),
    ("deaf", "descriptor 3 does not listen"),
    ("unbound", "descriptor 3 is not bound to a path"),
    ("inet", "descriptor 3 is not a Unix stream socket"),
    ("many", "LISTEN_FDS: not a number of sockets from 0 to 4"),
    ("closed", "descriptor 4 is not open"),
    ("unused", "was handed on, but is not used"),
    ("none", "--socket is missing"),
])
def test_what_cannot_be_served_is_refused(folder, what, said):
    opened, env = [], {}
    if what == "datagram":
        opened = [listening(folder / "s", socket.SOCK_DGRAM)]
    elif what == "inet":
        opened = [socket.socket(socket.AF_INET)]
    elif what in ("deaf", "unbound"):
        opened = [socket.socket(socket.AF_UNIX)]
        if what == "deaf":
            opened[0].bind(str(folder / "s"))
        else:
            opened[0].bind("\0%s" % folder)
            opened[0].listen(1)
    elif what != "none":
        opened = [listening(folder / "s")]
        env = {"many": {"LISTEN_FDS": "5"}, "closed": {"LISTEN_FDS": "2"}
               }.get(what, {})
        if what == "unused":
            opened.append(listening(folder / "t"))
    try:
        daemon = start(opened, "--foreground", env=env)
        err = daemon.communicate(timeout=30)[1]
    finally:
        for one in opened:
            one.close()
    assert (daemon.returncode, said in err) == (2, True), err
    if what not in ("many",):
        assert "remedy:" in err, err


def test_what_is_meant_for_another_process(folder):
    """LISTEN_PID of somebody else: the variables came along by chance."""
    with listening(folder / "given") as opened:
        os.set_inheritable(opened.fileno(), True)
        daemon = subprocess.Popen(
            [str(BUILD / "nopdbd"), "--foreground", "--socket",
             str(folder / "own")], close_fds=False,
            env=dict(os.environ, LISTEN_PID=str(os.getpid()), LISTEN_FDS="1"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True)
        try:
            proc.wait_until((folder / "own").exists, 20, "socket")
            with Client(folder / "own") as client:
                assert client.call("hello", client="t")["pid"] == daemon.pid
        finally:
            finish(daemon)


def connected(path):
    """A client, or None: bound is not yet listening."""
    try:
        return Client(path)
    except OSError:
        return None


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"),
                    reason="no systemd-socket-activate")
def test_with_systemds_own_launcher(folder):
    launcher = subprocess.Popen(
        ["systemd-socket-activate", "-l", str(folder / "sock"),
         str(BUILD / "nopdbd"), "--foreground"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)
    try:
        with proc.wait_until(lambda: connected(folder / "sock"), 20,
                             "socket") as client:
            # It became the daemon when the first client came.
            assert client.call("hello", 30, client="t")["pid"] == launcher.pid
    finally:
        finish(launcher)
