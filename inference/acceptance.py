"""The one gate for every new model: it must answer, in numbers, in the shape that it said, and in time.

`glance` is the gate of a start: one answer. `accept` is the gate of a model that is to take another's place.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from inference.backends import UNKNOWN, Tensor, TensorSpec
from inference.errors import AnswerUnusable, InferenceError, NotAccepted
from inference.golden import Golden, difference, seeded
from inference.model import Model
from inference.results import Result

CAUSES = ("fails", "shape", "finite", "latency", "golden", "agreement")
ROUNDS = 3  # over the seeded pictures, after one to warm up
ENOUGH = 2  # answers that are all too slow
MOST_PICTURES = 512  # shown to a task that looks at several together, until its model has run often enough
SOURCE = "(acceptance)"  # whose pictures they are: no name that a configuration allows
Clock = Callable[[], float]


class Limits(NamedTuple):
    """What a model may cost. latency: seconds that its quickest answer may take; None: any. seconds: for the whole
    gate. agreement: the least share, 0 to 1, of answers that agree with those of `like`."""

    latency: float | None = None
    seconds: float = 20.0
    agreement: float = 0.9


@dataclasses.dataclass(frozen=True)
class Report:
    """What the gate saw. runs: how often the model ran, the warm-up left out. latency: (quickest, median, slowest) of
    these, seconds from the picture to the result. outputs: what the model gives. results: of the golden pictures.
    agreement: share, 0 to 1, of these that agree with another model's; None where none was asked."""

    runs: int
    latency: tuple[float, float, float]
    outputs: tuple[str, ...]
    results: tuple[Result, ...]
    agreement: float | None = None


def glance(model: Model) -> None:
    """Show pictures until the model has answered once: one, or as many as it looks at together.

    Raises NotAccepted; made-up models are not looked at.
    """
    if model.manifest.is_fake:
        return
    trial, picture = Trial(model, Limits(), time.perf_counter), seeded()[:1]
    while not trial.seconds and trial.shown < MOST_PICTURES:
        trial.show(picture)
    model.forget(SOURCE)


def accept(
    model: Model,
    golden: Sequence[Golden] = (),
    *,
    limits: Limits = Limits(),  # noqa: B008 - a tuple
    like: Sequence[Result] | None = None,
    clock: Clock = time.perf_counter,
) -> Report:
    """Warm the model up, time it on the seeded pictures, show it the golden ones.

    golden: the project's own. like: results of another model for the same pictures. clock: monotonic seconds.
    Raises NotAccepted, whose sentence names the file and whose `cause` is one of CAUSES.
    """
    trial = Trial(model, limits, clock)
    trial.show(seeded())
    trial.seconds.clear()
    while len(trial.seconds) < ROUNDS * len(seeded()) and trial.shown < MOST_PICTURES:
        trial.show(seeded())
    latency = trial.latency()
    model.forget(
        SOURCE
    )  # what golden pictures are of may go on from one to the next, but not from seeded ones
    results = trial.show(golden)
    for picture, result in zip(golden, results, strict=True):
        trial.compare(picture, result)
    trial.compare_together(golden, results, limits.agreement or Limits().agreement)
    agreed = agreement(model, like, results, limits.agreement) if like else None
    model.forget(SOURCE)
    return Report(len(trial.seconds), latency, tuple(map(str, model.outputs)), tuple(results), agreed)


class Trial:
    """Shows pictures to one model, and holds its answers to what it promised."""

    def __init__(self, model: Model, limits: Limits, clock: Clock) -> None:
        self._model = model
        self._limits = limits
        self._clock = clock
        self._ends_at = clock() + limits.seconds
        self._check = checking(model.outputs)
        self.seconds: list[float] = []  # of each picture for which the model ran
        self.shown = 0

    def show(self, pictures: Sequence[Golden]) -> list[Result]:
        """The result of each picture. Raises NotAccepted."""
        self._model.check = self._seen
        try:
            return [self._shown(picture) for picture in pictures]
        finally:
            self._model.check = None

    def _shown(self, picture: Golden) -> Result:
        if self._clock() > self._ends_at:
            self._refuse(
                f"had not seen {self.shown + 1} pictures after {self._limits.seconds:g} s", "latency"
            )
        self._ran = False
        self.shown += 1
        try:
            result = self._model.predict(picture.pixels, picture.format, SOURCE)
        except AnswerUnusable as error:
            self._refuse(f"shown {picture.name}: {error}", error.cause)
        except (InferenceError, ValueError, TypeError) as error:
            self._refuse(f"fails, shown {picture.name}: {error}", "fails")
        if self._ran:
            self.seconds.append(sum(result.timings))
            self._check_time()
        return result

    def _check_time(self) -> None:
        """The quickest counts: what else the machine does makes some answers slow, but not all."""
        quickest, limit = min(self.seconds), self._limits.latency
        if limit is not None and quickest > limit and len(self.seconds) >= ENOUGH:
            self._refuse(
                f"takes {told_ms(quickest)} a picture at best; {told_ms(limit)} is the limit", "latency"
            )

    def _seen(self, outputs: tuple[Tensor, ...]) -> None:
        self._ran = True
        self._check(outputs)

    def latency(self) -> tuple[float, float, float]:
        """(quickest, median, slowest), seconds. Raises NotAccepted where the model never ran."""
        if not self.seconds:
            self._refuse(f"has not run once in {self.shown} pictures", "fails")
        return min(self.seconds), float(np.median(self.seconds)), max(self.seconds)

    def compare(self, picture: Golden, result: Result) -> None:
        """Raises NotAccepted where a golden picture's answer is not the expected one."""
        if picture.expected is None or picture.together:
            return
        why = difference(picture.expected, result.rows(self._model.labels))
        if why is not None:
            self._refuse(f"golden picture {picture.name}: {why}", "golden")

    def compare_together(self, golden: Sequence[Golden], results: Sequence[Result], least: float) -> None:
        """Raises NotAccepted where a smaller share than `least` of the pictures that belong together is as expected."""
        found = [
            (picture.name, difference(picture.expected, result.rows(self._model.labels)))
            for picture, result in zip(golden, results, strict=True)
            if picture.together and picture.expected is not None
        ]
        wrong = [(name, why) for name, why in found if why is not None]
        if found and len(wrong) > (1.0 - least) * len(found):
            share = (
                f"{len(found) - len(wrong)} of {len(found)} recorded pictures, where {least:.0%} are asked"
            )
            self._refuse(f"answers as recorded on {share}; {wrong[0][0]}: {wrong[0][1]}", "agreement")

    def _refuse(self, sentence: str, cause: str) -> NoReturn:
        raise NotAccepted(f"{self._model.manifest.model.name} {sentence}", cause)


def checking(outputs: Sequence[TensorSpec]) -> Callable[[tuple[Tensor, ...]], None]:
    """What holds raw outputs to their specification: every head, its shape, and that each number is one.

    The function raises AnswerUnusable.
    """

    def check(tensors: tuple[Tensor, ...]) -> None:
        for spec, tensor in zip(outputs, tensors, strict=True):
            if len(spec.shape) == len(tensor.shape):
                sizes = zip(spec.shape, tensor.shape, strict=True)
                fits = all(said in (UNKNOWN, size) for said, size in sizes)
            else:
                fits = spec.shape == (UNKNOWN,)  # not even the rank was said
            if not fits:
                raise AnswerUnusable(f"its output {spec} came as {tensor.shape}", "shape")
            if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
                wrong = int(tensor.size - np.count_nonzero(np.isfinite(tensor)))
                raise AnswerUnusable(
                    f"{wrong} of {tensor.size} numbers of its output {spec.name} are not finite", "finite"
                )

    return check


def agreement(model: Model, like: Sequence[Result], results: Sequence[Result], least: float) -> float:
    """The share of answers that agree. Raises NotAccepted where it is under `least`."""
    from inference.agreement import agreement as agreed

    share = float(agreed(like, results).share)
    if share < least:
        sentence = (
            f"agrees with the running model in {share:.0%} of the golden pictures; {least:.0%} are asked"
        )
        raise NotAccepted(f"{model.manifest.model.name} {sentence}", "agreement")
    return share


def told_ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
