"""Straight from a camera's formats: only the pixels that are needed become colours."""

from collections.abc import Callable

import agreement
import cv2
import numpy as np
import peers
import scenes
from case import FASTEST, Case, Target
from cases_prepare import LEVEL, SCALES, SIDES

import kernels
from kernels import PixelFormat

SIZE = (1080, 1920)
# cv2 rounds twice, after the conversion and after the scaling; ours after neither.
FORMATS: dict[PixelFormat, tuple[Callable[[peers.Pixels], peers.Pixels], int]] = {
    PixelFormat.YUYV: (scenes.yuyv, cv2.COLOR_YUV2BGR_YUYV),
    PixelFormat.NV12: (scenes.nv12, cv2.COLOR_YUV2BGR_NV12),
}


def cases() -> list[Case]:
    return [_camera(pixel_format, side) for pixel_format in FORMATS for side in SIDES]


def _camera(pixel_format: PixelFormat, side: int) -> Case:
    made, code = FORMATS[pixel_format]
    pixels = made(scenes.scene(*SIZE))
    box = peers.Letterbox(*SIZE, side, stretch=True)
    out = np.empty((3, side, side), np.float32)
    converted = np.empty((*SIZE, 3), np.uint8)

    def bgr() -> peers.Pixels:
        cv2.cvtColor(pixels, code, dst=converted)
        return converted

    others = {
        "cvtColor+blobFromImage": (peers.blob(bgr, side), None),
        "cvtColor+resize+split+multiply": peers.arithmetic(bgr, box, side),
        "cvtColor+resize+split+LUT": peers.lookup(bgr, box, side),
    }

    def ours() -> object:
        return kernels.prepare(pixels, out, format=pixel_format, mean=peers.MEAN, scale=SCALES)

    return Case(
        f"prepare {pixel_format.name} 1080p to {side}",
        ours,
        peers.steady(others),
        agreement.within(ours, out, others, LEVEL / peers.SCALE),
        (Target(FASTEST, 4.0, 2.5),),
        apart=peers.unsteady(others),
        before=scenes.written_again(pixels),
    )
