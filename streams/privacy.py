"""Zones that nobody gets to see: made unrecognisable on the source's own thread, before a frame is born.

Whatever wants a picture gets it from a Frame: its pixels, or all of it by `streams.whole.whole_picture`. Of a source
with zones a frame holds no JPEG of the camera's, and what it needs for its whole picture it holds behind a `Veil`,
which gives it out covered only.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernels import blur_zone, convert, fill_zone
from kernels.formats import Picture, PixelFormat, picture_size
from streams.frame import Frame
from streams.sources import Shot
from streams.sources.pool import Pool

Point = tuple[float, float]
Mode = Literal["blur", "mask"]
MARGIN = 2  # pixels round a zone that are covered too: a camera spreads colours over neighbours
KEPT = 4  # sizes of pictures whose areas are remembered
IN_PLACE = (PixelFormat.BGR, PixelFormat.RGB)


@dataclasses.dataclass(frozen=True, slots=True)
class Zone:
    """corners: (x, y) of a polygon's, as shares 0..1 of the width and height. mode: black, or squares of mean colour.

    model_sees: whether it is hidden only from what leaves the device.
    """

    corners: tuple[Point, ...]
    mode: Mode = "mask"
    model_sees: bool = False


class _Area:
    """A zone in a picture of one size: its box in pixels, and within it which pixels, None for all."""

    def __init__(self, zone: Zone, height: int, width: int) -> None:
        self.mode = zone.mode
        xs, ys = ([point[axis] for point in zone.corners] for axis in (0, 1))
        self.x1, self.x2 = _sides(min(xs), max(xs), width)
        self.y1, self.y2 = _sides(min(ys), max(ys), height)
        self.inside = None if _is_box(zone.corners) else self._inside(zone.corners, height, width)

    def cover(self, pixels: Picture) -> None:
        """Make it unrecognisable in a picture of three channels, in place."""
        if self.inside is None:
            self._paint(pixels, self.x1, self.y1, self.x2, self.y2)
            return
        part = pixels[self.y1 : self.y2, self.x1 : self.x2]
        painted = np.ascontiguousarray(part)
        painted = painted.copy() if painted is part else painted
        self._paint(painted, 0, 0, painted.shape[1], painted.shape[0])
        np.copyto(part, painted, where=self.inside[..., None])

    def _paint(self, pixels: Picture, x1: int, y1: int, x2: int, y2: int) -> None:
        (blur_zone if self.mode == "blur" else fill_zone)(pixels, x1, y1, x2, y2)

    def _inside(self, corners: Sequence[Point], height: int, width: int) -> NDArray[np.bool_]:
        """Every pixel that the polygon touches, and those round it."""
        points = [(x * width - self.x1, y * height - self.y1) for x, y in corners]
        shape = (self.y2 - self.y1, self.x2 - self.x1)
        return _grown(_filled(points, shape) | _outlined(points, shape), MARGIN)


class Zones:
    """The zones of one source, over pictures of whatever size. For one thread at a time."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self.zones = tuple(zones)
        self._areas: dict[tuple[int, int], list[_Area]] = {}

    def __bool__(self) -> bool:
        return bool(self.zones)

    def cover(self, pixels: Picture) -> Picture:
        """Make the zones of a picture (height, width, 3) unrecognisable, in place; the same picture."""
        size = (pixels.shape[0], pixels.shape[1])
        areas = self._areas.get(size)
        if areas is None:
            if len(self._areas) >= KEPT:
                self._areas.clear()
            areas = self._areas[size] = [_Area(zone, *size) for zone in self.zones]
        for area in areas:
            area.cover(pixels)
        return pixels


class Veil:
    """What a frame needs for its whole picture, given out covered only.

    jpeg: the camera's own, where the frame's pixels are a part of it; None: the pixels are the picture.
    """

    __slots__ = ("_jpeg", "_zones")

    def __init__(self, zones: tuple[Zone, ...], jpeg: bytes | None) -> None:
        self._zones, self._jpeg = zones, jpeg

    @property
    def hides_more(self) -> bool:
        """Whether the frame's own pixels show what must not leave the device."""
        return any(zone.model_sees for zone in self._zones)

    def __repr__(self) -> str:
        return f"Veil({len(self._zones)} zones)"

    def whole(self, frame: Frame) -> tuple[Picture, PixelFormat]:
        """All of the frame's picture, covered; a new array. Raises BadFrame for a JPEG that is damaged."""
        if frame.whole is not None and self._jpeg is not None:
            from streams.sources import mjpeg  # a vendor library that raw pictures do not need

            return Zones(self._zones).cover(mjpeg.decode(self._jpeg, Pool())), PixelFormat.BGR
        pixels, layout = three_channels(frame.pixels, frame.format)
        return Zones(self._zones).cover(pixels.copy() if pixels is frame.pixels else pixels), layout


class Curtain:
    """Covers the shots of one source, on its thread, before anybody else has them."""

    def __init__(self, zones: Iterable[Zone]) -> None:
        self._all = tuple(zones)
        self._from_model = Zones(zone for zone in self._all if not zone.model_sees)
        self._some_for_model = any(zone.model_sees for zone in self._all)
        self._pool = Pool()

    def draw(self, shot: Shot) -> tuple[Shot, Veil | None]:
        """The shot with nothing in it that the model must not see and no JPEG, and what covers the rest of it.

        The reader's own pixels stay as they are: it may compare the next ones with them.
        """
        pixels, layout = shot.pixels, shot.format
        if self._from_model:
            pixels = self._pool.take((*picture_size(pixels, layout), 3))
            if layout in IN_PLACE:
                np.copyto(pixels, shot.pixels)
            else:
                layout = PixelFormat.BGR
                convert(shot.pixels, shot.format, pixels)
            self._from_model.cover(pixels)
        partial = shot.whole is not None and shot.jpeg is not None
        veil = Veil(self._all, shot.jpeg if partial else None) if partial or self._some_for_model else None
        return shot._replace(pixels=pixels, format=layout, jpeg=None), veil


def three_channels(pixels: Picture, layout: PixelFormat) -> tuple[Picture, PixelFormat]:
    """The same picture where it has three channels, else a new one as BGR."""
    return (pixels, layout) if layout in IN_PLACE else (convert(pixels, layout), PixelFormat.BGR)


def covered(frame: Frame) -> Frame:
    """The frame for whoever keeps frames: as the model saw it where that may leave the device, else all of its
    picture, covered; with nothing behind it. A frame without zones comes back itself.
    """
    if frame.veil is None:
        return frame
    if not frame.veil.hides_more:
        return dataclasses.replace(frame, jpeg=None, veil=None)
    pixels, layout = frame.veil.whole(frame)
    return dataclasses.replace(frame, pixels=pixels, format=layout, jpeg=None, whole=None, veil=None)


def _sides(low: float, high: float, length: int) -> tuple[int, int]:
    """The pixels from one share to another: outwards to even ones, since two may share a colour, and a margin."""
    begin = math.floor(low * length) // 2 * 2 - MARGIN
    end = -(-math.ceil(high * length) // 2) * 2 + MARGIN
    return max(0, begin), min(length, end)


def _is_box(corners: Sequence[Point]) -> bool:
    xs, ys = ({point[axis] for point in corners} for axis in (0, 1))
    return len(corners) == 4 and len(xs) == len(ys) == 2 and len(set(corners)) == 4 and _turns(corners)


def _turns(corners: Sequence[Point]) -> bool:
    """Whether each side runs along an axis, so that the four corners are those of a box in their order."""
    nexts = (*corners[1:], corners[0])
    return all(
        (one[0] == other[0]) != (one[1] == other[1]) for one, other in zip(corners, nexts, strict=True)
    )


def _filled(points: Sequence[Point], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose middle lies within a polygon, by the even-odd rule along each row."""
    ys, xs = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1])[None, :] + 0.5
    inside = np.zeros(shape, np.bool_)
    for (x1, y1), (x2, y2) in zip(points, (*points[1:], points[0]), strict=True):
        if y1 == y2:
            continue
        crossed = (y1 <= ys) != (y2 <= ys)
        inside ^= crossed & (xs < x1 + (ys - y1) * (x2 - x1) / (y2 - y1))
    return inside


def _outlined(points: Sequence[Point], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels that the sides of a polygon pass through."""
    outline = np.zeros(shape, np.bool_)
    for one, other in zip(points, (*points[1:], points[0]), strict=True):
        steps = 2 + 4 * math.ceil(max(abs(other[0] - one[0]), abs(other[1] - one[1])))
        xs, ys = (np.linspace(one[axis], other[axis], steps).astype(np.intp) for axis in (0, 1))
        outline[np.clip(ys, 0, shape[0] - 1), np.clip(xs, 0, shape[1] - 1)] = True
    return outline


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    for axis in (0, 1):
        grown = mask.copy()
        for step in range(1, by + 1):
            ahead, behind = (slice(step, None), slice(None, -step))
            for to, of in ((ahead, behind), (behind, ahead)):
                where = (to, slice(None)) if axis == 0 else (slice(None), to)
                what = (of, slice(None)) if axis == 0 else (slice(None), of)
                grown[where] |= mask[what]
        mask = grown
    return mask
