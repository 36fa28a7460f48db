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
from .decode import decode
from .errors import (AttachError, DaemonError, DecodeError, EvaluationError,
                     LocationError, NopdbError, NoSuchProcess, NotPermitted,
                     WaitTimeout)
from .limits import Limits
from .own import breakpoint, capture_call, capture_calls
from .process import Process, ProcessInfo, attach, processes
from .records import CallInfo, Hit, Raised, Record, Thread
from .snapshot import Facts, Snapshot, facts

__version__ = "0.1.0"

__all__ = [
    "AttachError", "Breakpoint", "CallCapture", "CallInfo", "CallListCapture",
    "DaemonError", "DecodeError", "EvaluationError", "Facts", "Hit", "Limits",
    "LocationError", "NoSuchProcess", "NopdbError", "NotPermitted", "Process",
    "ProcessInfo", "Raised", "Record", "Snapshot", "Thread", "WaitTimeout",
    "attach", "breakpoint", "capture_call", "capture_calls", "decode",
    "facts", "processes",
]
