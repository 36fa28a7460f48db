# SPDX-License-Identifier: MIT
"""The daemon under load: many clients on many targets, probes on each, some
clients slow and some rude, for so long. Every answer is counted, every record
accounted for, and the daemon's memory is held against its bound at each sample:
16 MiB and 6 MiB a target.

    load.py [--clients 50] [--targets 200] [--seconds 600] [--rate 20]
"""
import argparse
import collections
import random
import shutil
import sys
import tempfile
import threading
import time

import proc
from machine import Daemon, Target, find_interpreters
from rpc import RpcError

BOUND_KB = 16 << 10
BOUND_TARGET_KB = 6 << 10
# An answer that is not there after so long is lost.
ANSWER_S = 60.0
# What a target may have grown by: its own heap breathes.
GROWN_KB = 6 << 10
# Errors that say "not now" and nothing else.
PATIENT = ("busy", "no-safe-thread", "timeout")
ROUND_S = (0.5, 3.0)
SLOW_S = (5.0, 7.0)
# Turns a second of a target whose client is slow.
HOT = 600


class Figures:
    """What happened; shared by the clients' threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.longest = collections.Counter()
        self.failures = []

    def add(self, name, count=1):
        with self.lock:
            self.counts[name] += count

    def took(self, name, seconds):
        with self.lock:
            self.longest[name] = max(self.longest[name], seconds)

    def fail(self, text):
        with self.lock:
            self.failures.append(text)


def is_slow(number):
    """Every tenth client reads nothing for a while."""
    return number % 10 == 9


class Member:
    """One client of the load: rounds of attach, probe, read, detach."""

    def __init__(self, load, number):
        self.load = load
        self.figures = load.figures
        self.chance = random.Random("%d %d" % (load.seed, number))
        first = load.first_of(number)
        self.own = load.targets[first:first + load.share]
        self.slow = is_slow(number)
        # Whether there was a whole round with its own target. Before it the
        # client does not hang up, so that each has records to account for.
        self.served = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            while self.goes_on():
                self.round()
        except Exception as error:  # the thread's last word
            self.figures.fail("client: %s: %s" % (type(error).__name__,
                                                  error))

    def goes_on(self):
        """Until the end of the load, and in any case for one whole round."""
        late = time.monotonic() - self.load.deadline
        return late < (0 if self.served else ANSWER_S)

    def call(self, client, method, **params):
        """A request; its answer must come. None for a patient error."""
        begun = time.monotonic()
        self.figures.add("requests")
        try:
            return client.call(method, ANSWER_S, **params)
        except RpcError as error:
            self.figures.add("error " + error.name)
            if error.name not in PATIENT:
                raise
            return None
        finally:
            self.figures.took(method, time.monotonic() - begun)

    def round(self):
        other = self.chance.choice(self.load.targets)
        whom = self.own + [other] * (other not in self.own)
        with self.load.daemon.client() as client:
            self.call(client, "hello")
            held = [target for target in whom if self.attach(client, target)]
            probes = [probe for target in held
                      for probe in self.probes(client, target)]
            self.read(client)
            if self.slow and probes:
                self.wait_loss()
            self.extra(client, held)
            if self.served and self.chance.random() < 0.2:
                self.figures.add("hangups")
                return
            for probe in probes:
                self.remove(client, probe)
            for target in held:
                self.call(client, "detach", pid=target.pid)
            self.served = self.served or self.own[0] in held

    def attach(self, client, target):
        answer = self.call(client, "attach", pid=target.pid)
        if answer:
            self.figures.add("attaches")
            self.figures.took("pause", answer["pause_us"] / 1e6)
        return answer

    def probes(self, client, target):
        limits = {"hits": 0, "rate": 0, "stack": 10 if self.slow else 3}
        for _ in range(8 if self.slow else 1):
            begun = time.monotonic()
            self.figures.add("requests")
            yield client.probe(target.pid, "mill:turn", limits)
            self.figures.took("probe.add", time.monotonic() - begun)

    def read(self, client):
        ends = time.monotonic() + self.chance.uniform(
            *SLOW_S if self.slow else ROUND_S)
        if self.slow:
            time.sleep(max(ends - time.monotonic(), 0))
        while time.monotonic() < ends:
            client.pump(0.1)

    def wait_loss(self):
        """A slow client sees to it that it has lost something."""
        with self.load.daemon.client() as other:
            proc.wait_until(
                lambda: other.call("stats", ANSWER_S)["lost_by"]["slow-client"],
                ANSWER_S, "a loss of a slow client")

    def extra(self, client, held):
        """One of the requests that enter nothing, or little."""
        method = self.chance.choice(["stats", "targets", "probe.list", "eval",
                                     "stack", "lines", "doctor"])
        if not held and method in ("eval", "stack", "lines", "doctor"):
            return
        params = {}
        if method in ("eval", "stack", "lines", "doctor"):
            params["pid"] = self.chance.choice(held).pid
        if method == "eval":
            params["expr"] = "1 + 1"
        elif method == "lines":
            params["where"] = "mill:turn"
        self.call(client, method, **params)

    def remove(self, client, probe):
        """Every capture came, or is counted as lost."""
        self.figures.add("requests")
        begun = time.monotonic()
        removed = probe.remove(ANSWER_S)
        self.figures.took("probe.remove", time.monotonic() - begun)
        came = len(probe.of("call"))
        lost = removed["lost"]
        self.figures.add("records", came)
        self.figures.add("lost slow-client", lost["slow-client"])
        self.figures.add("lost ring", lost["ring"])
        if came + lost["slow-client"] != removed["captures"]:
            self.figures.fail("probe %d: %d came, %r" % (probe.id, came,
                                                         removed))


def without_gcc(pid, before):
    """A snapshot without the library that glibc itself loads, and keeps, when
    the first thread of a program ends."""
    now = proc.Snapshot(pid)
    now.files = {key: count for key, count in now.files.items()
                 if key in before.files or "libgcc_s" not in key[1]}
    return now


class Watch:
    """Samples of the daemon, each second."""

    def __init__(self, load):
        self.load = load
        self.samples = []
        self.over = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        client = self.load.daemon.client()
        targets = 0
        while not self.stop.wait(self.load.pause):
            before = targets
            targets = client.call("stats", ANSWER_S)["targets"]
            # One that leaves gives its memory back a moment later.
            bound = BOUND_KB + BOUND_TARGET_KB * max(targets, before)
            pid = self.load.daemon.pid
            rss, fds = proc.rss_kb(pid), len(proc.fds(pid))
            self.samples.append((targets, rss, fds))
            if rss > bound:
                self.over.append("%d KiB with %d targets" % (rss, targets))
        client.close()

    def mean(self, part, index):
        """Of a quarter of the samples: 1, 2, 3 or 4."""
        size = len(self.samples) // 4
        chosen = self.samples[(part - 1) * size:part * size] or self.samples
        return sum(sample[index] for sample in chosen) / len(chosen)


class Load:
    """All of it."""

    def __init__(self, folder, pythons, clients, targets, seconds, rate=20,
                 build=None):
        self.seed = random.randrange(1 << 30)
        self.clients = clients
        self.count = targets
        self.share = max(targets // clients, 1)
        self.seconds = seconds
        self.pause = min(1.0, seconds / 40)
        self.figures = Figures()
        self.daemon = Daemon(folder, build=build)
        self.targets = []
        # The first target of a slow client gives it something to lose.
        hot = {self.first_of(number) for number in range(clients)
               if is_slow(number)}
        for number in range(targets):
            self.targets.append(Target(pythons[number % len(pythons)], "mill",
                                       HOT if number in hot else rate))

    def first_of(self, number):
        """The first of the targets that are this client's own."""
        return number * self.share % self.count

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for target in self.targets:
            target.stop()
        self.daemon.__exit__(kind, error, trace)

    def run(self):
        """The load, then what is left of it; the failures as text."""
        self.warm_up()
        before = [proc.Snapshot(target.pid) for target in self.targets]
        fds = len(proc.fds(self.daemon.pid))
        self.watch = Watch(self)
        self.deadline = time.monotonic() + self.seconds
        members = [Member(self, number) for number in range(self.clients)]
        self.watch.thread.start()
        for member in members:
            member.thread.start()
        for member in members:
            member.thread.join(self.seconds + 5 * ANSWER_S)
            if member.thread.is_alive():
                self.figures.fail("a client never came to its end")
        self.watch.stop.set()
        self.watch.thread.join(ANSWER_S)
        self.check_left(before, fds)
        if len(self.watch.samples) >= 8:
            self.check_flat()
        else:
            self.figures.fail("it ended early")
        return self.figures.failures

    def warm_up(self):
        """The loop has opened what it opens once."""
        target = self.targets[0]
        threads = proc.threads(target.pid)
        with self.daemon.client() as client:
            client.call("attach", pid=target.pid)
            client.call("detach", pid=target.pid)
        proc.wait_agent_gone(target.pid, threads)

    def check_left(self, before, fds):
        """The targets are as before, and the daemon is small again."""
        for target, snapshot in zip(self.targets, before):
            try:
                proc.wait_agent_gone(target.pid, snapshot.threads, 10)
                status = target.check()
            except Exception as error:  # each of them is told
                self.figures.fail("target: %s" % error)
                continue
            found = snapshot.differences(without_gcc(target.pid, snapshot),
                                         GROWN_KB, 3)
            if found or status["left"]:
                self.figures.fail("target %d: %s %s" % (
                    target.pid, found, status["left"]))
        pid = self.daemon.pid
        proc.wait_until(lambda: len(proc.fds(pid)) <= fds, 10,
                        "closed descriptors: %r" % proc.fds(pid))
        self.left_kb = proc.rss_kb(pid)
        if self.left_kb > BOUND_KB:
            self.figures.fail("%d KiB with no target" % self.left_kb)

    def check_flat(self):
        """No growth from the second quarter to the last."""
        watch = self.watch
        for over in watch.over:
            self.figures.fail("memory: " + over)
        for index, name, slack in ((1, "KiB", 2048), (2, "descriptors", 40)):
            early, late = watch.mean(2, index), watch.mean(4, index)
            if late > early * 1.25 + slack:
                self.figures.fail("growing: %d, then %d %s" % (early, late,
                                                               name))

    def report(self):
        watch, counts = self.watch, self.figures.counts
        most = max(watch.samples, key=lambda sample: sample[1])
        lines = ["%d clients, %d targets, %d s, seed %d" % (
            self.clients, len(self.targets), self.seconds, self.seed)]
        lines += ["%-24s %d" % pair for pair in sorted(counts.items())]
        lines += ["longest %-16s %.3f s" % pair
                  for pair in sorted(self.figures.longest.items())]
        lines += [
            "most memory              %d KiB (%d targets, bound %d)" % (
                most[1], most[0], BOUND_KB + BOUND_TARGET_KB * most[0]),
            "memory by quarters       " + ", ".join(
                "%d" % watch.mean(part, 1) for part in (1, 2, 3, 4)),
            "descriptors by quarters  " + ", ".join(
                "%d" % watch.mean(part, 2) for part in (1, 2, 3, 4)),
            "targets by quarters      " + ", ".join(
                "%d" % watch.mean(part, 0) for part in (1, 2, 3, 4)),
            "memory afterwards        %d KiB" % self.left_kb]
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=20)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="nopdb-")
    with Load(folder, find_interpreters(), options.clients, options.targets,
              options.seconds, options.rate) as load:
        failures = load.run()
        print(load.report())
    shutil.rmtree(folder, ignore_errors=True)
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
