"""Which class a pixel is, masks laid over pictures, zones that must not be seen; the twins of kernels/_masks.pyx."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels import painting
from kernels.formats import Picture
from kernels.placement import Placement

Mask = NDArray[np.uint8]


def argmax_planes(scores: NDArray[np.float32] | NDArray[np.float16], out: Mask) -> Mask:
    """The class of the highest score of each pixel: scores (C, H, W) float32 or float16, C 1..256, to out (H, W) uint8.

    Of equal classes the lower one wins and a NaN never does; a pixel of which nothing is known, all NaN or minus
    infinity, is class 0. Returns `out`. Raises TypeError for another dtype, ValueError for another shape, or an
    array that is not contiguous, or an `out` that is read-only.
    """
    painting.planes(scores, out)
    known = np.where(np.isnan(scores), scores.dtype.type(-np.inf), scores)
    out[...] = known.argmax(axis=0)
    return out


def overlay_mask(
    pixels: Picture,
    mask: Mask,
    palette: NDArray[np.uint8],
    out: Picture | None = None,
    *,
    alpha: int = 128,
    placement: Placement | None = None,
) -> Picture:
    """Lay the colours of a mask's classes over a BGR picture.

    pixels (H, W, 3) uint8; mask (h, w) uint8, of any size; palette (256, 3) uint8: blue, green, red of each class, all
    with the same `alpha` 0..255, or (256, 4) with an alpha of each class's own; 0 leaves the picture as it is. Each
    pixel takes the class of the mask's pixel in which its middle lies; the mask covers the whole picture, or with a
    `placement` the model's input that the picture was prepared into, one mask pixel an input pixel. A result is
    (pixel * (255 - alpha) + colour * alpha) / 255, to the nearest.

    Returns `out` (H, W, 3) uint8, which may be `pixels`, or a new picture. Raises TypeError for another dtype,
    ValueError for another shape, an empty or non-contiguous array, a read-only `out`, an alpha outside 0..255, or a
    placement of another picture.
    """
    scale_y, scale_x, top, left = painting.overlay(pixels, mask, palette, out, alpha, placement)
    rows = _places(pixels.shape[0], scale_y, top, mask.shape[0])
    columns = _places(pixels.shape[1], scale_x, left, mask.shape[1])
    opacity = (
        palette[:, 3:].astype(np.uint16) if palette.shape[1] == 4 else np.full((256, 1), alpha, np.uint16)
    )
    colour = palette[:, :3] * opacity + np.uint16(128)
    labels = mask[np.ix_(rows, columns)]
    summed = pixels * (255 - opacity)[labels] + colour[labels]
    out = np.empty_like(pixels) if out is None else out
    out[...] = (summed + (summed >> 8)) >> 8
    return out


def _places(length: int, scale: float, offset: float, side: int) -> NDArray[np.intp]:
    """Which pixel of a mask's side each of a picture's lies in, by its middle."""
    places = np.floor((np.arange(length) + 0.5) * scale + offset)
    inside: NDArray[np.intp] = np.clip(places, 0, side - 1).astype(np.intp)
    return inside


def blur_zone(
    pixels: Picture,
    x1: int,
    y1: int,
    x2: int,
    y2: int,
    strength: int | None = None,
    out: Picture | None = None,
) -> Picture:
    """Make a zone of a BGR picture unrecognisable: cells of `strength` pixels a side become their mean colour.

    Nothing but those means is left, so that nothing finer can be brought back. Cells begin in the zone's upper left
    corner, x1, y1 within and x2, y2 without; the last of a row or column may be smaller. A face keeps no feature
    once it is some ten cells wide or fewer: without a strength, they are an eighth of the zone's longer side, and 8
    pixels at least. Of a zone beyond the picture the part within it is taken.

    Works in place and returns `pixels` (H, W, 3) uint8, or writes a copy into `out`. Raises TypeError for another
    dtype, ValueError for another shape, an empty, non-contiguous or read-only array, a zone that ends before it
    begins, or a strength below 2.
    """
    work, (x1, y1, x2, y2) = painting.zone(pixels, x1, y1, x2, y2, out)
    side = painting.cell(strength, x1, y1, x2, y2)
    for top in range(y1, y2, side):
        for left in range(x1, x2, side):
            part = work[top : min(top + side, y2), left : min(left + side, x2)]
            count = part.shape[0] * part.shape[1]
            part[...] = (part.sum(axis=(0, 1), dtype=np.int64) + count // 2) // count
    return work


def fill_zone(
    pixels: Picture,
    x1: int,
    y1: int,
    x2: int,
    y2: int,
    color: Sequence[int] = (0, 0, 0),
    out: Picture | None = None,
) -> Picture:
    """Paint a zone of a BGR picture in one colour, blue, green and red of 0..255 each.

    The zone, what is returned and what is raised are those of `blur_zone`; ValueError for another colour, too.
    """
    levels = painting.colour(color)
    work, (x1, y1, x2, y2) = painting.zone(pixels, x1, y1, x2, y2, out)
    work[y1:y2, x1:x2] = levels
    return work
