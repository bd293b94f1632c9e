"""How a run fares, gathered for everybody who asks: the health message, the probes, the metrics, systemd."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from edge.build import Runtime
from edge.connection import Connection
from edge.machine import Usage
from edge.notify import Progress
from edge.readiness import Readiness
from edge.tally import Tally
from streams import clock as wall
from streams.errors import LedgerDamaged
from streams.ledger import look
from streams.spool import SpoolStatus

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0  # seconds: the spool's file is not asked more often


class Vitals:
    """Of one run; asked on any thread, and costing the loop nothing.

    swaps: figures of `edge.swap.Swaps`. line: the run in one line. stepped_at, paused: see edge.readiness.Readiness.
    """

    def __init__(
        self,
        runtime: Runtime,
        tally: Tally,
        *,
        swaps: Callable[[], Mapping[str, Any]],
        line: Callable[[], str],
        stepped_at: Callable[[], float],
    ) -> None:
        self.runtime, self.tally, self.swaps = runtime, tally, swaps
        self.began = runtime.clock()
        self.connection = Connection(runtime.transport, runtime.clock)
        self.usage = Usage()
        self.stepped_at, self._line = stepped_at, line
        self.readiness = Readiness(runtime, tally, stepped_at=stepped_at, paused=self._paused)
        self._oldest: tuple[float, float | None] = float("-inf"), None

    def _paused(self) -> bool:
        return self.runtime.interlude.paused

    def progress(self) -> Progress:
        """For edge.notify."""
        tally, names = self.tally, list(self.runtime.feeds)
        came = sum(feed.status().captured for feed in self.runtime.feeds.values())
        answered = sum(tally.inferred[name] for name in names)
        skipped = sum(tally.stale[name] + tally.skipped[name] for name in names)
        return Progress(self.stepped_at(), came, answered + skipped, answered, self._paused())

    def line(self) -> str:
        """What there is to say, or else how many pictures and messages there were."""
        verdict = self.readiness.verdict()
        return "; ".join([*verdict.missing, *verdict.degraded]) or self._line()

    def figures(self) -> dict[str, Any]:
        """What the health message tells of all this; for the pulse alone, which asks in even intervals."""
        verdict = self.readiness.verdict()
        return {
            "ready": {"ready": verdict.ready, "missing": [*verdict.missing, *verdict.degraded]},
            "spool": self.spool(self.runtime.spool.status()),
            "connection": self.connection.figures(),
            "process": self.usage.figures(),
        }

    def spool(self, status: SpoolStatus) -> dict[str, Any]:
        """Depth, age and wear. oldest_s: None where nothing waits."""
        return {
            "messages": status.left,
            "bytes": status.bytes,
            "oldest_s": self.oldest() if status.left else None,
            **self.runtime.spool.wear.told(),
            "refused": status.refused,
        }

    def oldest(self) -> float | None:
        """Seconds that the oldest message in the file has waited, looked up at most each ten seconds."""
        now, (looked, waited) = self.runtime.clock(), self._oldest
        if now - looked < LOOK_EVERY:
            return waited
        self._oldest = now, self._looked_up()
        return self._oldest[1]

    def _looked_up(self) -> float | None:
        config = self.runtime.config
        try:
            totals = look(config.spool.folder(config.thing)).totals
        except (OSError, LedgerDamaged) as error:
            log.debug("the spool could not be looked at: %s", error)
            return None
        oldest = [total.oldest for total in totals.values() if total.oldest is not None]
        return round(max(0, wall.wall_ms() - min(oldest)) / 1000, 1) if oldest else None
