"""A command is heard whole and in time, or refused with a reason; junk costs next to nothing."""

import json
from typing import Any

import jsonschema
import pytest

from streams import envelope
from streams import verb as fields
from streams.commands import HOLDS_S, MOST_BYTES, MOST_DEPTH, PARSED_A_SECOND, Command, Commands, Refused
from streams.transports.local import Local
from streams.verb import Verb

PREFIX = "cmd/lensracer/cam-1/"
NOW, WALL_MS = 500.0, 1_795_328_700_000
VERBS = {
    "threshold": Verb("threshold", {"value": fields.number(0, 1)}, required=frozenset({"value"})),
    "pause": Verb("pause"),
    "lines": Verb("lines", {"lines": fields.count(1, 9), "on": fields.flag, "name": fields.text(4)}),
    "manual": Verb("manual", {"seq": fields.count(0, 1 << 40)}, identified=False, immediate=True),
    "stop": Verb("stop", identified=False, immediate=True, anything=True),
}


class Ear:
    """The wire side with what it hands on."""

    def __init__(self, synced: str = "synced") -> None:
        self.taken: list[Command] = []
        self.refused: list[Refused] = []
        self.now = NOW
        self.commands = Commands(
            "cam-1",
            VERBS,
            self.taken.append,
            self.refused.append,
            clock=lambda: self.now,
            wall_ms=lambda: WALL_MS,
            synced=lambda: synced,
        )

    def hear(self, verb: str, payload: Any, *, retained: bool = False) -> str:
        """The reason of a refusal, "" if it was taken."""
        before = self.counts()
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.commands.received(PREFIX + verb, data, retained)
        return next((reason for reason, n in self.counts().items() if n > before.get(reason, 0)), "")

    def counts(self) -> dict[str, int]:
        return dict(self.commands.figures()["refused"])


@pytest.mark.parametrize(
    ("verb", "payload", "reason"),
    [
        ("bogus", {"id": "1"}, "unknown_verb"),
        ("pause", b"", "not_json"),
        ("pause", b"\xff\xfe{}", "not_json"),
        ("pause", b'{"id": "1"', "not_json"),
        ("pause", b"[1]", "not_json"),
        ("pause", b'{"id": "1", "expires_at": NaN}', "not_json"),
        ("pause", b'{"id": "1", "x": ' + b"9" * 5000 + b"}", "not_json"),
        ("pause", b"[" * 8000, "not_json"),
        ("pause", {"id": "1", "x": json.loads("[" * MOST_DEPTH + "]" * MOST_DEPTH)}, "too_deep"),
        ("pause", b" " * (MOST_BYTES + 1), "oversized"),
        ("pause", {}, "no_id"),
        ("pause", {"id": 7}, "no_id"),
        ("pause", {"id": ""}, "no_id"),
        ("pause", {"id": "x" * 129}, "no_id"),
        ("pause", {"id": "a\nb"}, "no_id"),
        ("pause", {"id": "1", "colour": "red"}, "fields"),
        ("pause", {"id": "1", "schema": "lensracer.command/9"}, "fields"),
        ("threshold", {"id": "1"}, "fields"),
        ("threshold", {"id": "1", "value": "0.5"}, "type"),
        ("threshold", {"id": "1", "value": True}, "type"),
        ("threshold", {"id": "1", "value": 1.01}, "type"),
        ("lines", {"id": "1", "lines": 2.5}, "type"),
        ("lines", {"id": "1", "lines": 10}, "type"),
        ("lines", {"id": "1", "on": 1}, "type"),
        ("lines", {"id": "1", "name": "abcde"}, "type"),
        ("pause", {"id": "1", "expires_at": "soon"}, "type"),
        ("pause", {"id": "1", "expires_at": "2026-11-22T06:25:00"}, "type"),
        ("pause", {"id": "1", "expires_at": -1}, "type"),
        ("pause", {"id": "1", "expires_at": WALL_MS}, "expired"),
        ("pause", {"id": "1", "expires_at": WALL_MS // 1000 - 1}, "expired"),
        ("pause", {"id": "1", "expires_at": "2026-11-22T05:00:00Z"}, "expired"),
        ("pause", {"id": "1", "issued_at": WALL_MS + 9000, "expires_at": WALL_MS + 8000}, "expired"),
        ("manual", {"id": "1", "seq": 3}, "fields"),
    ],
)
def test_what_is_no_command_is_refused_for_its_reason(verb: str, payload: Any, reason: str) -> None:
    ear = Ear()
    assert ear.hear(verb, payload) == reason
    assert not ear.taken
    answerable = reason in ("unknown_verb", "fields", "type", "expired", "too_deep") and verb != "manual"
    assert [each.id for each in ear.refused] == (["1"] if answerable and reason != "too_deep" else [])


def test_a_retained_command_is_refused_and_not_answered() -> None:
    ear = Ear()
    assert ear.hear("pause", {"id": "1"}, retained=True) == "retained"
    assert ear.hear("stop", b"", retained=True) == "retained"
    assert not ear.taken
    assert not ear.refused


@pytest.mark.parametrize(
    ("synced", "given", "holds"),
    [
        ("synced", {}, HOLDS_S),
        ("synced", {"expires_at": WALL_MS + 5000}, 5.0),
        ("synced", {"expires_at": WALL_MS / 1000 + 5}, 5.0),
        ("synced", {"expires_at": "2026-11-22T07:25:05+01:00"}, 5.0),
        ("synced", {"issued_at": None, "expires_at": None}, HOLDS_S),
        ("unknown", {"expires_at": WALL_MS + 5000}, 5.0),
        # The device's clock is a year late: what counts is how long the command was to hold, from its arrival.
        ("unsynced", {"issued_at": WALL_MS + 3e10, "expires_at": WALL_MS + 3e10 + 5000}, 5.0),
        ("unsynced", {"issued_at": WALL_MS + 3e10, "expires_at": WALL_MS + 6e10}, HOLDS_S),
        ("unsynced", {"expires_at": WALL_MS + 3e10}, HOLDS_S),
    ],
)
def test_a_command_holds_as_long_as_it_says(synced: str, given: dict[str, Any], holds: float) -> None:
    ear = Ear(synced)
    assert ear.hear("pause", {"id": "1", **given}) == ""
    assert ear.taken[0].deadline - NOW == pytest.approx(holds, abs=0.01)


def test_a_clock_that_nobody_keeps_still_knows_what_is_over() -> None:
    assert Ear("unsynced").hear("pause", {"id": "1", "expires_at": WALL_MS - 1}) == "expired"


def test_a_verb_may_do_without_id_expiry_and_json() -> None:
    ear = Ear()
    assert ear.hear("stop", b"\xff not json") == ""
    assert ear.hear("stop", b"") == ""
    assert ear.hear("manual", {"seq": 3}) == ""
    assert [command.id for command in ear.taken] == [None] * 3
    assert ear.taken[-1].fields == {"seq": 3}


def test_a_flood_is_counted_and_not_read_and_the_other_verbs_are_heard() -> None:
    ear = Ear()
    for number in range(2000):
        ear.hear("pause", {"id": str(number)})
    for _ in range(300):
        ear.hear("manual", {"seq": 1})
    assert ear.counts()["flood"] == 2000 - PARSED_A_SECOND
    assert ear.hear("threshold", {"id": "1", "value": 0.5}) == ""
    assert sum(command.verb.name == "manual" for command in ear.taken) == 300
    ear.now += 1.0
    assert ear.hear("pause", {"id": "again"}) == ""


def test_it_hears_its_own_topics_and_never_its_answers() -> None:
    ear, transport = Ear(), Local()
    ear.commands.listen(transport)
    transport.start()
    for topic in ("pause", "pause/res", "../cam-2/pause"):
        transport.publish(PREFIX + topic, b'{"id": "1"}', 1)
    transport.publish("cmd/lensracer/cam-2/pause", b'{"id": "1"}', 1)
    assert [command.verb.name for command in ear.taken] == ["pause"]
    assert not ear.refused


@pytest.mark.parametrize("name", ["lensracer.command/1", "lensracer.answer/1"])
def test_a_schema_that_was_published_stays_as_it_was(name: str, repository: Any) -> None:
    schema = envelope.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    kept = repository / "tests/data" / f"{name.replace('/', '.')}.json"
    assert schema == json.loads(kept.read_text())
