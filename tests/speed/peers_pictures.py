"""Masks, zones and observations as the best users of OpenCV, NumPy and Pillow make them, into ready arrays."""

import cv2
import numpy as np
from case import Work
from numpy.typing import NDArray

cv2.setNumThreads(1)

Bytes = NDArray[np.uint8]


def overlay(pixels: Bytes, mask: Bytes, palette: Bytes, alpha: float, out: Bytes) -> Work:
    """The mask made large, then coloured by a table, then blended."""
    large = np.empty(pixels.shape[:2], np.uint8)
    layer = np.empty_like(pixels)
    table = palette.reshape(256, 1, 3)

    def work() -> None:
        cv2.resize(mask, pixels.shape[1::-1], dst=large, interpolation=cv2.INTER_NEAREST)
        cv2.applyColorMap(large, table, dst=layer)
        cv2.addWeighted(pixels, 1 - alpha, layer, alpha, 0, dst=out)

    return work


def overlay_coloured_first(pixels: Bytes, mask: Bytes, palette: Bytes, alpha: float, out: Bytes) -> Work:
    """The mask coloured by a table, then made large, then blended."""
    small = np.empty((*mask.shape, 3), np.uint8)
    layer = np.empty_like(pixels)
    table = palette.reshape(256, 1, 3)

    def work() -> None:
        cv2.applyColorMap(mask, table, dst=small)
        cv2.resize(small, pixels.shape[1::-1], dst=layer, interpolation=cv2.INTER_NEAREST)
        cv2.addWeighted(pixels, 1 - alpha, layer, alpha, 0, dst=out)

    return work


def mosaic(zone: Bytes, cell: int) -> Work:
    """Down to a pixel a cell by area, and up again."""
    height, width = zone.shape[:2]
    small = np.empty((height // cell, width // cell, 3), np.uint8)

    def work() -> None:
        cv2.resize(zone, (width // cell, height // cell), dst=small, interpolation=cv2.INTER_AREA)
        cv2.resize(small, (width, height), dst=zone, interpolation=cv2.INTER_NEAREST)

    return work


def observation_stock(pixels: Bytes, out: Bytes) -> Work:
    small = np.empty((*out.shape, 3), np.uint8)

    def work() -> None:
        cv2.resize(pixels, out.shape[::-1], dst=small)
        cv2.cvtColor(small, cv2.COLOR_BGR2GRAY, dst=out)

    return work


def observation_training(pixels: Bytes, out: Bytes) -> Work:
    """Pillow takes BGR for RGB, which its scaling does not mind; then NumPy in place."""
    from PIL import Image

    gray = np.empty(out.shape, np.float64)
    other = np.empty(out.shape, np.float64)

    def work() -> None:
        small = np.asarray(
            Image.fromarray(pixels).resize(out.shape[::-1], resample=Image.Resampling.BILINEAR)
        )
        np.multiply(small[:, :, 2], 0.2989, out=gray)
        np.add(gray, np.multiply(small[:, :, 1], 0.5870, out=other), out=gray)
        np.add(gray, np.multiply(small[:, :, 0], 0.1140, out=other), out=gray)
        np.copyto(out, gray, casting="unsafe")

    return work


def observation_stereo(eyes: tuple[Bytes, Bytes], out: Bytes) -> Work:
    """out: (height, width, 2)"""
    from PIL import Image

    red_first = np.empty_like(eyes[0])

    def work() -> None:
        for eye, pixels in enumerate(eyes):
            cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=red_first)
            small = Image.fromarray(red_first).resize(out.shape[1::-1], resample=Image.Resampling.BILINEAR)
            out[:, :, eye] = np.asarray(small.convert("L"))

    return work
