"""A moving picture made here: the same for the same seed, so cheap that it measures everything but itself.

Squares of noise bounce over a still background. The number of the picture stands in its top left corner as 32
black and white cells, so that whoever receives it, as JPEG too, can say which one it is: `number_in`.
"""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from kernels.formats import Picture
from streams.errors import SourceInvalid, SourceUnavailable
from streams.sources import Shot
from streams.sources.pool import Pool

USUAL_SIZE = (1280, 720)
USUAL_RATE = 30.0
SMALLEST = (64, 32)
LARGEST = 8192

_KEYS = ("size", "rate", "seed", "frames", "freeze")
_SQUARES = 3
_BITS = 32
_CELL = 8  # pixels, where the picture is wide enough

Corner = tuple[int, int]  # top, left


class Settings(NamedTuple):
    """size: (width, height) in pixels. rate: pictures a second, 0: without any pace, and nothing is dropped.

    frames: it ends after so many, 0: never. freeze: from this picture on it repeats itself, 0: never, for
    trying out what happens when a camera hangs.
    """

    size: tuple[int, int] = USUAL_SIZE
    rate: float = USUAL_RATE
    seed: int = 0
    frames: int = 0
    freeze: int = 0


def synthetic(
    uri: str, size: tuple[int, int] | None, rate: float | None, clock: Callable[[], float]
) -> "Synthetic":
    """The reader for `synthetic:?key=value&...`; what stands in the address wins. Raises SourceInvalid."""
    path, _, query = uri.partition("?")
    if path.partition(":")[2] not in ("", "//"):
        raise SourceInvalid(f"{uri}: after synthetic: comes nothing, or ? and settings: {', '.join(_KEYS)}")
    given = Settings(size or USUAL_SIZE, USUAL_RATE if rate is None else rate)
    return Synthetic(_parsed(uri, query, given), clock)


def _parsed(uri: str, query: str, given: Settings) -> Settings:
    values = dict(parse_qsl(query, keep_blank_values=True))
    for key in values.keys() - set(_KEYS):
        raise SourceInvalid(f"{uri}: there is no setting {key!r}; there are {', '.join(_KEYS)}")
    try:
        size = _size(values["size"]) if "size" in values else given.size
        whole = {key: int(values[key]) for key in ("seed", "frames", "freeze") if key in values}
        settings = given._replace(size=size, rate=float(values.get("rate", given.rate)), **whole)
    except ValueError:
        raise SourceInvalid(f"{uri}: write it as synthetic:?size=1280x720&rate=30&seed=7") from None
    if not (min(settings.seed, settings.frames, settings.freeze) >= 0 and 0 <= settings.rate < float("inf")):
        raise SourceInvalid(f"{uri}: no setting may be negative")
    return settings


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    return int(width), int(height)


class Synthetic:
    """The reader. Live with a rate, lossless without one."""

    notice: str | None = None

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        width, height = settings.size
        if width < SMALLEST[0] or height < SMALLEST[1] or max(width, height) > LARGEST:
            raise SourceInvalid(
                f"a synthetic picture has 64x32 to {LARGEST}x{LARGEST} pixels, not {width}x{height}"
            )
        self._settings = settings
        self._clock = clock
        self._canvas: _Canvas | None = None
        self._number = 0
        self._due = 0.0

    @property
    def live(self) -> bool:
        return self._settings.rate > 0

    def describe(self) -> str:
        width, height = self._settings.size
        pace = f"at {self._settings.rate:g} a second" if self.live else "without pace"
        return f"synthetic picture {width}x{height} {pace}, seed {self._settings.seed}"

    def open(self) -> None:
        if self._canvas is None:
            self._canvas = _Canvas(self._settings.size, self._settings.seed)
        self._number = 0
        self._due = self._clock()

    def read(self) -> Shot | None:
        if self._canvas is None:
            raise SourceUnavailable(f"the {self.describe()} is not open")
        if self._settings.frames and self._number >= self._settings.frames:
            return None
        self._number += 1
        number = min(self._number, self._settings.freeze or self._number)
        return Shot(self._canvas.draw(number), due=self._next_due())

    def close(self) -> None:
        self._canvas = None

    def _next_due(self) -> float | None:
        """Absolute deadlines; but where a whole period was missed, as by a camera, it is left out."""
        if not self.live:
            return None
        period = 1 / self._settings.rate
        now = self._clock()
        due = self._due if now - self._due <= period else now
        self._due = due + period
        return due


class _Canvas:
    """Draws into buffers that already hold the background: only the squares are wiped out and set anew."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        width, height = size
        random = np.random.default_rng(seed)
        self._background = _background(width, height, random)
        side = min(width, height) // 7
        self._squares = random.integers(0, 256, (_SQUARES, side, side, 3), np.uint8)
        self._room = (height - side, width - side)
        self._starts = random.integers(0, 2 * width, (_SQUARES, 2)).tolist()
        self._speeds = (random.integers(3, 12, (_SQUARES, 2)) * max(1, width // 640)).tolist()
        self._pool = Pool()
        self._drawn: dict[int, list[Corner]] = {}

    def draw(self, number: int) -> Picture:
        made = self._pool.made
        pixels = self._pool.take(self._background.shape)
        if self._pool.made != made:
            pixels[...] = self._background
            self._drawn[id(pixels)] = []
        side = self._squares.shape[1]
        for top, left in self._drawn[id(pixels)]:
            box = np.s_[top : top + side, left : left + side]
            pixels[box] = self._background[box]
        corners = self._corners(number)
        for (top, left), square in zip(corners, self._squares, strict=True):
            pixels[top : top + side, left : left + side] = square
        self._drawn[id(pixels)] = corners
        _cells(pixels)[...] = _bits(number)[np.newaxis, :, np.newaxis, np.newaxis]
        return pixels

    def _corners(self, number: int) -> list[Corner]:
        height, width = self._room
        return [
            (_bounce(down + number * falling, height), _bounce(right + number * drifting, width))
            for (down, right), (falling, drifting) in zip(self._starts, self._speeds, strict=True)
        ]


def _bounce(way: int, room: int) -> int:
    """To and fro between 0 and room."""
    return room - abs(way % (2 * room) - room)


def _background(width: int, height: int, random: np.random.Generator) -> Picture:
    """Soft clouds of colour: a few random values, spread bilinearly."""
    coarse = random.uniform(40, 215, (5, 8 * 3)).astype(np.float32)
    tall = (_spread(height, 5) @ coarse).reshape(height, 8, 3)
    whole: NDArray[np.float32] = _spread(width, 8) @ tall
    return whole.astype(np.uint8)


def _spread(length: int, knots: int) -> NDArray[np.float32]:
    """(length, knots): how much of each knot is in each pixel."""
    at = np.linspace(0, knots - 1, length, dtype=np.float32)
    weights: NDArray[np.float32] = np.maximum(
        0, 1 - np.abs(at[:, np.newaxis] - np.arange(knots, dtype=np.float32))
    )
    return weights


def _cells(pixels: Picture) -> Picture:
    """The corner that holds the number, as a view (cell, 32, cell, 3)."""
    cell = min(_CELL, pixels.shape[1] // _BITS)
    view: Picture = pixels[:cell, : _BITS * cell].reshape(cell, _BITS, cell, 3)
    return view


def _bits(number: int) -> NDArray[np.uint8]:
    """(32,): 255 for each one, the highest bit first."""
    return np.unpackbits(np.array([number & 0xFFFFFFFF], ">u4").view(np.uint8)) * np.uint8(255)


def number_in(pixels: Picture) -> int:
    """The number of a synthetic picture, BGR (height, width, 3) at its own size; it survives JPEG."""
    white = _cells(np.ascontiguousarray(pixels)).mean(axis=(0, 2, 3)) > 127
    return int.from_bytes(np.packbits(white).tobytes(), "big")
