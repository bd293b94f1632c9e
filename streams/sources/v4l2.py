"""What a V4L2 device says of itself: name, and formats with their sizes and rates. Standard library alone.

Numbers and layouts are those of the kernel's `linux/videodev2.h`.
"""

import os
import struct
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

# ioctl requests: direction << 30 | size << 16 | 'V' << 8 | number
QUERYCAP = 2 << 30 | 104 << 16 | ord("V") << 8 | 0
ENUM_FMT = 3 << 30 | 64 << 16 | ord("V") << 8 | 2
ENUM_FRAMESIZES = 3 << 30 | 44 << 16 | ord("V") << 8 | 74
ENUM_FRAMEINTERVALS = 3 << 30 | 52 << 16 | ord("V") << 8 | 75

VIDEO_CAPTURE = 0x00000001
VIDEO_CAPTURE_MPLANE = 0x00001000
HAS_DEVICE_CAPS = 0x80000000
DISCRETE = 1
MOST = 64  # entries asked of each list: no camera has more, and a broken driver must end

Ioctl = Callable[[int, int, bytearray], object]


class Size(NamedTuple):
    """A picture size, pixels, and its rates, pictures a second, the highest first; empty if not told."""

    width: int
    height: int
    rates: tuple[float, ...]


class Format(NamedTuple):
    """A pixel format: its four letters such as MJPG, and the sizes in the driver's order."""

    fourcc: str
    sizes: tuple[Size, ...]


class Capability(NamedTuple):
    """driver, card: names. captures: whether this node delivers pictures, and is not, say, for metadata."""

    driver: str
    card: str
    captures: bool


def linux_ioctl(descriptor: int, request: int, argument: bytearray) -> object:
    """fcntl.ioctl. Raises OSError where there is none, as on other systems."""
    if sys.platform != "linux":
        raise OSError("V4L2 is Linux's")
    import fcntl

    return fcntl.ioctl(descriptor, request, argument, True)  # noqa: FBT003


def ask(path: str, ioctl: Ioctl = linux_ioctl) -> tuple[Capability, tuple[Format, ...]]:
    """What the device at `path` can do; opening it disturbs nobody who streams from it. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        capability = _capability(descriptor, ioctl)
        return capability, tuple(_formats(descriptor, ioctl)) if capability.captures else ()
    finally:
        os.close(descriptor)


def _capability(descriptor: int, ioctl: Ioctl) -> Capability:
    data = bytearray(104)
    ioctl(descriptor, QUERYCAP, data)
    driver, card, _, _, whole, node = struct.unpack_from("16s32s32sIII", data)
    flags = node if whole & HAS_DEVICE_CAPS else whole
    return Capability(_text(driver), _text(card), bool(flags & (VIDEO_CAPTURE | VIDEO_CAPTURE_MPLANE)))


def _formats(descriptor: int, ioctl: Ioctl) -> Iterator[Format]:
    for data in _entries(descriptor, ioctl, ENUM_FMT, 64, 1):  # buffer type 1: video capture
        code = struct.unpack_from("I", data, 44)[0]
        yield Format(_letters(code), tuple(_sizes(descriptor, ioctl, code)))


def _sizes(descriptor: int, ioctl: Ioctl, code: int) -> Iterator[Size]:
    for data in _entries(descriptor, ioctl, ENUM_FRAMESIZES, 44, code):
        kind, first, second = struct.unpack_from("III", data, 8)
        # Stepwise: smallest width, largest width, step, smallest height, largest height.
        width, height = (
            (first, second) if kind == DISCRETE else (second, struct.unpack_from("I", data, 28)[0])
        )
        yield Size(
            width, height, tuple(sorted(set(_rates(descriptor, ioctl, code, width, height)), reverse=True))
        )
        if kind != DISCRETE:
            return


def _rates(descriptor: int, ioctl: Ioctl, code: int, width: int, height: int) -> Iterator[float]:
    for data in _entries(descriptor, ioctl, ENUM_FRAMEINTERVALS, 52, code, width, height):
        kind, numerator, denominator = struct.unpack_from("III", data, 16)
        if numerator:
            yield round(denominator / numerator, 3)
        if kind != DISCRETE:
            return


def _entries(descriptor: int, ioctl: Ioctl, request: int, size: int, *keys: int) -> Iterator[bytearray]:
    """Ask for entry 0, 1, 2, ... until the driver refuses."""
    for index in range(MOST):
        data = bytearray(size)
        struct.pack_into(f"{1 + len(keys)}I", data, 0, index, *keys)
        try:
            ioctl(descriptor, request, data)
        except OSError:
            return
        yield data


def _letters(code: int) -> str:
    return (code & 0x7FFFFFFF).to_bytes(4, "little").decode("latin-1").strip(" \0")


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")
