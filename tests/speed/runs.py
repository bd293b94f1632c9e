"""What several runs of the bench say together: a target is held that was held in most of them, two of three."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from measure import Judged, Row


def over_runs(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """The rows of the first run, each with the medians of its times and the judgement of all runs."""
    later = [{row.case: row for row in rows} for rows in runs[1:]]
    return [_together([first, *(rows[first.case] for rows in later)]) for first in runs[0]]


def _together(rows: Sequence[Row]) -> Row:
    return replace(
        rows[0],
        ours_us=median(row.ours_us for row in rows),
        peers=_medians([row.peers for row in rows]),
        controls=_medians([row.controls for row in rows]),
        agrees=all(row.agrees for row in rows),
        targets=tuple(_judged(each) for each in zip(*(row.targets for row in rows), strict=True)),
    )


def _medians(times: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in times) for name in times[0]}


def _judged(each: Sequence[Judged]) -> Judged:
    held = sum(judged.held for judged in each)
    return each[0]._replace(
        got=median(judged.got for judged in each),
        held=2 * held > len(each),
        held_in=held,
        runs=len(each),
    )
