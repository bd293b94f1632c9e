"""Messages as lines of JSON on the standard output, without the loop ever waiting for whoever reads them."""

import collections
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from streams.envelope import dumps

MOST_WAITING = 10_000  # messages; a reader that is slower than that misses the oldest


class Printer:
    """Writes on a thread of its own. What a slow reader misses is counted in `missed`."""

    def __init__(self, out: TextIO = sys.stdout, most_waiting: int = MOST_WAITING) -> None:
        self._out = out
        self._waiting: collections.deque[Mapping[str, Any]] = collections.deque(maxlen=most_waiting)
        self._news = threading.Condition()
        self._closed = False
        self.missed = 0
        self._thread = threading.Thread(target=self._write, name="printer", daemon=True)
        self._thread.start()

    def put(self, message: Mapping[str, Any]) -> None:
        with self._news:
            self.missed += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(message)
            self._news.notify()

    def close(self, timeout: float = 2.0) -> None:
        """Write what waits, for at most `timeout` seconds."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join(timeout)

    def _write(self) -> None:
        while (message := self._next()) is not None:
            try:
                self._out.write(dumps(message).decode() + "\n")
                if not self._waiting:
                    self._out.flush()
            except Exception:  # the reader has gone (`| head`), or a hook made a message no JSON can hold
                self.missed += 1

    def _next(self) -> Mapping[str, Any] | None:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None
