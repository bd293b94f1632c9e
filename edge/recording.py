"""A recording while it is made: frames are handed over by the loop, and written by a thread of its own."""

import collections
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge import recorded
from inference.backends import Tensor
from inference.model import Model
from inference.results import Result
from streams import picture_packing
from streams.frame import Frame
from streams.recording import SHOT, Writer

log = logging.getLogger(__name__)

MOST_WAITING = 64 << 20  # bytes of frames and tensors that wait for the writer
MOST_HOLES = 100  # that are named one by one
LOOK_ROUND = 0.2  # seconds
NICE = 10  # the loop goes first
Copies = tuple[NDArray[Any], ...]


class Bounds(NamedTuple):
    """How long a recording may get: seconds since its first frame, bytes of the file."""

    seconds: float | None
    max_bytes: int


class Taken(NamedTuple):
    """One frame that waits for the writer."""

    number: int
    frame: Frame
    result: Result
    now: float
    inputs: Copies
    outputs: Copies
    message: Mapping[str, Any] | None
    told: bool
    threshold: float | None

    @property
    def size(self) -> int:
        tensors = sum(each.nbytes for each in (*self.inputs, *self.outputs))
        return self.frame.pixels.nbytes + len(self.frame.jpeg or b"") + tensors


class Session:
    """One recording, and the listener of the loop that feeds it (see edge.tap.Listener).

    patient: the loop waits for the writer, as may be where no source is live; else what finds no room is left out and
    counted. from_start: no frame came before; else the first one is only taken for a sign that now all are seen whole.
    clock: monotonic seconds. over: called once, on any thread, when no more frames are taken.
    """

    def __init__(
        self,
        writer: Writer,
        bounds: Bounds,
        model: Model,
        *,
        patient: bool,
        from_start: bool,
        clock: Callable[[], float],
        over: Callable[[], None],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._writer, self._bounds, self._model = writer, bounds, model
        self._patient, self._clock, self._over = patient, clock, over
        self._most_waiting = most_waiting
        self._listening = from_start
        self._began: float | None = None
        self._seen = self._written = self._waiting_bytes = self._lost = 0
        self._holes: list[list[int]] = []  # [first, last] numbers of frames left out
        self._inputs: Copies = ()
        self._outputs: Copies = ()
        self._message: Mapping[str, Any] | None = None
        self._queue: collections.deque[Taken] = collections.deque()
        self._news = threading.Condition()
        self._ended_by = self._error = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
        if from_start:
            model.witness = self.tensors

    def start(self) -> None:
        self._began_waiting = self._clock()
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether no more frames are taken."""
        return bool(self._ended_by)

    def tensors(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        self._inputs = tuple(np.array(each) for each in inputs)
        self._outputs = tuple(np.array(each) for each in outputs)

    def message(self, message: Mapping[str, Any]) -> None:
        self._message = message

    def frame(self, frame: Frame, result: Result, now: float, model: Model, *, told: bool) -> None:
        if model is not self._model:
            self.finish("swap")
        if not self._listening:
            self._listening = True
            self._model.witness = self.tensors
        elif not self._ended_by:
            self._take(frame, result, now, told=told)
        self._inputs, self._outputs, self._message = (), (), None

    def _take(self, frame: Frame, result: Result, now: float, *, told: bool) -> None:
        self._began = now if self._began is None else self._began
        if self._bounds.seconds is not None and now - self._began >= self._bounds.seconds:
            self.finish("seconds")
            return
        self._seen += 1
        taken = Taken(
            self._seen,
            frame,
            result,
            now,
            self._inputs,
            self._outputs,
            self._message,
            told,
            self._model.threshold,
        )
        if not self._put(taken) and not self._ended_by:
            self._leave_out(taken.number)

    def _put(self, taken: Taken) -> bool:
        """Whether there was room; one frame always has, be it ever so large."""
        with self._news:
            if self._patient:
                self._news.wait_for(lambda: self._ended_by or self._has_room(taken))
            if self._ended_by or not self._has_room(taken):
                return False
            self._queue.append(taken)
            self._waiting_bytes += taken.size
            self._news.notify_all()
            return True

    def _has_room(self, taken: Taken) -> bool:
        return not self._queue or self._waiting_bytes + taken.size <= self._most_waiting

    def _leave_out(self, number: int) -> None:
        self._lost += 1
        if self._holes and self._holes[-1][1] == number - 1:
            self._holes[-1][1] = number
        elif len(self._holes) < MOST_HOLES:
            self._holes.append([number, number])

    def finish(self, why: str, error: str = "") -> None:
        """Take no more frames; those that wait are still written. From any thread, more than once."""
        with self._news:
            if self._ended_by:
                return
            self._ended_by, self._error = why, error
            if self._model.witness == self.tensors:
                self._model.witness = None
            self._news.notify_all()
        self._over()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the file is closed, within so many seconds."""
        return self._closed.wait(timeout)

    def summary(self) -> dict[str, Any]:
        """What was recorded; `ended` says why it is over, "" while it is not."""
        return {
            "file": str(self._writer.path),
            "frames": self._written,
            "lost": self._lost,
            "holes": [list(hole) for hole in self._holes],
            "bytes": self._writer.size,
            "ended": self._ended_by,
            "error": self._error or None,
        }

    def _work(self) -> None:
        be_nice()
        try:
            while (taken := self._next()) is not None:
                self._write(taken)
            self._writer.close(self.summary())
        except OSError as error:
            self._fail(f"the recording {self._writer.path} cannot be written: {error.strerror}")
        except Exception as error:
            log.exception("the recording broke")
            self._fail(f"the recording {self._writer.path} broke: {error!r}")
        finally:
            self._closed.set()

    def _next(self) -> Taken | None:
        """The next frame; None when the recording is over and all are written."""
        with self._news:
            while not self._queue:
                if self._ended_by:
                    return None
                self._news.wait(LOOK_ROUND)
                if not self._queue and self._time_is_up():
                    break
            else:
                return self._queue[0]
        self.finish("seconds")
        return self._next()

    def _time_is_up(self) -> bool:
        """Whether the time is over though no frame came to say so."""
        since = self._began_waiting if self._began is None else self._began
        return self._bounds.seconds is not None and self._clock() - since >= self._bounds.seconds + 1.0

    def _write(self, taken: Taken) -> None:
        meta, blob = picture_packing.packed(taken.frame)
        meta |= recorded.frame(
            number=taken.number,
            now=taken.now,
            threshold=taken.threshold,
            inputs=taken.inputs,
            outputs=taken.outputs,
            said=taken.result,
            labels=self._model.labels,
            told=taken.told,
            message=taken.message,
        )
        fits = self._writer.append(SHOT, meta, blob)
        with self._news:
            self._queue.popleft()
            self._waiting_bytes -= taken.size
            self._written += fits
            self._news.notify_all()
        if not fits:
            self._drop_the_rest()

    def _drop_the_rest(self) -> None:
        """The file has reached its bound: that is its end, and no hole."""
        self.finish("bytes")
        with self._news:
            self._ended_by = "bytes"  # also where the run was over already: frames of it are missing
            self._queue.clear()
            self._waiting_bytes = 0

    def _fail(self, error: str) -> None:
        log.error("%s", error)
        self.finish("failed", error)
        with self._news:
            self._ended_by, self._error = "failed", error
            self._queue.clear()
        try:
            self._writer.close(self.summary())
        except OSError:
            log.debug("the end of %s could not be written", self._writer.path)


def be_nice() -> None:
    """Let the loop's thread go before this one, where the system has priorities of threads."""
    if sys.platform.startswith("linux"):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        except OSError as error:
            log.debug("the writer of a recording has the usual priority: %s", error)
