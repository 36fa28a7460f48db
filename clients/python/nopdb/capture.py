# SPDX-License-Identifier: MIT
"""Captured calls: the last one, or all of them."""
from typing import Any, AsyncIterator, Iterator, List, Optional

from .connection import Json
from .decode import decode
from .probe import Probe
from .records import CallInfo, Resolver


class CallCapture(CallInfo, Probe):
    """The last call that ended, and the probe that captures it.

    Before the first one raw is empty, and so is all that is read from it.
    """

    def __init__(self, *args: Any, resolve: Resolver = decode,
                 **options: Any) -> None:
        CallInfo.__init__(self, {}, resolve)
        Probe.__init__(self, *args, **options)
        self._set()

    def _capture(self, record: Json) -> None:
        self.raw = record


PENDING_MOST = 10000  # records that wait for a reader that keeps none


class CallListCapture(Probe, List[CallInfo]):
    """Every call, in the order in which they ended: a list that grows.

    Iterating over it inside its block waits for what comes, until the probe
    ends, unless it is of the own process. keep=False: what was iterated over
    is dropped, so that memory stays bounded.
    """

    def __init__(self, *args: Any, resolve: Resolver = decode,
                 keep: bool = True, follow: bool = True,
                 **options: Any) -> None:
        list.__init__(self)
        Probe.__init__(self, *args, **options)
        self._resolve = resolve
        self._keep = keep
        self._follow = follow
        self._set()

    def _capture(self, record: Json) -> None:
        if not self._keep and len(self) >= PENDING_MOST:
            self._let_it_read()
        self.append(CallInfo(record, self._resolve))

    def _let_it_read(self) -> None:
        """Waits, on the reading thread, until some were taken; not when an
        answer is awaited, which may be by the one who takes them."""
        with self._changed:
            while len(self) >= PENDING_MOST and not self._connection.awaited:
                self._changed.wait(0.02)

    def _next(self, index: int) -> CallInfo:
        return self[index] if self._keep else self.pop(0)

    def __iter__(self) -> Iterator[CallInfo]:
        index = 0
        while True:
            here = index if self._keep else 0
            if len(self) <= here and not (self._follow and self._wait(
                    lambda: len(self) > here, None)):
                return
            yield self._next(here)
            index += 1

    async def __aiter__(self) -> AsyncIterator[CallInfo]:
        index = 0
        while True:
            here = index if self._keep else 0
            if not await self._until(lambda: len(self) > here):
                return
            yield self._next(here)
            index += 1

    def follow(self, timeout: Optional[float] = None) -> Iterator[CallInfo]:
        """Calls as they arrive, until the probe ends or, for `timeout`
        seconds, none came."""
        index = 0
        while True:
            here = index if self._keep else 0
            if not self._wait(lambda: len(self) > here, timeout):
                return
            yield self._next(here)
            index += 1

    def __repr__(self) -> str:
        return "<CallListCapture %s, %d calls>" % (self.state, len(self))

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __bool__(self) -> bool:
        return len(self) > 0
