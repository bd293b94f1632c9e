"""A backend without a vendor, a model file or a wait: answers are drawn once from a seed and given in turn.

The model is asked for in place of a path: `fake:TASK:CLASSES` or `fake:TASK:CLASSES:WIDTHxHEIGHT`, for
instance `fake:classification:3` or `fake:detection:5:320x240`. Its input is one float32 picture (1, 3,
height, width), of 224 x 224 where nobody names a size. A classifier answers probabilities (1, classes), a
detector SSD rows (1, 1, 10, 7) of which one to three are scored 0.6 or more, a segmentation scores (1, classes,
height / 4, width / 4) whose classes lie round points of their own. An activity is a classifier, of single pictures,
or of clips (1, 3, T, height, width) with `fake:activity:CLASSES:WIDTHxHEIGHTxT`; it gives each answer thirty times
before the next. The n-th run started gives the n-th of eight answers, then the first again, whatever the picture;
the same name gives the same answers always.
"""

import itertools
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.backends import UNKNOWN, Opening, Tensor, TensorSpec
from inference.errors import ModelInvalid
from inference.manifest import FAKE

ANSWERS = 8
ROWS = 10
SIDE = 224
_FLOAT = np.dtype(np.float32)
_FORM = re.compile(
    r"fake:(classification|detection|segmentation|activity):(\d{1,5})(?::(\d{1,4})x(\d{1,4})(?:x(\d{1,3}))?)?"
)
LASTING = 30  # answers that an activity goes on for
COARSER = 4  # a mask than its picture, in each direction
Floats = NDArray[np.float32]


class Asked(NamedTuple):
    """What the name of a fake model asks for; size is (width, height), UNKNOWN where it is not said.

    pictures: that it takes together; 0 for a model that takes one at a time.
    """

    task: str
    classes: int
    size: tuple[int, int]
    pictures: int


class FakeBackend:
    """See inference.backends.Backend."""

    name = "fake"
    metadata: Mapping[str, str] = {"orig_width": str(SIDE), "orig_height": str(SIDE)}

    def __init__(self, opening: Opening) -> None:
        asked = parse(opening.path)
        width, height = asked.size
        clip = (asked.pictures,) if asked.pictures else ()
        open_input = TensorSpec("picture", (1, 3, *clip, height, width), _FLOAT)
        self.device = opening.device.upper()
        self.slots = opening.slots
        [shape] = opening.arrange((open_input,), self.metadata)
        self.inputs = (open_input._replace(shape=shape),)
        self._in = [np.zeros(shape, np.float32) for _ in range(self.slots)]
        answers = _answers(
            asked._replace(size=(shape[-1], shape[-2])), zlib.crc32(str(opening.path).encode())
        )
        self.outputs = (TensorSpec("answer", answers[0].shape, _FLOAT),)
        often = LASTING if asked.task == "activity" else 1
        self._turn = itertools.cycle((answer,) for answer in answers for _ in range(often))
        self._given: dict[int, tuple[Tensor, ...]] = {}

    def input(self, slot: int, index: int = 0) -> Tensor:
        return (self._in[slot],)[index]

    def run(self, slot: int) -> tuple[Tensor, ...]:
        self.start(slot)
        return self.wait(slot)

    def start(self, slot: int) -> None:
        self._given[slot] = next(self._turn)

    def wait(self, slot: int) -> tuple[Tensor, ...]:
        return self._given.pop(slot)

    def close(self) -> None:
        self._given.clear()


def parse(path: Path) -> Asked:
    """What a fake model's name asks for. Raises ModelInvalid for another form."""
    form = _FORM.fullmatch(str(path))
    if form is None or int(form[2]) == 0:
        raise ModelInvalid(
            f"{path} is no fake model; one is named like {FAKE}classification:3 or {FAKE}detection:5:320x240"
        )
    if form[5] is not None and (form[1] != "activity" or int(form[5]) == 0):
        raise ModelInvalid(
            f"{path} is no fake model; only {FAKE}activity takes clips, of one picture or more"
        )
    size = (int(form[3]), int(form[4])) if form[3] else (UNKNOWN, UNKNOWN)
    if 0 in size:
        raise ModelInvalid(f"{path} names a fake model of no size")
    return Asked(form[1], int(form[2]), size, int(form[5] or 0))


def _answers(asked: Asked, seed: int) -> list[Floats]:
    random = np.random.default_rng(seed)
    if asked.task == "segmentation":
        return [_planes(random, asked) for _ in range(ANSWERS)]
    draw: Callable[[np.random.Generator, int], Floats] = _boxes if asked.task == "detection" else _scores
    return [draw(random, asked.classes) for _ in range(ANSWERS)]


def _planes(random: np.random.Generator, asked: Asked) -> Floats:
    """Scores that fall with the distance from a point of each class."""
    width, height = (max(1, -(-side // COARSER)) for side in asked.size)
    points = random.random((2, asked.classes, 1, 1))
    down = np.linspace(0, 1, height).reshape(1, height, 1) - points[0]
    across = np.linspace(0, 1, width).reshape(1, 1, width) - points[1]
    return np.asarray(-(down**2) - across**2, np.float32)[np.newaxis]


def _scores(random: np.random.Generator, classes: int) -> Floats:
    """Probabilities with one clear winner."""
    scores = random.random((1, classes))
    scores[0, random.integers(classes)] += 2.0 * classes
    return np.asarray(scores / scores.sum(), np.float32)


def _boxes(random: np.random.Generator, classes: int) -> Floats:
    rows = np.zeros((ROWS, 7))
    rows[:, 1] = random.integers(classes, size=ROWS)
    rows[:, 2] = random.uniform(0.0, 0.3, ROWS)
    rows[: random.integers(1, 4), 2] += 0.6
    rows[:, 3:5] = random.uniform(0.0, 0.6, (ROWS, 2))
    rows[:, 5:7] = rows[:, 3:5] + random.uniform(0.1, 0.4, (ROWS, 2))
    return np.asarray(rows, np.float32).reshape(1, 1, ROWS, 7)


def open_model(opening: Opening) -> FakeBackend:
    """The model that the path names. Raises ModelInvalid and ModelMismatch."""
    return FakeBackend(opening)
