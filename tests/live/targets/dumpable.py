# SPDX-License-Identifier: MIT
"""A program that can make itself dumpable, or not."""
import ctypes
import os

PR_SET_DUMPABLE = 4
LIBC = ctypes.CDLL(None, use_errno=True)


def ping(number):
    return number + 1


def set_dumpable(value):
    """0, or the errno."""
    if LIBC.prctl(PR_SET_DUMPABLE, value, 0, 0, 0) == 0:
        return 0
    return ctypes.get_errno()


def become(user):
    """Of root: for good, as a service does."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    return os.getuid()


def report():
    return {"rounds": {}, "bad": []}
