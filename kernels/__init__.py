"""Arrays in, arrays out: what prepares a picture for a model and reads what the model says.

Every kernel exists twice, compiled and as its NumPy twin in `kernels.reference`. Which of them serve is
decided here, once: the compiled ones where they stand, else the twins, and a warning says so.
EDGE_KERNELS=compiled or =reference forces one of them. IMPLEMENTATION says which it is, LEVEL which
instructions it runs on: the best that the CPU has, or what EDGE_CPU=v2, v3 or v4 forces.
"""

import importlib
import logging
import os

from kernels.candidates import Candidates, candidates
from kernels.formats import Picture, PixelFormat, picture_size
from kernels.placement import Placement, placement

_FORCED = os.environ.get("EDGE_KERNELS", "")
if _FORCED not in ("", "compiled", "reference"):
    raise ValueError(f"EDGE_KERNELS must be compiled or reference, not {_FORCED!r}")


_MODULES = (
    "_levels",
    "_boxes",
    "_cells",
    "_convert",
    "_decoders",
    "_masks",
    "_observe",
    "_prepare",
    "_scores",
    "_segments",
    "_tracks",
)


def _missing() -> ImportError | None:
    """Why the compiled kernels cannot serve."""
    try:
        for name in _MODULES:
            importlib.import_module(f"{__name__}.{name}")
    except ImportError as error:
        return error
    return None


def _choose() -> str:
    if _FORCED == "reference":
        return "reference"
    missing = _missing()
    if missing is None:
        return "compiled"
    if _FORCED == "compiled":
        raise ImportError(
            f"EDGE_KERNELS=compiled, but the compiled kernels cannot be loaded: {missing}"
        ) from missing
    logging.getLogger(__name__).warning(
        "the compiled kernels cannot be loaded (%s); their NumPy twins serve, which is many times slower",
        missing,
    )
    return "reference"


IMPLEMENTATION = _choose()

if IMPLEMENTATION == "compiled":
    from kernels._boxes import boxes_to_frame, nms, points_to_frame
    from kernels._cells import decode_nanodet, decode_yolox, decode_yunet
    from kernels._convert import convert
    from kernels._decoders import decode_scored, decode_ssd, decode_yolo
    from kernels._levels import LEVEL
    from kernels._masks import argmax_planes, blur_zone, fill_zone, overlay_mask
    from kernels._observe import observe
    from kernels._prepare import prepare
    from kernels._scores import softmax_top_k
    from kernels._segments import argmax_pixels, count_classes
    from kernels._tracks import (
        assign_pairs,
        correct_tracks,
        match_tracks,
        predict_tracks,
        start_tracks,
    )
else:
    from kernels.reference import LEVEL
    from kernels.reference.boxes import boxes_to_frame, nms, points_to_frame
    from kernels.reference.cells import decode_nanodet, decode_yolox, decode_yunet
    from kernels.reference.convert import convert
    from kernels.reference.decoders import decode_scored, decode_ssd, decode_yolo
    from kernels.reference.masks import argmax_planes, blur_zone, fill_zone, overlay_mask
    from kernels.reference.observe import observe
    from kernels.reference.prepare import prepare
    from kernels.reference.scores import softmax_top_k
    from kernels.reference.segments import argmax_pixels, count_classes
    from kernels.reference.tracks import (
        assign_pairs,
        correct_tracks,
        match_tracks,
        predict_tracks,
        start_tracks,
    )

__all__ = [  # noqa: RUF022 - sorted plainly, constants too
    "Candidates",
    "IMPLEMENTATION",
    "LEVEL",
    "Picture",
    "PixelFormat",
    "Placement",
    "argmax_pixels",
    "argmax_planes",
    "assign_pairs",
    "blur_zone",
    "boxes_to_frame",
    "candidates",
    "convert",
    "correct_tracks",
    "count_classes",
    "decode_nanodet",
    "decode_scored",
    "decode_ssd",
    "decode_yolo",
    "decode_yolox",
    "decode_yunet",
    "fill_zone",
    "match_tracks",
    "nms",
    "observe",
    "overlay_mask",
    "picture_size",
    "placement",
    "points_to_frame",
    "predict_tracks",
    "prepare",
    "softmax_top_k",
    "start_tracks",
]
