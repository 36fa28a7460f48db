# SPDX-License-Identifier: MIT
"""The goals that docs/performance.md speaks of, held against a run."""

WORKLOADS = ("w1", "w2", "w3")
NOISE = 0.03        # of a ratio; the workloads scatter as much


def version(name):
    """(3, 13) of "3.13.0", "debian-3.11", "forky-3.14"."""
    return tuple(int(part) for part in
                 name.rpartition("-")[2].split(".")[:2])


def idle_limit(name, workload):
    if version(name) >= (3, 12):
        return 1.02
    if version(name) == (3, 11) and workload == "w1":
        return 1.35
    return 1.05


def of_row(found, row):
    return ((name, result[row]) for name, result in
            found.get(row, {}).items() if result.get(row))


def idle(found):
    for name, row in of_row(found, "idle"):
        for workload in WORKLOADS:
            yield ("idle probe, %s" % workload.upper(), name,
                   row[workload]["nopdb"]["median"],
                   idle_limit(name, workload), False)


def calls(found):
    for name, row in of_row(found, "calls"):
        ns = row["nopdb"]["median"]
        yield ("captured call, ns", name, ns,
               2500 if version(name) >= (3, 12) else 4000, False)
        yield ("tracer in NoPdb's manner / nopdb", name,
               round(row["manner"]["median"] / max(ns, 1), 1), 20, True)


def lines(found):
    for name, row in of_row(found, "lines"):
        yield ("condition false, ns", name, row["nopdb, false"]["median"],
               150, False)
        yield ("line with one eval, ns", name, row["nopdb, eval"]["median"],
               1200, False)


def stream(found):
    for name, row in of_row(found, "stream"):
        yield ("records a second, one client", name, row["one"]["best"],
               300000, True)


def attach(found):
    for name, row in of_row(found, "attach"):
        yield ("attach until armed, ms", name,
               row["idle"]["armed"]["p50"] / 1000, 50, False)
        yield ("the same without a daemon, ms", name, row["cold_ms"]["p50"],
               200, False)


def after(found):
    for name, row in of_row(found, "after"):
        for workload in WORKLOADS:
            yield ("after leaving, %s" % workload.upper(), name,
                   row[workload]["median"], 1 + NOISE, False)


def stacks(found):
    for name, row in of_row(found, "stacks"):
        yield ("stacks: the command, ms", name, row["nopdb"]["ms"], 40, False)
        yield ("stacks: the reading, ms", name, row["nopdb"]["read_ms"], 1,
               False)


def table(found):
    """One line a goal: who meets it, and who does not, with the figure."""
    goals = {}
    for group in (idle, calls, lines, stream, attach, after, stacks):
        for what, name, value, limit, at_least in group(found):
            met = value >= limit if at_least else value <= limit
            goals.setdefault(what, []).append((name, value, limit, met))
    if not goals:
        return
    yield ""
    yield "goals"
    for what, rows in goals.items():
        missed = ["%s %g (%g)" % (name, value, limit)
                  for name, value, limit, met in rows if not met]
        values = [value for _, value, _, _ in rows]
        yield "  %-33s %8.4g to %-8.4g %s" % (
            what, min(values), max(values),
            "missed: " + ", ".join(missed) if missed else "met by all")
