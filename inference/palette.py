"""Colours of classes: the same in every picture, and far apart for neighbours."""

import colorsys
import functools

import numpy as np
from numpy.typing import NDArray

from kernels.painting import CLASSES

Color = tuple[int, int, int]
BACKGROUNDS = ("background", "unlabeled", "unlabelled", "void", "none")  # in small letters: left as they are
_GOLDEN = 0.618034  # of the colour circle, from one label to the next


@functools.lru_cache(maxsize=512)
def color_of(label: int) -> Color:
    """The BGR colour of a class: the same in every picture."""
    red, green, blue = colorsys.hsv_to_rgb((0.33 + label * _GOLDEN) % 1.0, 0.8, 1.0)
    return round(blue * 255), round(green * 255), round(red * 255)


@functools.lru_cache(maxsize=8)
def palette(labels: tuple[str, ...], alpha: int) -> NDArray[np.uint8]:
    """Blue, green, red and alpha (0..255) of every class, (256, 4) uint8; a background's alpha is 0."""
    colors = np.empty((CLASSES, 4), np.uint8)
    for label in range(CLASSES):
        named = labels[label].lower() if label < len(labels) else ""
        colors[label] = (*color_of(label), 0 if named in BACKGROUNDS else alpha)
    colors.flags.writeable = False
    return colors
