"""Between two frames another project answers, on trial; if it fails, the former one answers again.

The loop's thread calls everything here but `offer`, `withdraw` and `take_back`. Hooks are stopped and started on that
thread too, as at the start of a run: what a hook opened on one thread it may be unable to use on another.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable

from edge.answering import Answering
from edge.errors import EdgeError
from edge.hook import Hook
from inference.acceptance import checking, told_ms
from inference.model import Model
from inference.results import Result
from streams.detail import Detail, Size

log = logging.getLogger(__name__)

SLOW_IN_A_ROW = 5  # so many answers over the limit: anything else of the machine makes fewer slow
LATEST_SHARE = 0.1  # of the newest answer in the average of what an answer takes
LONG_PAUSE = 0.5  # seconds: a change that takes longer is told


class Offer:
    """A newcomer, and what became of it. limit: seconds that an answer may take. frames: it is on trial for so many.

    outcome: "" until it is settled, then done, refused or rolled_back. spare: who may be closed then.
    """

    def __init__(self, newcomer: Answering, limit: float, frames: int) -> None:
        self.newcomer = newcomer
        self.limit = limit
        self.frames = frames
        self.outcome = self.cause = self.error = ""
        self.spare: Answering | None = None
        self.settled = threading.Event()

    def settle(self, outcome: str, spare: Answering, cause: str = "", error: str = "") -> None:
        self.outcome, self.cause, self.error, self.spare = outcome, cause, error, spare
        self.settled.set()


@dataclasses.dataclass
class Trial:
    """How a newcomer does."""

    offer: Offer
    before: Answering
    good: int = 0
    slow: int = 0


class Switch:
    """Who answers now, and on trial who did before. clock: monotonic seconds."""

    def __init__(self, answering: Answering, detail: Detail, clock: Callable[[], float]) -> None:
        self.now = answering
        self.usual = 0.0  # seconds that an answer takes, the latest ones counting most
        self.past_hooks = [
            0,
            0,
            0.0,
        ]  # errors, slow answers and the worst time of hooks that have been let go
        self._detail = detail
        self._clock = clock
        self._lock = threading.Lock()
        self._offer: Offer | None = None
        self._trial: Trial | None = None
        self._unwanted = False
        self._enter(answering)

    @property
    def due(self) -> bool:
        """Whether `change` has something to do."""
        return self._offer is not None or (self._unwanted and self._trial is not None)

    @property
    def on_trial(self) -> bool:
        return self._trial is not None

    def offer(self, newcomer: Answering, limit: float, frames: int) -> Offer:
        """Propose who is to answer; from any thread, one at a time."""
        self._offer = offer = Offer(newcomer, limit, frames)
        return offer

    def withdraw(self, offer: Offer, cause: str, error: str) -> bool:
        """Take an offer back that nobody has taken up yet; whether that was so."""
        with self._lock:
            if self._offer is not offer:
                return False
            self._offer = None
        offer.settle("refused", offer.newcomer, cause, error)
        return True

    def take_back(self) -> bool:
        """Have the former project answer again, if the present one is on trial; whether it is. From any thread."""
        self._unwanted = self._trial is not None
        return self._unwanted

    def change(self) -> None:
        """What is due, between two frames: nothing may be under way in the model."""
        if self._unwanted:
            self._unwanted = False
            self.roll_back("asked", "a rollback was asked for")
        with self._lock:
            offer, self._offer = self._offer, None
        if offer is not None:
            self._try_out(offer)

    def _try_out(self, offer: Offer) -> None:
        began, before, newcomer = self._clock(), self.now, offer.newcomer
        before.end()
        try:
            newcomer.begin()
        except EdgeError as error:
            before.begin_again()
            offer.settle("refused", newcomer, "hook", str(error))
            return
        newcomer.model.check = checking(newcomer.model.outputs)
        self._trial = Trial(offer, before)
        self._enter(newcomer)
        self._tell_pause(began)

    def _tell_pause(self, began: float) -> None:
        if (took := self._clock() - began) > LONG_PAUSE:
            log.warning("no picture was looked at for %.1f s, while the hooks stopped and started", took)

    def _enter(self, answering: Answering) -> None:
        for name, lane in answering.lanes.items():
            if lane.project is not None:
                lane.project.follow(answering.policies[name])
        self._detail.needed = needed_of(answering.model, answering.hook)
        self.now = answering
        self.usual = 0.0

    def former(self) -> Answering | None:
        """Who answered before; None unless somebody is on trial."""
        return self._trial.before if self._trial is not None else None

    def answered(self, result: Result) -> None:
        """Count an answer. What is on trial is over after enough good ones, or after too many slow ones."""
        took = sum(result.timings)
        if result.timings.infer <= 0.0:
            return  # the model had nothing to do for this picture
        self.usual = took if not self.usual else self.usual + LATEST_SHARE * (took - self.usual)
        trial = self._trial
        if trial is None:
            return
        trial.good += 1
        trial.slow = trial.slow + 1 if took > trial.offer.limit else 0
        if trial.slow >= SLOW_IN_A_ROW:
            limit = told_ms(trial.offer.limit)
            self.roll_back(
                "latency", f"{trial.slow} answers in a row took over {limit}, the last {told_ms(took)}"
            )
        elif trial.good >= trial.offer.frames:
            self._pass(trial)

    def _pass(self, trial: Trial) -> None:
        trial.offer.newcomer.model.check = None
        self._trial = None
        self._retire(trial.before.hook)
        trial.offer.settle("done", trial.before)

    def roll_back(self, cause: str, error: str) -> None:
        """Give the word back to who had it before."""
        trial, began = self._trial, self._clock()
        assert trial is not None, "nobody is on trial"
        self._trial = None
        newcomer = self.now
        newcomer.end()
        trial.before.begin_again()
        self._enter(trial.before)
        self._retire(newcomer.hook)
        trial.offer.settle("rolled_back", newcomer, cause, error)
        self._tell_pause(began)

    def leave(self) -> None:
        """The run ends: stop the hook; who is on trial has not failed."""
        self.now.end()
        if self._trial is not None:
            self._pass(self._trial)

    def _retire(self, hook: Hook | None) -> None:
        if hook is not None:
            errors, slow, worst = self.past_hooks
            self.past_hooks = [errors + hook.errors, slow + hook.slow, max(worst, hook.worst)]

    def hook_figures(self) -> dict[str, float]:
        """What went wrong in the hooks of this run so far, and how slow they were at worst. From any thread."""
        errors, slow, worst = self.past_hooks
        hook = self.now.hook
        if hook is not None:
            errors, slow, worst = errors + hook.errors, slow + hook.slow, max(worst, hook.worst)
        figures = {"errors": errors, "slow": slow, "worst_ms": round(worst * 1000, 3)}
        return figures | ({"budget_ms": round(hook.budget * 1000, 3)} if hook is not None else {})


def needed_of(model: Model, hook: Hook | None) -> Callable[[Size], Size] | None:
    """How much of a picture is decoded for the loop: what the model needs, but all of it for a user's hook."""
    return model.needed if hook is None else None
