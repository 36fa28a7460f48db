# SPDX-License-Identifier: MIT
"""JSON lines over the daemon's socket, read by threads in the background.

One takes bytes off the socket as they come: the daemon drops records of a
client that lets too many wait. The other, the reading thread, looks at them.

Answers go to the thread that asked; records to the sink of their probe, or to
that of the connection. A sink is called on the reading thread, in the order
of arrival, and must not ask the daemon anything.
"""
import json
import os
import queue
import socket
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple

from .errors import DaemonError, DecodeError, NopdbError, from_answer
from .launch import PathLike, connect

PROTOCOL = 1  # proto/limits.h
LINE_MOST = 64 << 20  # bytes of one line of the daemon
CHUNK = 1 << 18
THREADS = "nopdb-*"  # the names of the threads of a connection
BACKLOG_MOST = 16 << 20  # bytes that were taken and not looked at yet

Json = Dict[str, Any]
Sink = Callable[[Json], None]

# In C: what is probed may be the json package, here, in this process, and
# reading a record must not make another.
_scan: Callable[[str, int], Tuple[Any, int]] = getattr(
    json.JSONDecoder(), "scan_once")


def parse(line: bytes) -> Json:
    """One line of the daemon as an object; DecodeError when it is none."""
    try:
        text = str(line, "utf-8")
        message, end = _scan(text, 0)
    except (ValueError, StopIteration, RecursionError) as error:
        raise DecodeError("malformed line of the daemon: %r" % error
                          ) from None
    if not isinstance(message, dict) or text[end:].strip():
        raise DecodeError("a line of the daemon is no object")
    return message


class _Asked:
    """A request that waits for its answer."""

    def __init__(self, arrived: Optional[Sink]) -> None:
        self.done = threading.Event()
        self.arrived = arrived
        self.result: Optional[Json] = None
        self.error: Optional[NopdbError] = None


class Connection:
    """One client of the daemon. May be used by several threads."""

    def __init__(self, path: Optional[PathLike] = None) -> None:
        self._socket: socket.socket = connect(path)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._last = 0
        self._asked: Dict[int, _Asked] = {}
        self._sinks: Dict[int, Sink] = {}
        self._unclaimed: List[Sink] = []
        self._on_lost: List[Callable[[NopdbError], None]] = []
        self.lost: Optional[NopdbError] = None
        self.malformed = 0  # lines that were no messages
        self._chunks: "queue.SimpleQueue[bytes]" = queue.SimpleQueue()
        self._backlog = 0  # bytes of chunks
        self._room = threading.Condition()
        self._closing = False
        self._why = "the daemon closed the connection"
        self._taker = threading.Thread(target=self._receive, daemon=True,
                                       name=THREADS.replace("*", "socket"))
        self._reader = threading.Thread(target=self._read, daemon=True,
                                        name=THREADS.replace("*", "reader"))
        self._taker.start()
        self._reader.start()

    @property
    def thread_ids(self) -> List[Optional[int]]:
        """The kernel's ids of its threads, as records name them."""
        return [self._reader.native_id, self._taker.native_id]

    @property
    def awaited(self) -> bool:
        """Does anyone wait for an answer?"""
        return bool(self._asked)

    def greet(self) -> None:
        """Says which protocol this client speaks; NopdbError when the daemon
        does not."""
        self.call("hello", client="nopdb for Python", protocol=PROTOCOL)

    # ---- requests
    def call(self, method: str, timeout: Optional[float] = None,
             arrived: Optional[Sink] = None, **params: Any) -> Json:
        """Asks and waits for the result.

        timeout: seconds, None for as long as the daemon lives. arrived: told
        the result on the reading thread, before any record behind it.
        NopdbError: the daemon refused, or is gone.
        """
        asked = _Asked(arrived)
        self._send(method, params, asked)
        if not asked.done.wait(timeout):
            raise DaemonError("%s: no answer within %s s" % (method, timeout))
        if asked.error:
            raise asked.error
        assert asked.result is not None
        return asked.result

    def _send(self, method: str, params: Json, asked: _Asked) -> None:
        if os.getpid() != self._pid:
            raise DaemonError("this connection belongs to the parent process",
                              remedy="attach again in the child")
        with self._lock:
            if self.lost:
                raise DaemonError(self.lost.message, self.lost.name,
                                  self.lost.remedy)
            self._last += 1
            self._asked[self._last] = asked
            line = json.dumps({"jsonrpc": "2.0", "id": self._last,
                               "method": method, "params": params})
            try:
                self._socket.sendall(line.encode() + b"\n")
            except OSError as error:
                raise DaemonError("the daemon is gone: %s" % error) from None

    # ---- records
    def claim(self, probe: int, sink: Sink) -> None:
        """From now on the records of that probe go to that sink."""
        self._sinks[probe] = sink

    def disclaim(self, probe: int) -> None:
        self._sinks.pop(probe, None)

    def listen(self, sink: Sink) -> None:
        """The sink of what concerns no claimed probe."""
        self._unclaimed.append(sink)

    def on_lost(self, told: Callable[[NopdbError], None]) -> None:
        """Tells, on the reading thread, that the connection ended."""
        self._on_lost.append(told)

    def off_lost(self, told: Callable[[NopdbError], None]) -> None:
        if told in self._on_lost:
            self._on_lost.remove(told)

    # ---- the thread at the socket
    def _receive(self) -> None:
        try:
            while True:
                chunk = self._socket.recv(CHUNK)
                if not chunk:
                    break
                with self._room:
                    while self._backlog > BACKLOG_MOST and not self._closing:
                        self._room.wait(1)
                    self._backlog += len(chunk)
                self._chunks.put(chunk)
        except OSError as error:
            if not self._closing:
                self._why = "the daemon is gone: %s" % error
        self._chunks.put(b"")

    # ---- the reading thread
    def _read(self) -> None:
        self._read_lines()
        self._end(DaemonError(self._why, remedy="attach again"))

    def _chunk(self) -> bytes:
        chunk = self._chunks.get()
        with self._room:
            self._backlog -= len(chunk)
            self._room.notify_all()
        return chunk

    def _read_lines(self) -> None:
        pending = bytearray()
        while True:
            chunk = self._chunk()
            if not chunk:
                return
            pending += chunk
            end = pending.rfind(b"\n")
            if end < 0:
                if len(pending) > LINE_MOST:
                    self._why = "the daemon sent a line without end"
                    return
                continue
            for line in bytes(pending[:end]).split(b"\n"):
                self._take(line)
            del pending[:end + 1]

    def _take(self, line: bytes) -> None:
        try:
            message = parse(line)
        except DecodeError:
            self.malformed += 1
            return
        if message.get("method") == "record":
            record = message.get("params")
            if isinstance(record, dict):
                self._route(record)
            else:
                self.malformed += 1
            return
        try:
            self._answer(message)
        except (KeyError, TypeError, ValueError, AttributeError):
            self.malformed += 1

    def _route(self, record: Json) -> None:
        probe = record.get("probe")
        sink = self._sinks.get(probe) if isinstance(probe, int) else None
        if sink:
            sink(record)
            return
        for other in self._unclaimed:
            other(record)

    def _answer(self, message: Json) -> None:
        number = message.get("id")
        asked = None
        if isinstance(number, int):
            with self._lock:
                asked = self._asked.pop(number, None)
        if asked is None:
            self.malformed += 1
            return
        result, error = message.get("result"), message.get("error")
        try:
            if isinstance(result, dict):
                if asked.arrived:
                    asked.arrived(result)
                asked.result = result
            else:
                asked.error = from_answer(error if isinstance(error, dict)
                                          else {})
        except BaseException:
            asked.error = DecodeError("an answer that cannot be: %.200r"
                                      % message)
            raise
        finally:
            asked.done.set()

    def _end(self, reason: NopdbError) -> None:
        with self._lock:
            self.lost = reason
            left = list(self._asked.values())
            self._asked.clear()
        for asked in left:
            asked.error = reason
            asked.done.set()
        for told in list(self._on_lost):
            told(reason)

    def close(self) -> None:
        """Ends the connection; what this client set goes with it."""
        if os.getpid() == self._pid:
            self._closing = True
            self._why = "this connection was closed"
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the daemon was faster
            if threading.current_thread() is not self._reader:
                self._reader.join(5)
                self._taker.join(5)
        self._socket.close()
