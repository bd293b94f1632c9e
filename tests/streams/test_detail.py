"""A JPEG is decoded no larger than the model needs; whoever needs all of it gets it later, from its bytes."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from mjpeg_server import MjpegServer
from pictures import jpeg_bytes, picture

from kernels.formats import Picture, PixelFormat
from streams import sources
from streams.detail import Detail, Size
from streams.encode import Encoder, read_comment
from streams.frame import Frame
from streams.sources import Reader, Shot
from streams.whole import whole_picture

WHOLE = (240, 320)
HALF = (120, 160)


def a_third(size: Size) -> Size:
    return size[0] // 3, size[1] // 3


def frame_of(shot: Shot) -> Frame:
    return Frame(7, "main", 0.0, shot.pixels, shot.format, shot.jpeg, shot.whole)


def first(reader: Reader) -> Shot:
    reader.open()
    try:
        shot = reader.read()
    finally:
        reader.close()
    assert shot is not None
    return shot


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    path = tmp_path / "1.jpg"
    path.write_bytes(jpeg_bytes(picture()))
    return path


def test_a_part_is_decoded_where_it_is_enough_and_the_whole_size_is_told(jpeg: Path) -> None:
    shot = first(sources.reader(str(jpeg), detail=Detail(a_third)))
    assert shot.pixels.shape == (*HALF, 3)
    assert shot.whole == WHOLE
    assert frame_of(shot).size == WHOLE


@pytest.mark.parametrize("needed", [None, lambda size: size, lambda size: (size[0] * 2, size[1])])
def test_all_of_it_is_decoded_where_all_is_needed(jpeg: Path, needed: Callable[[Size], Size] | None) -> None:
    shot = first(sources.reader(str(jpeg), detail=Detail(needed)))
    assert shot.pixels.shape == (*WHOLE, 3)
    assert shot.whole is None


def test_what_is_needed_may_change_while_a_source_is_read(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(jpeg_bytes(picture()))
    detail = Detail(a_third)
    reader = sources.reader(str(tmp_path), detail=detail)
    reader.open()
    shapes = []
    for needed in (a_third, None):
        detail.needed = needed
        shot = reader.read()
        assert shot is not None
        shapes.append(shot.pixels.shape[:2])
    assert shapes == [HALF, WHOLE]


def test_a_network_camera_s_jpeg_is_decoded_in_part() -> None:
    with MjpegServer([jpeg_bytes(picture())]) as server:
        shot = first(sources.reader(server.url(), detail=Detail(a_third)))
    assert (shot.pixels.shape[:2], shot.whole) == (HALF, WHOLE)


def test_the_whole_picture_comes_back_from_the_camera_s_bytes(jpeg: Path) -> None:
    whole = first(sources.reader(str(jpeg)))
    part = first(sources.reader(str(jpeg), detail=Detail(a_third)))
    pixels, layout = whole_picture(frame_of(part))
    assert layout is PixelFormat.BGR
    assert np.array_equal(pixels, whole.pixels)
    assert whole_picture(frame_of(whole))[0] is whole.pixels


def test_a_device_stream_without_room_for_the_camera_s_own_bytes_encodes_the_whole_picture(
    jpeg: Path,
) -> None:
    part = frame_of(first(sources.reader(str(jpeg), detail=Detail(a_third))))
    assert part.jpeg is not None
    encoded = Encoder().fit(part, len(part.jpeg) - 500, 7, 1)
    assert encoded is not None
    assert read_comment(encoded) == {"id": 7, "ts_ms": 1}
    shown: Picture | None = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape[:2] == WHOLE
