"""One case measured and judged, and the geometric means of several."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from case import FASTEST, Case, Target
from rounds import interleaved

OURS = "ours"


class Judged(NamedTuple):
    """A target and what was reached; ratios, the other's time by ours. held_in: so many of all runs."""

    against: str
    at_least: float
    got: float
    held: bool
    held_in: int
    runs: int = 1


@dataclass(frozen=True)
class Row:
    """Times in microseconds, medians."""

    case: str
    level: str
    ours_us: float
    peers: Mapping[str, float]
    agrees: bool
    targets: tuple[Judged, ...]
    controls: Mapping[str, float]
    absent: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """The row as the report has it."""
        return {
            "case": self.case,
            "level": self.level,
            "ours_us": round(self.ours_us, 2),
            "peers": {name: round(time, 2) for name, time in self.peers.items()},
            "controls": {name: round(time, 2) for name, time in self.controls.items()},
            "absent": list(self.absent),
            "agrees": self.agrees,
            "targets": [judged._asdict() for judged in self.targets],
        }


def measured(case: Case, level: str, rounds: int) -> Row:
    """Outputs first, then times."""
    agrees = bool(case.agrees())
    times = interleaved({OURS: case.ours, **case.peers, **case.controls}, rounds, case.before)
    for name, work in case.apart.items():
        times[name] = interleaved({OURS: case.ours, name: work}, rounds, case.before)[name]
    micro = {name: time * 1e6 for name, time in times.items()}
    peers = {name: micro[name] for name in (*case.peers, *case.apart)}
    controls = {name: micro[name] for name in case.controls}
    judged = _judged(case.targets, level, micro[OURS], peers | controls, peers)
    return Row(case.name, level, micro[OURS], peers, agrees, judged, controls, case.absent)


def means(
    done: Sequence[tuple[Case, Row]], targets: Mapping[str, tuple[Target, ...]], level: str
) -> list[Row]:
    """A row `mean:<name>` for each geometric mean that cases belong to."""
    rows = []
    for name, wanted in targets.items():
        members = [row for case, row in done if case.mean == name]
        if members:
            ours = _geometric([row.ours_us for row in members])
            shared = set.intersection(*(set(row.peers) for row in members))
            peers = {peer: _geometric([row.peers[peer] for row in members]) for peer in sorted(shared)}
            peers[FASTEST] = _geometric([min(row.peers.values()) for row in members])
            agrees = all(row.agrees for row in members)
            judged = _judged(wanted, level, ours, peers, {FASTEST: peers[FASTEST]})
            rows.append(Row(f"mean:{name}", level, ours, peers, agrees, judged, {}))
    return rows


def _judged(
    targets: Sequence[Target], level: str, ours: float, times: Mapping[str, float], peers: Mapping[str, float]
) -> tuple[Judged, ...]:
    judged = []
    for target in targets:
        at_least = target.at_least(level)
        if at_least is not None:
            other = min(peers.values()) if target.against == FASTEST else times[target.against]
            got = other / ours
            held = got >= at_least
            judged.append(Judged(target.against, round(at_least, 3), round(got, 3), held, int(held)))
    return tuple(judged)


def _geometric(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))
