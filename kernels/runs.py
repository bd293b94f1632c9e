"""Masks as the lengths of their runs: COCO's uncompressed form, which other tools read as it is.

A mask (h, w) is read column by column, from the top left corner downwards; its counts tell how many pixels are out,
then how many are in, out again, and so on; the first is 0 where the mask begins with a pixel that is in. They add up
to h * w. With `size` [h, w] beside them that is what pycocotools' frPyObjects takes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kernels import checks

Counts = list[int]
MOST_PIXELS = 1 << 26  # of a mask that is read: what a message says of its size is believed no further


def encode_runs(mask: NDArray[np.uint8], labels: Sequence[int]) -> list[Counts]:
    """The counts of each class of `labels` in a mask of classes (h, w) uint8; the mask is gone through once.

    Raises TypeError for another dtype, ValueError for another shape or an empty mask.
    """
    if isinstance(mask, np.ndarray) and mask.ndim == 2:
        mask = np.ascontiguousarray(mask)
    checks.array(mask, "mask", checks.UINT8, ("h", "w"))
    if mask.size == 0:
        raise ValueError(f"mask must not be empty, its shape is {mask.shape}")
    flat = mask.T.ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    ends = np.append(starts[1:], flat.size)
    classes = flat[starts]
    return [_counts(starts[classes == label], ends[classes == label], flat.size) for label in labels]


def _counts(starts: NDArray[np.intp], ends: NDArray[np.intp], length: int) -> Counts:
    edges = np.empty(2 * len(starts) + 2, np.intp)
    edges[0], edges[-1] = 0, length
    edges[1:-1:2], edges[2:-1:2] = starts, ends
    counts: Counts = np.diff(edges).tolist()
    if len(counts) > 1 and counts[-1] == 0:
        counts.pop()
    return counts


def decode_runs(counts: Sequence[int], size: Sequence[int]) -> NDArray[np.bool_]:
    """The mask (h, w) of which pixels are in. size: [h, w] in pixels, of MOST_PIXELS together at most.

    Raises ValueError for counts that are negative or do not add up to h * w.
    """
    height, width = size
    lengths = np.asarray(counts, np.int64)
    if lengths.ndim != 1 or height < 1 or width < 1 or height * width > MOST_PIXELS:
        raise ValueError(
            f"a mask is a list of counts and a size [h, w] of one to {MOST_PIXELS} pixels, not {size!r}"
        )
    if (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError(
            f"counts must not be negative and add up to {height} x {width} = {height * width}; "
            f"they add up to {lengths.sum()}"
        )
    inside = np.arange(len(lengths)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, lengths).reshape(width, height).T)


def halve_runs(counts: Sequence[int], size: Sequence[int]) -> tuple[Counts, list[int]]:
    """The mask at half its size: of each two by two pixels the upper left one. Raises as `decode_runs`."""
    half = decode_runs(counts, size)[::2, ::2].astype(np.uint8)
    return encode_runs(half, (1,))[0], list(half.shape)
