# SPDX-License-Identifier: MIT
"""A live process, and those that there are."""
from typing import Any, Dict, List, NamedTuple, Optional, Type, Union

from .breakpoint import Breakpoint
from .capture import CallCapture, CallListCapture
from .connection import Connection, Json
from .decode import decode
from .errors import NopdbError
from .launch import PathLike
from .limits import to_wire
from .location import File, Function, Location, Module, locate
from .records import Resolver


class ProcessInfo(NamedTuple):
    """One of processes(). python: its version, None when that is not known.
    enter: can it be attached to; reason and remedy when not."""

    pid: int
    user: str
    python: Optional[str]
    threads: int
    command: str
    enter: bool
    reason: Optional[str]
    remedy: Optional[str]


def processes(socket: Optional[PathLike] = None) -> List[ProcessInfo]:
    """The Python processes of this machine."""
    connection = Connection(socket)
    try:
        connection.greet()
        found = connection.call("ps")["processes"]
    finally:
        connection.close()
    return [ProcessInfo(each["pid"], each["user"], each["python"],
                        each["threads"], each["command"], each["enter"],
                        each.get("reason"), each.get("remedy"))
            for each in found]


class Process:
    """A process that is attached to. A context manager: left at its end.

    pid, python (its version), engine ("monitoring" or "evalframe"),
    pause_us: how long one of its threads stood still, in microseconds.
    """

    _follow = True
    _defaults: Dict[str, Any] = {}
    _own = False

    def __init__(self, pid: int, socket: Optional[PathLike] = None) -> None:
        self._connection = Connection(socket)
        try:
            self._connection.greet()
            answer = self._connection.call("attach", pid=pid)
        except BaseException:
            self._connection.close()
            raise
        self.pid = pid
        self.python: str = answer["python"]
        self.engine: str = answer["engine"]
        self.pause_us: int = answer["pause_us"]
        self._attached = True
        self.ended: Optional[str] = None
        self._connection.listen(self._take)

    def _take(self, record: Json) -> None:
        if record.get("event") in ("detached", "target_exit"):
            self.ended = str(record.get("reason"))

    def detach(self) -> None:
        """Leaves it without a trace; its probes of this client go first."""
        if not self._attached:
            return
        self._attached = False
        try:
            self._connection.call("detach", pid=self.pid)
        except NopdbError as error:
            # Gone already: there is nothing to leave.
            if error.name not in ("not-attached", "no-daemon"):
                raise
        finally:
            self._connection.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException], trace: Any) -> None:
        self.detach()

    def __repr__(self) -> str:
        return "<Process %d, Python %s%s>" % (
            self.pid, self.python, "" if self._attached else ", detached")

    # ---- probes
    def _resolver(self, where: Location) -> Resolver:
        return decode

    def _released(self) -> None:
        """A probe of this process was closed."""

    def _options(self, where: Location) -> Dict[str, Any]:
        return {"resolve": self._resolver(where), "released": self._released,
                "ignored_thread": self._connection.reader_id
                if self._own else None}

    def capture_call(self, function: Optional[Function] = None, *,
                     module: Optional[Module] = None,
                     file: Optional[File] = None, unwrap: bool = True,
                     **limits: Any) -> CallCapture:
        """Captures the last call.

        function: a name, a qualified name, a glob, or a function whose name
        and module are taken. module: a name or a module. file: a glob matched
        from the right, or a Path, which is exact. unwrap: look behind
        decorators. limits: see Limits.
        """
        where = locate(function, module, file, unwrap, self._own)
        return CallCapture(
            self._connection, self.pid, "calls", where,
            {"limits": to_wire(limits, self._defaults)},
            **self._options(where))

    def capture_calls(self, function: Optional[Function] = None, *,
                      module: Optional[Module] = None,
                      file: Optional[File] = None, unwrap: bool = True,
                      keep: bool = True, **limits: Any) -> CallListCapture:
        """Captures every call; see capture_call and CallListCapture."""
        where = locate(function, module, file, unwrap, self._own)
        return CallListCapture(
            self._connection, self.pid, "calls", where,
            {"limits": to_wire(limits, self._defaults)}, keep=keep,
            follow=self._follow, **self._options(where))

    def breakpoint(self, function: Optional[Function] = None, *,
                   module: Optional[Module] = None,
                   file: Optional[File] = None,
                   line: Optional[Union[int, str]] = None,
                   cond: Optional[str] = None, unwrap: bool = True,
                   thread: Optional[str] = None,
                   once_per: Optional[str] = None,
                   **limits: Any) -> Breakpoint:
        """Acts when a line is reached, or a function is called.

        line: a number, the text of the line, or "+N" from the def. cond: an
        expression that must be true. thread: a glob of its name. once_per: an
        expression; one hit for each of its values. Others: see capture_call.
        """
        where = locate(function, module, file, unwrap, self._own)
        params: Dict[str, Any] = {"limits": to_wire(limits, self._defaults)}
        for name, value in (("line", line), ("if", cond), ("thread", thread),
                            ("once_per", once_per)):
            if value is not None:
                params[name] = value
        return Breakpoint(self._connection, self.pid, "break", where, params,
                          follow=self._follow, **self._options(where))

    # ---- questions
    def lines(self, function: Optional[Function] = None, *,
              module: Optional[Module] = None, file: Optional[File] = None,
              unwrap: bool = True) -> List[Json]:
        """The code that a location chooses: function, file, line, lines."""
        where = locate(function, module, file, unwrap, self._own)
        found = self._connection.call("lines", pid=self.pid, **where.params)
        return list(found["locations"])

    def probes(self) -> List[Json]:
        """The probes set in it, by whomever, as the daemon lists them."""
        return list(self._connection.call("probe.list", pid=self.pid)
                    ["probes"])

    def stack(self, native: str = "waiting", locals: bool = False,
              stop: bool = False) -> Json:
        """What every thread is doing, read from outside: the `stack` record.

        native: frames of C for "none" of the threads, those "waiting", or
        "all". stop: pause it for a picture that is consistent.
        """
        return self._connection.call("stack", pid=self.pid, native=native,
                                     locals=locals, stop=stop)


def attach(pid: int, socket: Optional[PathLike] = None) -> Process:
    """Enters a live process. NotPermitted, NoSuchProcess, AttachError: why it
    cannot be done; the process is as it was."""
    return Process(pid, socket)
