"""A frame as it was recorded beside the same frame as it is replayed: what differs, first and in all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edge.difference import Difference, difference
from edge.likeness import Likeness
from streams import envelope

# Of a message: never compared.
TIMES = ("boot_id", "mono_ms", "clock", "ts", "ts_ms", "frame.age_ms", "latency_ms")
OF_THE_MODEL = ("project", "model", "task")  # told once for all frames where they differ
STAGES = ("picture", "inputs", "outputs", "result", "message")
Told = Mapping[str, Any]


class Comparison:
    """Takes in pairs of records. ignored: further fields of a message, dotted, that are not compared. tolerance: None
    for the same to the last byte; else the results count, and numbers in them and in messages may differ by so much.
    identity: what differs for the run as a whole, field by field."""

    def __init__(
        self, identity: Sequence[Difference] = (), ignored: Sequence[str] = (), tolerance: float | None = None
    ) -> None:
        self.identity = tuple(identity)
        self.frames = self.different = 0
        self.first: dict[str, Any] | None = None
        self.stages: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.likeness = Likeness()
        self._tolerance = tolerance
        known = {each.field.partition(".")[0] for each in identity}
        self._ignored = (*TIMES, *ignored, *(field for field in OF_THE_MODEL if field in known))
        self._bases: dict[tuple[str, str], int] = {}  # the first number of each source, on either side

    @property
    def same(self) -> bool:
        """Whether nothing differs that counts."""
        return not self.different and (not self.identity or self._tolerance is not None)

    def begin_anew(self) -> None:
        """Messages are numbered from here on anew: frames are missing."""
        self._bases.clear()

    def add(self, before: Told, after: Told) -> None:
        """before: a record as it is in the file, after: what the same frame gave now."""
        self.frames += 1
        found = {
            stage: each for stage in STAGES if (each := self._differing(stage, before, after)) is not None
        }
        self.likeness.add(before, after)
        self.stages.update(found.keys())
        counting = (
            found
            if self._tolerance is None
            else {s: f for s, f in found.items() if s in ("result", "message")}
        )
        self._count(before, counting)

    def refused(self, before: Told, why: str) -> None:
        """The frame has no result now."""
        self.frames += 1
        self.stages["result"] += 1
        self._count(before, {"result": Difference("result", "a result", why)})

    def _count(self, before: Told, found: Mapping[str, Difference]) -> None:
        if not found:
            return
        self.different += 1
        for each in found.values():
            self.fields[each.field] += 1
        if self.first is None:
            where = {"n": before["n"], "source": before["source"], "id": before["id"]}
            self.first = {"frame": where, **next(iter(found.values()))._asdict()}

    def _differing(self, stage: str, before: Told, after: Told) -> Difference | None:
        tolerance = self._tolerance or 0.0
        if stage == "picture":
            return difference(before["pixels"], after["pixels"], "picture")
        if stage in ("inputs", "outputs"):
            return difference(digests(before[stage]), digests(after[stage]), stage)
        if stage == "result":
            if self._tolerance is not None:
                return difference(before["result"]["rows"], after["result"]["rows"], "result.rows", tolerance)
            return difference(columns(before["result"]), columns(after["result"]), "result")
        return self._messages(before, after, tolerance)

    def _messages(self, before: Told, after: Told, tolerance: float) -> Difference | None:
        if before["told"] != after["told"]:
            return Difference("told", before["told"], after["told"])
        left, right = (self._plain(side, told) for side, told in (("before", before), ("after", after)))
        if left is None or right is None:
            told = tuple("none" if each is None else "a message" for each in (left, right))
            return None if left is right else Difference("message", *told)
        if envelope.dumps(left) == envelope.dumps(right):
            return None
        found = difference(left, right, "message", tolerance)
        if found is None and self._tolerance is None:
            return Difference("message (the order of its keys)", list(left), list(right))
        return found

    def _plain(self, side: str, told: Told) -> dict[str, Any] | None:
        """A message without what may differ, its number counted from the first one of its source."""
        message = told["message"]
        if message is None:
            return None
        plain = without(message, self._ignored)
        if isinstance(plain.get("seq"), int):
            base = self._bases.setdefault((side, str(told["source"])), plain["seq"])
            plain["seq"] -= base
        return plain

    def figures(self) -> dict[str, Any]:
        return {
            "same": self.same,
            "frames": {
                "compared": self.frames,
                "same": self.frames - self.different,
                "different": self.different,
            },
            "first": self.first,
            "stages": {stage: self.stages[stage] for stage in STAGES},
            "fields": dict(self.fields.most_common(20)),
            "identity": [each._asdict() for each in self.identity],
            "likeness": self.likeness.figures(),
            "tolerance": self._tolerance,
            "not_compared": ["seq of the first message", *self._ignored],
        }


def digests(arrays: Sequence[Told]) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key != "values"} for each in arrays]


def columns(result: Told) -> dict[str, Any]:
    """Without the values that arrays carry beside their digests."""
    plain = {
        name: digests([column])[0] if isinstance(column, Mapping) else column
        for name, column in result["columns"].items()
    }
    return {"kind": result["kind"], **plain, "rows": result["rows"]}


def without(message: Told, fields: Sequence[str]) -> dict[str, Any]:
    """A copy without some dotted fields."""
    plain = dict(message)
    for field in fields:
        first, _, rest = field.partition(".")
        if first not in plain:
            continue
        if not rest:
            del plain[first]
        elif isinstance(plain[first], Mapping):
            plain[first] = without(plain[first], [rest])
    return plain
