"""The frames of a recording as the loop's inbox, and what the loop makes of them beside what was recorded."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edge import recorded
from edge.comparison import Comparison
from inference.backends import Tensor
from inference.model import Model
from inference.results import Result
from streams import picture_packing
from streams.detail import Detail
from streams.errors import RecordingInvalid
from streams.frame import Frame
from streams.inbox import Inbox
from streams.recording import Record, Recording
from streams.sources.pool import Pool


class Playback(Inbox):
    """Gives the recorded frames one by one, each when the one before is answered, and compares the answers.

    It is the loop's inbox, and its listener (edge.tap.Listener). most: so many frames. sleep: waits as long as it took
    then; None: no pace is kept. now: the recorded time of the present frame's answer. given: frames so far. holes:
    places where frames are missing. covered: frames of which the model saw more than was recorded. Raises
    RecordingInvalid.
    """

    def __init__(
        self,
        recording: Recording,
        model: Model,
        comparison: Comparison,
        *,
        most: int | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__()
        self.now = 0.0
        self.detail = Detail()
        self.given = 0
        self.holes = self.covered = 0
        self.names = frozenset(map(str, recording.header.get("sources", {})))
        self._shots = recording.shots()
        self._model, self._comparison, self._most, self._sleep = model, comparison, most, sleep
        self._pools = {name: Pool() for name in self.names}
        self._next: Record | None = None
        self._present: Record | None = None
        self._last = 0
        self._threshold: float | None = None
        self._shown_at: float | None = None
        self._inputs: tuple[Tensor, ...] = ()
        self._outputs: tuple[Tensor, ...] = ()
        self._message: Mapping[str, Any] | None = None
        self._advance()
        if self._next is None:
            raise RecordingInvalid(f"{recording.path} holds no frame: there is nothing to compare")

    @property
    def ended(self) -> bool:
        return self._next is None and self._present is None

    @property
    def published(self) -> bool:
        """Whether the present frame's result became a message."""
        return self._present is not None and self._present.meta.get("message") is not None

    def next(self, timeout: float) -> Frame | None:
        if self._present is not None:
            if self._model.pending:
                return None
            self._comparison.refused(self._present.meta, "the frame was refused")
            self._present = None
        record = self._next
        if record is None:
            return None
        self._note_hole(record)
        self._follow_threshold(record.meta.get("threshold"))
        frame = self._frame(record)
        self._present, self.now = record, float(record.meta["now"])
        self.given += 1
        self.covered += record.meta.get("covered") is True
        self._keep_pace(self.now)
        self._advance()
        return frame

    def _frame(self, record: Record) -> Frame:
        name = str(record.meta["source"])
        if name not in self.names:
            raise RecordingInvalid(
                f"the record at byte {record.at} is of the source {name!r}, which the header does not name"
            )
        return picture_packing.unpacked(record, self.detail, self._pools[name])

    def _advance(self) -> None:
        enough = self._most is not None and self.given >= self._most
        self._next = None if enough else next(self._shots, None)
        if self._next is not None:
            check(self._next)

    def _note_hole(self, record: Record) -> None:
        if record.meta["n"] != self._last + 1:
            self.holes += 1
            self._comparison.begin_anew()
        self._last = record.meta["n"]

    def _follow_threshold(self, told: object) -> None:
        """A change while it was recorded was somebody's wish, and is made again at the same frame."""
        if isinstance(told, float) and 0.0 <= told <= 1.0:
            if self._threshold is not None and told != self._threshold and self._model.threshold is not None:
                self._model.set_threshold(told)
            self._threshold = told

    def _keep_pace(self, now: float) -> None:
        if self._sleep is not None and self._shown_at is not None:
            self._sleep(max(0.0, now - self._shown_at))
        self._shown_at = now

    def tensors(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        self._inputs = tuple(np.array(each) for each in inputs)
        self._outputs = tuple(np.array(each) for each in outputs)

    def message(self, message: Mapping[str, Any]) -> None:
        self._message = message

    def frame(self, frame: Frame, result: Result, now: float, model: Model, *, told: bool) -> None:
        assert self._present is not None, "a frame was answered that was not given"
        after = recorded.frame(
            number=self._present.meta["n"],
            now=now,
            threshold=model.threshold,
            inputs=self._inputs,
            outputs=self._outputs,
            said=result,
            labels=model.labels,
            told=told,
            message=self._message,
        )
        after |= {"source": frame.source, "pixels": picture_packing.digest(frame.pixels)}
        self._comparison.add(self._present.meta, after)
        self._inputs, self._outputs, self._message, self._present = (), (), None, None


def check(record: Record) -> None:
    """Raises RecordingInvalid where what a comparison needs is not there."""
    told = record.meta
    try:
        result = told["result"]
        well = (
            isinstance(told["n"], int) and isinstance(told["told"], bool) and isinstance(told["now"], float)
        )
        well &= isinstance(told["pixels"], str) and isinstance(told["source"], str)
        well &= all(isinstance(each, dict) for each in (*told["inputs"], *told["outputs"], *result["rows"]))
        well &= isinstance(result["columns"], dict) and isinstance(told["message"], dict | None)
    except (KeyError, TypeError):
        well = False
    if not well:
        raise RecordingInvalid(
            f"the record at byte {record.at} cannot be read: something that belongs to a frame is missing"
        )
