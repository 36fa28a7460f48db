# SPDX-License-Identifier: MIT
"""Callbacks of breakpoints, called here, on a thread of their own."""
import queue
import threading
from typing import Any, Callable, List, Optional

from .records import Hit

Callback = Callable[[Hit], Any]


class Caller:
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
