"""Test pictures, and the files that hold them: clips, cut and damaged ones, folders, an animation."""

import struct
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

SIZE = (320, 240)  # width, height


def picture(step: int = 0, size: tuple[int, int] = SIZE, seed: int = 0) -> Picture:
    """BGR (height, width, 3): a soft background and a red disc, elsewhere for each step."""
    width, height = size
    coarse = np.random.default_rng(seed).integers(30, 220, (6, 8, 3), np.uint8)
    pixels = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    centre = ((width // 5 + 7 * step) % width, height // 2)
    cv2.circle(pixels, centre, max(4, height // 8), (0, 0, 255), -1)
    return np.asarray(pixels, np.uint8)


def noise(size: tuple[int, int] = SIZE, seed: int = 0) -> Picture:
    """BGR (height, width, 3): the picture that compresses worst."""
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


def jpeg_bytes(pixels: Picture, quality: int = 90) -> bytes:
    encoded: bytes = simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="BGR", colorsubsampling="420")
    return encoded


def without_tables(jpeg: bytes) -> bytes:
    """The JPEG as many a webcam gives it: without Huffman tables."""
    kept, place = bytearray(jpeg[:2]), 2
    while jpeg[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if jpeg[place + 1] != 0xC4:
            kept += jpeg[place:end]
        place = end
    return bytes(kept + jpeg[place:])


def clip(
    path: Path,
    frames: int = 30,
    *,
    size: tuple[int, int] = SIZE,
    rate: float = 25.0,
    codec: str | None = None,
) -> Path:
    """Write a video; its codec by the ending where none is named: mp4v for .mp4, MJPG for .avi."""
    letters = codec or ("MJPG" if path.suffix == ".avi" else "mp4v")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*letters), rate, size)
    assert writer.isOpened(), f"OpenCV cannot write {letters}"
    for step in range(frames):
        writer.write(picture(step, size))
    writer.release()
    return path


def cut(path: Path, share: float = 0.5) -> Path:
    """Cut a file short, as a full disk or a broken copy does."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path


def wiped(path: Path) -> Path:
    """Overwrite the later half of an mp4's pictures with zeros; its index, at the end, stays."""
    data = bytearray(path.read_bytes())
    begin, end = data.find(b"mdat"), data.rfind(b"moov")
    assert 0 < begin < end
    middle = (begin + end) // 2
    data[middle : end - 4] = bytes(end - 4 - middle)
    path.write_bytes(data)
    return path


def animation(path: Path, frames: int = 5) -> Path:
    """Write a GIF of flat grey pictures, 64x48, each shown for 80 ms."""
    width, height = 64, 48
    greys = bytes(2 * level for level in range(128) for _ in "rgb")
    data = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF6, 0, 0) + greys
    for step in range(frames):
        # Seven-bit colours make codes of eight bits, bytes that is, so long as 128 begins the table anew in time.
        codes = b"".join(bytes((128, *[10 * step % 128] * 64)) for _ in range(height)) + bytes((129,))
        blocks = b"".join(
            bytes((len(part),)) + part for part in (codes[at : at + 255] for at in range(0, len(codes), 255))
        )
        data += b"!\xf9\x04\0" + struct.pack("<H", 8) + b"\0\0"
        data += b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x07" + blocks + b"\0"
    path.write_bytes(data + b";")
    return path


def folder(path: Path, count: int = 5, *, damaged: tuple[int, ...] = (), ending: str = ".jpg") -> Path:
    """Write 1.jpg, 2.jpg, ...; those whose place, from 1, is in `damaged` are cut in half."""
    path.mkdir()
    for place in range(1, count + 1):
        file = path / f"{place}{ending}"
        if ending == ".jpg":
            file.write_bytes(jpeg_bytes(picture(place)))
        else:
            assert cv2.imwrite(str(file), picture(place))
        if place in damaged:
            cut(file)
    return path
