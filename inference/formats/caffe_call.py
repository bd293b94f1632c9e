"""What a Caffe layer's translation is handed, and the table that it stands in."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from inference.errors import ModelInvalid
from inference.formats.caffemodel import Array
from inference.formats.graph import Value, shape_of
from inference.formats.prototxt import Message

Translation = Callable[["Layer"], Value | list[Value]]
F = TypeVar("F", bound=Callable[..., Any])
LAYERS: dict[str, Translation] = {}
_LARGEST = 2**31


def layer(*kinds: str) -> Callable[[F], F]:
    """Enters a translation into the table."""

    def enter(translation: F) -> F:
        LAYERS.update(dict.fromkeys(kinds, translation))
        return translation

    return enter


@dataclasses.dataclass(frozen=True)
class Settings:
    """The fields of one message, read by kind; a wrong one raises ModelInvalid with the layer's name."""

    who: str
    message: Message

    def has(self, key: str) -> bool:
        return bool(self.message.get(key))

    def word(self, key: str, default: str) -> str:
        value = (self.message.get(key) or [default])[-1]
        if not isinstance(value, str):
            raise ModelInvalid(f"{self.who} has {key} that is not a single value")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.word(key, str(default).lower()).lower()
        if value not in ("true", "false", "0", "1"):
            raise self.wrong(key, "true or false")
        return value in ("true", "1")

    def number(self, key: str, default: float) -> float:
        try:
            value = float(self.word(key, str(default)).rstrip("f"))
        except ValueError:
            raise self.wrong(key, "a number") from None
        if not math.isfinite(value):
            raise self.wrong(key, "a finite number")
        return value

    def whole(self, key: str, default: int) -> int:
        return (self.wholes(key) or [default])[-1]

    def wholes(self, key: str) -> list[int]:
        try:
            values = [int(value) for value in self.message.get(key, [])]
        except (ValueError, TypeError):
            raise self.wrong(key, "whole numbers") from None
        if any(abs(value) >= _LARGEST for value in values):
            raise self.wrong(key, f"numbers below {_LARGEST}")
        return values

    def wrong(self, key: str, expected: str) -> ModelInvalid:
        values = ", ".join(str(value) for value in self.message.get(key, []))
        return ModelInvalid(f"{self.who} has {key} {values[:60]!r}; {expected} was expected")


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer to translate: what goes in, its settings, its arrays."""

    name: str
    kind: str
    inputs: Sequence[Value]
    outputs: int
    message: Message
    blobs: Sequence[Array]

    @property
    def who(self) -> str:
        return f"the layer {self.name} ({self.kind})"

    @property
    def x(self) -> Value:
        if not self.inputs:
            raise self.refused("has no input")
        return self.inputs[0]

    @property
    def rank(self) -> int:
        shape = shape_of(self.x)
        if shape is None:
            raise self.refused("needs to know how many dimensions its input has")
        return len(shape)

    def settings(self, key: str) -> Settings:
        """The message `convolution_param` and the like; empty where there is none."""
        found = (self.message.get(key) or [{}])[-1]
        if not isinstance(found, dict):
            raise self.refused(f"has {key} that is not a message")
        return Settings(self.who, found)

    def array(self, index: int, what: str) -> Array:
        if index >= len(self.blobs):
            raise self.refused(f"lacks its {what}: the caffemodel has {len(self.blobs)} arrays for it")
        return self.blobs[index]

    def axis(self, value: int) -> int:
        if not -self.rank <= value < self.rank:
            raise self.refused(f"names the axis {value}; its input has {self.rank} dimensions")
        return value % self.rank

    def refused(self, why: str) -> ModelInvalid:
        return ModelInvalid(f"{self.who} {why}")
