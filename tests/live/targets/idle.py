# SPDX-License-Identifier: MIT
"""A program that waits, with one function to call."""
import resource

CALLS = []


def ping(number):
    CALLS.append(number)
    return number + 1


def echo(text):
    return text


def no_room():
    """From now on no memory can be mapped for a thread's stack."""
    with open("/proc/self/statm") as stream:
        size = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (
        size + (2 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))


def room():
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def report():
    return {"rounds": {"idle": len(CALLS)}, "bad": []}
