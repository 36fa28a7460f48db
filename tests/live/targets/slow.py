# SPDX-License-Identifier: MIT
"""A program whose audit hook (3.8+) sleeps at the next compilation."""
import sys
import time

WAITS = []
DONE = []


def slow_down(seconds):
    DONE.clear()
    WAITS.append(seconds)


def slowed():
    return bool(DONE)


def audit(event, arguments):
    if event == "compile" and WAITS:
        time.sleep(WAITS.pop())
        DONE.append(True)


if hasattr(sys, "addaudithook"):
    sys.addaudithook(audit)


def report():
    return {"rounds": {}, "bad": []}
