"""How often the component may end itself: three ends within an hour, and both nuclei give it up as broken."""

import json
from collections.abc import Callable
from pathlib import Path

from streams import clock as wall

FILE = "ends.json"
MOST, WITHIN_S = 2, 3600.0


class Allowance:
    """Remembers its ends in a file, since each of them is a process' last act. wall_ms: wall time in milliseconds."""

    def __init__(self, work: Path, wall_ms: Callable[[], int] = wall.wall_ms) -> None:
        self._file, self._wall_ms = work / FILE, wall_ms

    def take(self) -> bool:
        """Whether it may end now; it is counted then."""
        now = self._wall_ms()
        recent = [at for at in self._read() if 0 <= now - at < WITHIN_S * 1000]
        if len(recent) >= MOST:
            return False
        try:
            self._file.write_text(json.dumps([*recent, now]))
        except OSError:
            return False  # uncounted ends could be one too many
        return True

    def _read(self) -> list[int]:
        try:
            return [int(at) for at in json.loads(self._file.read_text())]
        except (OSError, ValueError, TypeError):
            return []
