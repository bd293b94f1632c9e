"""The state of things in words: what is going on, or what is missing and what to do about it."""

import dataclasses
from typing import Literal

from edge.console.record import View

QUIET = 3.0  # seconds without a message, and without a new picture, after which frames are missed

Kind = Literal["good", "waiting", "bad"]


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """kind: how it is marked. headline: a few words, which change rarely. detail: a sentence or two."""

    kind: Kind
    headline: str
    detail: str


@dataclasses.dataclass(frozen=True, slots=True)
class Pictures:
    """How the pictures of a source fare. moved_at: monotonic seconds of the last new one, None for none yet.

    trouble: why there are none, as a sentence; "" while they come.
    """

    moved_at: float | None = None
    trouble: str = ""


FEEDS = {
    "opening": State("waiting", "The source is being opened", "Pictures follow as soon as it answers."),
    "stalled": State("bad", "The picture stands still", "The source sends the same picture again and again."),
    "reconnecting": State("bad", "The source is away", "The device keeps trying. Is it plugged in?"),
    "failed": State("bad", "The source failed", "The log says why; “edge devices” lists what is there."),
    "ended": State("waiting", "The source has ended", "The file was played to its end."),
}


def say(view: View, pictures: Pictures, broker: str) -> State:
    """What to say of a view. broker: its address, as it was given (no password in it)."""
    if not view.link.up:
        return of_broker(view, broker)
    if view.last is None:
        return of_silence(view)
    if (quiet := quiet_for(view, pictures)) > QUIET:
        return of_quiet(view, quiet)
    if pictures.trouble:
        return State("waiting", "Messages arrive, pictures do not", pictures.trouble)
    return State("good", "Live", f"{view.last.project} on {view.thing}, source {view.source}.")


def of_broker(view: View, broker: str) -> State:
    reason = view.link.reason or f"Nothing answers at {broker}."
    if view.link.ever:
        return State("bad", "The broker is gone", f"Lost {seconds(view.now - view.link.since)} ago. {reason}")
    hint = "“edge dev” starts one; --broker names another."
    return State("bad", "No broker", f"{reason} {hint}")


def of_silence(view: View) -> State:
    """The broker is there, and the thing has published no result yet."""
    if view.presence.state == "online":
        return feed_state(view) or State(
            "waiting",
            "No results yet",
            f"{view.thing} is online. It may still be loading its model, or wait for its camera.",
        )
    if view.presence.state == "offline":
        return State("bad", "Offline", f"{view.thing} is offline. Start it with “edge run PROJECT”.")
    others = f" Others are here: {', '.join(view.others)}." if view.others else ""
    return State("waiting", "Nobody publishes", f"Nothing has come from {view.thing} yet.{others}")


def of_quiet(view: View, quiet: float) -> State:
    """There were results, and now there are neither results nor pictures."""
    since = f"The last one came {seconds(quiet)} ago."
    if view.presence.state == "offline":
        return State("bad", "Offline", f"{view.thing} is offline. {since}")
    if told := feed_state(view):
        return State(told.kind, told.headline, f"{told.detail} {since}")
    return State("bad", "No frames", f"No frames for {seconds(quiet)}: neither results nor pictures come.")


def feed_state(view: View) -> State | None:
    return FEEDS.get(view.presence.feeds.get(view.source, ""))


def quiet_for(view: View, pictures: Pictures) -> float:
    """Seconds since anything moved: who publishes on change is silent while the pictures move."""
    moments = [view.last.arrived_at] if view.last else []
    if pictures.moved_at is not None:
        moments.append(pictures.moved_at)
    return view.now - max(moments) if moments else 0.0


def seconds(amount: float) -> str:
    """A span as people say it: "7 s", "3 min", "2 h"."""
    if amount < 100:
        return f"{amount:.0f} s"
    return f"{amount / 60:.0f} min" if amount < 6000 else f"{amount / 3600:.0f} h"
