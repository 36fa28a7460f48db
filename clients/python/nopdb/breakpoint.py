# SPDX-License-Identifier: MIT
"""Breakpoints that never stop the program: actions when a line is reached."""
import queue
import threading
import traceback
from typing import Any, AsyncIterator, Callable, Dict, Iterator, List, Optional

from .connection import Json
from .decode import decode
from .errors import EvaluationError, NopdbError
from .probe import Probe
from .records import Hit, Resolver

Callback = Callable[[Hit], Any]


class _Results:
    """The list that one action fills."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.list: List[Any] = []


class _Caller:
    """Calls callbacks on a thread of its own: they may ask the daemon."""

    def __init__(self) -> None:
        self._hits: "queue.Queue[Optional[Hit]]" = queue.Queue()
        self._callbacks: List[Callback] = []
        self._thread: Optional[threading.Thread] = None
        self.failure: Optional[BaseException] = None

    def add(self, callback: Callback) -> None:
        self._callbacks.append(callback)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True,
                                            name="nopdb-callbacks")
            self._thread.start()

    def give(self, hit: Hit) -> None:
        if self._thread:
            self._hits.put(hit)

    def _run(self) -> None:
        while True:
            hit = self._hits.get()
            if hit is None:
                return
            for callback in list(self._callbacks):
                try:
                    callback(hit)
                except BaseException as error:  # raised where the block ends
                    self.failure = self.failure or error

    def finish(self) -> None:
        """Returns when every hit was given to every callback."""
        if self._thread and self._thread is not threading.current_thread():
            self._hits.put(None)
            self._thread.join()
            self._thread = None


class Breakpoint(Probe):
    """Hits of a line, or of a call when no line is given.

    Each action applies from when it is added, and from then on wait() and the
    limits count. hits holds all hits, errors what a condition or an action
    raised in the target; neither ever reaches the program.
    """

    def __init__(self, *args: Any, resolve: Resolver = decode,
                 follow: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self._resolve = resolve
        self._follow = follow
        self._actions: List[Dict[str, Any]] = []
        self._values: List[_Results] = []
        self._logs: List[_Results] = []
        self._stacks: List[List[traceback.StackSummary]] = []
        self._caller = _Caller()
        self.hits: List[Hit] = []
        self.errors: List[EvaluationError] = []
        self._set()

    def _add(self, kind: str, text: Any) -> None:
        """Sets it anew, with one action more."""
        if self._id is None:
            raise NopdbError("the breakpoint is not set", "no-such-probe")
        actions = self._actions + [{kind: text}]
        self._replaced = True
        try:
            self._unset()
            self._replace(actions)
        finally:
            self._replaced = False

    def _replace(self, actions: List[Dict[str, Any]]) -> None:
        before, self._params["actions"] = self._actions, actions
        try:
            self._connection.call("probe.add", arrived=self._arrived,
                                  **self._params)
        except NopdbError:
            # What was there goes on without the new one.
            self._params["actions"] = before
            self._set()
            raise
        self._actions = actions

    def eval(self, expression: str) -> List[Any]:
        """Evaluates an expression at each hit; the list of its values, which
        grows. One that raised is an EvaluationError in it.

        LocationError: it is no expression.
        """
        results = _Results(expression)
        self._values.append(results)
        try:
            self._add("eval", expression)
        except NopdbError:
            self._values.remove(results)
            raise
        return results.list

    def exec(self, code: str) -> None:
        """Runs code at each hit. Local variables may be changed."""
        self._add("exec", code)

    def jump(self, line: int) -> None:
        """Goes on at that line of the same function instead."""
        self._add("jump", str(line))

    def log(self, template: str) -> List[str]:
        """Renders a template with {expression} parts at each hit; the list
        of texts."""
        results = _Results(template)
        self._logs.append(results)
        try:
            self._add("log", template)
        except NopdbError:
            self._logs.remove(results)
            raise
        return results.list

    def stack(self) -> List[traceback.StackSummary]:
        """Captures the stack at each hit; the list of them."""
        found: List[traceback.StackSummary] = []
        self._stacks.append(found)
        if {"stack": True} not in self._actions:
            self._add("stack", True)
        return found

    def callback(self, function: Callback) -> None:
        """Calls function(hit) here, on a thread of nopdb, after each hit.
        The first exception of it is raised where the block ends."""
        self._caller.add(function)

    def _arrived(self, answer: Json) -> None:
        """wait() counts from here: hits that all actions have seen."""
        super()._arrived(answer)
        self._count = 0

    # ---- hits
    def _capture(self, record: Json) -> None:
        hit = Hit(record, self._resolve)
        self.hits.append(hit)
        self._spread(self._values, hit.expressions, hit.values)
        log = hit.log
        # A log that failed has no text; the texts do not tell whose they are.
        if len(log) == len(self._logs):
            self._spread(self._logs, [one.text for one in self._logs], log)
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

    def _error(self, record: Json) -> None:
        error = record.get("error") or {}
        self.errors.append(EvaluationError(
            str(record.get("text")), error.get("type"), error.get("message")))

    def close(self) -> None:
        """Takes it out; every hit has been seen by every callback then."""
        try:
            super().close()
        finally:
            self._caller.finish()
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
