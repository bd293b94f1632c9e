"""Whether a thing is there: `online` by itself, `offline` by itself or by its last will."""

from typing import Any, Literal

from streams import clock, envelope
from streams.topics import Topics
from streams.transports import Message

State = Literal["online", "offline"]


def status_message(
    thing: str,
    state: State,
    *,
    ts_ms: int | None = None,
    expires_in_s: float | None = None,
    paused: bool | None = None,
    rolled_back_from: str | None = None,
) -> dict[str, Any]:
    """The message `lensracer.status/1`.

    ts_ms: wall time of this moment; None in a last will, which the broker publishes at a time nobody knew.
    expires_in_s: how long the word holds, for transports that have no last will. paused: whether the thing was told
    to look at no frame; None where it is as ever. rolled_back_from: the version that did not start, in whose place the
    last good one runs.
    """
    message: dict[str, Any] = {"schema": envelope.STATUS, "thing": thing, "state": state}
    if ts_ms is not None:
        message |= {"ts": clock.utc(ts_ms), "ts_ms": ts_ms, "boot_id": clock.boot_id()}
    if expires_in_s is not None:
        message["expires_in_s"] = expires_in_s
    if paused is not None:
        message["paused"] = paused
    if rolled_back_from is not None:
        message["rolled_back_from"] = rolled_back_from
    return message


def will(thing: str) -> Message:
    """What the broker says of a thing that has gone without a word: offline, retained, with no time in it."""
    return Message(
        Topics(thing).status, envelope.encode(status_message(thing, "offline")), qos=1, retain=True
    )


def birth(thing: str, *, expires_in_s: float | None = None, rolled_back_from: str | None = None) -> Message:
    """What a thing says of itself at every connect: online, retained, now."""
    said = status_message(
        thing,
        "online",
        ts_ms=clock.wall_ms(),
        expires_in_s=expires_in_s,
        rolled_back_from=rolled_back_from,
    )
    return Message(Topics(thing).status, envelope.encode(said), qos=1, retain=True)


def farewell(thing: str) -> Message:
    """What a thing says of itself when it ends in good order: offline, retained, now."""
    said = status_message(thing, "offline", ts_ms=clock.wall_ms())
    return Message(Topics(thing).status, envelope.encode(said), qos=1, retain=True)
