# SPDX-License-Identifier: MIT
"""A thread of a target that is stopped where it writes to an address, by
ptrace and a debug register of x86-64, while the target's other threads run."""
import ctypes
import os
import signal

import proc

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long] * 4

# include/uapi/linux/ptrace.h, wait.h
POKE_USER, CONT, DETACH, SEIZE, INTERRUPT = 6, 7, 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000
DEBUG_REGISTERS = 848   # offsetof(struct user, u_debugreg)
WRITES_OF_A_BYTE = 1 | 1 << 16
PATIENCE_S = 20


def ptrace(request, tid, at=0, value=0):
    if LIBC.ptrace(request, tid, at, value) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def wait_stop(tid):
    """The signal of its stop."""
    def look():
        stopped, status = os.waitpid(tid, os.WNOHANG | WAIT_ALL)
        return [status] if stopped else None
    (status,) = proc.wait_until(look, PATIENCE_S, "stop of the thread")
    assert os.WIFSTOPPED(status), status
    return os.WSTOPSIG(status)


class Watchpoint:
    """Of thread tid (its kernel id) on the byte at an address. A context
    manager: at its end the thread goes on, and is watched no more. The thread
    that makes it does all with it."""

    def __init__(self, tid, address):
        self.tid = tid
        ptrace(SEIZE, tid)
        self.stop()
        ptrace(POKE_USER, tid, DEBUG_REGISTERS, address)
        ptrace(POKE_USER, tid, DEBUG_REGISTERS + 7 * 8, WRITES_OF_A_BYTE)
        self.go_on()

    def stop(self):
        ptrace(INTERRUPT, self.tid)
        wait_stop(self.tid)

    def go_on(self):
        self.stopped = False
        ptrace(CONT, self.tid)

    def wait(self):
        """Until it has just written there; then it stands still."""
        assert wait_stop(self.tid) == signal.SIGTRAP
        self.stopped = True

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if not self.stopped:
            self.stop()
        ptrace(POKE_USER, self.tid, DEBUG_REGISTERS + 7 * 8, 0)
        ptrace(DETACH, self.tid)
