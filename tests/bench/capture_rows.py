# SPDX-License-Identifier: MIT
"""What a hit costs the program, in nanoseconds: a captured call, a line, each
beside the tracers of tracers.py; and a function called 1,000 times a second."""
import ast

from stand import BURST, ROUNDS, UNLIMITED, median
from rpc import Probe

SLOW = 10        # times fewer calls for tracers in Python
SECONDS, EACH_SECOND = 2, 1000


class Hits:
    """nopdb with one probe, switched from outside; all records are read."""

    name = "nopdb"

    def __init__(self, stand, target, **spec):
        self.stand, self.target, self.spec = stand, target, spec

    def on(self):
        self.stand.attach(self.target)
        limits = dict(UNLIMITED, **self.spec.get("limits", {}))
        self.probe = Probe(self.stand.client, self.stand.client.call(
            "probe.add", **dict(self.spec, pid=self.target.pid,
                                limits=limits)))

    def rest(self):
        self.stand.rest()

    def off(self):
        """How many hits were captured, and how many lost."""
        self.stand.rest()
        removed = self.probe.remove()
        self.stand.detach(self.target)
        return removed["captures"], sum(removed["lost"].values())


class Traced:
    def __init__(self, target, name, function, line):
        self.target, self.name = target, name
        self.function, self.line = function, line

    def on(self):
        answer = self.target.call("trace", self.name, self.function, self.line)
        assert answer is None, answer

    def off(self):
        return self.target.call("untrace", self.name), 0


def burst(target, function, count):
    """(by the clock, on a processor): nanoseconds a call."""
    answer = target.ask(timeout=300, call="measure_burst",
                        args=[function, count])
    return [ns / count for ns in ast.literal_eval(answer["result"])]


def measure_hits(target, tools, function):
    """{tool: ns a call}: in each round a burst without anything, and one with
    each tool; the median and the least of the differences."""
    wall, used = ({name: [] for name in tools} for _ in range(2))
    lost = dict.fromkeys(tools, 0)
    burst(target, function, BURST)
    for _ in range(ROUNDS):
        for name, tool in tools.items():
            count = BURST if name.startswith(("nopdb", "floor")) else (
                BURST // SLOW)
            plain = burst(target, function, count)
            tool.on()
            # What is met for the first time is learned.
            burst(target, function, count)
            getattr(tool, "rest", int)()
            took = burst(target, function, count)
            wall[name].append(took[0] - plain[0])
            used[name].append(took[1] - plain[1])
            lost[name] += tool.off()[1]
    return {name: {"median": median(used[name]), "wall": median(wall[name]),
                   "least": round(min(used[name])), "lost": lost[name]}
            for name in tools}


def measure_calls(stand):
    """One call: four arguments, ten variables, what it returns, ten frames;
    and without the stack; and the least capture there is."""
    with stand.target() as target:
        def probe(function, **limits):
            return Hits(stand, target, kind="calls",
                        where="workloads:" + function, limits=limits)
        tools = {"nopdb": probe("full", stack=10),
                 "nopdb, no stack": probe("full", stack=0)}
        tools.update({name: Traced(target, name, "full", 0)
                      for name in target.call("tracers_here", 0)})
        found = measure_hits(target, tools, "full")
        found.update(measure_hits(target, {
            "nopdb, no locals": probe("hot", stack=0, locals=False)}, "hot"))
    return found


def measure_lines(stand):
    """A line that every call comes to."""
    with stand.target() as target:
        line = target.call("hot_line", "return")

        def stop(*actions, **more):
            spec = {"kind": "break", "where": "workloads:hot", "line": line,
                    "actions": list(actions)}
            spec.update(more)
            return Hits(stand, target, **spec)
        tools = {
            "nopdb, eval": stop({"eval": "c"}),
            "nopdb, eval of code": stop({"eval": "c + len('a')"}),
            "nopdb, false": stop({"eval": "c"}, **{"if": "c < 0"}),
            "nopdb, false by code": stop({"eval": "c"},
                                         **{"if": "abs(c) < 0"}),
            "nopdb, log": stop({"log": "c is {c}"}),
            "nopdb, never": stop({"eval": "c"},
                                 line=target.call("hot_line", "never")),
        }
        tools.update({name: Traced(target, name, "hot", line)
                      for name in target.call("tracers_here", 1)})
        return measure_hits(target, tools, "hot")


def measure_rate(stand):
    """The share of a processor that a program needs which calls a probed
    function 1,000 times a second, without and with the probe: percent."""
    with stand.target() as target:
        def share():
            return 100 * float(target.ask(
                timeout=60, call="paced",
                args=[SECONDS, EACH_SECOND])["result"])
        plain = share()
        tool = Hits(stand, target, kind="calls", where="workloads:hot",
                    limits={"stack": 10})
        tool.on()
        probed = share()
        captured, lost = tool.off()
    return {"plain": round(plain, 2), "probed": round(probed, 2),
            "captured": captured, "lost": lost}


def measure_floors(stand):
    with stand.target() as target:
        return {name: round(value, 1)
                for name, value in target.call("floors").items()}


def ratio_of(found, name, other):
    if other not in found or found[name]["median"] <= 0:
        return None
    return round(found[other]["median"] / found[name]["median"], 1)


def hit_table(title, row, first):
    """A table of one group, the medians; behind it how much slower the
    pure-Python tracer is."""
    def table(results):
        tools = []
        for result in results.values():
            tools += [tool for tool in result[row] if tool not in tools]
        for at in range(0, len(tools), 6):
            part = tools[at:at + 6]
            yield "%-13s %s" % (title, "".join(
                "%21s" % tool for tool in part))
            for name, result in results.items():
                found = result[row]
                yield "%-13s %s" % (name, "".join(
                    "%21s" % (found[tool]["median"] if tool in found
                              else "-") for tool in part))
            yield ""
        yield "%-13s %21s %21s" % ("", "settrace / nopdb",
                                   "manner / nopdb")
        for name, result in results.items():
            yield "%-13s %21s %21s" % (name, *(
                ratio_of(result[row], first, tool)
                for tool in ("settrace", "manner")))
    return table


def rate_table(results):
    yield "%-13s %10s %10s %10s %6s" % (
        "1,000/s", "plain, %", "probed, %", "captured", "lost")
    for name, result in results.items():
        yield "%-13s %10.2f %10.2f %10d %6d" % (name, *(
            result["rate"][key] for key in (
                "plain", "probed", "captured", "lost")))


def floors_table(results):
    yield "%-13s %10s %10s %10s %10s" % (
        "floors, ns", "clock", "syscall", "copy 2 KiB", "wake")
    for name, result in results.items():
        yield "%-13s %10.1f %10.1f %10.1f %10.1f" % (name, *(
            result["floors"][key] for key in (
                "clock", "system_call", "copy", "wake")))
