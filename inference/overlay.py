"""A result painted on a copy of its picture, to be read on screens of 320 to 1920 pixels and over."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.overlay_segments import paint_segments
from inference.palette import Color, color_of
from inference.results import (
    NOBODY,
    UNTRACKED,
    Activity,
    Classification,
    Detections,
    Result,
    Segmentation,
    label_name,
)
from kernels.formats import Picture, PixelFormat, picture_size

FONT = cv2.FONT_HERSHEY_SIMPLEX
BANNER_ROWS = 3
_BLACK, _WHITE, _INK = (0, 0, 0), (255, 255, 255), (32, 32, 32)
_FIXED_POINT = 3  # cv2 takes coordinates in eighths of a pixel


Told = tuple[int, float]  # a class and its score, or area


class Pen(NamedTuple):
    """Sizes that suit a picture: text height, margin and line width in pixels, and cv2's scale of the font."""

    scale: float
    height: int
    margin: int
    line: int
    weight: int


def paint(
    pixels: Picture, result: Result, labels: Sequence[str], out: Picture | None = None
) -> NDArray[np.uint8]:
    """A copy of a BGR picture (height, width, 3) uint8 with the result on it; into `out` where it is given.

    Detections get a box with label and score each, best on top, and where they are followed the number and colour of
    their track; a segmentation gets the colours of its classes and a banner of the largest; a classification gets a
    banner of its best classes, an activity one of the class that is told.
    Raises TypeError and ValueError for a picture of another kind, or an `out` of another shape.
    """
    height, width = picture_size(pixels, PixelFormat.BGR)
    if out is None:
        out = np.empty_like(pixels)
    elif out.shape != pixels.shape or out.dtype != np.uint8:
        raise ValueError(f"out must be uint8 {pixels.shape} like the picture, not {out.dtype} {out.shape}")
    np.copyto(out, pixels)
    pen = _pen(height, width)
    if isinstance(result, Detections):
        _paint_boxes(out, result, labels, pen)
        return out
    if isinstance(result, Segmentation):
        paint_segments(out, result, labels)
    _paint_banner(out, _told(result), labels, pen)
    return out


def _told(result: Classification | Segmentation | Activity) -> list[Told]:
    """The rows of a banner."""
    if isinstance(result, Activity):
        return [(result.shown, result.shown_score)] if result.shown != NOBODY else []
    scores = result.areas if isinstance(result, Segmentation) else result.scores
    best = zip(result.label_ids[:BANNER_ROWS].tolist(), scores[:BANNER_ROWS].tolist(), strict=True)
    return list(best)


@functools.lru_cache(maxsize=16)
def _pen(height: int, width: int) -> Pen:
    text = min(max(round(min(height, width * 0.75) / 26), 11), 48)
    scale = text / 22  # capital letters of this font are 22 pixels high at scale 1
    return Pen(scale, text, max(3, text // 3), max(1, round(text / 8)), max(1, round(text / 12)))


def _paint_boxes(out: Picture, found: Detections, labels: Sequence[str], pen: Pen) -> None:
    height, width = out.shape[:2]
    corners = np.rint(found.boxes * np.array([width, height, width, height], np.float32)).astype(int).tolist()
    for index in reversed(range(len(corners))):  # the best is painted last
        left, top, right, bottom = corners[index]
        label = int(found.label_ids[index])
        track = UNTRACKED if found.track_ids is None else int(found.track_ids[index])
        color = color_of(label if track == UNTRACKED else track)
        number = "" if track == UNTRACKED else f" #{track}"
        cv2.rectangle(out, (left, top), (right, bottom), color, pen.line, cv2.LINE_AA)
        if found.landmarks is not None:
            _paint_points(out, found.landmarks[index], color, pen)
        text = f"{label_name(labels, label)}{number} {found.scores[index]:.2f}"
        _paint_tag(out, text, (left, top), color, pen)


def _paint_points(out: Picture, points: NDArray[np.float32], color: Color, pen: Pen) -> None:
    height, width = out.shape[:2]
    for x, y in (
        np.rint(points * np.array([width, height], np.float32) * 2**_FIXED_POINT).astype(int).tolist()
    ):
        cv2.circle(out, (x, y), (pen.line + 1) << _FIXED_POINT, color, cv2.FILLED, cv2.LINE_AA, _FIXED_POINT)


def _paint_tag(out: Picture, text: str, corner: tuple[int, int], color: Color, pen: Pen) -> None:
    """Text on a field of the box's colour: above the box where there is room, else in its upper corner."""
    (wide, high), below = cv2.getTextSize(text, FONT, pen.scale, pen.weight)
    tall, long = high + below + pen.margin, wide + 2 * pen.margin
    left = max(0, min(corner[0] - pen.line // 2, out.shape[1] - long))
    top = corner[1] - tall if corner[1] >= tall else max(0, corner[1])
    cv2.rectangle(out, (left, top), (left + long, top + tall), color, cv2.FILLED)
    base = (left + pen.margin, top + high + pen.margin // 2 + 1)
    cv2.putText(out, text, base, FONT, pen.scale, _ink_on(color), pen.weight, cv2.LINE_AA)


def _ink_on(color: Color) -> Color:
    """Black or white, whichever can be read on the colour."""
    blue, green, red = color
    return _BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > 110 else _WHITE


def _paint_banner(out: Picture, said: Sequence[Told], labels: Sequence[str], pen: Pen) -> None:
    """Classes, each with a bar as long as its score, on a darkened strip along the top."""
    if not said:
        return
    row = pen.height * 2
    strip = out[: min(out.shape[0], len(said) * row + pen.margin)]
    np.right_shift(strip, 2, out=strip)
    for index, (label, score) in enumerate(said):
        text = f"{label_name(labels, label)} {score:.2f}"
        _paint_row(out, index * row + pen.margin, text, (label, score), pen)


def _paint_row(out: Picture, top: int, text: str, said: Told, pen: Pen) -> None:
    label, score = said
    wide = out.shape[1] - 2 * pen.margin
    foot = top + round(pen.height * 1.6)
    end = pen.margin + round(wide * min(max(score, 0.0), 1.0))
    cv2.rectangle(out, (pen.margin, foot), (pen.margin + wide, foot + pen.line), _INK, cv2.FILLED)
    cv2.rectangle(out, (pen.margin, foot), (end, foot + pen.line), color_of(label), cv2.FILLED)
    cv2.putText(
        out, text, (pen.margin, foot - pen.margin // 2 - 1), FONT, pen.scale, _WHITE, pen.weight, cv2.LINE_AA
    )
