"""Masks, zones that must not be seen, and what a racer's policy is shown."""

import importlib.util

import agreement
import cv2
import numpy as np
import peers_pictures
import scenes
from case import FASTEST, Case, Target

import kernels

CAMERA = (480, 640)
OBSERVED = (120, 160)


def cases() -> list[Case]:
    found = [_argmax(), _overlay(), _blur(), _stock()]
    if importlib.util.find_spec("PIL"):  # a peer alone, and no part of the product
        found += [_training(), _stereo()]
    return found


def _argmax() -> Case:
    scores = np.random.default_rng(1).normal(0, 2, (21, 513, 513)).astype(np.float32)
    out, copy = np.empty((513, 513), np.uint8), np.empty_like(scores)

    def ours() -> object:
        return kernels.argmax_planes(scores, out)

    others = {
        "NumPy": (lambda: scores.argmax(axis=0), None),
        "cv2.reduceArgMax": (lambda: cv2.reduceArgMax(scores, 0), None),
    }
    return Case(
        "argmax 21 x 513 x 513",
        ours,
        {name: work for name, (work, _) in others.items()},
        agreement.within(ours, out, others, 0),
        (Target("NumPy", 8.0, 4.0), Target("copy", 1 / 1.3, None)),
        controls={"copy": lambda: np.copyto(copy, scores)},
    )


def _mask() -> peers_pictures.Bytes:
    """Round things of 21 classes, as a network of 513 x 513 sees them."""
    rng = np.random.default_rng(2)
    mask = np.zeros((513, 513), np.uint8)
    for label in range(1, 21):
        centre = tuple(int(each) for each in rng.integers(0, 513, 2))
        axes = tuple(int(each) for each in rng.integers(15, 90, 2))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, label, -1)
    return mask


def _overlay() -> Case:
    pixels, mask = scenes.scene(1080, 1920), _mask()
    palette = np.random.default_rng(3).integers(0, 256, (256, 3), np.uint8)
    out, one, two = (np.empty_like(pixels) for _ in range(3))

    def ours() -> object:
        return kernels.overlay_mask(pixels, mask, palette, out, alpha=128)

    alpha = 128 / 255
    others = {
        "resize+applyColorMap+addWeighted": (peers_pictures.overlay(pixels, mask, palette, alpha, one), one),
        "applyColorMap+resize+addWeighted": (
            peers_pictures.overlay_coloured_first(pixels, mask, palette, alpha, two),
            two,
        ),
    }
    # cv2.resize takes the mask's pixel at a pixel's corner, ours at its middle: a few pixels at borders differ.
    return Case(
        "overlay of a mask of 513 x 513 on 1080p",
        ours,
        {name: work for name, (work, _) in others.items()},
        agreement.within(ours, out, others, 1.5, average=True),
        (Target(FASTEST, 5.0, 3.0),),
        controls={"copy": lambda: np.copyto(out, pixels)},
    )


def _blur() -> Case:
    """A quarter of 1080p. The mosaic's own peer agrees; the blurs do other work to the same end."""
    pixels = scenes.scene(1080, 1920)
    before, zone = pixels.copy(), pixels[270:810, 480:1440]
    blurred = np.empty_like(zone)

    def ours() -> object:
        return kernels.blur_zone(pixels, 480, 270, 1440, 810, 30)

    mosaic = peers_pictures.mosaic(zone, 30)

    def agrees() -> bool:
        ours()
        out = zone.copy()
        pixels[...] = before
        mosaic()
        same = np.abs(zone.astype(int) - out).max() <= 1
        pixels[...] = before
        return bool(same)

    return Case(
        "privacy blur of a quarter of 1080p",
        ours,
        {"resize area+nearest": mosaic, "cv2.blur": lambda: cv2.blur(zone, (31, 31), dst=blurred)},
        agrees,
        (Target(FASTEST, 1.0, 1.0),),
        controls={"cv2.GaussianBlur": lambda: cv2.GaussianBlur(zone, (31, 31), 0, dst=blurred)},
    )


def _stock() -> Case:
    pixels = scenes.scene(*CAMERA)
    out, theirs = np.empty(OBSERVED, np.uint8), np.empty(OBSERVED, np.uint8)

    def ours() -> object:
        return kernels.observe(pixels, out, mode="stock")

    peer = peers_pictures.observation_stock(pixels, theirs)
    return Case(
        "observation, as the stock car",
        ours,
        {"cv2": peer},
        agreement.within(ours, out, {"cv2": (peer, theirs)}, 1),
        (Target(FASTEST, 1.5, 1.2),),
        before=scenes.written_again(pixels),
    )


def _training() -> Case:
    pixels = scenes.scene(*CAMERA)
    out, theirs = np.empty(OBSERVED, np.uint8), np.empty(OBSERVED, np.uint8)

    def ours() -> object:
        return kernels.observe(pixels, out)

    peer = peers_pictures.observation_training(pixels, theirs)
    return Case(
        "observation, as in training",
        ours,
        {"Pillow+NumPy": peer},
        agreement.within(ours, out, {"Pillow+NumPy": (peer, theirs)}, 0),
        (Target(FASTEST, 4.0, 3.0),),
        before=scenes.written_again(pixels),
    )


def _stereo() -> Case:
    eyes = scenes.scene(*CAMERA), np.ascontiguousarray(scenes.scene(*CAMERA)[:, ::-1])
    out, theirs = (np.empty((*OBSERVED, 2), np.uint8) for _ in range(2))

    def ours() -> object:
        return kernels.observe(eyes, out)

    peer = peers_pictures.observation_stereo(eyes, theirs)
    return Case(
        "observation of two eyes, as in training",
        ours,
        {"Pillow+NumPy": peer},
        agreement.within(ours, out, {"Pillow+NumPy": (peer, theirs)}, 0),
        (Target(FASTEST, 4.0, 3.0),),
    )
