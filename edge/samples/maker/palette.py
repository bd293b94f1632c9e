"""Colours: BGR triples of float32, 0..255, drawn from named ranges of hue, saturation and value.

The ranges overlap between the classes on purpose: colour alone must not tell what a thing is.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]


class Range(NamedTuple):
    """Bounds of one family of colours: hue in degrees 0..360 (may wrap), saturation and value 0..1."""

    hue: tuple[float, float]
    saturation: tuple[float, float]
    value: tuple[float, float]


ANY = Range((0, 360), (0.05, 0.9), (0.2, 0.95))
VIVID = Range((0, 360), (0.5, 0.95), (0.4, 0.95))
PALE = Range((0, 360), (0.0, 0.09), (0.72, 0.97))
GREY = Range((0, 360), (0.0, 0.08), (0.2, 0.9))
DARK = Range((0, 360), (0.0, 0.5), (0.05, 0.3))
CREAM = Range((35, 58), (0.12, 0.4), (0.75, 0.97))
BROWN = Range((18, 38), (0.3, 0.7), (0.3, 0.75))
YELLOW = Range((42, 60), (0.55, 0.95), (0.65, 0.97))
GREEN = Range((75, 140), (0.35, 0.85), (0.25, 0.8))
RED = Range((-15, 18), (0.55, 0.9), (0.4, 0.85))
BLUE = Range((190, 235), (0.2, 0.8), (0.4, 0.92))
SKIN = Range((12, 30), (0.25, 0.6), (0.35, 0.95))


def pick(rng: np.random.Generator, *ranges: Range) -> Colour:
    """One colour from one of `ranges`, each equally likely."""
    chosen = ranges[int(rng.integers(len(ranges)))]
    hue = rng.uniform(*chosen.hue) % 360
    return from_hsv(hue, rng.uniform(*chosen.saturation), rng.uniform(*chosen.value))


def from_hsv(hue: float, saturation: float, value: float) -> Colour:
    """BGR 0..255 of a hue in degrees and a saturation and value of 0..1."""
    pixel = np.array([[[hue, saturation, value]]], np.float32)
    bgr: Colour = cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0] * 255
    return bgr


def near(rng: np.random.Generator, colour: Colour, spread: float = 12.0) -> Colour:
    """A neighbour of `colour`, each channel moved by a normal step of `spread` grey levels."""
    return np.clip(colour + rng.normal(0, spread, 3), 0, 255).astype(np.float32)


def darker(colour: Colour, factor: float) -> Colour:
    """`colour` times `factor`, held within 0..255."""
    return np.clip(colour * factor, 0, 255).astype(np.float32)
