"""A frame's picture as bytes that lose nothing, and back: a camera's JPEG as it came, else rows, deflated.

Each row is told by its difference from the row above it, byte by byte: what a picture has of plain and of slowly
changing surfaces becomes zeros. On the clips of the samples that leaves 8 to 20 % of the bytes.
"""

import hashlib
import math
import zlib
from typing import Any

import numpy as np

from kernels.formats import Picture, PixelFormat, picture_size
from streams.detail import Detail
from streams.errors import BadFrame, RecordingInvalid
from streams.feed import sealed
from streams.frame import Frame
from streams.privacy import covered
from streams.recording import Record
from streams.sources.pool import Pool

JPEG, ROWS = "jpeg", "rows"
MOST_BYTES = 256 << 20  # of one picture's pixels
MOST_DIMENSIONS = 3
Described = dict[str, Any]


def digest(pixels: Picture) -> str:
    """Of the pixels alone, hexadecimal; tells pictures of one shape apart."""
    return hashlib.blake2b(pixels.data, digest_size=16).hexdigest()


def packed(frame: Frame) -> tuple[Described, bytes]:
    """What a record tells of a frame, and its picture, with private zones covered."""
    hidden = frame.veil is not None and frame.veil.hides_more
    frame = covered(frame)
    told: Described = {
        "source": frame.source,
        "id": frame.id,
        "captured_at": frame.captured_at,
        "format": frame.format.value,
        "shape": list(frame.pixels.shape),
        "pixels": digest(frame.pixels),
    }
    if hidden:
        told["covered"] = True  # the model saw more of it
    if frame.whole is not None:
        told["whole"] = list(frame.whole)
    if frame.jpeg is not None:
        return {**told, "packing": JPEG}, frame.jpeg
    return {**told, "packing": ROWS}, deflated(frame.pixels)


def deflated(pixels: Picture) -> bytes:
    rows = pixels.reshape(pixels.shape[0], -1)
    differences = rows.copy()
    differences[1:] -= rows[:-1]
    return zlib.compress(differences.data, 1)


def inflated(blob: bytes, shape: tuple[int, ...]) -> Picture:
    """Raises ValueError where the bytes do not give this shape."""
    size = math.prod(shape)
    try:
        unpacked = zlib.decompressobj().decompress(blob, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(unpacked) != size:
        raise ValueError(f"{len(unpacked)} bytes came for {size}")
    rows = np.frombuffer(unpacked, np.uint8).reshape(shape[0], -1)
    return np.add.accumulate(rows, axis=0, dtype=np.uint8).reshape(shape)


def unpacked(record: Record, detail: Detail | None = None, pool: Pool | None = None) -> Frame:
    """The frame of a record, with its number and times.

    detail: how much of a JPEG to decode; None: as much as was decoded when it was recorded. Raises RecordingInvalid.
    """
    told = record.meta
    try:
        shape = shape_of(told["shape"])
        layout = PixelFormat(told["format"])
        who = int(told["id"]), str(told["source"]), float(told["captured_at"])
        if told["packing"] == JPEG:
            whole = told.get("whole")
            pixels, size = decoded(record.blob, shape, bool(whole), detail, pool or Pool())
            return Frame(*who, sealed(pixels), layout, record.blob, size)
        pixels = inflated(record.blob, shape)
        picture_size(pixels, layout)
        height, width = shape_of(told["whole"]) if "whole" in told else (0, 0)
        return Frame(*who, sealed(pixels), layout, whole=(height, width) if height else None)
    except (KeyError, TypeError, ValueError, BadFrame) as error:
        told_of = f"what it tells of its frame is not whole ({type(error).__name__}: {error})"
        raise RecordingInvalid(f"the record at byte {record.at} cannot be read: {told_of}") from None


def decoded(
    data: bytes,
    shape: tuple[int, ...],
    part: bool,
    detail: Detail | None,
    pool: Pool,
) -> tuple[Picture, tuple[int, int] | None]:
    from streams.sources import mjpeg  # costs a vendor library that raw pictures do not need

    if detail is not None:
        return mjpeg.decode_for(data, detail, pool)
    if part:
        return mjpeg.decode_for(data, Detail(lambda _size: (shape[0], shape[1])), pool)
    return mjpeg.decode(data, pool), None


def shape_of(told: object) -> tuple[int, ...]:
    """Raises ValueError for what is no shape of a picture."""
    if not isinstance(told, list) or not 1 < len(told) <= MOST_DIMENSIONS:
        raise ValueError(f"{told!r} is no shape")
    if not all(isinstance(side, int) and 0 < side <= MOST_BYTES for side in told):
        raise ValueError(f"{told!r} is no shape")
    if math.prod(told) > MOST_BYTES:
        raise ValueError(f"a picture of {told!r} is too large")
    return tuple(told)
