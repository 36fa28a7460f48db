# SPDX-License-Identifier: MIT
"""nopdb stack: what is read from outside is what the interpreter itself says,
and the program does not notice."""
import json
import os
import random
import signal
import struct
import threading
import time

import pytest

import proc
from machine import Target
from rpc import RpcError

# Of 8 threads: 1000 stacks; NOPDB_SNAPSHOTS=1000 makes it as many pictures.
SNAPSHOTS = int(os.environ.get("NOPDB_SNAPSHOTS", "125"))
RUNNING = int(os.environ.get("NOPDB_RUNNING", "150"))   # of 4 threads
WRECKS = 100
CHAIN = 40


@pytest.fixture(scope="module")
def stacks(python):
    with Target(python, "stacks") as target:
        yield target


def read(client, pid, **options):
    return client.call("stack", pid=pid, **options)


def threads_of(record):
    return {thread["name"]: thread for thread in record["threads"]}


def python_frames(thread):
    """As the target's truth() tells them."""
    return [(frame["function"], frame["file"], frame.get("line", 0),
             frame.get("column", 0), frame.get("end_line", 0),
             frame.get("end_column", 0))
            for frame in thread["frames"] if frame["kind"] == "python"]


def at_rest(client, stacks, truth, native):
    """The picture in which every held thread waits in the kernel. A thread
    that gave the GIL away, and so is seen by the others at its last line, has
    still to come to its futex; on a busy machine that takes as long as it
    takes. Its Python frames are the truth by then."""
    deadline = time.monotonic() + 20
    while True:
        record = read(client, stacks.pid, native=native)
        found = threads_of(record)
        for name, frames in truth.items():
            assert python_frames(found[name]) == [
                tuple(frame) for frame in frames], name
        if all(found[name]["state"] == "waiting" and "call" in
               found[name].get("waits", {}) and found[name]["waits"]["for"]
               != "gil" for name in truth) or time.monotonic() > deadline:
            return record, found


@pytest.mark.smoke
def test_truth(client, stacks):
    """Frame for frame, with lines and columns, what sys._current_frames says;
    every thread that waits merged with its native frames, none stopped but
    those whose registers are needed."""
    for seed in range(SNAPSHOTS):
        stacks.call("arrange", seed)
        truth = stacks.call("truth")
        assert len(truth) == 8
        native = "waiting" if seed % 5 else "all"
        record, found = at_rest(client, stacks, truth, native)
        for name in truth:
            assert found[name]["consistent"], (seed, name)
            assert found[name]["state"] == "waiting", (seed, name)
            if seed % 5 == 0:
                assert found[name]["merged"], (seed, name)
        if seed % 5:
            assert record["paused"] == 0 and record["pause_us"] == 0


def test_merged_frames_stand_in_their_order(client, stacks):
    """The thread's start at one end, the wait for the lock at the other."""
    stacks.call("arrange", 7)
    for thread in read(client, stacks.pid, native="all")["threads"]:
        if not thread["name"].startswith("held-"):
            continue
        kinds = [frame["kind"] for frame in thread["frames"]]
        names = [frame.get("function") for frame in thread["frames"]]
        assert kinds[0] == kinds[-1] == "native"
        # Qualified names begin with 3.11.
        assert names[kinds.index("python")] in (
            "threading:Thread._bootstrap", "threading:_bootstrap")


def chain_is_sound(thread):
    """Each function called from the line that calls it."""
    frames = [frame for frame in thread["frames"]
              if frame["kind"] == "python" and frame["file"] == "<chain>"]
    level = CHAIN - 1
    for index, frame in enumerate(frames):
        first = 1 if level == 0 else 5 + (level - 1) * 4
        assert frame["function"] == "chain:f%d" % level, frames
        last = index == len(frames) - 1
        assert first <= frame["line"] <= first + 3, frame
        assert last or frame["line"] == first + 2, frame
        level -= 1
    return len(frames)


def test_running(client, python):
    """Threads that never stand still: no stack that never was.
    NOPDB_RUNNING takes more pictures."""
    with Target(python, "stacks") as target:
        target.call("run", 4)
        seen = unstable = 0
        for _ in range(RUNNING):
            record = read(client, target.pid, native="none")
            for thread in record["threads"]:
                if not thread["name"].startswith("run-"):
                    continue
                if thread["consistent"]:
                    seen += chain_is_sound(thread) > 0
                else:
                    unstable += 1
            assert record["paused"] == 0
        # On two processors it is some two of the four.
        assert seen > RUNNING, (seen, unstable)


def test_running_native(client, python):
    """--native stops each running thread for a moment, and says how long."""
    with Target(python, "stacks") as target:
        target.call("run", 2)
        record = read(client, target.pid, native="all")
        running = [thread for name, thread in threads_of(record).items()
                   if name.startswith("run-")]
        assert all(thread["merged"] for thread in running)
        for thread in running:
            chain_is_sound(thread)
        assert record["pause_us"] < 1000000


def test_stop(client, stacks):
    """An atomic picture; afterwards nobody traces and all go on."""
    stacks.call("arrange", 3)
    truth = stacks.call("truth")
    record = read(client, stacks.pid, stop=True)
    found = threads_of(record)
    for name, frames in truth.items():
        assert python_frames(found[name]) == [tuple(f) for f in frames]
        assert found[name]["merged"] and found[name]["paused"]
        assert found[name]["state"] == "waiting", found[name]
    assert record["paused"] == len(record["threads"])
    assert "stopped" not in [one["kind"] for one in record["verdict"]]
    assert record["pause_us"] > 0
    assert proc.status_field(stacks.pid, "TracerPid") == "0"
    stacks.call("arrange", 4)


def hidden(kind, reason="name"):
    return {"$type": kind, "$redacted": reason}


def hides(client, pid, **options):
    """The variables of that thread, once it is there."""
    def frames():
        thread = threads_of(read(client, pid, locals=True, **options)).get(
            "hides", {"frames": []})
        names = [frame.get("function") for frame in thread["frames"]]
        return thread["frames"] if "stacks:block" in names else None
    proc.wait_until(frames, 10, "the lock")
    frame, = [frame for frame in frames()
              if frame.get("function") == "stacks:hides"]
    return frame["locals"]


def test_what_is_withheld(client, python):
    """The lists of names and the strict mode of captures."""
    with Target(python, "stacks") as target:
        target.start("hides", name="hides")
        found = hides(client, target.pid)
        assert found["password"] == hidden("str")
        assert found["plain"] == "shown" and found["number"] == 7
        assert found["header"].startswith("Bearer")
        found = hides(client, target.pid, no_redact="pass*",
                      redact="plain,num*,type:stacks.P*")
        assert found["password"] == "PLANTED"
        assert found["plain"] == hidden("str")
        assert found["number"] == hidden("int")
        assert found["point"] == hidden("stacks.Point", "type")
        found = hides(client, target.pid, strict=True)
        assert found["header"] == hidden("str", "token")
        assert found["raw"] == hidden("bytes", "token")
        assert found["card"] == hidden("int", "card")
        assert found["table"] == {
            "$type": "dict", "$pairs": [[hidden("str", "token"), 1]]}
        assert found["plain"] == "shown" and found["number"] == 7
        with pytest.raises(RpcError) as refused:
            read(client, target.pid, redact="x" * 300)
        assert "redact: longer than" in refused.value.message


def test_what_the_command_withholds(cli, newest):
    with Target(newest, "stacks") as target:
        target.start("hides", name="hides")
        proc.wait_until(
            lambda: "stacks:block" in cli("stack", target.pid).out, 10,
            "the lock")
        result = cli("stack", target.pid, "-l", "--json", "--redact",
                     "plain", "--no-redact", "password", "--strict")
        (record,) = result.of("stack")
        frame, = [frame for frame in threads_of(record)["hides"]["frames"]
                  if frame.get("function") == "stacks:hides"]
        assert frame["locals"]["password"] == "PLANTED"
        assert frame["locals"]["plain"] == hidden("str")
        assert frame["locals"]["header"] == hidden("str", "token")


def test_values(client, python):
    with Target(python, "stacks") as target:
        target.start("values", name="values")
        proc.wait_until(lambda: any(
            frame.get("function") == "stacks:block"
            for frame in threads_of(read(client, target.pid))
            .get("values", {"frames": []})["frames"]), 10, "the lock")
        thread = threads_of(read(client, target.pid, locals=True))["values"]
        frame, = [frame for frame in thread["frames"]
                  if frame.get("function") == "stacks:values"]
        found = frame["locals"]
        withheld = {"$type": "str", "$redacted": "name"}
        assert found.pop("password") == withheld
        assert found.pop("settings") == {"api_key": withheld, "token": None}
        assert found.pop("inner")["$type"] == "function"
        assert found.pop("point")["$type"] == "stacks.Point"
        many = found.pop("many")
        assert many == {"$type": "list", "$items": list(range(100)),
                        "$truncated": True, "$len": 500}
        assert found == {
            "cell": 7, "small": -5, "text": "é€😀\0.", "nothing": None,
            "big": {"$type": "int", "$repr": str(10 ** 30)},
            "number": 3.25, "yes": True,
            "raw": {"$type": "bytes", "$base64": "YWIAYw=="},
            "items": [1, [2, {"$type": "list", "$truncated": True,
                              "$len": 1}]],
            "pair": {"$type": "tuple", "$items": [1, "x"]},
            "names": {"k": 1},
            "odd": {"$type": "dict", "$pairs": [["$x", 2]]},
            "long": {"$type": "str", "$value": "x" * 255,
                     "$truncated": True, "$len": 1000},
            "some": {"$type": "set", "$items": [1]}}


def test_many_threads(client, python):
    """All of 100 threads, each with its own id and name."""
    with Target(python, "stacks") as target:
        for i in range(100):
            target.start("block", name="many-%d" % i)
        proc.wait_until(lambda: sum(
            thread["state"] == "waiting" for thread in
            read(client, target.pid, native="none")["threads"]) == 101, 20,
            "100 threads that wait")
        found = threads_of(read(client, target.pid))
        assert len({thread["id"] for thread in found.values()}) == 101
        for i in range(100):
            names = [frame[0] for frame in python_frames(found["many-%d" % i])]
            assert names[-1] == "stacks:block", names


# ---- processes that are not well ---------------------------------------------------

def test_stopped_process(client, python):
    with Target(python, "stacks") as target:
        target.signal(signal.SIGSTOP)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "SIGSTOP")
        record = read(client, target.pid, native="all")
        assert record["threads"][0]["state"] == "stopped"
        assert "__main__:main" in [
            frame[0] for frame in python_frames(record["threads"][0])]
        assert proc.state(target.pid) == "T"
        target.signal(signal.SIGCONT)


def refused(client, pid):
    with pytest.raises(RpcError) as caught:
        read(client, pid)
    return caught.value.name


def test_refusals(client, newest):
    assert refused(client, 4194304) == "no-such-process"
    assert refused(client, os.getppid() if os.getppid() > 1 else 2) in (
        "not-python", "no-such-process", "unsupported-python")
    with Target(newest, "stacks") as target:
        with pytest.raises(RpcError) as caught:
            read(client, target.pid, native="some")
        assert caught.value.name == "invalid-params"


def test_ends_while_it_is_read(client, python):
    """An error, or what was still there; the daemon lives."""
    names = set()
    for delay in range(8):
        target = Target(python, "stacks")
        target.call("arrange", delay)
        killer = threading.Timer(delay / 1000.0, target.process.kill)
        killer.start()
        try:
            while True:
                read(client, target.pid, locals=True)
        except RpcError as error:
            names.add(error.name)
        killer.join()
        target.stop()
    assert names <= {"no-such-process", "target-exited", "zombie"}, names
    assert client.call("ps")


class Wrecker:
    """Writes into a stopped process, and puts back what was there."""

    def __init__(self, pid, seed):
        self.chance = random.Random(seed)
        self.memory = open("/proc/%d/mem" % pid, "r+b", buffering=0)
        self.kept = []

    def put(self, address, data):
        self.memory.seek(address)
        before = self.memory.read(len(data))
        self.memory.seek(address)
        self.memory.write(data)
        self.kept.append((address, before))

    def word(self, address):
        self.memory.seek(address)
        return struct.unpack("<Q", self.memory.read(8))[0]

    def is_mapped(self, address, size):
        """All of it: behind the stack of a thread lies a guard."""
        self.memory.seek(address)
        try:
            return len(self.memory.read(size)) == size
        except OSError:
            return False

    def restore(self):
        for address, before in reversed(self.kept):
            self.memory.seek(address)
            self.memory.write(before)
        self.kept = []

    def wreck(self, places):
        """Noise, or a pointer of another place, at some of the places."""
        for _ in range(self.chance.randrange(1, 4)):
            address = self.chance.choice(places)
            new = self.chance.choice([
                self.chance.randrange(1 << 64), 0, 1 << 63,
                self.word(self.chance.choice(places)), address,
                self.chance.choice(places) & ~7])
            self.put(address, struct.pack("<Q", new))


def test_wrecked_memory(client, python):
    """Whatever stands in its memory: an answer in time, never a crash."""
    with Target(python, "stacks") as target:
        target.call("arrange", 11)
        base = target.call("runtime")
        record = read(client, target.pid, native="none")
        frames = [int(thread["ident"], 16) for thread in record["threads"]]
        target.signal(signal.SIGSTOP)
        proc.wait_until(lambda: proc.state(target.pid) == "T", 5, "SIGSTOP")
        wrecker = Wrecker(target.pid, base)
        places = [base + i for i in range(0, 2048, 8)]
        heads = [wrecker.word(at) for at in places]
        reachable = [word for word in heads if 1 << 20 < word < 1 << 47
                     and word % 8 == 0]
        for word in reachable[:64]:
            if not wrecker.is_mapped(word, 16384):
                continue
            places += [word + i for i in range(0, 16384, 8)]
        answers = errors = 0
        for _ in range(WRECKS):
            wrecker.wreck(places)
            begun = time.monotonic()
            try:
                read(client, target.pid, locals=True)
                answers += 1
            except RpcError as error:
                assert error.name in ("system", "not-python", "timeout",
                                      "unsupported-python", "limit",
                                      "no-memory"), error.message
                errors += 1
            assert time.monotonic() - begun < 25
            wrecker.restore()
        target.signal(signal.SIGCONT)
        assert answers + errors == WRECKS and frames
        target.call("arrange", 12)


# ---- the command ------------------------------------------------------------------------

def test_command(cli, stacks, folder):
    stacks.call("arrange", 5)
    result = cli("stack", stacks.pid)
    assert result.status == 0, result
    record = json.loads(result.out)
    assert record["event"] == "stack" and record["pid"] == stacks.pid
    path = folder / "out"
    result = cli("stack", stacks.pid, "-l", "--no-native", "-o", path)
    assert result.status == 0 and result.out == "", result
    text = path.read_text()
    assert "process %d: Python %s" % (
        stacks.pid, ".".join(map(str, stacks.python.version))) in text
    assert "nothing stopped" in text
    assert "held-3  waiting" in text
    assert "stacks:block" in text or "block" in text
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_command_refuses(cli):
    assert cli("stack", 4194304).status == 4
    assert cli("stack").status == 2
    assert cli("stack", "1", "--native", "--no-native").status == 2
    assert cli("ps", "--tree").status == 2


def test_tree(cli, newest):
    """A process and its children, those that are no Python named."""
    with Target(newest, "stacks") as target:
        child = target.call("child")
        try:
            proc.wait_until(lambda: [
                record["pid"] for record in
                cli("stack", target.pid, "--tree", "--json").records] == [
                    target.pid, child], 10, "the child")
        finally:
            target.call("end_children")
