# SPDX-License-Identifier: MIT
"""Captured calls: the last one, or all of them."""
import collections
from typing import (Any, AsyncIterator, Callable, Deque, Iterator, List,
                    Optional)

from .connection import Json
from .living import claim_call
from .probe import Probe
from .records import CallInfo, Globals, Yield


class CallCapture(CallInfo, Probe):
    """The last call that ended, and the probe that captures it.

    Before the first one raw is empty, and so is all that is read from it.
    """

    def __init__(self, *args: Any, globals_of: Optional[Globals] = None,
                 enabled: bool = True, **options: Any) -> None:
        CallInfo.__init__(self, {}, globals_of)
        Probe.__init__(self, *args, **options)
        self._begin(enabled)

    def _capture(self, record: Json) -> None:
        self.raw, self._noted = record, claim_call(record)


PENDING_MOST = 10000  # records that wait for a reader that keeps none


class CallListCapture(Probe, List[CallInfo]):
    """Every call, in the order in which they ended: a list that grows.

    Iterating over it inside its block waits for what comes, until the probe
    ends, unless it is of the own process. keep=False: it stays empty, and what
    comes is there for one iteration alone, so that memory stays bounded.
    yields: those of generators, with yields=True.
    """

    def __init__(self, *args: Any, globals_of: Optional[Globals] = None,
                 keep: bool = True, follow: bool = True, enabled: bool = True,
                 **options: Any) -> None:
        list.__init__(self)
        Probe.__init__(self, *args, **options)
        self._globals_of = globals_of
        self._keep = keep
        self._follow = follow
        self._waiting: Deque[CallInfo] = collections.deque()
        self.yields: Deque[Yield] = collections.deque(
            maxlen=None if keep else PENDING_MOST)
        self._begin(enabled)

    def _capture(self, record: Json) -> None:
        call = CallInfo(record, self._globals_of)
        if self._keep:
            self.append(call)
            return
        if len(self._waiting) >= PENDING_MOST:
            self._let_it_read()
        self._waiting.append(call)

    def _yield(self, record: Json) -> None:
        self.yields.append(Yield(record, self._globals_of))

    def _let_it_read(self) -> None:
        """Waits, on the reading thread, until some were taken; not when an
        answer is awaited, which may be by the one who takes them."""
        with self._changed:
            while len(self._waiting) >= PENDING_MOST and (
                    not self._connection.awaited):
                self._changed.wait(0.02)

    def _has(self, index: int) -> bool:
        """Is the next one there?"""
        return len(self) > index if self._keep else bool(self._waiting)

    def _next(self, index: int) -> CallInfo:
        return self[index] if self._keep else self._waiting.popleft()

    def _each(self, wait: Callable[[int], bool]) -> Iterator[CallInfo]:
        index = 0
        while self._has(index) or wait(index):
            yield self._next(index)
            index += 1

    def __iter__(self) -> Iterator[CallInfo]:
        return self._each(lambda index: self._follow and self._wait(
            lambda: self._has(index), None))

    async def __aiter__(self) -> AsyncIterator[CallInfo]:
        index = 0
        while self._has(index) or await self._until(
                lambda: self._has(index)):
            yield self._next(index)
            index += 1

    def follow(self, timeout: Optional[float] = None) -> Iterator[CallInfo]:
        """Calls as they arrive, until the probe ends or, for `timeout`
        seconds, none came."""
        return self._each(lambda index: self._wait(
            lambda: self._has(index), timeout))

    def __repr__(self) -> str:
        return list.__repr__(self)

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __bool__(self) -> bool:
        return len(self) > 0
