# SPDX-License-Identifier: MIT
"""wrecks: a program that overwrites the interpreter's own state for ever, and
one whose frames can be found by those who mean to do it to them."""
import ctypes
import os
import sys
import threading

from stacks import runtime, sink

HOLDING = ctypes.PyDLL(os.path.join(os.environ["NOPDB_PROGRAMS"],
                                    "native.so"))
HOLDING.native_wreck.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
started = []


def hold(count, depth):
    for i in range(count):
        thread = threading.Thread(target=sink, args=(depth,), daemon=True,
                                  name="held-%d" % i)
        thread.start()
        started.append(thread)


def frame_address(index):
    """Of the innermost frame of a held thread, as the interpreter has it: a
    frame object, which from 3.11 on points to the frame itself."""
    frame = sys._current_frames()[started[index].ident]
    if sys.version_info < (3, 11):
        return id(frame)
    return ctypes.c_uint64.from_address(id(frame) + 24).value


def wreck(size):
    """Never returns, and never lets go of the GIL."""
    os.write(1, b'{"wrecking": true}\n')
    HOLDING.native_wreck(runtime(), size)
