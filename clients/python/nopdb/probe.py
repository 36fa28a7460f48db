# SPDX-License-Identifier: MIT
"""A probe as this client holds it: set, switched, awaited, removed."""
import asyncio
import threading
import time
from typing import (Any, Callable, Dict, List, Optional, Type, TypeVar)

from .connection import Connection, Json
from .errors import (DaemonError, DecodeError, LocationError, NopdbError,
                     WaitTimeout)
from .location import Location

P = TypeVar("P", bound="Probe")


def find_lines(connection: Connection, params: Json) -> List[Json]:
    """What a location chooses. LocationError: there is code, but none on that
    line; it names the nearest."""
    found = connection.call("lines", **params)
    places = list(found["locations"])
    if "nearest" not in found or places:
        return places
    wanted = params.get("line", params.get("line_regex"))
    nearest = ", ".join(map(str, found["nearest"]))
    raise LocationError(
        "no code on line %s; the nearest lines with code: %s" % (
            wanted, nearest) if nearest
        else "no line with code there reads: %s" % wanted,
        remedy="lines() shows the lines with code")


class Probe:
    """A context manager: set when it is made, removed when its block ends.

    Everything that it captured has arrived then. Records are taken on the
    connection's reading thread.
    """

    def __init__(self, connection: Connection, pid: int, kind: str,
                 where: Location, params: Dict[str, Any],
                 ignored_threads: Optional[List[Optional[int]]] = None,
                 released: Optional[Callable[[], None]] = None,
                 own: bool = False) -> None:
        self._connection = connection
        self._where = where
        self._params = dict(params, pid=pid, kind=kind, **where.params)
        self._ignored = ignored_threads
        self._released = released
        self._own = own
        self._changed = threading.Condition()
        self._listeners: List[Callable[[], None]] = []
        self._id: Optional[int] = None
        self._count = 0
        self._over = False    # nothing more can come
        self._ended = False   # its last record came
        self._closed = False
        self._resting = False  # taken out, to be set again
        self._lost: Dict[str, int] = {}
        self._lost_before: Dict[str, int] = {}  # when it was set
        self.state = "pending"
        self.reason: Optional[str] = None
        self.locations: List[Json] = []
        self.failure: Optional[NopdbError] = None
        connection.on_lost(self._on_connection_lost)

    # ---- setting and removing
    def _begin(self, enabled: bool) -> None:
        """Asks for the probe, or whether it could be set; NopdbError when it
        is refused."""
        try:
            if enabled:
                self._set()
            else:
                self._check(self._params)
                self.state = "disabled"
        except BaseException:
            self._close()
            raise

    def _set(self) -> None:
        self._resting = False
        self._connection.call("probe.add", arrived=self._arrived,
                              **self._params)

    def _check(self, params: Dict[str, Any]) -> None:
        """Refuses what probe.add would, and sets nothing."""
        find_lines(self._connection, {
            name: value for name, value in params.items()
            if name not in ("kind", "limits")})

    def _arrived(self, answer: Json) -> None:
        self._over = self._ended = False
        self._lost_before = dict(self._lost)
        self._id = answer["probe"]
        self._take_state(answer)
        self._connection.claim(answer["probe"], self._take)

    def _unset(self) -> None:
        """Removes it and returns when its last record is here."""
        if self._id is None:
            return
        if self._ended or self._over:
            self._connection.disclaim(self._id)
            return
        try:
            self._connection.call("probe.remove", probe=self._id)
        except NopdbError as error:
            # It ended by itself: its last record is on the way or here.
            if error.name != "no-such-probe":
                raise
            self._wait(lambda: self._ended, 5)
        finally:
            self._connection.disclaim(self._id)

    def _rest(self) -> None:
        """Takes it out; what it captured so far is complete. enable() sets it
        again."""
        if self._closed or self._over or self._id is None:
            return
        self._resting = True
        self._unset()
        self._id = None
        self.state, self.reason = "disabled", None

    def close(self) -> None:
        """Takes the probe out; what it captured is complete then."""
        try:
            self._unset()
        finally:
            self._close()

    def _close(self) -> None:
        self._id = None
        self._closed = True
        self._connection.off_lost(self._on_connection_lost)
        self._tell(over=True)
        self._where.release()
        released, self._released = self._released, None
        if released:
            released()

    def __enter__(self: P) -> P:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException], trace: Any) -> None:
        try:
            self.close()
        except DaemonError:
            # Nothing more will come: said by failure, not instead of what
            # the block raised.
            if error is None:
                raise

    def enable(self) -> None:
        """Captures again, or for the first time."""
        if self._id is None and not self._closed:
            self._set()
        else:
            self._switch("probe.enable")

    def disable(self) -> None:
        """Stays set and captures nothing."""
        if self._id is None and not self._closed:
            return
        self._switch("probe.disable")

    def _switch(self, method: str) -> None:
        if self._id is None:
            raise NopdbError("the probe is not set", "no-such-probe")
        self._take_state(self._connection.call(method, probe=self._id))

    # ---- what is known
    @property
    def id(self) -> Optional[int]:
        """Its number at the daemon; None once removed."""
        return self._id

    @property
    def active(self) -> bool:
        """May records still come?"""
        return not self._over

    @property
    def lost_by_reason(self) -> Dict[str, int]:
        """Records that did not arrive: ring, rate, size, slow-client; or
        arrived and made no sense: malformed."""
        return {name: count for name, count in self._lost.items() if count}

    @property
    def lost(self) -> int:
        """How many records did not arrive."""
        return sum(self._lost.values())

    # ---- records, on the reading thread
    def _take(self, record: Json) -> None:
        """Nothing that a record holds may end the reading thread."""
        try:
            self._take_event(record)
        except (DecodeError, TypeError, ValueError, AttributeError, KeyError):
            self._lost["malformed"] = self._lost.get("malformed", 0) + 1
        self._tell()

    def _take_event(self, record: Json) -> None:
        event = record.get("event")
        if event in ("call", "hit"):
            self._take_capture(record)
        elif event == "probe":
            self._take_state(record)
        elif event == "lost":
            reason = str(record.get("reason"))
            self._lost[reason] = (self._lost.get(reason, 0)
                                  + int(record.get("count") or 0))
        elif event == "error":
            self._error(record)
        elif event == "yield":
            self._take_yield(record)
        elif event == "debug":
            self._debug(record)
        elif event == "end":
            self._take_end(record)

    def _take_state(self, record: Json) -> None:
        self.state = str(record.get("state", self.state))
        if "locations" in record:
            self.locations = list(record["locations"])

    def _take_end(self, record: Json) -> None:
        self._ended = True
        self._tell(over=not self._resting)
        self.reason = str(record.get("reason"))
        self.state = "removed"
        totals = record.get("lost")
        for reason, count in (totals if isinstance(totals, dict)
                              else {}).items():
            self._lost[reason] = max(
                self._lost.get(reason, 0),
                self._lost_before.get(reason, 0) + int(count))

    def _take_capture(self, record: Json) -> None:
        if self._ignored is not None and (
                record.get("thread") or {}).get("id") in self._ignored:
            return  # our own reading of records is not the program's doing
        if self._where.admits(record):
            self._capture(record)
            self._count += 1

    def _take_yield(self, record: Json) -> None:
        if self._where.admits(record):
            self._yield(record)
            self._count += 1

    def _capture(self, record: Json) -> None:
        """Takes one record of a call or hit."""
        raise NotImplementedError

    def _yield(self, record: Json) -> None:
        """Takes one record of a yield."""

    def _error(self, record: Json) -> None:
        """Takes an error record."""

    def _debug(self, record: Json) -> None:
        """Takes what a thread in the debugger says."""

    def _on_connection_lost(self, reason: NopdbError) -> None:
        if not self._over and self._id is not None:
            self.failure = reason
        self._tell(over=True)

    # ---- waiting
    def _tell(self, over: bool = False) -> None:
        with self._changed:
            self._over = self._over or over
            self._changed.notify_all()
        if self._listeners:
            for listener in list(self._listeners):
                listener()

    def _wait(self, ready: Callable[[], bool],
              timeout: Optional[float]) -> bool:
        """Waits until ready() or nothing more can come; ready()."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not ready() and not self._over:
                left = None
                if deadline is not None:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        break
                self._changed.wait(left)
            return ready()

    def wait(self, n: int = 1, timeout: Optional[float] = None) -> int:
        """Waits until n records came, or the probe ended; how many came.

        timeout: seconds. WaitTimeout: less than n came in that time.
        """
        if not self._wait(lambda: self._count >= n, timeout) and (
                not self._over):
            raise WaitTimeout("%d of %d records within %s s" % (
                self._count, n, timeout))
        return self._count

    async def _until(self, ready: Callable[[], bool]) -> bool:
        """The same for a coroutine, without a time-out."""
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
        self._listeners.append(wake)
        try:
            while not ready() and not self._over:
                await event.wait()
                event.clear()
            return ready()
        finally:
            self._listeners.remove(wake)
