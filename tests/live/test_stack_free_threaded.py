# SPDX-License-Identifier: MIT
"""nopdb stack of builds without the GIL, where one can be had:
$NOPDB_FREE_THREADED (separated by colons), python3.13t to python3.15t on
PATH. What other builds are held to, they are, too."""
import os
import shutil
import subprocess

import pytest

import test_stack
import test_stack_tasks
import test_stack_verdicts
import test_stack_waits
from machine import Interpreter, Target

PROBE = ("import sys, sysconfig; print(*sys.version_info[:3], "
         "sysconfig.get_config_var('Py_GIL_DISABLED'))")


def find():
    """Those that are free-threaded indeed."""
    paths = os.environ.get("NOPDB_FREE_THREADED", "").split(":")
    paths += [shutil.which("python3.%dt" % minor) for minor in range(13, 16)]
    for path in filter(None, dict.fromkeys(paths)):
        words = subprocess.run([path, "-c", PROBE], check=True,
                               stdout=subprocess.PIPE,
                               universal_newlines=True).stdout.split()
        assert words[3] == "1", "%s has the GIL" % path
        yield Interpreter("free-%s.%s" % tuple(words[:2]),
                          tuple(map(int, words[:3])), path)


FOUND = list(find())
# What is about the GIL; and who collects garbage is told by who has it.
OTHERS = ("test_gil_held_in_c", "test_gil_held_by_code_that_runs",
          "test_how_long_it_waits", "test_garbage_that_is_collected")
WAITS = [function for module in (test_stack_waits, test_stack_verdicts)
         for name, function in vars(module).items()
         if name.startswith("test_") and name not in OTHERS
         and function.__code__.co_varnames[:2] == ("python", "client")
         and function.__code__.co_argcount == 2]

pytestmark = pytest.mark.skipif(
    not FOUND, reason="no free-threaded Python here: $NOPDB_FREE_THREADED")


@pytest.fixture(params=FOUND, ids=[python.id for python in FOUND])
def free(request):
    return request.param


@pytest.mark.parametrize("test", WAITS, ids=[test.__name__ for test in WAITS])
def test_waits(free, client, test):
    test(free, client)


def test_snapshots(free, client):
    with Target(free, "stacks") as target:
        record = client.call("stack", pid=target.pid)
        assert record["free_threaded"] and record["gil"] is None
        test_stack.test_truth(client, target)


@pytest.mark.parametrize("test", [
    test_stack.test_running, test_stack.test_running_native,
    test_stack.test_values, test_stack.test_many_threads])
def test_stacks(free, client, test):
    test(client, free)


def test_tasks(free, client):
    with Target(free, "loops") as target:
        for scenario in ("gather", "waits", "kinds", "circle"):
            target.call("run", scenario)
        loops = test_stack_tasks.Loops(target, client)
        for scenario in ("gather", "waits", "kinds", "circle"):
            found = {task["id"]: [
                (frame["function"], frame["file"], frame["line"])
                for frame in task["frames"]]
                for task in loops.tasks(scenario)}
            assert found == loops.truth(scenario), scenario
        test_stack_tasks.test_gather_with_one_that_is_stuck(loops, free)
        test_stack_tasks.test_a_circle_of_tasks(loops)
