# SPDX-License-Identifier: MIT
"""A program's audit hooks (3.8+), written in Python, run on our thread as well:
the engine's proofs of the interpreter do not take their frames for its own."""
import sys

from host import Agent


def work(value):
    return value


def audit(event, arguments):
    """Several lines, none of them the first of a module."""
    count = len(event)
    return count


def traced_audit(event, arguments):
    count = len(event)
    return count


traced_audit.__cantrace__ = True

if sys.version_info >= (3, 8):
    sys.addaudithook(audit)
    sys.addaudithook(traced_audit)
    for _ in range(3):
        with Agent() as agent:
            agent.add(module="__main__", function="work")
            work(3)
            assert [record["function"] for record in agent.records()] == [
                "__main__:work"]
