# SPDX-License-Identifier: MIT
"""Which plots are made of the figures: one SVG a row."""
import plot


def medians(found, row, names=None):
    return {python: {tool: figures["median"]
                     for tool, figures in result[row].items()
                     if names is None or tool in names}
            for python, result in found[row].items()}


def idle(found):
    return plot.bars(
        "Call-heavy program (W1) with a probe that is never reached: time, "
        "as a ratio", {python: {
            tool: figures["median"]
            for tool, figures in result["idle"]["w1"].items()}
            for python, result in found["idle"].items()}, True)


def calls(found):
    return plot.bars("A captured call: ns (logarithmic)",
                     medians(found, "calls"), True)


def lines(found):
    return plot.bars("A line that is reached: ns (logarithmic)",
                     medians(found, "lines"), True)


def attach(found):
    return plot.bars(
        "Attach until a probe is armed, p50: ms", {
            python: {load: result["attach"][load]["armed"]["p50"] / 1000
                     for load in ("idle", "busy")}
            for python, result in found["attach"].items()})


def stream(found):
    return plot.bars(
        "Records a second, none lost", {
            python: {"nopdb, %s client%s" % (count, "s" * (count == "ten")):
                     result["stream"][count]["best"]
                     for count in ("one", "ten")}
            for python, result in found["stream"].items()})


def stacks(found):
    return plot.bars(
        "Stacks of 100 threads: ms of the whole command (logarithmic)", {
            python: {tool: figures["ms"]
                     for tool, figures in result["stacks"].items()}
            for python, result in found["stacks"].items()}, True)


def web(found):
    return plot.bars(
        "Flask under wrk: requests a second", {
            python: {state: row["requests"]
                     for state, row in (result["web"] or {}).items()}
            for python, result in found["web"].items()})


def scale_curves(found, what, key, title, unit):
    lines_of = {}
    for python, result in found["scale"].items():
        row = {int(count): figures[key]
               for count, figures in result["scale"][what].items()}
        lines_of[python] = row
    return plot.curves(title, lines_of, unit)


SCALES = {
    "probes": ("call_ns", "A captured call, by probes that are set: ns",
               "probes"),
    "threads": ("armed_ms", "Attach until armed, by threads: ms", "threads"),
    "frames": ("ten_ns", "A captured call with ten frames, by depth: ns",
               "frames"),
    "targets": ("last_ms", "Attach one more program, by programs: ms",
                "programs"),
}


def draw(folder, found):
    """Writes what there are figures for; old plots go."""
    for old in folder.glob("*.svg"):
        old.unlink()
    made = {}
    for make in (idle, calls, lines, attach, stream, stacks, web):
        if found.get(make.__name__):
            made[make.__name__] = make(found)
    for what, (key, title, unit) in SCALES.items():
        if found.get("scale"):
            made["scale-" + what] = scale_curves(found, what, key, title, unit)
    for name, text in made.items():
        if text:
            (folder / (name + ".svg")).write_text(text + "\n")
