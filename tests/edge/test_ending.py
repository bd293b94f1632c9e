"""Exit codes are true: the worst that happened decides, and comes with a sentence."""

import signal

import pytest

from edge.ending import Ending, ending_of
from edge.signals import Signals
from streams.errors import SourceError, SourceInvalid, SourceNotFound, SourceUnavailable
from streams.feed import FeedStatus


def status(error: SourceError | None = None) -> FeedStatus:
    return FeedStatus("failed" if error else "ended", 5, 0, 0, 0, 0, 0, error, None, "a clip")


def signalled(number: int | None) -> Signals:
    signals = Signals()
    signals.number = number
    return signals


def test_a_run_with_frames_and_nothing_lost_is_good() -> None:
    assert ending_of([status()], 5, signalled(None), None) == Ending(0)


@pytest.mark.parametrize(
    ("error", "code"),
    [(SourceInvalid("no video"), 2), (SourceNotFound("gone"), 2), (SourceUnavailable("away"), 1)],
)
def test_a_source_that_failed_decides_and_says_why(error: SourceError, code: int) -> None:
    assert ending_of([status(), status(error)], 5, signalled(None), "3 were lost") == Ending(code, str(error))


def test_messages_that_nobody_acknowledged_are_a_failure() -> None:
    assert ending_of([status()], 5, signalled(None), "3 were lost") == Ending(1, "3 were lost")


def test_a_run_that_saw_nothing_is_a_failure() -> None:
    ending = ending_of([status()], 0, signalled(None), None)
    assert ending.code == 1
    assert ending.error is not None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_a_run_whatever_it_has_seen(number: int, code: int) -> None:
    assert ending_of([status()], 0, signalled(number), None) == Ending(code)
