"""A frame's day: taken, shown untouched, put before the model, and what the model says sent on its way."""

import logging
from collections.abc import Callable, Mapping

from edge.interlude import Interlude
from edge.lane import Lane
from edge.switch import Switch
from edge.tally import Tally
from edge.tap import Tap
from inference.model import Model
from inference.results import Result
from streams.frame import Frame
from streams.inbox import Inbox

log = logging.getLogger(__name__)

STALE_AFTER = (
    2.0  # seconds: a live picture older than this says nothing of now (the machine slept, or was stopped)
)
WAIT = 0.2  # seconds: how long the loop waits for a picture before it looks whether it should end
REPEAT_AFTER = 60.0  # seconds: a complaint about pictures is not repeated sooner


class Loop:
    """Takes frames from the inbox until told to end. Runs on the thread that calls `run`, blocks on nothing else."""

    def __init__(
        self,
        inbox: Inbox,
        switch: Switch,
        tally: Tally,
        clock: Callable[[], float],
        live: frozenset[str] = frozenset(),
        tap: Tap | None = None,
        interlude: Interlude | None = None,
    ) -> None:
        self._inbox = inbox
        self._switch = switch
        self._tally = tally
        self._clock = clock
        self._live = live
        self._tap = tap or Tap()
        self._interlude = interlude or Interlude()
        self._complained_at = -REPEAT_AFTER

    @property
    def _model(self) -> Model:
        return self._switch.now.model

    @property
    def _lanes(self) -> Mapping[str, Lane]:
        return self._switch.now.lanes

    def run(self, ended: Callable[[], bool], after_each: Callable[[], None] = lambda: None) -> None:
        """Step until `ended` says so or every source has; then collect what the model still works on."""
        while not ended() and not (self._inbox.ended and not self._model.pending):
            self.step()
            after_each()
        while self._model.pending:
            self._collect(self._clock())

    def step(self) -> None:
        """One frame in, at most one result out; before that, perhaps another project to answer."""
        if self._switch.due:
            self._change()
        if self._interlude.due and not self._attend():
            return
        frame = self._inbox.next(0.0 if self._model.pending else WAIT)
        began = self._clock()
        if frame is None:
            if self._model.pending:
                self._collect(began)
            return
        if self._is_stale(frame, began):
            return
        self._lanes[frame.source].untouched(frame, began)
        if self._model.requests == 1 or self._switch.on_trial:
            self._predict(frame, began)
        else:
            self._submit(frame, began)

    def _is_stale(self, frame: Frame, now: float) -> bool:
        stale = frame.source in self._live and now - frame.captured_at > STALE_AFTER
        self._tally.stale[frame.source] += stale
        return stale

    def _change(self) -> None:
        """What is under way is heard out before somebody else answers."""
        while self._model.pending:
            self._collect(self._clock())
        self._switch.change()

    def _attend(self) -> bool:
        """Do what others ask between two frames; False while they want no further one looked at."""
        while self._model.pending:
            self._collect(self._clock())
        if self._interlude.attend():
            return True
        if self._interlude.curious and (frame := self._inbox.next(0.0)) is not None:
            self._interlude.see(frame, None, self._model.labels)
        self._interlude.rest(WAIT)
        return False

    def _predict(self, frame: Frame, began: float) -> None:
        try:
            result = self._model.predict(frame.pixels, frame.format, frame.source)
        except Exception as error:
            second = self._second_opinion(frame, error, began)
            if second is None:
                return
            result = second
        self._finish(frame, result)
        self._tally.stages["loop_overhead"].add(max(0.0, self._clock() - began - sum(result.timings)))

    def _second_opinion(self, frame: Frame, error: Exception, now: float) -> Result | None:
        """What the former model says of a frame on which one on trial fails; None where the frame is to blame."""
        former = self._switch.former()
        if former is not None:
            try:
                result = former.model.predict(frame.pixels, frame.format, frame.source)
            except ValueError as agreed:
                error = agreed
            else:
                self._switch.roll_back(getattr(error, "cause", "fails"), str(error))
                return result
        if not isinstance(error, ValueError):
            raise error
        self._skip(frame, error, now)
        return None

    def _submit(self, frame: Frame, began: float) -> None:
        while self._model.pending >= self._model.requests:
            self._collect(began)
            began = self._clock()
        try:
            self._model.submit(frame.pixels, frame.format, frame, frame.source)
        except ValueError as error:
            self._skip(frame, error, began)

    def _collect(self, began: float) -> None:
        before = self._clock()
        frame, result = self._model.collect()
        after = self._clock()
        assert isinstance(frame, Frame)
        self._finish(frame, result)
        self._tally.stages["loop_overhead"].add(max(0.0, before - began + self._clock() - after))

    def _finish(self, frame: Frame, result: Result) -> None:
        tally = self._tally
        for stage, seconds in zip(("prepare", "infer", "interpret"), result.timings, strict=True):
            if (
                seconds or stage != "infer"
            ):  # a model that had nothing to run took no time that could be measured
                tally.stages[stage].add(seconds)
        tally.inferred[frame.source] += 1
        if not result.finite:
            self._distrust(frame)
        now = self._clock()
        tally.answered_at = now
        told = self._lanes[frame.source].answered(frame, result, now)
        tally.silenced += not told
        if (listener := self._tap.listener) is not None:
            listener.frame(frame, result, now, self._model, told=told)
        if self._interlude.curious:
            self._interlude.see(frame, result, self._model.labels)
        self._switch.answered(result)

    def _distrust(self, frame: Frame) -> None:
        self._tally.senseless[frame.source] += 1
        if self._may_complain(self._clock()):
            log.warning("the model's answer to frame %d of %s was no number", frame.id, frame.source)

    def _skip(self, frame: Frame, error: ValueError, now: float) -> None:
        self._tally.skipped[frame.source] += 1
        if self._may_complain(now):
            log.warning("frame %d of %s was skipped: %s", frame.id, frame.source, error)

    def _may_complain(self, now: float) -> bool:
        due = now - self._complained_at >= REPEAT_AFTER
        self._complained_at = now if due else self._complained_at
        return due
