"""What the console has seen so far: the connection, who is there, and the last messages of each source."""

import collections
import dataclasses
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.console.sighting import STAGES, Sighting, Unreadable, inner, mapping_of, read, text
from streams.errors import TopicInvalid
from streams.topics import DATA, check_source

KEPT = 200  # messages of a source
MOST_SOURCES = 32  # a stranger must not fill our memory with names
WINDOW = 5.0  # seconds over which rates and medians are taken
ROWS = 15
LONGEST_REASON = 300  # characters


@dataclasses.dataclass(frozen=True, slots=True)
class Presence:
    """What the thing last said of itself.

    state: "online", "offline", "" for nothing yet. since: monotonic seconds at which it said so.
    kernels: which are used, "" where it does not tell. feeds: the state of each source ("running", ...).
    """

    state: str = ""
    since: float = 0.0
    kernels: str = ""
    feeds: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """The connection to the broker. since: monotonic seconds. ever: whether there has been one."""

    up: bool
    reason: str
    since: float
    ever: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """One moment of one source, for a page to show. Rates are per second, latencies medians, in ms."""

    now: float
    thing: str
    source: str
    sources: tuple[str, ...]
    others: tuple[str, ...]
    link: Link
    presence: Presence
    last: Sighting | None
    messages_per_s: float | None
    frames_per_s: float | None
    latency_ms: Mapping[str, float]
    rows: tuple[Sighting, ...]
    unreadable: str


class Record:
    """Written by the transport's threads, read by the pages."""

    def __init__(self, thing: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.thing = thing
        self._clock = clock
        self._lock = threading.Lock()
        self._link = Link(up=False, reason="", since=clock())
        self._presence = Presence()
        self._seen: dict[str, collections.deque[Sighting]] = {}
        self._others: set[str] = set()
        self._unreadable = ""

    @property
    def filters(self) -> tuple[str, ...]:
        """What must be subscribed for the record to be complete."""
        own = f"{DATA}/{self.thing}"
        return f"{own}/+/infer", f"{own}/health", f"{DATA}/+/status"

    def link(self, up: bool, reason: str) -> None:
        """The connection to the broker came (up) or went, and why."""
        with self._lock:
            ever = self._link.ever or up
            changed = up != self._link.up
            since = self._clock() if changed else self._link.since
            self._link = Link(up, text(reason, LONGEST_REASON), since, ever)

    def message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message of one of `filters` arrived. Whatever it holds, this does not raise."""
        thing, _, rest = topic.removeprefix(f"{DATA}/").partition("/")
        try:
            if rest == "status":
                self._note_presence(thing, payload)
            elif thing == self.thing and rest == "health":
                self._note_health(mapping_of(payload))
            elif thing == self.thing and rest.endswith("/infer"):
                self._note_sighting(rest.removesuffix("/infer"), payload)
        except (Unreadable, TopicInvalid) as error:
            with self._lock:
                self._unreadable = f"A message on {text(topic)} could not be read: {error}"

    def view(self, source: str | None) -> View:
        """What to show of `source` now; None, or a name nobody publishes as, takes the first one there is."""
        with self._lock:
            now = self._clock()
            sources = tuple(dict.fromkeys([*self._seen, *self._presence.feeds]))
            chosen = source if source in sources else next(iter(sources), "")
            kept = list(self._seen.get(chosen, ()))
            recent = [one for one in kept if now - one.arrived_at <= WINDOW]
            return View(
                now=now,
                thing=self.thing,
                source=chosen,
                sources=sources,
                others=tuple(sorted(self._others)),
                link=self._link,
                presence=self._presence,
                last=kept[-1] if kept else None,
                messages_per_s=rate([one.arrived_at for one in recent]),
                frames_per_s=frame_rate(recent),
                latency_ms=medians(recent),
                rows=tuple(reversed(kept[-ROWS:])),
                unreadable=self._unreadable,
            )

    def _note_presence(self, thing: str, payload: bytes) -> None:
        status = mapping_of(payload)
        state, kernels = text(status.get("state")), kernels_in(status)
        with self._lock:
            if thing == self.thing:
                kernels = kernels or self._presence.kernels
                self._presence = Presence(state, self._clock(), kernels, self._presence.feeds)
            elif len(self._others) < MOST_SOURCES:
                self._others.add(text(thing))

    def _note_health(self, health: Mapping[str, Any]) -> None:
        sources = inner(health, "sources")
        names = [check_source(name) for name in list(sources)[:MOST_SOURCES]]
        feeds = {name: text(inner(sources, name).get("state")) for name in names}
        kernels = kernels_in(health)
        with self._lock:
            kernels = kernels or self._presence.kernels
            self._presence = dataclasses.replace(self._presence, kernels=kernels, feeds=feeds)

    def _note_sighting(self, source: str, payload: bytes) -> None:
        check_source(source)
        sighting = read(source, payload, self._clock())
        with self._lock:
            if source not in self._seen and len(self._seen) >= MOST_SOURCES:
                return
            self._seen.setdefault(source, collections.deque(maxlen=KEPT)).append(sighting)


def kernels_in(message: Mapping[str, Any]) -> str:
    """Which kernels a message names, where it names any."""
    kernels = inner(message, "kernels")
    return " ".join(text(kernels[key]) for key in ("implementation", "level") if key in kernels)


def rate(moments: list[float]) -> float | None:
    """How many a second, from the moments (seconds) of each; None when they are too few to tell."""
    if len(moments) < 3 or moments[-1] <= moments[0]:
        return None
    return (len(moments) - 1) / (moments[-1] - moments[0])


def frame_rate(sightings: list[Sighting]) -> float | None:
    """Frames a second by the frames' numbers and the device's own clock, since its last start."""
    if not sightings:
        return None
    points = [
        (one.frame, one.mono_ms)
        for one in sightings
        if one.boot_id == sightings[-1].boot_id and one.frame is not None and one.mono_ms is not None
    ]
    restart = max((i for i in range(1, len(points)) if points[i][0] <= points[i - 1][0]), default=0)
    points = points[restart:]
    if len(points) < 3 or points[-1][1] <= points[0][1]:
        return None
    return (points[-1][0] - points[0][0]) * 1000.0 / (points[-1][1] - points[0][1])


def medians(sightings: list[Sighting]) -> dict[str, float]:
    """The median of each stage and of the age, milliseconds."""
    found = {name: [one.latency_ms[name] for one in sightings if name in one.latency_ms] for name in STAGES}
    found["age"] = [one.age_ms for one in sightings if one.age_ms is not None]
    return {name: statistics.median(values) for name, values in found.items() if values}
