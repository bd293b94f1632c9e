import cv2
import numpy as np
import pytest
import simplejpeg
from pictures import jpeg_bytes, noise, picture, without_tables
from pytest_mock import MockerFixture

from kernels.formats import Picture, PixelFormat
from streams import encode
from streams.encode import Encoder
from streams.frame import Frame

BUDGET = 128 * 1024


def frame(
    pixels: Picture, layout: PixelFormat = PixelFormat.BGR, jpeg: bytes | None = None, number: int = 1
) -> Frame:
    return Frame(id=number, source="main", captured_at=0.0, pixels=pixels, format=layout, jpeg=jpeg)


def decoded(jpeg: bytes) -> Picture:
    pixels: Picture = simplejpeg.decode_jpeg(jpeg, colorspace="BGR")
    return pixels


def yuyv(pixels: Picture) -> Picture:
    yuv = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV)
    out = np.empty((*pixels.shape[:2], 2), np.uint8)
    out[:, :, 0] = yuv[:, :, 0] * np.float32(219 / 255) + 16
    out[:, ::2, 1], out[:, 1::2, 1] = yuv[:, ::2, 1], yuv[:, ::2, 2]
    return out


@pytest.mark.parametrize("layout", list(PixelFormat))
def test_every_layout_of_pixels_is_encoded(layout: PixelFormat) -> None:
    bgr = picture()
    pixels = {
        PixelFormat.BGR: bgr,
        PixelFormat.RGB: np.ascontiguousarray(bgr[:, :, ::-1]),
        PixelFormat.GRAY: np.ascontiguousarray(bgr[:, :, 1]),
        PixelFormat.YUYV: yuyv(bgr),
        PixelFormat.NV12: np.full((360, 320), 128, np.uint8),
    }[layout]
    shown = decoded(encode.jpeg(pixels, layout, 90))
    assert shown.shape == bgr.shape
    if layout in (PixelFormat.BGR, PixelFormat.RGB):
        assert np.abs(shown.astype(int) - bgr).mean() < 4
    if layout is PixelFormat.GRAY:
        assert np.abs(shown[:, :, 0].astype(int) - pixels).mean() < 4


def test_the_quality_is_a_number_from_1_to_100() -> None:
    for quality in (0, 101):
        with pytest.raises(ValueError, match="1 to 100"):
            encode.jpeg(picture(), quality=quality)
        with pytest.raises(ValueError, match="1 to 100"):
            Encoder(quality)


def test_a_picture_that_fits_keeps_quality_and_size_and_carries_its_number() -> None:
    jpeg = encode.fit(frame(picture()), BUDGET, 80, 7, 1234)
    assert jpeg is not None
    assert encode.read_comment(jpeg) == {"id": 7, "ts_ms": 1234}
    assert np.array_equal(decoded(jpeg), decoded(encode.jpeg(picture(), quality=80)))


@pytest.mark.parametrize("bound", [200_000, 60_000, 30_000, 12_000, 6_000])
def test_quality_gives_way_before_size_and_the_bound_holds(bound: int) -> None:
    hard = noise((1280, 720))
    hard[:, ::2] = picture(size=(1280, 720))[:, ::2]
    jpeg = encode.fit(frame(hard), bound, 85, 1, 2)
    assert jpeg is None or len(jpeg) <= bound
    if jpeg is None:
        assert bound <= 12_000
        return
    height, width = decoded(jpeg).shape[:2]
    assert width >= 160
    assert height >= 120
    assert encode.read_comment(jpeg) == {"id": 1, "ts_ms": 2}


def test_where_a_lower_quality_is_enough_the_size_stays() -> None:
    pixels = picture(size=(1280, 720))
    good, poor = len(encode.jpeg(pixels, quality=90)), len(encode.jpeg(pixels, quality=encode.POOREST))
    jpeg = encode.fit(frame(pixels), (good + poor) // 2 + 60, 90, 1, 2)
    assert jpeg is not None
    assert decoded(jpeg).shape == pixels.shape


def test_a_picture_that_would_have_to_be_tiny_is_withheld() -> None:
    assert encode.fit(frame(noise((640, 480))), 1500, 80, 1, 2) is None
    assert encode.fit(frame(noise((640, 480))), 10, 80, 1, 2) is None


def test_a_picture_just_large_enough_is_not_withheld() -> None:
    pixels = noise((640, 480))
    smallest = cv2.resize(pixels, (160, 120), interpolation=cv2.INTER_AREA)
    bound = len(encode.jpeg(np.asarray(smallest, np.uint8), quality=encode.POOREST)) + 100
    jpeg = encode.fit(frame(pixels), bound, 80, 1, 2)
    assert jpeg is not None
    assert decoded(jpeg).shape == (120, 160, 3)


def test_a_picture_that_is_small_by_birth_is_not_enlarged() -> None:
    jpeg = encode.fit(frame(picture(size=(96, 64))), BUDGET, 80, 1, 2)
    assert jpeg is not None
    assert decoded(jpeg).shape == (64, 96, 3)


def test_an_upright_picture_may_be_as_small_as_a_lying_one() -> None:
    pixels = noise((480, 640))
    jpeg = encode.fit(frame(pixels), 9_000, 80, 1, 2)
    assert jpeg is not None
    height, width = decoded(jpeg).shape[:2]
    assert height >= 160
    assert width >= 120


def test_without_a_bound_it_is_the_quality_asked_for() -> None:
    pixels = noise((640, 480))
    encoder = Encoder(90)
    encoder.fit(frame(pixels), 20_000, 1, 2)
    jpeg = encoder.fit(frame(pixels), None, 1, 2)
    assert jpeg is not None
    assert np.array_equal(decoded(jpeg), decoded(encode.jpeg(pixels, quality=90)))


def test_the_camera_s_own_jpeg_goes_through_untouched() -> None:
    own = jpeg_bytes(picture(), 97)
    jpeg = encode.fit(frame(picture(), jpeg=own), BUDGET, 50, 9, 8)
    assert jpeg is not None
    assert encode.read_comment(jpeg) == {"id": 9, "ts_ms": 8}
    assert jpeg.replace(encode.segments.comment({"id": 9, "ts_ms": 8}), b"") == own


def test_a_webcam_jpeg_goes_through_with_the_tables_that_viewers_need() -> None:
    own = without_tables(jpeg_bytes(picture(), 97))
    jpeg = encode.fit(frame(picture(), jpeg=own), BUDGET, 50, 9, 8)
    assert jpeg is not None
    assert encode.segments.STANDARD_TABLES in jpeg
    assert np.array_equal(decoded(jpeg), decoded(own))


@pytest.mark.parametrize("own", [jpeg_bytes(noise((640, 480)), 97), b"\xff\xd8 broken", b""])
def test_a_camera_jpeg_that_does_not_fit_or_is_none_is_encoded_anew(own: bytes) -> None:
    jpeg = encode.fit(frame(noise((640, 480)), jpeg=own), 110_000, 80, 1, 2)
    assert jpeg is not None
    assert len(jpeg) <= 110_000
    assert decoded(jpeg).shape == (480, 640, 3)


def test_what_fitted_is_remembered_so_that_the_next_picture_costs_one_try(mocker: MockerFixture) -> None:
    encoder = Encoder(90)
    pixels = noise((640, 480))
    calls: list[int] = []
    real = encode.jpeg

    def counted(*arguments: object) -> bytes:
        calls.append(1)
        return real(*arguments)

    mocker.patch.object(encode, "jpeg", counted)
    for number in range(12):
        jpeg = encoder.fit(frame(pixels, number=number), 40_000, number, 0)
        assert jpeg is not None
        assert len(jpeg) <= 40_000
    assert len(calls) <= 12 + 9
    calls.clear()
    encoder.fit(frame(pixels), 40_000, 1, 0)
    assert len(calls) <= 2


def test_quality_and_size_come_back_when_the_picture_is_easy_again() -> None:
    encoder = Encoder(80)
    assert encoder.fit(frame(noise((1280, 720))), 50_000, 1, 0) is not None
    easy = picture(size=(1280, 720))
    for _ in range(40):
        jpeg = encoder.fit(frame(easy), 50_000, 1, 0)
    assert jpeg is not None
    assert np.array_equal(decoded(jpeg), decoded(encode.jpeg(easy, quality=80)))


def test_the_worst_case_is_bounded_in_tries(mocker: MockerFixture) -> None:
    spy = mocker.spy(encode, "jpeg")
    encode.fit(frame(noise((1280, 720))), 2_000, 95, 1, 2)
    assert spy.call_count <= 9
