"""Where somebody may listen to what the loop does with its frames: who records, and who compares with a recording."""

from collections.abc import Mapping
from typing import Any, Protocol

from inference.backends import Tensor
from inference.model import Model
from inference.results import Result
from streams.frame import Frame


class Listener(Protocol):
    """Told of each frame on the loop's thread, in this order; must not take long, and never raises."""

    def tensors(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        """What went into the model and came out; both are used again for the next frame. Not called where the model
        had nothing to run."""
        ...

    def message(self, message: Mapping[str, Any]) -> None:
        """The message, if the result became one; nobody changes it any more."""
        ...

    def frame(self, frame: Frame, result: Result, now: float, model: Model, *, told: bool) -> None:
        """The end of a frame's day. now: the loop's monotonic time of its answer. told: False where the hook silenced
        it."""
        ...


class Tap:
    """One of a run. listener: may be set and taken away at any time, from any thread; usually nobody."""

    __slots__ = ("listener",)

    def __init__(self) -> None:
        self.listener: Listener | None = None
