"""A picture into a tensor: BGR to planar RGB, stretched and letterboxed, floats and bytes."""

from collections.abc import Callable

import agreement
import numpy as np
import peers
import scenes
from case import FASTEST, Case, Target, Work

import kernels
from kernels import PixelFormat

SOURCES = {"1080p": (1080, 1920), "640x480": (480, 640)}
SIDES = (224, 300, 640)
LEVEL = 1.0  # grey levels
STRETCHED = "prepare"
MEANS = {
    STRETCHED: (Target(FASTEST, 2.8, 2.0), Target("openvino", 40.0, None)),
}


def cases() -> list[Case]:
    found = [_stretched(name, side) for name in SOURCES for side in SIDES]
    found += [_letterboxed(name) for name in SOURCES]
    return found + [_bytes(name, side, resize) for name, side, resize in _BYTES]


_BYTES = (
    ("1080p", 300, "stretch"),
    ("640x480", 300, "stretch"),
    ("1080p", 640, "letterbox"),
    ("640x480", 640, "letterbox"),
)


def _stretched(name: str, side: int) -> Case:
    pixels = scenes.scene(*SOURCES[name])
    box = peers.Letterbox(*pixels.shape[:2], side, stretch=True)
    out = np.empty((3, side, side), np.float32)
    others = {
        "blobFromImage": (peers.blob(lambda: pixels, side), None),
        "resize+split+multiply": peers.arithmetic(lambda: pixels, box, side),
        "resize+split+LUT": peers.lookup(lambda: pixels, box, side),
        "openvino": peers.openvino_preprocessor(pixels, side),
    }

    def ours() -> object:
        return kernels.prepare(pixels, out, mean=peers.MEAN, scale=SCALES)

    return Case(
        f"prepare {name} to {side}",
        ours,
        peers.steady(others),
        agreement.within(ours, out, others, LEVEL / peers.SCALE),
        (Target(FASTEST, 2.0, 1.5),),
        apart=peers.unsteady(others),
        before=scenes.written_again(pixels),
        mean=STRETCHED,
    )


def _letterboxed(name: str) -> Case:
    pixels = scenes.scene(*SOURCES[name])
    side = 640
    box = peers.Letterbox(*pixels.shape[:2], side, stretch=False)
    out = np.empty((3, side, side), np.float32)
    others = {
        "resize+border+blobFromImage": (peers.blob_letterboxed(lambda: pixels, box, side), None),
        "resize+border+split+multiply": peers.arithmetic(lambda: pixels, box, side),
        "resize+border+split+LUT": peers.lookup(lambda: pixels, box, side),
    }

    def ours() -> object:
        return kernels.prepare(pixels, out, resize="letterbox", mean=peers.MEAN, scale=SCALES)

    return Case(
        f"prepare {name} letterbox to {side}",
        ours,
        peers.steady(others),
        agreement.within(ours, out, others, LEVEL / peers.SCALE),
        (Target(FASTEST, 3.0, 2.0),),
        apart=peers.unsteady(others),
        before=scenes.written_again(pixels),
    )


def _bytes(name: str, side: int, resize: str) -> Case:
    pixels = scenes.scene(*SOURCES[name])
    box = peers.Letterbox(*pixels.shape[:2], side, stretch=resize == "stretch")
    out = np.empty((3, side, side), np.uint8)
    others = {
        "resize+split": peers.bytes_split(lambda: pixels, box, side),
        "resize+extractChannel": peers.bytes_framed(lambda: pixels, box, side),
    }

    def ours() -> object:
        return kernels.prepare(pixels, out, resize=resize)

    return Case(
        f"prepare u8 {name} {resize} to {side}",
        ours,
        peers.steady(others),
        agreement.within(ours, out, others, LEVEL),
        (Target(FASTEST, 3.0, 2.0),),
        apart=peers.unsteady(others),
        before=scenes.written_again(pixels),
    )


SCALES = (peers.SCALE,) * 3


def threaded() -> dict[str, Callable[[], Work]]:
    """What threads.py runs two of at once."""

    def preparing() -> Work:
        pixels, out = scenes.scene(*SOURCES["1080p"]), np.empty((3, 300, 300), np.float32)
        return lambda: kernels.prepare(pixels, out, mean=peers.MEAN, scale=SCALES)

    def converting() -> Work:
        pixels = scenes.yuyv(scenes.scene(*SOURCES["640x480"]))
        out = np.empty((*SOURCES["640x480"], 3), np.uint8)
        return lambda: kernels.convert(pixels, PixelFormat.YUYV, out)

    return {"prepare": preparing, "convert": converting}
