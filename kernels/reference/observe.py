"""What a racer's policy is shown; the twin of kernels/_observe.pyx."""

import numpy as np
from numpy.typing import NDArray

from kernels import observation
from kernels.formats import Picture
from kernels.observation import PRECISION, Side, Views

Gray = NDArray[np.uint8]
HALF = 1 << (PRECISION - 1)
LINEAR = 11  # bits of a weight of bilinear interpolation


def observe(
    pixels: Views, out: NDArray[np.uint8] | NDArray[np.float32], *, mode: str = "training"
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Scale a camera's picture to the gray one that a DeepRacer policy takes, 0..255.

    pixels: BGR (H, W, 3) uint8 of any size, or a (left, right) pair of them. out: uint8 or float32 of whole numbers,
    (h, w) for one picture, as (120, 160); (h, w, 2) or (2, h, w) for a pair, where a last side of 2 means the former.

    mode "training" is, bit for bit, what the simulator showed the policy: Pillow's antialiased bilinear, then
    0.2989 R + 0.587 G + 0.114 B cut to whole numbers; of a pair, Pillow's conversion to "L". mode "stock" is what the
    car's own software shows it: cv2.resize(INTER_LINEAR), then cv2.COLOR_BGR2GRAY, within one grey level.

    Returns `out`. Raises TypeError for another dtype, ValueError for another mode or shape, or for an empty,
    non-contiguous or, of `out`, read-only array.
    """
    views, target = observation.target(pixels, out, mode)
    for number, view in enumerate(views):
        gray = _stock(view, target.height, target.width)
        if mode == "training":
            gray = _training(view, target.height, target.width, stereo=len(views) == 2)
        if len(views) == 1:
            out[...] = gray
        elif target.step == 2:
            out[:, :, number] = gray
        else:
            out[number] = gray
    return out


def _training(view: Picture, height: int, width: int, *, stereo: bool) -> Gray:
    """Across, then down, each rounded to bytes; a side that keeps its length is left as it is."""
    if view.shape[1] != width:
        view = _blended(view, observation.antialiased(view.shape[1], width), axis=1)
    if view.shape[0] != height:
        view = _blended(view, observation.antialiased(view.shape[0], height), axis=0)
    blue, green, red = np.moveaxis(view, 2, 0)
    gray: Gray = (0.2989 * red + 0.5870 * green + 0.1140 * blue).astype(np.uint8)
    if stereo:
        sums = view.astype(np.int32) @ np.array([7471, 38470, 19595])
        gray = ((sums + 0x8000) >> 16).astype(np.uint8)
    return gray


def _blended(view: Picture, side: Side, axis: int) -> Picture:
    sums = _sums(view, side, axis, HALF)
    return (sums >> PRECISION).astype(np.uint8)


def _sums(
    view: NDArray[np.uint8] | NDArray[np.int64], side: Side, axis: int, begin: int
) -> NDArray[np.int64]:
    """One side's weighted sums, one tap after the other."""
    shape = [1, 1, 1]
    shape[axis] = len(side.first)
    sums = np.full([*view.shape[:axis], len(side.first), *view.shape[axis + 1 :]], begin, np.int64)
    for tap, weights in enumerate(side.weights.T):
        places = np.minimum(side.first + tap, view.shape[axis] - 1)
        sums += view.take(places, axis) * weights.astype(np.int64).reshape(shape)
    return sums


def _stock(view: Picture, height: int, width: int) -> Gray:
    across = _sums(view, observation.linear(view.shape[1], width), 1, 0) >> LINEAR
    down = _sums(across, observation.linear(view.shape[0], height), 0, 0) >> LINEAR
    blue, green, red = np.moveaxis((down + HALF) >> PRECISION, 2, 0)
    gray: Gray = ((blue * 1868 + green * 9617 + red * 4899 + (1 << 13)) >> 14).astype(np.uint8)
    return gray
