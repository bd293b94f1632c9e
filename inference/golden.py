"""Pictures that every new model is shown, and what is expected of those that came with an answer."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kernels.formats import Picture, PixelFormat

HEIGHT, WIDTH = 240, 320
SEED = 20180613
LEAST_OVERLAP = 0.5  # of two boxes: intersection over union
Row = Mapping[str, Any]


class Golden(NamedTuple):
    """One picture. pixels: uint8, laid out as `format` says. expected: the rows that a result must have, in the form
    of a message's `results`; None where any answer will do that is one. together: whether it is one of a set, such as
    the frames of a recording, of which a share must be as expected; else each must be."""

    name: str
    pixels: Picture
    format: PixelFormat = PixelFormat.BGR
    expected: tuple[Row, ...] | None = None
    together: bool = False


def seeded() -> tuple[Golden, ...]:
    """Noise, plain grey, and a gradient over both axes, BGR of 320 x 240; always the same."""
    noise = np.random.default_rng(SEED).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    grey = np.full((HEIGHT, WIDTH, 3), 127, np.uint8)
    across = np.linspace(0, 255, WIDTH)[None, :] * np.ones((HEIGHT, 1))
    down = np.linspace(0, 255, HEIGHT)[:, None] * np.ones((1, WIDTH))
    gradient = np.ascontiguousarray(np.stack([across, down, 255 - across], axis=2).astype(np.uint8))
    return Golden("noise", noise), Golden("grey", grey), Golden("gradient", gradient)


def difference(expected: Sequence[Row], found: Sequence[Row]) -> str | None:
    """Why rows are not the expected ones, as part of a sentence; None if they are.

    Without boxes the best label counts; with boxes each expected one needs a box of its own, of the same label and
    overlapping by half, and none may be left over. No rows expected: none may be found.
    """
    if not expected:
        return f"{labels(found)} was found where nothing is expected" if found else None
    if not any("box" in row for row in expected):
        best, wanted = labels(found[:1]), labels(expected[:1])
        return None if best == wanted else f"{best} was found instead of {wanted}"
    left = list(found)
    for row in expected:
        fitting = [each for each in left if each.get("label") == row.get("label") and overlaps(each, row)]
        if not fitting:
            return f"{labels([row])} was not found at {row.get('box')}"
        left.remove(fitting[0])
    return f"{labels(left)} was found beside what is expected" if left else None


def labels(rows: Sequence[Row]) -> str:
    return ", ".join(str(row.get("label")) for row in rows) or "nothing"


def overlaps(left: Row, right: Row) -> bool:
    """Whether two boxes (x1, y1, x2, y2) overlap by half; a row without a box overlaps with all."""
    if not left.get("box") or not right.get("box"):
        return True
    ax1, ay1, ax2, ay2 = left["box"]
    bx1, by1, bx2, by2 = right["box"]
    common = max(0.0, min(ax2, bx2) - max(ax1, bx1)) * max(0.0, min(ay2, by2) - max(ay1, by1))
    both = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - common
    return bool(common >= LEAST_OVERLAP * both)
