# SPDX-License-Identifier: MIT
"""What a run says: one row a cell and interpreter, a table, and JSON."""
import datetime
import json
import os
import platform

COLUMNS = ("cell", "python", "cycles", "failed", "again", "pause_p50",
           "pause_p99", "pause_max", "floor_p50", "attach_p50", "tries_max")
TITLES = ("cell", "python", "cycles", "failed", "again", "p50", "p99", "max",
          "floor", "attach", "tries")


def percentile(values, share):
    """Of sorted values; None of none."""
    if not values:
        return None
    return values[min(int(len(values) * share), len(values) - 1)]


class Row:
    """One cell on one interpreter."""

    def __init__(self, cell, python):
        self.cell = cell.name
        self.python = python.id
        self.cycles = 0
        self.failures = []
        self.refused = {}
        self.pauses = []
        self.attaches = []
        self.tries = []
        self.floor = None
        self.skipped = None

    def took(self, answer):
        """Notes what an attach reported."""
        self.pauses.append(answer["pause_us"])
        self.attaches.append(answer["attach_us"])
        self.tries.append(answer["tries"])

    def refuse(self, name):
        self.refused[name] = self.refused.get(name, 0) + 1

    def figures(self):
        pauses, tries = sorted(self.pauses), sorted(self.tries)
        return {
            "cell": self.cell, "python": self.python, "cycles": self.cycles,
            "failed": len(self.failures), "failures": self.failures[:5],
            "again": sum(self.refused.values()), "refused": self.refused,
            "pause_p50": percentile(pauses, 0.5),
            "pause_p99": percentile(pauses, 0.99),
            "pause_max": percentile(pauses, 1),
            "floor_p50": self.floor and self.floor["p50"],
            "floor": self.floor,
            "attach_p50": percentile(sorted(self.attaches), 0.5),
            "tries_p50": percentile(tries, 0.5),
            "tries_max": percentile(tries, 1),
            "skipped": self.skipped,
        }

    def __str__(self):
        figures = self.figures()
        if self.skipped:
            return "%-16s %-12s skipped: %s" % (self.cell, self.python,
                                                self.skipped)
        return line([text(figures[name]) for name in COLUMNS])


def text(value):
    if value is None:
        return "-"
    return "%.0f" % value if isinstance(value, float) else str(value)


def line(words):
    return "%-16s %-12s" % tuple(words[:2]) + "".join(
        "%8s" % word for word in words[2:])


def heading():
    return line(TITLES)


def machine():
    """Where and when: figures mean nothing without."""
    with open("/proc/cpuinfo") as stream:
        models = [row.split(":", 1)[1].strip() for row in stream
                  if row.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(),
            "cpus": os.cpu_count(), "kernel": platform.release(),
            "load": os.getloadavg()[0],
            "date": datetime.datetime.now().isoformat(timespec="seconds")}


def totals(rows):
    """The last line: cells, cycles and failures of the whole run."""
    ran = [row for row in rows if not row.skipped]
    return "torture: %d cells, %d cycles, %d failed, %d skipped" % (
        len(ran), sum(row.cycles for row in ran),
        sum(len(row.failures) for row in ran), len(rows) - len(ran))


def write(folder, here, rows):
    """FOLDER/result.json and FOLDER/table.txt, whole at any time."""
    result = {"machine": here, "rows": [row.figures() for row in rows]}
    table = "\n".join([
        "%(cpu)s x %(cpus)d, Linux %(kernel)s, %(date)s" % here,
        "pauses and floor (empty SEIZE+INTERRUPT+DETACH) in us",
        heading()] + [str(row) for row in rows] + [totals(rows), ""])
    for name, content in (("result.json", json.dumps(result, indent=1)),
                          ("table.txt", table)):
        part = folder / (name + ".part")
        part.write_text(content)
        part.replace(folder / name)
