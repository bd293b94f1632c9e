"""A folder of pictures, in the order of their names, or a single picture."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from kernels.formats import Picture
from streams.detail import Detail
from streams.errors import BadFrame, SourceInvalid, SourceUnavailable
from streams.sources import PICTURES, Shot, mjpeg
from streams.sources.pool import Pool
from streams.sources.timing import Timing

USUAL_RATE = 10.0  # pictures a second at pace realtime, where nothing else is asked
_EXIF = b"Exif\0\0"
_HEAD = 4096


class Folder:
    """Reads the pictures of a folder once, or round and round. Sizes may differ; all come as BGR.

    path: a folder, or one picture. The list is made at `open`: 2.jpg comes before 10.jpg, hidden files are
    left out. rate: pictures a second at pace realtime. A JPEG comes with its own bytes, unless a camera's
    note says that it is to be turned. detail: how much of a JPEG to decode.
    """

    live = False
    notice: str | None = None

    def __init__(
        self,
        path: Path,
        *,
        rate: float | None = None,
        loop: bool = False,
        realtime: bool = False,
        detail: Detail | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._loop = loop
        self._timing = Timing(realtime, rate or USUAL_RATE, clock)
        self._detail = detail or Detail()
        self._pool = Pool()
        self._pictures: list[Path] | None = None
        self._place = 0
        self._good = 0
        self._told = f"pictures {path}"

    def describe(self) -> str:
        return self._told

    def open(self) -> None:
        self._place = self._good = 0
        self._pictures = _listed(self._path)
        self._timing.begin()
        self._told = f"pictures {self._path}, {len(self._pictures)} of them"

    def read(self) -> Shot | None:
        if self._pictures is None:
            raise SourceUnavailable(f"{self._told} is not open")
        if self._place == len(self._pictures) and not self._turn(len(self._pictures)):
            return None
        path = self._pictures[self._place]
        self._place += 1
        shot = self._shot(path)
        self._good += 1
        return shot

    def close(self) -> None:
        self._pictures = None

    def _turn(self, count: int) -> bool:
        """At the end: whether it begins anew. Raises SourceInvalid where a whole round gave nothing."""
        if not self._good:
            raise SourceInvalid(f"none of the {count} pictures in {self._path} can be read")
        if self._loop:
            self._place = self._good = 0
        return self._loop

    def _shot(self, path: Path) -> Shot:
        due = self._timing.due(0.0)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadFrame(f"{path} cannot be read: {error.strerror}") from None
        try:
            if mjpeg.is_jpeg(data) and _EXIF not in data[:_HEAD]:
                pixels, whole = mjpeg.decode_for(data, self._detail, self._pool)
                return Shot(pixels, due=due, jpeg=data, whole=whole)
            return Shot(_decoded(data), due=due)
        except BadFrame as error:
            raise BadFrame(f"{path}: {error}") from None


def _listed(path: Path) -> list[Path]:
    """Raises SourceInvalid where there is none."""
    if path.is_file():
        return [path]
    try:
        names = [
            entry for entry in path.iterdir() if entry.suffix.lower() in PICTURES and entry.name[0] != "."
        ]
    except OSError as error:
        raise SourceInvalid(f"{path} cannot be read: {error.strerror}") from None
    if not names:
        raise SourceInvalid(f"{path} holds no picture; read are {', '.join(sorted(PICTURES))}")
    return sorted(names, key=_by_name)


def _by_name(path: Path) -> list[tuple[int, str]]:
    """Digits count as numbers."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())
    ]


def _decoded(data: bytes) -> Picture:
    """Any picture that OpenCV reads, turned as its camera noted. Raises BadFrame."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise BadFrame(f"{len(data)} bytes are no picture that can be read")
    return np.ascontiguousarray(pixels, np.uint8)
