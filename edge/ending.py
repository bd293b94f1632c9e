"""How a run ended: the exit code, and the sentence where that is not 0."""

import dataclasses
from collections.abc import Iterable

from edge.exits import FAILED, GOOD, INTERRUPTED, code_of
from edge.signals import Signals
from streams.feed import FeedStatus


@dataclasses.dataclass(frozen=True)
class Ending:
    """An exit code, and a sentence if something went wrong."""

    code: int
    error: str | None = None


def ending_of(feeds: Iterable[FeedStatus], frames: int, signals: Signals, undelivered: str | None) -> Ending:
    """Worst first: a source that failed, nothing seen at all, messages that nobody acknowledged, Ctrl-C."""
    failed = next((status for status in feeds if status.state == "failed"), None)
    if failed is not None and failed.error is not None:
        return Ending(code_of(failed.error) or FAILED, str(failed.error))
    if signals:
        return Ending(INTERRUPTED if signals.interrupted else GOOD, undelivered)
    if frames == 0:
        return Ending(FAILED, "no frame was inferred: the source ended before a single picture could be used")
    if undelivered is not None:
        return Ending(FAILED, undelivered)
    return Ending(GOOD)
