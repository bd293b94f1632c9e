import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from pictures import jpeg_bytes, picture, without_tables

from streams import segments

FIELDS = {"id": 4711, "ts_ms": 1795328700123}


def pixels_of(jpeg: bytes) -> object:
    return simplejpeg.decode_jpeg(jpeg, colorspace="BGR")


def test_a_comment_comes_back_and_the_picture_is_the_same() -> None:
    plain = jpeg_bytes(picture())
    marked = segments.with_comment(plain, FIELDS)
    assert segments.read_comment(marked) == FIELDS
    assert np.array_equal(pixels_of(marked), pixels_of(plain))
    assert len(marked) == len(plain) + len(segments.comment(FIELDS))


def test_the_comment_stands_behind_the_application_segments() -> None:
    marked = segments.with_comment(jpeg_bytes(picture()), FIELDS)
    kinds = [segment.kind for segment in segments.segments(marked)]
    assert kinds[:2] == [0xE0, 0xFE]
    assert marked[6:10] == b"JFIF"


def test_everything_but_the_comment_is_untouched() -> None:
    plain = jpeg_bytes(picture())
    assert segments.with_comment(plain, FIELDS).replace(segments.comment(FIELDS), b"") == plain


def test_comments_of_others_are_passed_over() -> None:
    plain = jpeg_bytes(picture())
    foreign = plain[:2] + b"\xff\xfe\x00\x07Lavc\0" + b"\xff\xfe\x00\x05[1]" + plain[2:]
    assert segments.read_comment(foreign) == {}
    assert segments.read_comment(segments.with_comment(foreign, FIELDS)) == FIELDS


def test_a_jpeg_without_a_comment_has_no_fields() -> None:
    assert segments.read_comment(jpeg_bytes(picture())) == {}


def test_a_webcam_jpeg_gets_the_tables_it_lacks() -> None:
    whole = jpeg_bytes(picture())
    bare = without_tables(whole)
    assert len(bare) < len(whole)
    mended = segments.completed(bare)
    assert 0xC4 in [segment.kind for segment in segments.segments(mended)]
    assert np.array_equal(pixels_of(mended), pixels_of(whole))


def test_a_whole_jpeg_is_not_copied() -> None:
    whole = jpeg_bytes(picture())
    assert segments.completed(whole) is whole


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"hello", b"\x89PNG\r\n", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00"]
)
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    for work in (segments.read_comment, segments.completed, lambda jpeg: segments.with_comment(jpeg, FIELDS)):
        with pytest.raises(ValueError, match="JPEG"):
            work(data)


def test_an_overlong_comment_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        segments.comment({"text": "x" * 70_000})


@given(st.binary(max_size=80))
def test_no_bytes_whatever_break_the_reading(data: bytes) -> None:
    for start in (b"", b"\xff\xd8", b"\xff\xd8\xff\xfe\x00\x08"):
        try:
            assert isinstance(segments.read_comment(start + data), dict)
        except ValueError:
            continue
