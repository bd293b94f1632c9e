"""The report of a replay: schema `lensracer.report/1` as of any run, with what the comparison found under `replay`."""

from pathlib import Path

from edge import report
from edge.ending import Ending
from edge.memory import Growth
from edge.replay import Outcome
from edge.report import Traffic, check

__all__ = ["check", "write"]


def write(outcome: Outcome, code: int, path: Path) -> None:
    """Raises OSError."""
    told = outcome.told
    content = report.report(
        tally=outcome.tally,
        growth=Growth(),
        feeds={},
        traffic=Traffic(),
        model=told["model"],
        project=told["project"],
        hook={},
        swaps={},
        seconds=outcome.seconds,
        ending=Ending(code, None if outcome.same else "the replay differs from the recording"),
    )
    report.write({**content, "replay": told}, path)
