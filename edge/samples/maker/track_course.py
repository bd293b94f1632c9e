"""Race tracks as closed loops: their centre lines, and how far each place of the ground lies from them. Metres."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]  # (n, 2): x, y, the last point's neighbour is the first

CELL = 0.02  # side of a cell of the fields
STEP = 0.02  # from one point of a centre line to the next
FAR = 1.6  # offsets beyond it say no more than this
BEND = 0.25  # the inner border turns about at least this radius


class Course(NamedTuple):
    """A track. The fields are sampled at the cells' middles; `origin` is the middle of cell (0, 0)."""

    line: Line
    width: float
    origin: tuple[float, float]
    offset: NDArray[np.float32]  # (rows, columns): metres left of the centre line, -FAR..FAR
    dash: NDArray[np.float32]  # (rows, columns): a wave along the line, one swing for each dash

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 of the centre line."""
        low, high = self.line.min(axis=0), self.line.max(axis=0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def at(self, index: int) -> tuple[float, float, float]:
        """x, y and heading (radians) of a point of the centre line, counted on round the loop."""
        here, there = self.line[index % len(self.line)], self.line[(index + 1) % len(self.line)]
        step = there - here
        return float(here[0]), float(here[1]), float(np.arctan2(step[1], step[0]))


def course(rng: np.random.Generator, width: float, shape: Callable[[np.random.Generator], Line]) -> Course:
    """A track of `shape` that bends nowhere too tightly for its width."""
    line = _even(shape(rng))
    tightest = _tightest(line)
    wanted = width / 2 + BEND
    if tightest < wanted:
        line = _even(line * min(2.5, wanted / tightest))
    return fields(line, width, rng.uniform(0.12, 0.5))


def waves(rng: np.random.Generator) -> Line:
    """A circle with a few waves in it, drawn out: bends everywhere."""
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius = np.full_like(angle, rng.uniform(1.4, 2.6))
    for turns in range(2, 6):
        radius *= 1 + rng.uniform(0, 0.42 / turns) * np.cos(turns * angle + rng.uniform(0, 2 * np.pi))
    line = np.stack([np.cos(angle) * rng.uniform(1, 1.8), np.sin(angle)], axis=1) * radius[:, None]
    return line if rng.random() < 0.5 else line[::-1]


def corners(rng: np.random.Generator) -> Line:
    """Straights with rounded corners between them."""
    count = int(rng.integers(4, 8))
    angle = np.sort(np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count
    radius = rng.uniform(1.6, 3.2, count) * rng.uniform(0.9, 1.2)
    posts = np.stack([np.cos(angle) * 1.3, np.sin(angle)], axis=1) * radius[:, None]
    line = rounded(posts, rng.uniform(0.25, 0.5))
    return line if rng.random() < 0.5 else line[::-1]


def rounded(posts: Line, metres: float) -> Line:
    """The loop from post to post, its corners blurred by `metres`; points STEP apart."""
    return _even(_smooth(_even(posts), metres))


def fields(line: Line, width: float, dash: float) -> Course:
    """The course of a centre line; `dash` is about the length of a dash with its gap."""
    margin = FAR + 0.5
    origin = line.min(axis=0) - margin
    columns, rows = np.ceil((np.ptp(line, axis=0) + 2 * margin) / CELL).astype(int)
    places = np.round((line - origin) / CELL).astype(int)
    free = np.full((rows, columns), 255, np.uint8)
    free[places[:, 1], places[:, 0]] = 0
    _, near = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    point = np.zeros(int(near.max()) + 1, int)
    point[near[places[:, 1], places[:, 0]]] = np.arange(len(line))
    offset, along = _beside(line, origin, point[near])
    swings = max(1, round(STEP * len(line) / dash))
    wave = np.cos(2 * np.pi * swings * along / len(line))
    return Course(
        line, width, (float(origin[0]), float(origin[1])), offset.astype(np.float32), wave.astype(np.float32)
    )


def _beside(line: Line, origin: Line, nearest: NDArray[np.int64]) -> tuple[Line, Line]:
    """Of each cell the offset from the line (metres, left is positive) and the place along it (in points)."""
    rows, columns = nearest.shape
    x = np.arange(columns) * CELL + origin[0]
    y = np.arange(rows)[:, None] * CELL + origin[1]
    ahead = (np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)) / 2
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    away_x, away_y = x - line[nearest, 0], y - line[nearest, 1]
    ahead_x, ahead_y = ahead[nearest, 0], ahead[nearest, 1]
    offset = np.clip(ahead_x * away_y - ahead_y * away_x, -FAR, FAR)
    return offset, nearest + (away_x * ahead_x + away_y * ahead_y) / STEP


def _even(line: Line) -> Line:
    """The same loop with its points STEP apart."""
    closed = np.concatenate([line, line[:1]])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    wanted = np.linspace(0, lengths[-1], max(8, round(lengths[-1] / STEP)), endpoint=False)
    return np.stack([np.interp(wanted, lengths, closed[:, axis]) for axis in (0, 1)], axis=1)


def _smooth(line: Line, metres: float) -> Line:
    """A loop blurred along itself."""
    frequency = np.fft.fftfreq(len(line), STEP)
    kept = np.exp(-2 * (np.pi * metres * frequency) ** 2)
    smooth: Line = np.fft.ifft(np.fft.fft(line, axis=0) * kept[:, None], axis=0).real
    return smooth


def _tightest(line: Line) -> float:
    """The least radius of its bends, over half a metre of the loop each."""
    stride = 12
    before, after = np.roll(line, stride, axis=0), np.roll(line, -stride, axis=0)
    first, second = line - before, after - line
    cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    turn = np.abs(np.arctan2(cross, (first * second).sum(axis=1)))
    return float(np.min(STEP * stride / np.maximum(turn, 1e-6)))
