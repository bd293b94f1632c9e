"""The message `lensracer.answer/1`."""

from collections.abc import Mapping
from typing import Any

from streams import clock as wall
from streams import envelope

ANSWER = "lensracer.answer/1"
BESIDE = 640  # bytes that an answer takes at most beside its result and its error: names, id and times
LONGEST_ERROR = 600  # characters


def done(thing: str, verb: str, id: str, now: float, result: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """now: monotonic seconds of this moment."""
    told = {key: value for key, value in result.items() if key != "truncated"}
    cut = {"truncated": True} if result.get("truncated") else {}
    return {**head(thing, verb, id, "done"), "result": told, **cut, **times(now)}


def unable(
    thing: str,
    verb: str,
    id: str,  # noqa: A002
    now: float,
    *,
    outcome: str,
    cause: str,
    error: str,
) -> dict[str, Any]:
    """outcome: refused or failed."""
    told = {"cause": cause, "error": error[:LONGEST_ERROR]}
    return {**head(thing, verb, id, outcome), **told, **times(now)}


def head(thing: str, verb: str, id: str, outcome: str) -> dict[str, Any]:  # noqa: A002
    return {"schema": ANSWER, "thing": thing, "verb": verb, "id": id, "outcome": outcome}


def times(now: float) -> dict[str, Any]:
    return envelope.times(now, wall.wall_ms(), now)
