# SPDX-License-Identifier: MIT
"""Runs the checks of a file in this interpreter, which need not have pytest.

Each function check_*(agent) gets an agent of its own; what fails is printed
and told by the exit status. With names as arguments, those only.
"""
import json
import sys
import traceback

from host import Agent, UNLOAD


def check_json(text):
    """Valid JSON without a name twice in an object."""
    def members(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)
    assert "\n" not in text
    return json.loads(text, object_pairs_hook=members)


SKIPPED = 77  # exit status


def skip(what):
    """Ends the program: this interpreter has no such module."""
    print("skipped: %s is not installed for Python %s" % (
        what, sys.version.split()[0]))
    sys.exit(SKIPPED)


def main(names):
    failed = []
    for name in sorted(names):
        if not name.startswith("check_") or (sys.argv[1:] and
                                             name not in sys.argv[1:]):
            continue
        try:
            with Agent() as agent:
                names[name](agent)
            assert agent.left == UNLOAD, "the agent stayed mapped"
        except Exception:
            traceback.print_exc()
            failed.append(name)
    print("%s: %s" % (sys.version.split()[0],
                      "failed: " + ", ".join(failed) if failed else "ok"))
    sys.exit(bool(failed))
