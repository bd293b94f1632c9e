"""The classes of a segmentation laid over its picture."""

from collections.abc import Sequence

import kernels
from inference.palette import palette
from inference.results import Segmentation
from kernels.formats import Picture
from kernels.placement import Placement

ALPHA = 110  # of 255: the picture can still be seen through it


def paint_segments(out: Picture, result: Segmentation, labels: Sequence[str]) -> None:
    """Lay the colours of the classes over a BGR picture (height, width, 3) uint8, in place.

    What the mask does not cover (of a crop) and classes named as a background stay as they are. The picture may be
    of another size than the one that the model was given.
    """
    if not len(result.label_ids):
        return
    placement = _resized(result.placement, out.shape[0], out.shape[1])
    beyond = _beyond(out, placement, result.mask.shape)
    untouched = [part.copy() for part in beyond]
    kernels.overlay_mask(out, result.mask, palette(tuple(labels), ALPHA), out, placement=placement)
    for part, before in zip(beyond, untouched, strict=True):
        part[...] = before


def _resized(placement: Placement, height: int, width: int) -> Placement:
    return placement._replace(
        source_height=height,
        source_width=width,
        scale_y=placement.scale_y * placement.source_height / height,
        scale_x=placement.scale_x * placement.source_width / width,
    )


def _beyond(out: Picture, placement: Placement, mask: tuple[int, ...]) -> list[Picture]:
    """The parts of the picture whose middles lie beyond the mask: above, below, left and right of it."""
    top, bottom = (round((side - placement.top) / placement.scale_y) for side in (0, mask[0]))
    left, right = (round((side - placement.left) / placement.scale_x) for side in (0, mask[1]))
    parts = [out[: max(0, top)], out[max(0, bottom) :], out[:, : max(0, left)], out[:, max(0, right) :]]
    return [part for part in parts if part.size]
