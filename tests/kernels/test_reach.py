"""Vectors read and write more than one pixel at once, but nothing past the end of either array."""

import mmap

import cv2
import numpy as np
import pytest
from kernel_pair import Guarded

from kernels import PixelFormat

BGR, RGB, GRAY, YUYV, NV12 = PixelFormat
SHAPES = {
    BGR: lambda h, w: (h, w, 3),
    RGB: lambda h, w: (h, w, 3),
    GRAY: lambda h, w: (h, w),
    YUYV: lambda h, w: (h, w + w % 2, 2),
    NV12: lambda h, w: ((h + h % 2) * 3 // 2, w + w % 2),
}
WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 21, 31, 33, 63, 65)


class LastBytes:
    """Bytes that end where a page ends, with a page behind them that nobody may touch."""

    def __init__(self, shape):
        length = int(np.prod(shape))
        pages = -(-length // mmap.PAGESIZE)
        self._map = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        whole = np.frombuffer(self._map, np.uint8)
        self._forbid(whole[pages * mmap.PAGESIZE :])
        end = pages * mmap.PAGESIZE
        self.array = whole[end - length : end].reshape(shape)

    @staticmethod
    def _forbid(page):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(page.ctypes.data), mmap.PAGESIZE, 0):
            pytest.skip("pages cannot be protected here")


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_nothing_is_read_past_the_end_of_a_picture(kernel, rng, pixel_format):
    """A read behind the picture would end the whole process."""
    for width in WIDTHS:
        for height in (1, 2, 5):
            place = LastBytes(SHAPES[pixel_format](height, width))
            place.array[...] = rng.integers(0, 256, place.array.shape, np.uint8)
            for side in ((3, 5), (height, width), (4, 40)):
                for dtype in (np.uint8, np.float32):
                    kernel.prepare(place.array, np.empty((3, *side), dtype), format=pixel_format)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_nothing_is_written_past_a_tensor_of_any_width(kernel, rng, pixel_format, dtype, layout):
    pixels = rng.integers(0, 256, SHAPES[pixel_format](6, 22), np.uint8)
    for width in WIDTHS:
        for resize in ("stretch", "letterbox"):
            shape = (3, 3, width) if layout == "NCHW" else (3, width, 3)
            place = Guarded(shape, dtype)
            kernel.prepare(pixels, place.array, format=pixel_format, layout=layout, resize=resize)
            place.check()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("pixel_format", [YUYV, NV12])
def test_a_camera_picture_is_prepared_as_if_it_were_converted_first(kernel, rng, pixel_format, dtype):
    for height, width, side in ((2, 2, 5), (38, 54, 31), (64, 128, 100), (120, 250, 33), (48, 96, 16)):
        pixels = rng.integers(0, 256, SHAPES[pixel_format](height, width), np.uint8)
        direct, apart = np.empty((3, side, side), dtype), np.empty((3, side, side), dtype)
        kernel.prepare(pixels, direct, format=pixel_format)
        kernel.prepare(kernel.convert(pixels, pixel_format), apart)
        assert (direct == apart).all()


def test_sizes_up_to_64_are_within_a_grey_level_of_opencv_in_three_channels(kernel, rng):
    worst = 0.0
    for source in range(1, 65):
        pixels = rng.integers(0, 256, (source, 65 - source, 3), np.uint8)
        for target in range(1 + source % 3, 65, 3):
            out = np.empty((3, target, 65 - target), np.float32)
            kernel.prepare(pixels, out, color=BGR)
            wanted = cv2.resize(pixels, (65 - target, target), interpolation=cv2.INTER_LINEAR)
            worst = max(worst, float(np.abs(out.transpose(1, 2, 0) - wanted).max()))
    assert worst <= 1.0


def test_a_setting_is_told_from_another_that_looks_like_it(kernel, rng):
    """What is remembered of earlier calls must not answer for a call that differs in one thing."""
    pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
    wanted: list[np.ndarray] = []
    calls = [
        {},
        {"color": BGR},
        {"format": RGB},
        {"mean": [1.0, 2.0, 3.0]},
        {"mean": (1.0, 2.0, 4.0)},
        {"scale": [2.0, 2.0, 2.0]},
        {"resize": "letterbox"},
        {"resize": "letterbox", "pad": 1},
        {"resize": "letterbox", "anchor": "top-left"},
        {"resize": "crop"},
    ]
    for again in range(3):
        for index, settings in enumerate(calls):
            out = np.empty((3, 8, 12), np.float32)
            kernel.prepare(pixels, out, **settings)
            if again == 0:
                wanted.append(out)
            assert (out == wanted[index]).all()
    assert len({out.tobytes() for out in wanted}) == len(calls) - 1  # BGR as RGB is RGB as BGR
