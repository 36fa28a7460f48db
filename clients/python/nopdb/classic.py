# SPDX-License-Identifier: MIT
"""What else NoPdb's users write: the NoPdb class and the functions of the
module, for the own process."""
import dis
import threading
import types
from typing import Any, Callable, Dict, Iterable, List, Optional

from .breakpoint import Breakpoint
from .capture import CallCapture, CallListCapture
from .errors import NopdbError
from .location import File, Function, Module
from .own import OwnProcess, set_here
from .probe import Probe

TraceFunc = Callable[[types.FrameType, str, Any], Any]

_EVENTS: Dict[str, Dict[str, Any]] = {"call": {}, "line": {"line_regex": ".*"}}


class Scope:
    """Where a callback of add_callback() is active; as capture_call()."""

    def __init__(self, function: Optional[Function] = None,
                 module: Optional[Module] = None,
                 file: Optional[File] = None, unwrap: bool = True) -> None:
        self.function = function
        self.module = module
        self.file = file
        self.unwrap = unwrap

    def __repr__(self) -> str:
        return "Scope(%s)" % ", ".join(
            "%s=%r" % item for item in vars(self).items())


def _only_begins(frame: types.FrameType) -> bool:
    """Is it at its def, and that is not all there is of it?"""
    code = frame.f_code
    return frame.f_lineno == code.co_firstlineno and any(
        line != code.co_firstlineno
        for _, line in dis.findlinestarts(code) if line is not None)


class Handle:
    """A callback that was added, for remove_callback()."""

    def __init__(self) -> None:
        self.probes: List[Probe] = []


class _Active(threading.local):
    """The instances that were started in this thread, the last is active."""

    def __init__(self) -> None:
        self.started: List["NoPdb"] = []
        self.default: Optional["NoPdb"] = None


_active = _Active()


class NoPdb:
    """Captures and breakpoints of this process that start and stop together.

    A context manager, or start() and stop(). In a thread the last that was
    started is active, and those before it rest; the functions of the module
    use it. What it captured is complete when it stops. Without start() what
    it sets is active by itself, until its own block ends.
    """

    def __init__(self) -> None:
        self._started = False
        self._probes: List[Probe] = []

    @property
    def started(self) -> bool:
        """Was it started, and not stopped?"""
        return self._started

    def start(self) -> None:
        """Starts it; what it has captured before goes on.

        RuntimeError: it is started.
        """
        if self._started:
            raise RuntimeError("nopdb: it is started already")
        if _active.started:
            _active.started[-1]._pause()
        _active.started.append(self)
        self._started = True
        self._go_on()

    def stop(self) -> None:
        """Stops it, and what it has set. RuntimeError: it is not started."""
        if not self._started:
            raise RuntimeError("nopdb: it is not started")
        self._started = False
        self._pause()
        if self in _active.started:
            was_last = _active.started[-1] is self
            _active.started.remove(self)
            if was_last and _active.started:
                _active.started[-1]._go_on()

    def __enter__(self) -> "NoPdb":
        self.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    def _pause(self) -> None:
        for probe in self._living():
            probe._rest()

    def _go_on(self) -> None:
        for probe in self._living():
            if probe._resting:
                probe.enable()

    def _living(self) -> List[Probe]:
        self._probes = [probe for probe in self._probes if not probe._closed]
        return self._probes

    def _keep(self, probe: Probe) -> None:
        if self is not _active.default:
            self._probes = self._living() + [probe]
            # Another one is active: it rests until this one is.
            if self._started and _active.started[-1:] != [self]:
                probe._rest()

    def capture_call(self, function: Optional[Function] = None,
                     **options: Any) -> CallCapture:
        """Captures the last call of a function; see Process.capture_call."""
        found = set_here(lambda here: here.capture_call(function, **options))
        self._keep(found)
        return found

    def capture_calls(self, function: Optional[Function] = None,
                      **options: Any) -> CallListCapture:
        """Captures every call; see Process.capture_calls."""
        found = set_here(lambda here: here.capture_calls(function, **options))
        self._keep(found)
        return found

    def breakpoint(self, function: Optional[Function] = None,
                   **options: Any) -> Breakpoint:
        """A breakpoint; see Process.breakpoint."""
        found = set_here(lambda here: here.breakpoint(function, **options))
        self._keep(found)
        return found

    def add_callback(self, scope: Scope, callback: TraceFunc,
                     events: Iterable[str]) -> Handle:
        """Calls callback(frame, event, None) on the thread of the event.

        events: "call" and "line". A frame that returns or raises is over when
        that is told: capture_calls() is for these. What the callback raises
        does not reach the program. NopdbError: another event.
        """
        handle = Handle()
        for event in events:
            if event not in _EVENTS:
                self.remove_callback(handle)
                raise NopdbError("add_callback: no event %r" % (event,),
                                 "usage", "call and line are there; "
                                 "capture_calls() tells what returns and "
                                 "raises", 2)
            handle.probes.append(self._hook(scope, callback, event))
        return handle

    def _hook(self, scope: Scope, callback: TraceFunc, event: str) -> Probe:
        options: Dict[str, Any] = dict(
            vars(scope), exec_seconds=0, **_EVENTS[event])

        def make(here: OwnProcess) -> Breakpoint:
            found = here.breakpoint(enabled=False, **options)
            try:
                found._hook(lambda frame: None if event == "line" and (
                    _only_begins(frame)) else callback(frame, event, None))
                found.enable()
            except BaseException:
                found.close()
                raise
            return found
        probe = set_here(make)
        self._keep(probe)
        return probe

    def remove_callback(self, handle: Handle) -> None:
        """Ends what add_callback() began."""
        while handle.probes:
            handle.probes.pop().close()


def get_nopdb() -> NoPdb:
    """The NoPdb that is active in this thread, else the thread's own."""
    if _active.started:
        return _active.started[-1]
    if _active.default is None:
        _active.default = NoPdb()
    return _active.default


def capture_call(function: Optional[Function] = None, **options: Any
                 ) -> CallCapture:
    """Captures the last call of a function in this process; the arguments
    are those of Process.capture_call."""
    return get_nopdb().capture_call(function, **options)


def capture_calls(function: Optional[Function] = None, **options: Any
                  ) -> CallListCapture:
    """Captures every call in this process; see Process.capture_calls."""
    return get_nopdb().capture_calls(function, **options)


def breakpoint(function: Optional[Function] = None, **options: Any
               ) -> Breakpoint:
    """A breakpoint in this process; see Process.breakpoint."""
    return get_nopdb().breakpoint(function, **options)
