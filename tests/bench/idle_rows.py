# SPDX-License-Identifier: MIT
"""What a probe costs a program that never comes to it: the workloads, small
programs, and what is left after the process was left."""
from stand import ROUNDS, UNLIMITED, median

import programs

WORKLOADS = ("w1", "w2", "w3")


class Probed:
    """nopdb, attached and with one probe, switched from outside."""

    name = "nopdb"

    def __init__(self, stand, target, function="idle"):
        self.stand, self.target, self.function = stand, target, function

    def on(self):
        self.stand.attach(self.target)
        self.probe = self.stand.client.probe(
            self.target.pid, "workloads:" + self.function, UNLIMITED)

    def off(self):
        self.probe.remove()
        self.stand.detach(self.target)


class Traced:
    """A tracer inside of the target, on the same function."""

    def __init__(self, target, name, function="idle"):
        self.target, self.name, self.function = target, name, function

    def on(self):
        answer = self.target.call("trace", self.name, self.function)
        assert answer == "None" or answer is None, answer

    def off(self):
        self.target.call("untrace", self.name)


def measure_ratio(target, tools, workload, rounds=ROUNDS):
    """{tool: median of the ratios of each round}: off, and each tool on, one
    after the other in one process, so that what else the machine does
    meanwhile falls on all of them."""
    ratios = {tool.name: [] for tool in tools}
    times = {tool.name: [] for tool in tools}
    plain = []
    target.ask(timeout=300, call="measure", args=[workload])
    for _ in range(rounds):
        plain.append(int(target.ask(timeout=300, call="measure",
                                    args=[workload])["result"]))
        for tool in tools:
            tool.on()
            took = int(target.ask(timeout=300, call="measure",
                                  args=[workload])["result"])
            tool.off()
            times[tool.name].append(took)
            ratios[tool.name].append(took / plain[-1])
    return {name: {"median": median(values, 3),
                   "least": round(min(times[name]) / min(plain), 3)}
            for name, values in ratios.items()}


def measure_idle(stand):
    """{workload: {tool: ratio}}; the slow tools take one round, and but one of
    them on interpreters that are not for all."""
    found = {}
    with stand.target() as target:
        names = target.call("tracers_here", 0) if stand.all_tools else [
            "settrace"]
        slow = [Traced(target, name) for name in names if name != "floor"]
        for workload in WORKLOADS:
            found[workload] = measure_ratio(
                target, [Probed(stand, target)], workload)
            found[workload].update(measure_ratio(target, slow, workload, 1))
    return found


def measure_programs(stand):
    with stand.target() as target:
        return {name: measure_ratio(target, [Probed(stand, target)], name)
                for name in programs.NAMES}


class Left:
    """A breakpoint was there, was hit, and is gone with all of nopdb."""

    name = "left"

    def __init__(self, stand, target):
        self.probed = Probed(stand, target, "hot")
        self.target = target

    def on(self):
        self.probed.on()
        self.target.call("measure_burst", "hot", 100)
        self.probed.off()

    def off(self):
        """It is off already."""


def measure_after(stand):
    """Speed after detaching, as a ratio to that before."""
    found = {}
    with stand.target() as target:
        for workload in WORKLOADS:
            found[workload] = measure_ratio(
                target, [Left(stand, target)], workload)["left"]
    return found


def idle_table(results):
    tools = sorted({tool for result in results.values()
                    for row in result["idle"].values() for tool in row},
                   key=lambda name: (name != "nopdb", name))
    yield "%-13s %s" % ("idle probe", "".join(
        "%18s" % tool for tool in tools))
    for name, result in results.items():
        rows = result["idle"]
        yield "%-13s %s" % (name, "".join("%18s" % "/".join(
            "%.2f" % rows[w][tool]["median"] if tool in rows[w] else "-"
            for w in WORKLOADS) for tool in tools))


def programs_table(results):
    yield "%-13s %s" % ("programs", "".join(
        "%10s" % name for name in programs.NAMES))
    for name, result in results.items():
        yield "%-13s %s" % (name, "".join(
            "%10.2f" % result["programs"][program]["nopdb"]["median"]
            for program in programs.NAMES))


def after_table(results):
    yield "%-13s %18s" % ("after leaving", "W1/W2/W3")
    for name, result in results.items():
        yield "%-13s %18s" % (name, "/".join(
            "%.2f" % result["after"][w]["median"] for w in WORKLOADS))
