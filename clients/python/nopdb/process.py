# SPDX-License-Identifier: MIT
"""A live process, and those that there are."""
from typing import (Any, Dict, List, NamedTuple, Optional, TextIO, Type,
                    Union)

from . import snippet
from .breakpoint import Breakpoint
from .capture import CallCapture, CallListCapture
from .connection import Connection, Json
from .decode import decode
from .errors import EvaluationError, NopdbError
from .launch import PathLike
from .limits import to_wire
from .location import File, Function, Location, Module, locate
from .probe import find_lines
from .records import Globals
from .snapshot import facts
from .snippet import Code


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
            self._before()
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

    def _before(self) -> None:
        """What there is to do before it is entered."""

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
    def _globals_of(self, where: Location) -> Globals:
        """Asked of the target when they are looked at."""
        def ask(module: str) -> Dict[str, Any]:
            found = self.eval("globals()", module=module, items=100000,
                              record=1 << 20)
            return found if isinstance(found, dict) else dict(
                facts(found).pairs or ())
        return ask

    def _released(self) -> None:
        """A probe of this process was closed."""

    def _options(self, where: Location) -> Dict[str, Any]:
        return {"released": self._released,
                "globals_of": self._globals_of(where), "own": self._own,
                "ignored_threads": self._connection.thread_ids
                if self._own else None}

    def _params(self, limits: Dict[str, Any], **given: Any
                ) -> Dict[str, Any]:
        """What is given, and the limits."""
        found = {name: value for name, value in given.items()
                 if value is not None}
        found["limits"] = to_wire(limits, self._defaults)
        return found

    def capture_call(self, function: Optional[Function] = None, *,
                     module: Optional[Module] = None,
                     file: Optional[File] = None, unwrap: bool = True,
                     callable: Optional[str] = None,
                     thread: Optional[str] = None, enabled: bool = True,
                     **limits: Any) -> CallCapture:
        """Captures the last call.

        function: a name, a qualified name, a glob, or a function whose name
        and module are taken; in the own process itself, and a bound method
        means calls on its object alone. module: a name or a module. file: a
        glob matched from the right, or a Path, which is exact. None of them:
        every function. unwrap: look behind decorators. callable: instead, an
        expression in the target, whose bound method means its object alone.
        thread: a glob of its name, or of those that are not meant: "!pool-*".
        enabled: False sets it with enable().
        limits: see Limits.

        LocationError: the location cannot work. NopdbError: other refusals.
        """
        where = locate(function, module, file, unwrap, self._own, callable)
        return CallCapture(
            self._connection, self.pid, "calls", where,
            self._params(limits, thread=thread), enabled=enabled,
            **self._options(where))

    def capture_calls(self, function: Optional[Function] = None, *,
                      module: Optional[Module] = None,
                      file: Optional[File] = None, unwrap: bool = True,
                      callable: Optional[str] = None,
                      thread: Optional[str] = None, enabled: bool = True,
                      keep: bool = True, **limits: Any) -> CallListCapture:
        """Captures every call; see capture_call and CallListCapture."""
        where = locate(function, module, file, unwrap, self._own, callable)
        return CallListCapture(
            self._connection, self.pid, "calls", where,
            self._params(limits, thread=thread), enabled=enabled, keep=keep,
            follow=self._follow, **self._options(where))

    def breakpoint(self, function: Optional[Function] = None, *,
                   module: Optional[Module] = None,
                   file: Optional[File] = None,
                   line: Optional[Union[int, str]] = None,
                   cond: Optional[Code] = None, unwrap: bool = True,
                   line_regex: Optional[str] = None,
                   callable: Optional[str] = None,
                   thread: Optional[str] = None,
                   once_per: Optional[str] = None, enabled: bool = True,
                   **limits: Any) -> Breakpoint:
        """Acts when a line is reached, or a function is called.

        line: a number, the text of the line, or "+N" from the def.
        line_regex: each line whose text has it. cond: an expression that must
        be true. once_per: an expression; one hit for each of its values.
        enabled: False sets it with enable(), when it has all its actions.
        Others: see capture_call.
        """
        where = locate(function, module, file, unwrap, self._own, callable)
        condition = None if cond is None else snippet.expression(
            where, cond, None, self._own)
        return Breakpoint(
            self._connection, self.pid, "break", where, self._params(
                limits, line=line, line_regex=line_regex, thread=thread,
                once_per=once_per, **{"if": condition}),
            enabled=enabled, follow=self._follow, **self._options(where))

    # ---- evaluation outside of any frame
    def eval(self, expression: str, *, module: Optional[str] = None,
             timeout: float = 10.0, stdout: Optional[TextIO] = None,
             **limits: Any) -> Any:
        """Evaluates an expression in the process; its value.

        module: whose globals are seen, __main__'s without. timeout: seconds
        of its own, then it is interrupted. stdout: what it prints is written
        there. limits: those of values. EvaluationError: what it raised.
        LocationError: it is no expression, or there is no such module.
        """
        return self._evaluate("eval", {"expr": expression}, module, timeout,
                              stdout, limits)

    def exec(self, code: str, *, module: Optional[str] = None,
             timeout: float = 10.0, stdout: Optional[TextIO] = None) -> None:
        """Runs statements in the process; see eval."""
        self._evaluate("exec", {"code": code}, module, timeout, stdout, {})

    def _evaluate(self, method: str, what: Dict[str, Any],
                  module: Optional[str], timeout: float,
                  stdout: Optional[TextIO], limits: Dict[str, Any]) -> Any:
        params = self._params(limits, module=module, **what)
        answer = self._connection.call(
            method, pid=self.pid, time_ms=max(int(timeout * 1e3), 1),
            stdout=stdout is not None, **params)
        if stdout is not None:
            stdout.write(str(answer.get("stdout", "")))
        error = answer.get("error")
        if isinstance(error, dict):
            raise EvaluationError(" ".join(what.values()), error.get("type"),
                                  error.get("message"))
        return decode(answer.get("value"))

    # ---- questions
    def lines(self, function: Optional[Function] = None, *,
              module: Optional[Module] = None, file: Optional[File] = None,
              line: Optional[Union[int, str]] = None, unwrap: bool = True,
              line_regex: Optional[str] = None,
              callable: Optional[str] = None) -> List[Json]:
        """The code that a location chooses: function, file, line, lines, and
        with a line: stops, where a breakpoint there would stop.

        LocationError: that line has no code; it names the nearest that have.
        """
        where = locate(function, module, file, unwrap, self._own, callable)
        params = dict(where.params, pid=self.pid)
        if line is not None:
            params["line"] = line
        if line_regex is not None:
            params["line_regex"] = line_regex
        try:
            return find_lines(self._connection, params)
        finally:
            where.release()

    def probes(self) -> List[Json]:
        """The probes set in it, by whomever, as the daemon lists them."""
        return list(self._connection.call("probe.list", pid=self.pid)
                    ["probes"])

    def stack(self, native: str = "waiting", locals: bool = False,
              stop: bool = False, redact: str = "", no_redact: str = "",
              strict: bool = False) -> Json:
        """What every thread is doing, read from outside: the `stack` record.

        native: frames of C for "none" of the threads, those "waiting", or
        "all". stop: pause it for a picture that is consistent. redact,
        no_redact, strict: what is withheld of the locals, as in Limits.
        """
        hide = {"redact": redact, "no_redact": no_redact, "strict": strict}
        return self._connection.call(
            "stack", pid=self.pid, native=native, locals=locals, stop=stop,
            **to_wire(hide))


def attach(pid: int, socket: Optional[PathLike] = None) -> Process:
    """Enters a live process. NotPermitted, NoSuchProcess, AttachError: why it
    cannot be done; the process is as it was."""
    return Process(pid, socket)
