# SPDX-License-Identifier: MIT
"""A program that waits, with one function to call."""
CALLS = []


def ping(number):
    CALLS.append(number)
    return number + 1


def echo(text):
    return text


def report():
    return {"rounds": {"idle": len(CALLS)}, "bad": []}
