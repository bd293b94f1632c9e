"""What the spool has a disk write: an SD card bears only so much of it."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

KEEP_S = 60.0  # between two times that the totals are kept
IO = Path("/proc/thread-self/io")


def written() -> int | None:
    """Bytes that this thread has had sent to a disk so far, as Linux counts them; None where it does not tell.

    These are whole pages (4096 bytes) of files, each once until it has gone to the disk; files in memory count nothing.
    """
    try:
        lines = dict(line.split(b": ") for line in IO.read_bytes().splitlines())
        return int(lines[b"write_bytes"])
    except (OSError, ValueError, KeyError):
        return None


class Wear:
    """Bytes written and messages taken, of all runs on one state folder. Looked at on the thread that writes.

    noted: the totals of former runs. bytes: None where the system does not tell. clock: monotonic seconds.
    """

    def __init__(self, noted: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self.messages = noted.get("messages", 0)
        self.bytes: int | None = noted.get("written_bytes", 0)
        self._clock = clock
        self._kept, self._kept_at = self.messages, clock()
        self._seen = 0  # of the thread that writes, which does nothing else

    def look(self) -> None:
        """Adds what was written since the last look."""
        now = written()
        if now is None or self.bytes is None:
            self.bytes = None
        else:
            self.bytes += now - self._seen
            self._seen = now

    def due(self, *, at_once: bool) -> dict[str, int] | None:
        """The totals when it is time to keep them, and there is something new."""
        now = self._clock()
        if self.messages == self._kept or not (at_once or now - self._kept_at >= KEEP_S):
            return None
        self.look()
        self._kept, self._kept_at = self.messages, now
        return {"messages": self.messages, "written_bytes": self.bytes or 0}

    def told(self) -> dict[str, int | None]:
        """`written_bytes`, and how many of them for each message."""
        return of(self.messages, self.bytes)


def of(messages: int, total: int | None) -> dict[str, int | None]:
    """The two figures of a device's wear; None where there is nothing to tell."""
    each = None if total is None or messages == 0 else round(total / messages)
    return {"written_bytes": total, "written_bytes_per_message": each}
