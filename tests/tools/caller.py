"""Sends commands to a thing, by another hand's MQTT client, and waits for their answers."""

import itertools
import json
from typing import Any

import jsonschema
from witness import Heard, Witness

from streams.envelope import schema


class Caller:
    """Over a witness that hears everything. Each answer is checked against its schema and its topic."""

    def __init__(self, present: Witness, thing: str = "cam-1") -> None:
        self.present, self.thing = present, thing
        self._numbers = itertools.count(1)

    def ask(self, verb: str, timeout: float = 20.0, **given: Any) -> dict[str, Any]:
        """Send a command, with an id of its own unless one is given; its answer."""
        named = given.setdefault("id", f"{verb}-{next(self._numbers)}")
        before = len(self.answers(named))
        self.send(verb, json.dumps(given).encode())
        return self.wait(named, before + 1, timeout)[-1]

    def send(self, verb: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        self.present.publish(f"cmd/lensracer/{self.thing}/{verb}", payload, qos, retain=retain)

    def wait(self, named: str, count: int = 1, timeout: float = 20.0) -> list[dict[str, Any]]:
        """The answers to an id, when there are so many."""
        self.present.wait_for(lambda _: len(self.answers(named)) >= count, timeout)
        return self.answers(named)

    def answers(self, named: str | None = None) -> list[dict[str, Any]]:
        heard = [read(each) for each in list(self.present.heard) if each.topic.endswith("/res")]
        return [answer for answer in heard if named in (None, answer["id"])]


def read(heard: Heard) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(heard.payload)
    jsonschema.validate(answer, schema("lensracer.answer/1"))
    assert heard.topic == f"cmd/lensracer/{answer['thing']}/{answer['verb']}/res"
    return answer
