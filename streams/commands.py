"""Commands as they arrive: bounded, checked against what the verbs take, and handed on, or refused for a reason.

    topic    cmd/lensracer/<thing>/<verb>
    payload  {"id": "7f3a", "issued_at": "2026-11-22T06:25:00Z", "expires_at": "2026-11-22T06:25:30Z", ...}

Both times may also be numbers, seconds or milliseconds since 1970, and may be left out: a command without them holds
for HOLDS_S from its arrival. A command that expired is refused. Whether it did is told by the wall clock; while no
time server keeps that, a device's clock may well be slow but hardly fast (it begins where the last run ended), so that
what it calls expired is; anything else then counts its age from its arrival and holds as long as it was to hold when
it was issued, HOLDS_S at most.
"""

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from streams import clock as wall
from streams.tokens import Tokens
from streams.topics import Topics
from streams.transports import Transport
from streams.verb import Verb, shown

log = logging.getLogger(__name__)

COMMAND = "lensracer.command/1"
MOST_BYTES = 16 * 1024
MOST_DEPTH = 8
MOST_ID = 128  # characters
HOLDS_S = 60.0
LONGEST_S = 24 * 3600.0  # no command holds longer, however late it expires
PARSED_A_SECOND = 200.0  # of one verb; more is a flood, and is only counted
MILLISECONDS_FROM = 1e11  # as milliseconds this is 1973, as seconds the year 5138
COMPLAIN_S = 60.0
ENVELOPE = frozenset({"schema", "id", "issued_at", "expires_at"})


class Command(NamedTuple):
    """A command that was good when it arrived. id: None for verbs without. fields: checked, as the verb wants them.

    arrived_at, deadline: monotonic seconds; after the deadline it has expired.
    """

    verb: Verb
    id: str | None
    fields: Mapping[str, Any]
    arrived_at: float
    deadline: float


class Refused(Exception):
    """Why a command is not taken: the reason in a word, and a sentence as the text."""

    def __init__(self, reason: str, sentence: str, verb: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(sentence)
        self.reason, self.verb, self.id = reason, verb, id


class Commands:
    """The ear of one thing. Everything is called on the transport's thread, and is quick.

    take: gets each good command. refuse: gets what was refused and can be answered, since it had an id. clock:
    monotonic seconds. wall_ms, synced: the wall clock, and whether it can be trusted, as in streams.clock.
    """

    def __init__(
        self,
        thing: str,
        verbs: Mapping[str, Verb],
        take: Callable[[Command], None],
        refuse: Callable[[Refused], None],
        *,
        clock: Callable[[], float],
        wall_ms: Callable[[], int] = wall.wall_ms,
        synced: Callable[[], str] = wall.synced,
    ) -> None:
        self._topics = Topics(thing)
        self._prefix = self._topics.command("+")[:-1]
        self._verbs, self._take, self._refuse = verbs, take, refuse
        self._clock, self._wall_ms, self._synced = clock, wall_ms, synced
        self._often = {name: Tokens(PARSED_A_SECOND, PARSED_A_SECOND) for name in (*verbs, "")}
        self._lock = threading.Lock()
        self._taken = 0
        self._refused: Counter[str] = Counter()
        self._complained: dict[str, float] = {}

    def listen(self, transport: Transport) -> None:
        """Subscribe, now and at every connect."""
        transport.subscribe(self._topics.command("+"), self.received)

    def received(self, topic: str, payload: bytes, retained: bool) -> None:
        """One message of the subscription."""
        name, now = topic.removeprefix(self._prefix), self._clock()
        try:
            command = self._checked(name, payload, retained=retained, now=now)
        except Refused as refused:
            refused.verb = name
            self.count(refused.reason, refused)
            if refused.id is not None:
                self._refuse(refused)
            return
        with self._lock:
            self._taken += 1
        self._take(command)

    def count(self, reason: str, sentence: object = None) -> None:
        """Count a refusal, also one that happens later. Its sentence is logged once a minute and reason. Any thread."""
        now = self._clock()
        with self._lock:
            self._refused[reason] += 1
            due = sentence is not None and now - self._complained.get(reason, -COMPLAIN_S) >= COMPLAIN_S
            if due:
                self._complained[reason] = now
        if due:
            log.warning("a command was refused: %s; more of the kind are counted", sentence)

    def figures(self) -> dict[str, Any]:
        """How many were taken, and how many refused, by reason. From any thread."""
        with self._lock:
            return {"taken": self._taken, "refused": dict(self._refused)}

    def _checked(self, name: str, payload: bytes, *, retained: bool, now: float) -> Command:
        verb = self._verbs.get(name)
        if retained:
            raise Refused("retained", f"{shown(name)} was retained by the broker: send it without retain")
        if len(payload) > MOST_BYTES:
            raise Refused("oversized", f"{shown(name)} has {len(payload)} bytes, {MOST_BYTES} are allowed")
        if verb is not None and verb.anything:
            return Command(verb, None, {}, now, now + HOLDS_S)
        if not (verb is not None and verb.immediate) and not self._often[name if verb else ""].take(now):
            raise Refused("flood", f"{shown(name)} came more often than {PARSED_A_SECOND:g} times a second")
        said = parsed(payload)
        id_of = identity(said) if verb is None or verb.identified else None
        try:
            if verb is None:
                raise Refused("unknown_verb", f"{shown(name)} is no verb; there are {', '.join(self._verbs)}")
            deadline = self._deadline(said, now) if verb.identified else now + HOLDS_S
            return Command(verb, id_of, fields_of(verb, said), now, deadline)
        except Refused as refused:
            refused.id = id_of
            raise

    def _deadline(self, said: Mapping[str, Any], now: float) -> float:
        """Until when it holds, monotonic seconds. Raises Refused."""
        issued, expires = (moment_ms(said, key) for key in ("issued_at", "expires_at"))
        if expires is None:
            return now + HOLDS_S
        wall_ms, unsynced = self._wall_ms(), self._synced() == "unsynced"
        if wall_ms >= expires:
            more = "; this device's clock is not synchronised" if unsynced else ""
            raise Refused("expired", f"it expired {(wall_ms - expires) / 1000:.1f} s before it arrived{more}")
        if issued is not None and issued >= expires:
            raise Refused("expired", "it expires before it was issued")
        if not unsynced:
            return now + min(LONGEST_S, (expires - wall_ms) / 1000)
        return now + (HOLDS_S if issued is None else min(HOLDS_S, (expires - issued) / 1000))


def parsed(payload: bytes) -> dict[str, Any]:
    """The object in a payload. Raises Refused."""
    try:
        said = json.loads(payload.decode(), parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise Refused("not_json", f"it is not JSON: {type(error).__name__}") from None
    if not isinstance(said, dict):
        raise Refused("not_json", "it is JSON, but not an object")
    if is_deeper(said, MOST_DEPTH):
        raise Refused("too_deep", f"it is nested deeper than {MOST_DEPTH} levels")
    return said


def no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def is_deeper(value: Any, most: int) -> bool:
    """Whether lists and objects stand in one another more than `most` deep."""
    level = [value]
    for _ in range(most):
        level = [inner for each in level if isinstance(each, dict | list) for inner in inside(each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def identity(said: Mapping[str, Any]) -> str:
    """The command's id. Raises Refused."""
    if "id" not in said:
        raise Refused("no_id", "it has no id, a text that its answer will bear")
    given = said["id"]
    if not isinstance(given, str) or not 0 < len(given) <= MOST_ID or not given.isprintable():
        raise Refused(
            "no_id", f"its id must be a text of 1 to {MOST_ID} printable characters, got {shown(given)}"
        )
    return given


def fields_of(verb: Verb, said: Mapping[str, Any]) -> dict[str, Any]:
    """The verb's own fields, checked. Raises Refused."""
    if said.get("schema", COMMAND) != COMMAND:
        raise Refused("fields", f"schema: expected {COMMAND}, got {shown(said['schema'])}")
    known = verb.fields
    for key in said:
        if key not in known and (key not in ENVELOPE or not verb.identified):
            there = ", ".join(known) or "none of its own"
            raise Refused("fields", f"{shown(key)} is no field of {verb.name}; it has {there}")
    for key in sorted(verb.required - set(said)):
        raise Refused("fields", f"{key} is missing, which {verb.name} needs")
    return {key: checked(verb, key, said[key]) for key in known if key in said}


def checked(verb: Verb, key: str, value: Any) -> Any:
    try:
        return verb.fields[key](value)
    except ValueError as error:
        raise Refused("type", f"{key}: {error}") from None


def moment_ms(said: Mapping[str, Any], key: str) -> float | None:
    """A time of the envelope in milliseconds since 1970, None where it is absent. Raises Refused."""
    given = said.get(key)
    if given is None:
        return None
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 1e15:
        return float(given) if given >= MILLISECONDS_FROM else given * 1000.0
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        wanted = 'a time such as "2026-11-22T06:25:00Z", or a number of seconds or milliseconds since 1970'
        raise Refused("type", f"{key}: expected {wanted}, got {shown(given)}")
    return moment.timestamp() * 1000.0
