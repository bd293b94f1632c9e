"""What the system tells of this process and of the machine it is on; None or nothing where it does not tell."""

import contextlib
import os
import time
from pathlib import Path

from edge.memory import resident_bytes

ZONES = Path("/sys/class/thermal")
MOST_ZONES = 32
MILLI = 1000.0


def temperatures(zones: Path = ZONES) -> dict[str, float]:
    """Degrees Celsius by the kernel's name of each place that is measured; of two with one name the hotter."""
    found: dict[str, float] = {}
    for zone in sorted(zones.glob("thermal_zone*"))[:MOST_ZONES]:
        with contextlib.suppress(OSError, ValueError):
            name, degrees = (zone / "type").read_text().strip(), int((zone / "temp").read_text()) / MILLI
            found[name] = max(degrees, found.get(name, degrees))
    return found


class Usage:
    """How much of the processor this process takes, from one question to the next. One asker only."""

    def __init__(self) -> None:
        self._asked = time.monotonic(), time.process_time()

    def figures(self) -> dict[str, float | int | None]:
        """cpu_seconds: since the start; cpu_share: of all processors, 0 to 1, since the last question; rss_bytes;
        temperature_c: of the hottest place."""
        (then, used_then), self._asked = self._asked, (time.monotonic(), time.process_time())
        now, used = self._asked
        most = (now - then) * (os.cpu_count() or 1)
        hot = temperatures()
        return {
            "cpu_seconds": round(used, 2),
            "cpu_share": round(min(1.0, (used - used_then) / most), 4) if most > 0 else None,
            "rss_bytes": resident_bytes(),
            "temperature_c": round(max(hot.values()), 1) if hot else None,
        }
