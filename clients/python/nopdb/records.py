# SPDX-License-Identifier: MIT
"""Records as objects. What they carry is decoded when it is asked for."""
import os
import traceback
from collections import OrderedDict
from typing import Any, Callable, Dict, List, NamedTuple, Optional, TextIO, Tuple

from .connection import Json
from .decode import cut, decode, decode_variables
from .errors import DecodeError, EvaluationError
from .given import told_text
from .living import Noted, claim, claim_call, finder

# The globals of a function: by the name of its module.
Globals = Callable[[str], Dict[str, Any]]


class Thread(NamedTuple):
    """id: the kernel's. name: Python's, else the kernel's."""

    id: int
    name: str


class Raised(NamedTuple):
    """An exception of the target. type: its name; value: it, as captured."""

    type: Optional[str]
    message: Optional[str]
    value: Any


def _number(raw: Json, member: str) -> float:
    """A member that is a number, 0 when it is not there."""
    found = raw.get(member)
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise DecodeError("%s is no number: %.200r" % (member, found))
    return found


def _object(raw: Json, member: str) -> Json:
    """A member that is an object, empty when it is not there."""
    found = raw.get(member)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise DecodeError("%s is no object: %.200r" % (member, found))
    return found


def _objects(raw: Json, member: str) -> List[Json]:
    """A member that is a list of objects."""
    found = raw.get(member)
    if found is None:
        return []
    if not isinstance(found, list) or not all(
            isinstance(item, dict) for item in found):
        raise DecodeError("%s is no list of objects: %.200r" % (
            member, found))
    return found


def _failed(text: Any, error: Json) -> EvaluationError:
    return EvaluationError(str(text), error.get("type"),
                           error.get("message"))


def _summary(frames: List[Json], own: bool) -> traceback.StackSummary:
    """The stack of a record, the innermost frame last. Source text is that of
    the file as it is here, where there is one; in the own process also of what
    has no file, as the cells of a notebook."""
    found = []
    for frame in frames:
        name = str(frame.get("function", "?")).rsplit(":", 1)[-1]
        file = str(frame.get("file", "?"))
        line = None if own or os.path.exists(file) else ""
        found.append(traceback.FrameSummary(
            file, int(_number(frame, "line")), name, lookup_line=False,
            line=line))
    return traceback.StackSummary.from_list(found)


class Record:
    """What every record of a probe tells.

    raw: the record as JSON. Times are Unix seconds.
    """

    def __init__(self, raw: Json, globals_of: Optional[Globals] = None
                 ) -> None:
        self.raw = raw
        self._globals_of = globals_of

    @property
    def time(self) -> float:
        """When it began, in Unix seconds."""
        return float(_number(self.raw, "time"))

    @property
    def seq(self) -> int:
        """Its number among the records of its probe, from 1."""
        return int(_number(self.raw, "seq"))

    @property
    def thread(self) -> Thread:
        """In which thread it was."""
        found = _object(self.raw, "thread")
        return Thread(int(_number(found, "id")), str(found.get("name", "")))

    @property
    def task(self) -> Optional[str]:
        """The name of the asyncio task; None outside of one, and from
        daemons that do not tell."""
        found = self.raw.get("task")
        if isinstance(found, dict):
            found = found.get("name")
        return found if isinstance(found, str) else None

    @property
    def function(self) -> str:
        """module:qualname"""
        return str(self.raw.get("function", ""))

    @property
    def module(self) -> str:
        """The name of the module whose code it is."""
        return self.function.rpartition(":")[0]

    @property
    def qualname(self) -> str:
        """The function's name with those of what it is in."""
        return self.function.rpartition(":")[2]

    @property
    def name(self) -> str:
        """The function's name, as its code has it."""
        return self.qualname.rpartition(".")[2]

    @property
    def file(self) -> str:
        """Where the code came from, as the code has it."""
        return str(self.raw.get("file", ""))

    @property
    def line(self) -> int:
        """A call: of its def. A hit: where it is."""
        return int(_number(self.raw, "line"))

    @property
    def stack(self) -> traceback.StackSummary:
        """The frames, innermost last; empty when not asked for."""
        return _summary(_objects(self.raw, "stack"),
                        self.raw.get("pid") == os.getpid())

    @property
    def globals(self) -> Dict[str, Any]:
        """The globals of the function, as they are now: in the own process
        themselves, of another what an evaluation there gives. {} without a
        record. NopdbError: the process is not attached to any more."""
        if not self.raw or self._globals_of is None:
            return {}
        return self._globals_of(self.module)

    def print_stack(self, file: Optional[TextIO] = None) -> None:
        """Prints the stack as a traceback does. file: sys.stdout."""
        for line in self.stack.format():
            print(line, end="", file=file)

def _is_withheld(raw: Any) -> bool:
    return isinstance(raw, dict) and "$redacted" in raw


def _living(noted: Noted, name: str, raw: Any) -> Any:
    """The object itself, where it still is, else what its value tells."""
    if not noted:
        return decode(raw)
    held = noted.get(name)
    thing = held.get() if held and not _is_withheld(raw) else None
    return decode(raw, finder(noted)) if thing is None else thing


def _variables(raw: Json, noted: Noted) -> Dict[str, Any]:
    """By name; of the own process what was cut as well, where it still is."""
    if not noted:
        return decode_variables(raw)
    found = {name: _living(noted, name, value)
             for name, value in raw.items() if not name.startswith("$")}
    if cut(raw):
        for name, held in noted.items():
            thing = held.get() if isinstance(name, str) and (
                name != "return") else None
            if thing is not None:
                found.setdefault(name, thing)
    return found


class CallInfo(Record):
    """One call that ended.

    In the own process its objects are the program's, as long as the program
    has them, and what they were after that.
    """

    def __init__(self, raw: Json, globals_of: Optional[Globals] = None
                 ) -> None:
        super().__init__(raw, globals_of)
        self._noted = claim_call(raw)

    @property
    def args(self) -> "OrderedDict[str, Any]":
        """As they were at entry, in the order of the signature. Empty for a
        call that ran already."""
        return OrderedDict(_variables(_object(self.raw, "args"),
                                      self._noted[0]))

    @property
    def locals(self) -> Dict[str, Any]:
        """As they were at the end; empty with locals=False."""
        return _variables(_object(self.raw, "locals"), self._noted[1])

    @property
    def truncated(self) -> bool:
        """Were arguments or locals left out for their size?"""
        return cut(_object(self.raw, "args")) or cut(
            _object(self.raw, "locals"))

    @property
    def return_value(self) -> Any:
        """None when it raised, too: see exception."""
        return _living(self._noted[1], "return", self.raw.get("return"))

    @property
    def exception(self) -> Optional[Raised]:
        """What it raised, else None."""
        raw = _object(self.raw, "exception")
        if not raw:
            return None
        return Raised(raw.get("type"), raw.get("message"),
                      decode(raw.get("value")))

    @property
    def duration(self) -> Optional[float]:
        """Seconds; None for a call that ran already when it was set."""
        if "duration_ns" not in self.raw:
            return None
        return _number(self.raw, "duration_ns") / 1e9

    def __repr__(self) -> str:
        if not self.raw:
            return "<%s: no call yet>" % type(self).__name__
        raised = self.exception
        return "%s(name=%r, args=OrderedDict(%s), %s)" % (
            type(self).__name__, self.name, ", ".join(
                "%s=%r" % item for item in self.args.items()),
            "exception=%s" % raised.type if raised
            else "return_value=%r" % (self.return_value,))


class Yield(Record):
    """One value that a generator yielded; line: of the yield."""

    @property
    def value(self) -> Any:
        """What it yielded."""
        return decode(self.raw.get("value"))

    @property
    def suspensions(self) -> Optional[int]:
        """How often it was suspended so far; None when it began before."""
        found = self.raw.get("suspensions")
        return found if isinstance(found, int) else None

    def __repr__(self) -> str:
        return "<Yield %s:%d %r>" % (self.function, self.line, self.value)


def _told(raw: Any) -> Tuple[Any, Any]:
    """The number and the value in what given.tell() returned."""
    items = raw.get("$items") if isinstance(raw, dict) else None
    if isinstance(items, list) and len(items) == 2 and (
            raw.get("$type") == "tuple"):
        return items[0], items[1]
    return None, raw


class Hit(Record):
    """One time that a breakpoint was reached."""

    def __init__(self, raw: Json, globals_of: Optional[Globals] = None
                 ) -> None:
        super().__init__(raw, globals_of)
        self._noted: Dict[int, Noted] = {}
        values = raw.get("eval")
        for at, part in enumerate(values if isinstance(values, list) else ()):
            if isinstance(part, dict) and told_text(str(part.get("expr"))) != part.get("expr"):
                self._noted[at] = claim(_told(part.get("value"))[0])

    def _value(self, at: int, part: Json) -> Any:
        if "error" in part:
            return _failed(told_text(str(part.get("expr"))),
                           _object(part, "error"))
        if told_text(str(part.get("expr"))) == part.get("expr"):
            return decode(part.get("value"))
        return _living(self._noted[at], "value",
                       _told(part.get("value"))[1])

    @property
    def values(self) -> List[Any]:
        """Of the eval actions, in order; an EvaluationError for one that
        raised."""
        return [self._value(at, part)
                for at, part in enumerate(_objects(self.raw, "eval"))]

    @property
    def expressions(self) -> List[str]:
        """The texts that values belong to."""
        return [told_text(str(part.get("expr"))) for part in _objects(self.raw, "eval")]

    @property
    def calls(self) -> List[Any]:
        """What the functions of the target returned that were called, in
        order; an EvaluationError for one that raised."""
        return [_failed(part.get("function"), _object(part, "error"))
                if "error" in part else decode(part.get("value"))
                for part in _objects(self.raw, "call")]

    @property
    def functions(self) -> List[str]:
        """The names that calls belong to."""
        return [str(part.get("function"))
                for part in _objects(self.raw, "call")]

    @property
    def log(self) -> List[Any]:
        """Of the log actions, in order."""
        found = decode(self.raw.get("log"))
        return found if isinstance(found, list) else []

    @property
    def errors(self) -> List[EvaluationError]:
        """Of exec, log and jump actions."""
        return [_failed(part.get("text"), _object(part, "error"))
                for part in _objects(self.raw, "errors")]

    def __repr__(self) -> str:
        return "<Hit %s:%d%s>" % (self.function, self.line, "".join(
            ", %s=%r" % pair for pair in zip(self.expressions, self.values)))
