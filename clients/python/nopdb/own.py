# SPDX-License-Identifier: MIT
"""NoPdb's functions: probes in the own process.

The daemon enters this process as it would any other, when the first probe is
set, and leaves it when the last is removed.
"""
import atexit
import os
import sys
import threading
from typing import Any, Callable, Dict, Optional, TypeVar

from .connection import THREADS
from .errors import NopdbError
from .living import forget
from .location import Location
from .process import Process
from .records import Globals
from .yama import is_restricted, permit

class OwnProcess(Process):
    """This process. Its values are here anyway: nothing is withheld, and
    nothing but size limits what is captured."""

    _own = True
    _follow = False
    _defaults = {"hits": 0, "seconds": 0, "rate": 0, "depth": 8,
                 "items": 1000, "string": 10000, "stack": 50,
                 "no_redact": "*"}

    def __init__(self) -> None:
        self._permitted = False
        super().__init__(os.getpid())
        self.users = 0

    def _before(self) -> None:
        if is_restricted():
            daemon = self._connection.call("hello").get("pid")
            self._permitted = isinstance(daemon, int) and permit(daemon)

    def detach(self) -> None:
        """Leaves it, and lets nobody enter it any more."""
        try:
            super().detach()
        finally:
            if self._permitted and self.pid == os.getpid():
                self._permitted = not permit(0)

    def _params(self, limits: Dict[str, Any], **given: Any
                ) -> Dict[str, Any]:
        found = super()._params(limits, **given)
        if "thread" in given:
            # A probe on everything would see our reading of its records, and
            # that again, without end.
            found.setdefault("thread", "!" + THREADS)
        # The objects themselves; and the value of an expression comes in a
        # tuple.
        found["limits"]["live"] = True
        if found["limits"]["depth"]:
            found["limits"]["depth"] += 1
        return found

    def _globals_of(self, where: Location) -> Globals:
        def find(module: str) -> Dict[str, Any]:
            if where.globals is not None:
                return where.globals
            found = sys.modules.get(module)
            return {} if found is None else vars(found)
        return find

    def _options(self, where: Location) -> Dict[str, Any]:
        options = super()._options(where)
        with _lock:
            self.users += 1
        return options

    def _released(self) -> None:
        _leave(self)


_lock = threading.RLock()
_here: Optional[OwnProcess] = None


def _enter() -> OwnProcess:
    """This process, attached to; each caller counts."""
    global _here
    with _lock:
        if _here is None or _here.pid != os.getpid() or (
                _here._connection.lost):
            _here = OwnProcess()
        _here.users += 1
        return _here


def _leave(process: OwnProcess) -> None:
    global _here
    with _lock:
        process.users -= 1
        if process.users > 0 or process.pid != os.getpid():
            return
        if _here is process:
            _here = None
        process.detach()
        forget()


def _leave_at_exit() -> None:
    process = _here
    if process and process.pid == os.getpid():
        try:
            process.detach()
        except NopdbError:
            pass  # it goes with the connection


atexit.register(_leave_at_exit)


T = TypeVar("T")


def set_here(make: Callable[[OwnProcess], T]) -> T:
    """Makes a probe, which counts as a user until it is removed; one that
    cannot be set has left already."""
    process = _enter()
    try:
        return make(process)
    finally:
        _leave(process)
