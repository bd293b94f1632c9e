"""A webcam that is not there: what OpenCV's V4L2 capture would do, and the folders in which the kernel shows it."""

import errno
import os
import struct
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.sources.devices import Roots

Picture = NDArray[np.uint8]


class Webcam:
    """Stands in for cv2.VideoCapture. Gives each of `pictures` (bytes: raw JPEG data) once, then fails.

    formats: what it can deliver. stamps: the driver's milliseconds for each picture. stubborn: it converts to BGR
    whatever it is asked.
    """

    def __init__(
        self,
        pictures: Iterable[Picture | bytes],
        *,
        formats: tuple[str, ...] = ("MJPG", "YUYV"),
        stamps: Iterable[float] = (),
        stubborn: bool = False,
        size: tuple[int, int] = (640, 480),
    ) -> None:
        self.pictures = deque(pictures)
        self.stamps = deque(stamps)
        self.formats = formats
        self.stubborn = stubborn
        self.settings: dict[int, float] = {
            cv2.CAP_PROP_FRAME_WIDTH: size[0],
            cv2.CAP_PROP_FRAME_HEIGHT: size[1],
            cv2.CAP_PROP_FPS: 30.0,
            cv2.CAP_PROP_CONVERT_RGB: 1,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*formats[-1]),
            cv2.CAP_PROP_POS_MSEC: 0.0,
        }
        self.released = 0

    def isOpened(self) -> bool:
        return not self.released

    def get(self, propId: int) -> float:  # noqa: N803
        return self.settings.get(propId, -1.0)

    def set(self, propId: int, value: float) -> bool:  # noqa: N803
        if propId == cv2.CAP_PROP_FOURCC and value not in [
            cv2.VideoWriter.fourcc(*each) for each in self.formats
        ]:
            return False
        self.settings[propId] = value
        return True

    def read(self, image: Picture | None = None) -> tuple[bool, Picture | None]:
        if not self.pictures:
            return False, None
        picture = self.pictures.popleft()
        if self.stamps:
            self.settings[cv2.CAP_PROP_POS_MSEC] = self.stamps.popleft()
        whole = picture if isinstance(picture, bytes) else None
        raw = not self.settings[cv2.CAP_PROP_CONVERT_RGB] and not self.stubborn
        if whole is not None and raw:
            return True, np.frombuffer(whole, np.uint8).reshape(1, -1).copy()
        shown = picture if whole is None else cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR)
        if image is not None and shown is not None and image.shape == shown.shape:
            image[...] = shown
            return True, image
        return True, None if shown is None else np.array(shown, np.uint8)

    def release(self) -> None:
        self.released += 1


class Machine:
    """A tree as under /sys, /dev and /proc, with the cameras and processes that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.roots = Roots(folder / "sys", folder / "dev", folder / "proc")
        for root in self.roots:
            root.mkdir()
        self.answers: dict[str, Callable[[int, bytearray], None]] = {}

    def add_camera(self, number: int, name: str, *, index: int = 0, by_id: str = "") -> Path:
        node = self.roots.sys / "class" / "video4linux" / f"video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
        path = self.roots.dev / f"video{number}"
        path.write_bytes(b"")
        if by_id:
            links = self.roots.dev / "v4l" / "by-id"
            links.mkdir(parents=True, exist_ok=True)
            (links / by_id).symlink_to(f"../../video{number}")
        return path

    def add_process(self, pid: int, name: str, *opened: Path) -> None:
        descriptors = self.roots.proc / str(pid) / "fd"
        descriptors.mkdir(parents=True)
        (descriptors.parent / "comm").write_text(f"{name}\n")
        for number, path in enumerate(opened):
            (descriptors / str(number)).symlink_to(path)


def driver(
    card: str,
    formats: dict[str, dict[tuple[int, int], tuple[int, ...]]],
    *,
    captures: bool = True,
    stepwise: bool = False,
) -> Callable[[int, int, bytearray], object]:
    """An ioctl that answers as a kernel driver would. formats: letters -> size -> rates."""
    letters = list(formats)

    def code(name: str) -> int:
        return int.from_bytes(name.encode(), "little")

    def answer(descriptor: int, request: int, data: bytearray) -> int:
        del descriptor
        kind, index = request & 0xFF, struct.unpack_from("I", data)[0]
        try:
            if kind == 0:
                flags = 1 if captures else 0x00800000
                struct.pack_into(
                    "16s32s32sIII", data, 0, b"uvcvideo", card.encode(), b"usb-1", 6, 0x84A00001, flags
                )
            elif kind == 2:
                struct.pack_into("I", data, 44, code(letters[index]))
            else:
                sizes = formats[data[4:8].decode()]
                if kind == 74:
                    width, height = list(sizes)[index]
                    layout = (3, 16, width, 2, 16, height, 2) if stepwise else (1, width, height)
                    struct.pack_into(f"{len(layout)}I", data, 8, *layout)
                else:
                    rates = sizes[struct.unpack_from("II", data, 8)]
                    struct.pack_into("III", data, 16, 1, 1, rates[index])
        except (IndexError, KeyError):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from None
        return 0

    return answer
