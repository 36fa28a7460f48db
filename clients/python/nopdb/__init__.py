# SPDX-License-Identifier: MIT
"""nopdb: NoPdb for processes that are already running, and for this one.

    with nopdb.attach(pid) as process:
        with process.capture_calls("Basket.add", hits=3) as calls:
            for call in calls:
                print(call.args, call.return_value, call.duration)

    with nopdb.capture_call(function) as call:  # in this process
        function(1)
    print(call.locals)
"""
from .breakpoint import Breakpoint
from .capture import CallCapture, CallListCapture
from .classic import (Handle, NoPdb, Scope, TraceFunc, breakpoint,
                      capture_call, capture_calls, get_nopdb)
from .decode import decode
from .errors import (AttachError, DaemonError, DecodeError, EvaluationError,
                     LocationError, NopdbError, NoSuchProcess, NotPermitted,
                     WaitTimeout)
from .limits import Limits
from .process import Process, ProcessInfo, attach, processes
from .records import CallInfo, Hit, Raised, Record, Thread, Yield
from .snapshot import Facts, Snapshot, facts

__version__ = "0.1.0"

# As NoPdb's first versions called it.
Nopdb = NoPdb

__all__ = [
    "AttachError", "Breakpoint", "CallCapture", "CallInfo", "CallListCapture",
    "DaemonError", "DecodeError", "EvaluationError", "Facts", "Handle", "Hit",
    "Limits", "LocationError", "NoPdb", "NoSuchProcess", "Nopdb", "NopdbError",
    "NotPermitted", "Process", "ProcessInfo", "Raised", "Record", "Scope",
    "Snapshot", "Thread", "TraceFunc", "WaitTimeout", "Yield", "attach",
    "breakpoint", "capture_call", "capture_calls", "decode", "facts",
    "get_nopdb", "processes",
]
