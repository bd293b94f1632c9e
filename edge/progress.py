"""One line on a terminal that tells how far a run is; nothing at all where nobody watches."""

import sys
from typing import TextIO

CLEAR = "\r\x1b[K"  # to the start of the line, and wipe it
EVERY = 0.5  # seconds


class Progress:
    """Shows a text in place on a terminal, at most twice a second. now: monotonic seconds."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._shown_at = float("-inf")
        self.watched = self._out.isatty()

    def due(self, now: float) -> bool:
        """Whether a new text would be shown now."""
        return self.watched and now - self._shown_at >= EVERY

    def show(self, text: str, now: float) -> None:
        self._shown_at = now
        self._out.write(CLEAR + text)
        self._out.flush()

    def clear(self) -> None:
        """Leave the line to others."""
        if self.watched:
            self._out.write(CLEAR)
            self._out.flush()
