# SPDX-License-Identifier: MIT
"""Breakpoints that never stop the program: actions when a line is reached."""
import bdb
import itertools
import pdb
import traceback
import types
from typing import (Any, AsyncIterator, Callable, Dict, Iterator, List,
                    Optional, TextIO, Type, Union)

from . import given, snippet
from .caller import Callback, Caller
from .connection import Json
from .debugger import Console
from .errors import EvaluationError, NopdbError
from .probe import Probe
from .records import Globals, Hit
from .snippet import Code, Variables


class _Results:
    """The list that one action fills."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.list: List[Any] = []


class Breakpoint(Probe):
    """Hits of a line, or of a call when no line is given.

    Each action applies from when it is added, and from then on wait() counts.
    hits holds all hits, errors what a condition or an action raised in the
    target; neither ever reaches the program.
    """

    def __init__(self, *args: Any, globals_of: Optional[Globals] = None,
                 follow: bool = True, enabled: bool = True, **options: Any
                 ) -> None:
        super().__init__(*args, **options)
        self._globals_of = globals_of
        self._follow = follow
        self._actions: List[Dict[str, Any]] = []
        self._values: List[_Results] = []
        self._calls: List[_Results] = []
        self._logs: List[_Results] = []
        self._stacks: List[List[traceback.StackSummary]] = []
        self._caller = Caller()
        self._console: Optional[Console] = None
        self.hits: List[Hit] = []
        self.errors: List[EvaluationError] = []
        self._begin(enabled)

    # ---- actions
    def _add(self, kind: str, text: Any) -> None:
        """One action more."""
        if self._closed:
            raise NopdbError("the breakpoint is not set", "no-such-probe")
        action = {kind: text}
        actions = self._actions + [action]
        if self._id is None:
            self._check(dict(self._params, actions=actions))
        else:
            self._connection.call("probe.actions", arrived=self._count_anew,
                                  probe=self._id, actions=[action])
        self._actions = self._params["actions"] = actions

    def _count_anew(self, answer: Json) -> None:
        """wait() counts from here: hits that all actions have seen."""
        self._count = 0

    def _gather(self, kind: str, text: str, those: List[_Results]
                ) -> List[Any]:
        """The list that one action more fills."""
        results = _Results(text)
        those.append(results)
        try:
            self._add(kind, text)
        except NopdbError:
            those.remove(results)
            raise
        return results.list

    def eval(self, expression: Code, variables: Variables = None
             ) -> List[Any]:
        """Evaluates an expression at each hit; the list of its values, which
        grows. One that raised is an EvaluationError in it.

        expression: text, or in the own process a code object. variables: from
        outside, instead of those of the frame; for another process what
        literals can say. LocationError: it is no expression.
        """
        text = snippet.expression(self._where, expression, variables,
                                  self._own)
        if self._own:
            text = given.tell_text(text)
        return self._gather("eval", text, self._values)

    def exec(self, code: Code, variables: Variables = None) -> None:
        """Runs code at each hit. Local variables may be changed.

        code, variables: as for eval(); variables may not have the name of one
        of the frame, and are gone afterwards.
        """
        self._add("exec", snippet.statements(self._where, code, variables,
                                             self._own))

    def jump(self, line: Union[int, str]) -> None:
        """Goes on at another line of the same function instead: a number,
        "+N" from the def, or the text of the line."""
        self._add("jump", str(line))

    def log(self, template: str) -> List[str]:
        """Renders a template with {expression} parts at each hit; the list
        of texts."""
        return self._gather("log", template, self._logs)

    def stack(self) -> List[traceback.StackSummary]:
        """Captures the stack at each hit; the list of them."""
        found: List[traceback.StackSummary] = []
        self._stacks.append(found)
        if {"stack": True} not in self._actions:
            self._add("stack", True)
        return found

    def callback(self, function: Union[str, Callback]) -> List[Any]:
        """Calls a function at each hit.

        function(hit) is called here, on a thread of nopdb, after the hit; the
        first exception of it is raised where the block ends. The text
        "pkg.mod:func" names a function of the target, which has the frame as
        its argument, on the thread that was hit; the list of what it returned.
        """
        if isinstance(function, str):
            return self._gather("call", function, self._calls)
        self._caller.add(function)
        return []

    def _hook(self, function: Callable[[types.FrameType], Any]) -> None:
        """Calls a function of this process, in the frame's thread."""
        self._where.keep(function)
        self._add("call", "%s:hooks.n%d" % (given.__name__,
                                            self._where.kept[-1]))

    def debug(self, debugger_cls: Type[bdb.Bdb] = pdb.Pdb, *,
              stdin: Optional[TextIO] = None, stdout: Optional[TextIO] = None,
              **options: Any) -> None:
        """Stops the thread that is hit in pdb, on this terminal.

        The program's other threads run on, and so does this one when the
        block ends, stdin is at its end or nothing was typed for debug_seconds
        (see Limits). stdin, stdout: instead of those of sys. debugger_cls and
        options: pdb.Pdb and its nosigint and readrc alone, which change
        nothing: neither signals nor .pdbrc are touched.
        """
        left = set(options) - {"nosigint", "readrc"}
        if debugger_cls is not pdb.Pdb or left:
            raise NopdbError(
                "debug: %s" % (", ".join(sorted(left)) or debugger_cls),
                "usage", "pdb.Pdb with stdin and stdout is what there is", 2)
        if self._console is None:
            self._console = Console(self._connection, stdin, stdout)
        self._add("debug", True)

    # ---- hits
    def _capture(self, record: Json) -> None:
        hit = Hit(record, self._globals_of)
        self.hits.append(hit)
        self._spread(self._values, [str(part.get("expr"))
                                    for part in record.get("eval") or ()],
                     hit.values)
        self._spread(self._calls, hit.functions, hit.calls)
        self._spread_logs(hit)
        self.errors += hit.errors
        if "stack" in record:
            for stacks in self._stacks:
                stacks.append(hit.stack)
        self._caller.give(hit)

    @staticmethod
    def _spread(results: List[_Results], texts: List[str],
                values: List[Any]) -> None:
        """Gives each value to the list of its action. One may be missing: it
        did not fit into the record."""
        at = 0
        for result in results:
            if at < len(texts) and texts[at] == result.text:
                result.list.append(values[at])
                at += 1

    def _spread_logs(self, hit: Hit) -> None:
        """The texts do not tell whose they are; one that failed has none, but
        an error. A hit may be older than the last of the actions."""
        failed = [str(part.get("text")) for part in hit.raw.get("errors") or ()
                  if part.get("action") == "log"]
        texts = iter(hit.log)
        for result in self._logs[:len(hit.log) + len(failed)]:
            if result.text in failed:
                failed.remove(result.text)
            else:
                result.list += itertools.islice(texts, 1)

    def _error(self, record: Json) -> None:
        error = record.get("error") or {}
        found = EvaluationError(str(record.get("text")), error.get("type"),
                                error.get("message"))
        # What an action raised is in the hit, too.
        if record.get("where") in ("condition", "once-per"):
            self.errors.append(found)

    def _debug(self, record: Json) -> None:
        if self._console:
            self._console.take(record)

    def close(self) -> None:
        """Takes it out; every hit has been seen by every callback then."""
        try:
            super().close()
        finally:
            self._caller.finish()
            if self._console:
                self._console.close()
        if self._caller.failure:
            failure, self._caller.failure = self._caller.failure, None
            raise failure

    def __len__(self) -> int:
        """How many hits came."""
        return len(self.hits)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Hit]:
        """Hits as they arrive, until it ends."""
        index = 0
        while len(self.hits) > index or (self._follow and self._wait(
                lambda: len(self.hits) > index, None)):
            yield self.hits[index]
            index += 1

    async def __aiter__(self) -> AsyncIterator[Hit]:
        index = 0
        while await self._until(lambda: len(self.hits) > index):
            yield self.hits[index]
            index += 1

    def __repr__(self) -> str:
        return "<Breakpoint %s, %d hits>" % (self.state, len(self.hits))
