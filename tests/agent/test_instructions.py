# SPDX-License-Identifier: MIT
"""What a hit costs, in instructions of the agent: callgrind counts them, which
a loaded machine does not disturb, and the interpreter's own do not come in. A
change that needs a fifth more fails here; one that needs a fifth less should
lower the bound (docs/performance.md tells what they go into)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "live"))

from machine import (  # noqa: E402
    BUILD, find_interpreters, one_of_each_engine)

HITS = 200          # of instructions.py

# Instructions of the agent for one hit, by engine, gcc 12 at -O2. A fifth more
# is let through: another compiler, a longer path of this file.
BOUND = {
    "evalframe": {"call": 17060, "eval": 4080, "false": 1520, "log": 4670},
    "monitoring": {"call": 16330, "eval": 3130, "false": 580, "log": 3380},
}
SLACK = 1.2


def agent_instructions(report):
    """The self cost of the agent's code, from a callgrind file: cost lines
    count for the object named last, but for those behind "calls="."""
    names, current, total, skip = {}, None, 0, False
    for line in report.read_text().splitlines():
        named = re.match(r"(c?)ob=\((\d+)\)(?: (.*))?$", line)
        if named:
            callee, number, name = named.groups()
            if name:
                names[number] = name
            if not callee:
                current = names[number]
        elif line.startswith("calls="):
            skip = True
        elif re.match(r"[+\-*\d]", line):
            if not skip and current and "nopdb-agent" in current:
                total += int(line.split()[1])
            skip = False
    return total


def count(python, kind, folder):
    """Instructions of one hit."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--instr-atstart=no",
         "--callgrind-out-file=%s/out" % folder, str(python.path),
         str(HERE / "instructions.py"), kind],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        env=dict(os.environ, PYTHONHASHSEED="0", NOPDB_BUILD=str(BUILD),
                 PYTHONDONTWRITEBYTECODE="1"))
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-4000:]
    return agent_instructions(folder / "out.1") / HITS


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")
@pytest.mark.parametrize("kind", ("call", "eval", "false", "log"))
@pytest.mark.parametrize("python", one_of_each_engine(find_interpreters()),
                         ids=lambda python: python.id)
def test_instructions(python, kind, tmp_path):
    engine = "monitoring" if python.version >= (3, 12) else "evalframe"
    found, bound = count(python, kind, tmp_path), BOUND[engine][kind]
    print("%s: %.0f instructions, bound %d" % (kind, found, bound))
    assert found > bound / 4, "nothing was counted"
    assert found <= bound * SLACK, (
        "a hit (%s) needs %.0f instructions of the agent, %d were enough; see "
        "docs/performance.md" % (kind, found, bound))
