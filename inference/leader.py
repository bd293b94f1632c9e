"""Answers averaged over time, and who leads: what keeps an activity's label from flickering."""

import numpy as np
from numpy.typing import NDArray

from inference.results import NOBODY

Floats = NDArray[np.float32]


class Average:
    """The mean of the last `answers` answers of `classes` scores."""

    def __init__(self, answers: int, classes: int) -> None:
        self._answers = np.zeros((answers, classes), np.float32)
        self._taken = 0
        self._mean = np.zeros(classes, np.float32)

    def add(self, ids: NDArray[np.int32], scores: Floats) -> Floats | None:
        """The mean float32 (classes,) with a new answer in it, until the next one; None until there are enough.

        ids, scores: (classes,), which class has which score.
        """
        self._answers[self._taken % len(self._answers)][ids] = scores
        self._taken += 1
        return None if self._taken < len(self._answers) else self._answers.mean(axis=0, out=self._mean)


class Leader:
    """Who is told: a class that led in the last `hold` answers, until another has. shown: NOBODY (-1) for none."""

    def __init__(self, hold: int) -> None:
        self._hold = hold
        self._first = NOBODY
        self._held = 0
        self.shown = NOBODY

    def follow(self, first: int) -> None:
        """Take note of who leads in a new answer; NOBODY leads where the answer says nothing."""
        self._held = self._held + 1 if first == self._first else 1
        self._first = first
        if self._held >= self._hold:
            self.shown = first
