"""The newest lines of the log, kept in memory for whoever asks from afar."""

import collections
import logging

from edge.logs import TextFormatter
from edge.redaction import RedactionFilter

MOST_LINES = 500
LONGEST = 1000  # characters of one line


class Logbook(logging.Handler):
    """Remembers what the log tells, without anything secret, from `open` to `close`."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: collections.deque[str] = collections.deque(maxlen=MOST_LINES)
        self.setFormatter(TextFormatter(tracebacks=False))
        self.addFilter(RedactionFilter())

    def open(self) -> None:
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record)[:LONGEST])

    def newest(self, most: int) -> list[str]:
        """The newest lines, the oldest of them first. From any thread."""
        self.acquire()  # a line that comes meanwhile waits
        try:
            return list(self._lines)[-most:]
        finally:
            self.release()

    def close(self) -> None:
        logging.getLogger().removeHandler(self)
        super().close()
