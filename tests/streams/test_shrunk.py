"""Pictures decoded no larger than needed."""

import cv2
import numpy as np
import pytest
import simplejpeg

from streams.errors import BadFrame
from streams.sources.mjpeg import decode_shrunk
from streams.sources.pool import Pool


@pytest.fixture(scope="module")
def picture():
    small = np.random.default_rng(3).integers(0, 256, (9, 16, 3), np.uint8)
    return cv2.resize(small, (1280, 720), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def encoded(picture):
    return simplejpeg.encode_jpeg(picture, quality=90, colorspace="BGR", colorsubsampling="420")


@pytest.mark.parametrize(
    ("needed", "size"),
    [
        ((90, 160), (90, 160)),
        ((91, 10), (180, 320)),
        ((224, 224), (360, 640)),
        ((360, 640), (360, 640)),
        ((361, 640), (720, 1280)),
        ((640, 640), (720, 1280)),
        ((1000, 2000), (720, 1280)),
    ],
)
def test_the_smallest_part_that_holds_what_is_needed_is_decoded(encoded, needed, size):
    assert decode_shrunk(encoded, needed, Pool()).shape == (*size, 3)


def test_a_part_shows_the_same_picture(encoded, picture):
    part = decode_shrunk(encoded, (224, 224), Pool())
    wanted = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)
    assert np.abs(part.astype(np.int16) - wanted).mean() < 2.0


def test_a_picture_of_odd_size_comes_whole_or_in_parts(picture):
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(picture[:721, :1279]), colorspace="BGR")
    assert decode_shrunk(data, (300, 300), Pool()).shape == (360, 640, 3)


@pytest.mark.parametrize("damage", [b"", b"no picture", b"\xff\xd8\xff"])
def test_what_is_no_jpeg_is_refused(damage):
    with pytest.raises(BadFrame, match="is no JPEG"):
        decode_shrunk(damage, (10, 10), Pool())


def test_half_a_jpeg_is_refused(encoded):
    with pytest.raises(BadFrame):
        decode_shrunk(encoded[: len(encoded) // 2], (10, 10), Pool())
