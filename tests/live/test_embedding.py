# SPDX-License-Identifier: MIT
"""Programs that embed an interpreter, and have it now and then: before the
first, between two and after the last they are as safe as with one. And those
that have the libraries of several."""
import os
import pathlib
import subprocess

import pytest

import proc
from machine import PROGRAMS, Daemon, Target, find_interpreters
from rpc import RpcError

OPEN = {"hits": 0, "rate": 0}
# Goes on as embeds.c, with the library of the interpreter that runs this.
EMBED = """
import os, sys, sysconfig
name = sysconfig.get_config_var("INSTSONAME")
found = [path for path in (os.path.join(sysconfig.get_config_var(folder), name)
                           for folder in ("LIBDIR", "LIBPL"))
         if name.startswith("libpython") and os.path.isfile(path)]
if not found:
    print("none", flush=True)
    sys.exit()
os.environ["PYTHONHOME"] = sys.base_prefix
os.execv(sys.argv[1], [sys.argv[1], found[0]])
"""


class Embedding:
    """embeds.c, with the library of an interpreter."""

    def __init__(self, python):
        self.process = subprocess.Popen(
            [python.path, "-c", EMBED, str(PROGRAMS / "embeds")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, NOPDB_BIND=str(PROGRAMS)))
        self.pid = self.process.pid
        line = self.process.stdout.readline()
        if line == b"none\n":
            self.process.wait()
            pytest.skip("%s comes without a library" % python.id)
        assert line == b"done\n", (line, self.process.wait())

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.say("nothing")
        self.process.kill()
        self.process.wait()

    def done(self):
        line = self.process.stdout.readline()
        assert line == b"done\n", (line, self.process.wait())

    def say(self, word):
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()
        self.done()


@pytest.fixture
def embedding(python):
    with Embedding(python) as program:
        yield program


def watch(client, program):
    """From attach to detach, which leaves nothing. (What an agent whose
    interpreter ended has left is there before.)"""
    before = proc.agent_left(program.pid)
    client.call("attach", pid=program.pid)
    with client.probe(program.pid, "__main__:f", OPEN) as probe:
        probe.calls(1)
        client.call("eval", pid=program.pid, expr="f(1)")
    client.call("detach", pid=program.pid)
    assert proc.agent_left(program.pid) == before


def assert_refused(client, program):
    for _ in range(2):
        with pytest.raises(RpcError) as caught:
            client.call("attach", pid=program.pid)
        assert caught.value.name == "finalizing", caught.value
        assert caught.value.remedy == "try again", caught.value
    program.say("nothing")
    assert proc.agent_left(program.pid) == []


@pytest.mark.smoke
def test_now_and_then(client, embedding):
    assert_refused(client, embedding)
    for _ in range(2):
        embedding.say("begin")
        watch(client, embedding)
        embedding.say("end")
        assert_refused(client, embedding)


@pytest.mark.smoke
@pytest.mark.parametrize("then", [(), ("begin",), ("unload",),
                                  ("unload", "begin")], ids="-".join)
def test_ends_while_we_are_in_it(client, embedding, then):
    """What was entered is no more: nothing else is touched."""
    embedding.say("begin")
    client.call("attach", pid=embedding.pid)
    with client.probe(embedding.pid, "__main__:f", OPEN) as probe:
        probe.calls(1)
        embedding.say("end")
        for word in then:
            embedding.say(word)
        with pytest.raises(RpcError) as caught:
            client.probe(embedding.pid, "__main__:f")
        assert caught.value.name == "finalizing", caught.value
        assert "attach again" in caught.value.remedy, caught.value
        with pytest.raises(RpcError) as caught:
            client.call("eval", pid=embedding.pid, expr="1")
        assert caught.value.name == "finalizing", caught.value
        client.call("detach", pid=embedding.pid)
        probe.removed = True
    embedding.say("nothing")
    if "begin" not in then:
        embedding.say("begin")
    watch(client, embedding)
    embedding.say("end")


def test_daemon_killed_after_it_ended(folder, embedding):
    """The agent leaves what is not its own as it is."""
    embedding.say("begin")
    daemon = Daemon(folder)
    client = daemon.client()
    threads = proc.threads(embedding.pid)
    client.call("attach", pid=embedding.pid)
    with client.probe(embedding.pid, "__main__:f", OPEN) as probe:
        probe.calls(1)
        embedding.say("end")
        embedding.say("begin")
        daemon.process.kill()
        daemon.process.wait()
        probe.removed = True
    client.close()
    proc.wait_until(lambda: len(proc.threads(embedding.pid)) == len(threads),
                    10, "departure of the agent's thread")
    embedding.say("end")
    with Daemon(folder / "next") as after, after.client() as client:
        embedding.say("begin")
        watch(client, embedding)


# Those of distributions, also in a root of their own, and of our interpreters.
LIBRARIES = ["/usr/lib/x86_64-linux-gnu/libpython3.%d.so.1.0" % minor
             for minor in range(7, 16)] + [
    str(path) for python in find_interpreters() for path in sorted(
        pathlib.Path(python.path).parents[1].glob(
            "lib/libpython3.*.so.1.0"))]


@pytest.mark.parametrize("order", [1, -1], ids=["up", "down"])
def test_several(client, cli, python, order):
    """The one at work is entered, wherever it lies."""
    with Target(python, "several", *LIBRARIES[::order]) as target:
        if target.call("loaded") == 0:
            pytest.skip("no other library can be had")
        for _ in range(2):
            client.call("attach", pid=target.pid)
            with client.probe(target.pid, "several:tick", OPEN) as probe:
                probe.calls(1)
                client.call("eval", pid=target.pid, expr="1")
            client.call("detach", pid=target.pid)
        assert cli("stack", target.pid).status == 0
        assert cli("doctor", target.pid).status == 0
