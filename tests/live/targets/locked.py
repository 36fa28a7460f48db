# SPDX-License-Identifier: MIT
"""A program that may not wait for its memory: all of it is locked, and what it
maps from then on is there at once."""
import ctypes

LIBC = ctypes.CDLL(None, use_errno=True)
MCL_CURRENT, MCL_FUTURE = 1, 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_IPC_LOCK = 14


def lock_all():
    return LIBC.mlockall(MCL_CURRENT | MCL_FUTURE)


def give_up_right():
    """From here on the limit of locked memory holds for it."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted, inheritable; the low words, then the high ones.
    sets = (ctypes.c_uint32 * 6)()
    if LIBC.capget(header, sets):
        return -1
    for index in range(3):
        sets[index] &= ~(1 << CAP_IPC_LOCK)
    return LIBC.capset(header, sets)


def tick(number):
    return number + 1


def report():
    return {"rounds": {}, "bad": []}
