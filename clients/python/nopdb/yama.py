# SPDX-License-Identifier: MIT
"""Yama, which many distributions have on: a process may be entered by its
ancestors alone (ptrace_scope 1), unless it names who else may. For the own
process that is the daemon, for as long as it is wanted."""
import os
from pathlib import Path

SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
_RESTRICTED = "1"
_SET_PTRACER = 0x59616D61  # PR_SET_PTRACER of linux/prctl.h


def is_restricted(scope: Path = SCOPE) -> bool:
    """Is it in force for this user, and can this process allow somebody?"""
    try:
        return os.geteuid() != 0 and (
            scope.read_text().strip() == _RESTRICTED)
    except OSError:
        return False  # a kernel without it


def permit(pid: int) -> bool:
    """Lets a process and its children enter this one; 0: nobody any more.
    False: the kernel has no such thing."""
    try:
        import ctypes
        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return False
    result = prctl(_SET_PTRACER, ctypes.c_ulong(pid), 0, 0, 0)
    return int(result) == 0
