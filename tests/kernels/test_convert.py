"""Camera formats to BGR, against OpenCV and against the twin."""

import cv2
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels import PixelFormat

BGR, RGB, GRAY, YUYV, NV12 = PixelFormat
CODES = {
    RGB: cv2.COLOR_RGB2BGR,
    GRAY: cv2.COLOR_GRAY2BGR,
    YUYV: cv2.COLOR_YUV2BGR_YUYV,
    NV12: cv2.COLOR_YUV2BGR_NV12,
}
SHAPES = {
    BGR: lambda h, w: (h, w, 3),
    RGB: lambda h, w: (h, w, 3),
    GRAY: lambda h, w: (h, w),
    YUYV: lambda h, w: (h, w, 2),
    NV12: lambda h, w: (h * 3 // 2, w),
}
SIZES = [(2, 2), (2, 64), (64, 2), (6, 10), (48, 34)]


def picture(rng, pixel_format, height, width):
    return rng.integers(0, 256, SHAPES[pixel_format](height, width), np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pixel_format", list(CODES))
def test_every_format_becomes_what_opencv_makes_of_it(kernel, rng, pixel_format, size):
    pixels = picture(rng, pixel_format, *size)
    wanted = cv2.cvtColor(pixels, CODES[pixel_format])
    assert np.abs(kernel.convert(pixels, pixel_format).astype(int) - wanted).max() <= 1


def test_every_pair_of_chroma_and_a_range_of_luma_agree_with_opencv(kernel):
    pixels = np.empty((256, 512, 2), np.uint8)
    pixels[:, 0::2, 1] = np.arange(256)[np.newaxis]
    pixels[:, 1::2, 1] = np.arange(256)[:, np.newaxis]
    for luma in (0, 15, 16, 17, 128, 235, 236, 255):
        pixels[:, :, 0] = luma
        wanted = cv2.cvtColor(pixels, cv2.COLOR_YUV2BGR_YUYV)
        assert np.abs(kernel.convert(pixels, YUYV).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("pixel_format", [RGB, GRAY])
def test_odd_sizes_and_one_pixel_convert(kernel, rng, pixel_format):
    for size in ((1, 1), (1, 7), (5, 3)):
        pixels = picture(rng, pixel_format, *size)
        assert (kernel.convert(pixels, pixel_format) == cv2.cvtColor(pixels, CODES[pixel_format])).all()


def test_a_bgr_picture_comes_back_itself(kernel, rng):
    pixels = picture(rng, BGR, 4, 5)
    assert kernel.convert(pixels, BGR) is pixels


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_out_is_filled_and_returned_and_nothing_beside_it(kernel, rng, pixel_format):
    pixels = frozen(picture(rng, pixel_format, 6, 10))
    place = Guarded((6, 10, 3), np.uint8)
    assert kernel.convert(pixels, pixel_format, place.array) is place.array
    place.check()
    assert (place.array == kernel.convert(pixels, pixel_format)).all()


def test_two_threads_convert_at_once(kernel, rng):
    pixels = [picture(rng, YUYV, 40, 60), picture(rng, YUYV, 50, 30)]
    alone = [kernel.convert(each, YUYV) for each in pixels]

    def work(thread):
        assert (kernel.convert(pixels[thread], YUYV) == alone[thread]).all()

    at_once(work)


@pytest.mark.parametrize(
    ("pixels", "pixel_format", "out", "error", "sentence"),
    [
        (np.zeros((4, 5, 2), np.uint8), YUYV, None, ValueError, "even width, not 5"),
        (np.zeros((7, 4), np.uint8), NV12, None, ValueError, r"of even sizes, not \(7, 4\)"),
        (np.zeros((6, 3), np.uint8), NV12, None, ValueError, r"of even sizes, not \(6, 3\)"),
        (np.zeros((4, 4, 3), np.uint8), YUYV, None, ValueError, r"\(height, width, 2\), not \(4, 4, 3\)"),
        (np.zeros((4, 0), np.uint8), GRAY, None, ValueError, "must not be empty"),
        (np.zeros((4, 4), np.int8), GRAY, None, TypeError, "uint8, not int8"),
        (np.zeros((4, 8, 2), np.uint8)[:, ::2], YUYV, None, ValueError, "pixels must be C-contiguous"),
        (np.zeros((8, 4, 3), np.uint8)[::-1], RGB, None, ValueError, "pixels must be C-contiguous"),
        (b"abc", GRAY, None, TypeError, "pixels must be a NumPy array of uint8, not bytes"),
        (np.zeros((4, 4), np.uint8), "gray", None, TypeError, "format must be a PixelFormat"),
        (
            np.zeros((4, 4), np.uint8),
            GRAY,
            np.zeros((4, 4), np.uint8),
            ValueError,
            r"\(4, 4, 3\), not \(4, 4\)",
        ),
        (
            np.zeros((4, 4), np.uint8),
            GRAY,
            np.zeros((4, 4, 3), np.int32),
            TypeError,
            "out must be uint8, not int32",
        ),
        (
            np.zeros((4, 4), np.uint8),
            GRAY,
            frozen(np.zeros((4, 4, 3), np.uint8)),
            ValueError,
            "out must be writable",
        ),
        (
            np.zeros((4, 4), np.uint8),
            GRAY,
            np.zeros((4, 4, 6), np.uint8)[:, :, ::2],
            ValueError,
            "out must be C-cont",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused_with_a_sentence(
    kernel, pixels, pixel_format, out, error, sentence
):
    with pytest.raises(error, match=sentence):
        kernel.convert(pixels, pixel_format, out)


@hypothesis.given(
    st.integers(1, 30), st.integers(1, 30), st.sampled_from(list(PixelFormat)), st.integers(0, 99)
)
def test_the_compiled_kernel_equals_its_twin(twins, height, width, pixel_format, seed):
    pixels = picture(np.random.default_rng(seed), pixel_format, 2 * height, 2 * width)
    ours, theirs = (twin.convert(pixels, pixel_format) for twin in twins)
    assert ours.dtype == theirs.dtype
    assert (ours == theirs).all()
