"""Whether a run does what it is there for: a model that answers fresh pictures, and messages that are accepted.

A source that is missing while another gives pictures, and a spool that is nearly full, are told as `degraded`.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from edge import redaction
from edge.build import Runtime
from edge.tally import Tally
from streams.sinks.answer import Answer

FRESH_S = 10.0  # the newest answer may be so old, or three pictures of a source that is slower
PICTURES = 3
STANDING_S = 5.0  # a loop that has not looked for a picture for so long
NEARLY_FULL = 0.9  # of spool.max_bytes


class Verdict(NamedTuple):
    """missing: what keeps the run from being ready, degraded: what does not; each a sentence's worth of words."""

    missing: list[str]
    degraded: list[str]

    @property
    def ready(self) -> bool:
        return not self.missing


class Readiness:
    """Asked on any thread. stepped_at: monotonic seconds of the loop's last look for a picture. paused: whether
    somebody told the loop to rest."""

    def __init__(
        self,
        runtime: Runtime,
        tally: Tally,
        *,
        stepped_at: Callable[[], float],
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._runtime, self._tally = runtime, tally
        self._stepped_at, self._paused = stepped_at, paused

    def verdict(self) -> Verdict:
        absent = self._absent()
        all_absent = len(absent) == len(self._runtime.feeds)
        missing = [*self._loop(), *(absent if all_absent else self._fresh()), *self._outputs()]
        return Verdict(missing, [*([] if all_absent else absent), *self._room()])

    def answer(self) -> Answer:
        """What `/readyz` says."""
        verdict = self.verdict()
        told = {"ready": verdict.ready, "missing": verdict.missing, "degraded": verdict.degraded}
        body = redaction.hide(json.dumps(told, ensure_ascii=False))
        return Answer(200 if verdict.ready else 503, "application/json", f"{body}\n".encode())

    def _loop(self) -> list[str]:
        if self._paused():
            return ["the loop is paused, by a command"]
        stands = self._runtime.clock() - self._stepped_at()
        return [f"the loop has stood still for {stands:.0f} s"] if stands > STANDING_S else []

    def _absent(self) -> list[str]:
        """The sources that give no pictures now, each with the reason."""
        told = []
        for name, feed in self._runtime.feeds.items():
            status = feed.status()
            if status.state != "running":
                why = status.error or status.describes
                told.append(f"source {name} gives no pictures ({status.state}): {why}")
        return told

    def _fresh(self) -> list[str]:
        if self._paused():
            return []
        if not self._tally.frames:
            return ["the model has not answered a picture yet"]
        age = self._runtime.clock() - self._tally.answered_at
        return [f"the newest answer is {age:.0f} s old"] if age > self._patience() else []

    def _patience(self) -> float:
        slowest = min((source.rate or 1.0 for source in self._runtime.config.sources.values()), default=1.0)
        return max(FRESH_S, PICTURES / slowest)

    def _outputs(self) -> list[str]:
        runtime = self._runtime
        told = (
            [] if runtime.transport.connected else [f"messages are not accepted: {runtime.transport.reason}"]
        )
        if runtime.spool.status().refused:
            told.append("the disk takes no messages: they wait in memory, and end with the process")
        return told

    def _room(self) -> list[str]:
        taken, most = self._runtime.spool.status().bytes, self._runtime.config.spool.max_bytes
        return [f"the spool is full to {taken / most:.0%}"] if taken > NEARLY_FULL * most else []
