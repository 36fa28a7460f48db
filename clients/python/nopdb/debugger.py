# SPDX-License-Identifier: MIT
"""pdb of a thread that waits in the target, on this terminal."""
import queue
import sys
import threading
from typing import Any, Dict, List, Optional, TextIO, Tuple

from .connection import Connection, Json
from .errors import NopdbError

PROMPT = "(Pdb) "


class _Session:
    """One thread that waits. held: what it said and nobody has read."""

    def __init__(self, probe: int, number: int) -> None:
        self.probe = probe
        self.number = number
        self.held = ""
        self.over = False


class Console:
    """Lets one waiting thread at a time talk with who reads stdin.

    Its own thread writes to stdout and reads lines from stdin (None: those of
    sys), only when pdb asks. At the end of stdin the program goes on.
    """

    def __init__(self, connection: Connection, stdin: Optional[TextIO],
                 stdout: Optional[TextIO]) -> None:
        self._connection = connection
        self._stdin = stdin
        self._stdout = stdout
        self._records: "queue.Queue[Optional[Json]]" = queue.Queue()
        self._sessions: Dict[Tuple[int, int], _Session] = {}
        self._waiting: List[_Session] = []
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name="nopdb-debugger")
        self._thread.start()

    def take(self, record: Json) -> None:
        """A debug record; on the reading thread."""
        self._records.put(record)

    def close(self) -> None:
        """Nothing more comes."""
        self._records.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(1)  # it may wait for a line that nobody types

    def _run(self) -> None:
        while True:
            record = self._records.get()
            if record is None:
                return
            self._handle(record)
            while self._waiting and self._records.empty() and self._asks():
                self._answer(self._waiting[0])

    def _asks(self) -> bool:
        return self._waiting[0].held.endswith(PROMPT)

    def _handle(self, record: Json) -> None:
        key = int(record.get("probe", 0)), int(record.get("session", 0))
        state = record.get("state")
        if state == "open":
            session = self._sessions[key] = _Session(*key)
            self._waiting.append(session)
            return
        found = self._sessions.get(key)
        if found is None:
            return
        if state == "output":
            found.held += str(record.get("text", ""))
        elif state == "closed":
            del self._sessions[key]
            found.over = True
        first = self._waiting[0]
        if found is first:
            self._show(first)
        if found.over:
            self._waiting.remove(found)
            if found is first and self._waiting:
                self._show(self._waiting[0])

    def _show(self, session: _Session) -> None:
        """Writes what it said, but for the prompt."""
        text, session.held = session.held, ""
        if text.endswith(PROMPT):
            text, session.held = text[:-len(PROMPT)], PROMPT
        out = self._stdout or sys.stdout
        out.write(text)
        out.flush()

    def _line(self) -> str:
        """A line with its end; "" at the end of the input."""
        if self._stdin is None and sys.stdin and sys.stdin.isatty():
            try:
                return input(PROMPT) + "\n"
            except EOFError:
                return ""
        out, source = self._stdout or sys.stdout, self._stdin or sys.stdin
        out.write(PROMPT)
        out.flush()
        return source.readline() if source else ""

    def _answer(self, session: _Session) -> None:
        session.held = ""
        params: Dict[str, Any] = {"probe": session.probe,
                                  "session": session.number}
        try:
            line = self._line()
            if line:
                params["text"] = line.rstrip("\n")
        except (OSError, ValueError):
            pass  # stdin is closed: its end
        try:
            self._connection.call("debug.input", **params)
        except NopdbError:
            pass  # the session ended meanwhile: the program goes on
