# SPDX-License-Identifier: MIT
"""Whatever phase of an attach is abandoned, by a daemon that is killed there or
gives up, the target cleans up by itself: no thread, mapping, descriptor or
probe of ours is left, without another attach."""
import time

import pytest

import proc
from control_group import Group
from machine import BUILD, Daemon, Target
from rpc import RpcError

REGION = 0x20000  # BOOT_REGION of proto/boot.h
STUB = 0x1000	  # its first page, once the agent's thread runs
# The points of injector/hijack/die.h, by phase.
POINTS = {
    8: "interrupt", 9: "search", 10: "frames", 1: "map", 2: "mapped",
    3: "call", 4: "thread-start", 5: "thread-started", 6: "restored",
    7: "detached", 11: "fetched", 12: "handshake", 13: "loaded",
}
# The thread of a dead daemon waits for it: so long, and 2 s more.
SHORT = ("--timeout", "handshake=100")
GONE_S = 8.0
VIEW = ("trace", "profile", "tools", "left", "settrace", "monitoring",
        "threads", "main", "modules")


def code_maps(pid):
    """Anonymous mappings that hold code, or are as long as our region."""
    found = set()
    with open("/proc/%d/maps" % pid) as stream:
        for line in stream:
            words = line.split()
            low, high = (int(word, 16) for word in words[0].split("-"))
            if len(words) == 5 and ("x" in words[1] or high - low in (
                    REGION, REGION - STUB)):
                found.add((low, high, words[1]))
    return found


class Untouched:
    """What a target was; compare() is what of ours shows since."""

    def __init__(self, target):
        self.target = target
        self.threads = proc.threads(target.pid)
        self.snapshot = proc.Snapshot(target.pid)
        self.code = code_maps(target.pid)
        self.view = target.status()

    def check(self):
        pid = self.target.pid
        proc.wait_agent_gone(pid, self.threads, GONE_S)
        proc.wait_until(lambda: code_maps(pid) <= self.code, GONE_S,
                        "end of %r" % (code_maps(pid) - self.code))
        assert self.snapshot.differences(proc.Snapshot(pid), 4000) == []
        status = self.target.check()
        assert {name: status[name] for name in VIEW} == {
            name: self.view[name] for name in VIEW}


def attach_until_dead(daemon, pid):
    with daemon.client() as client:
        with pytest.raises((EOFError, RpcError, OSError)):
            client.call("attach", pid=pid)
            client.wait(lambda: False, 5, "end of the daemon")
    daemon.process.wait(10)
    assert daemon.process.returncode == -9
    daemon.stop()


def ids(points):
    return ["%d-%s" % pair for pair in points.items()]


@pytest.fixture(scope="module", params=["idle", "busy"])
def victim(request, newest):
    with Target(newest, request.param) as target:
        yield target


@pytest.mark.parametrize("point", list(POINTS), ids=ids(POINTS))
def test_killed(victim, folder, point):
    """A killed daemon: at each point, one attach, and nothing after it."""
    if not (BUILD / "die" / "nopdbd").exists():
        pytest.skip("no die flavour in " + str(BUILD))
    before = Untouched(victim)
    attach_until_dead(Daemon(folder, build=BUILD / "die", options=SHORT,
                             env={"NOPDB_DIE_AT": str(point)}), victim.pid)
    before.check()


def killed_after(daemon, pid, seconds):
    with daemon.client() as client:
        client.request("attach", pid=pid)
        time.sleep(seconds)
        daemon.kill()
        daemon.stop()


@pytest.mark.smoke
def test_killed_while_the_gil_is_held(python, folder):
    """The agent's thread waits for the GIL; at its turn it finds nobody."""
    with Target(python, "native", "doze", 1) as target:
        enter_first(folder / "first", target)
        before = Untouched(target)
        target.send(call="hold", args=[1000])
        time.sleep(0.1)
        killed_after(Daemon(folder / "killed"), target.pid, 0.5)
        assert target.read() == {"result": "1000"}
        before.check()


def enter_first(folder, target):
    """The first attach imports and allocates what later ones find."""
    with Daemon(folder) as daemon, daemon.client() as client:
        client.call("attach", pid=target.pid)
        client.call("detach", pid=target.pid)


def slow_bootstrap(python, folder, abandon):
    """The program's audit hook (3.8+) holds up the agent's Python part."""
    if python.version < (3, 8):
        pytest.skip("no audit hooks before 3.8")
    with Target(python, "slow") as target:
        enter_first(folder / "first", target)
        before = Untouched(target)
        target.call("slow_down", 1.0)
        abandon(target.pid)
        proc.wait_until(lambda: target.call("slowed"), 5, "the bootstrap")
        before.check()


def test_killed_in_bootstrap(python, folder):
    slow_bootstrap(python, folder, lambda pid: killed_after(
        Daemon(folder / "killed"), pid, 0.5))


def test_bootstrap_given_up(newest, folder):
    def give_up(pid):
        with Daemon(folder / "gives-up", options=[
                "--timeout", "gil=300"]) as daemon, daemon.client() as client:
            with pytest.raises(RpcError) as refusal:
                client.call("attach", pid=pid)
        assert refusal.value.name == "timeout"
        assert refusal.value.remedy
    slow_bootstrap(newest, folder, give_up)


@pytest.mark.parametrize("version", [1, 2])
def test_no_thread_can_be_made(newest, folder, version):
    """pthread_create fails: the region is taken away again at once."""
    with Target(newest, "idle") as target, Group(version, "pids") as group:
        before = Untouched(target)
        group.move(target.pid, group.inner)
        if not (group.inner / "pids.max").exists():
            pytest.skip("no control of pids in version %d" % version)
        (group.inner / "pids.max").write_text(
            str(len(proc.threads(target.pid))))
        with Daemon(folder) as daemon, daemon.client() as client:
            with pytest.raises(RpcError) as refusal:
                client.call("attach", pid=target.pid)
        assert refusal.value.name == "attach-failed", refusal.value
        assert "pids.max" in refusal.value.remedy, refusal.value
        assert code_maps(target.pid) <= before.code
        (group.inner / "pids.max").write_text("max")
        before.check()
