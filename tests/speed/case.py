"""What the bench measures: one piece of work, done by ours and by every peer, and the ratio that is promised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

FASTEST = "fastest"  # of the peers

Work = Callable[[], object]


@dataclass(frozen=True)
class Target:
    """The time of `against`, a peer, a control or FASTEST, is at least so many times ours.

    best: at the best level of an AVX2 or AVX-512 machine; v2: with EDGE_CPU=v2, the peers capped likewise; None
    where nothing is promised.
    """

    against: str
    best: float | None
    v2: float | None

    def at_least(self, level: str) -> float | None:
        return self.v2 if level == "v2" else self.best


@dataclass(frozen=True)
class Case:
    """ours and peers do the same work; agrees does it once and tells whether the outputs are the same.

    controls: timed too, but no peers: a read of the input, a copy of it.
    mean: names the geometric mean that the case belongs to; each module of cases has their targets in MEANS.
    before: runs ahead of every sample, untimed: it writes the input again, as a camera would, so that everybody
        finds it in the same caches.
    apart: peers that would slow all the others, since they leave threads busy behind them or take new memory
        from the system with each call; each is timed in rounds of its own with ours.
    absent: peers that are not installed here, and are no dependency of ours: told, and no failure.
    """

    name: str
    ours: Work
    peers: Mapping[str, Work]
    agrees: Callable[[], bool]
    targets: tuple[Target, ...]
    controls: Mapping[str, Work] = field(default_factory=dict)
    mean: str | None = None
    before: Work | None = None
    apart: Mapping[str, Work] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
