"""Vectors read and write more than one pixel at once, but nothing past the end of either array."""

import mmap

import cv2
import numpy as np
import pytest
from kernel_pair import Guarded

from kernels import Candidates, PixelFormat

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
    """Numbers that end where a page ends, with a page behind them that nobody may touch."""

    def __init__(self, shape, dtype=np.uint8):
        length = int(np.prod(shape)) * np.dtype(dtype).itemsize
        pages = -(-length // mmap.PAGESIZE)
        self._map = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        whole = np.frombuffer(self._map, np.uint8)
        self._forbid(whole[pages * mmap.PAGESIZE :])
        end = pages * mmap.PAGESIZE
        self.array = whole[end - length : end].view(dtype).reshape(shape)

    @staticmethod
    def _forbid(page):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(page.ctypes.data), mmap.PAGESIZE, 0):
            pytest.skip("pages cannot be protected here")


def last(values):
    """A copy at the end of a page: a read or a write behind it would end the whole process."""
    place = LastBytes(np.shape(values), np.asarray(values).dtype)
    place.array[...] = values
    return place.array


def f32(values):
    return last(np.asarray(values, np.float32))


def columns(rows, landmarks=False):
    """Room for candidates, each column at the end of a page."""
    points = f32(np.zeros((rows, 5, 2))) if landmarks else None
    return Candidates(f32(np.zeros((rows, 4))), f32(np.zeros(rows)), last(np.zeros(rows, np.int32)), points)


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


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_a_conversion_keeps_to_its_picture_and_its_output(kernel, rng, pixel_format):
    for width in WIDTHS:
        for height in (1, 2, 5):
            shape = SHAPES[pixel_format](height, width)
            pixels = last(rng.integers(0, 256, shape, np.uint8))
            size = (shape[0] * 2 // 3, shape[1]) if pixel_format is NV12 else shape[:2]
            kernel.convert(pixels, pixel_format, last(np.zeros((*size, 3), np.uint8)))


def test_the_best_of_scores_keep_to_their_arrays(kernel, rng):
    for length in (*range(1, 40), 255, 256, 257, 271, 272, 1000, 2049):
        for k in (1, 5, min(length, 30)):
            best = min(k, length)
            outputs = {"ids": last(np.zeros(best, np.int32)), "values": f32(np.zeros(best))}
            kernel.softmax_top_k(f32(rng.normal(0, 3, length)), k, **outputs)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("objectness", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_yolo_decoder_keeps_to_its_arrays(kernel, rng, transposed, objectness, threshold):
    options = {"transposed": transposed, "objectness": objectness}
    for anchors in (1, 2, 3, 15, 16, 17, 33, 65, 1023, 1025):
        for classes in (1, 3, 8, 17, 80):
            values = rng.uniform(0, 1, (anchors, 4 + objectness + classes))
            kernel.decode_yolo(
                f32(values.T if transposed else values), threshold, columns(anchors), **options
            )


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.97])
def test_decoders_of_cells_keep_to_their_arrays(kernel, rng, threshold):
    for width in (1, 3, 7, 16, 31, 66):
        size, cells = (2, width), 2 * width
        for classes in (1, 3, 8, 17, 80):
            rows = f32(rng.uniform(0, 1, (cells, 5 + classes)))
            kernel.decode_yolox(rows, size, (1,), threshold, columns(cells))
            for bins in (2, 7, 8, 17):
                scores, sides = (
                    f32(rng.uniform(0, 1, (cells, classes))),
                    f32(rng.normal(0, 1, (cells, 4 * bins))),
                )
                kernel.decode_nanodet(scores, sides, size, 1, threshold, columns(cells))
        parts = [f32(rng.uniform(0, 1, (cells, side))) for side in (1, 1, 4, 10)]
        for landmarks in (False, True):
            kernel.decode_yunet(*parts, size, 1, threshold, columns(cells, landmarks))


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.97])
def test_decoders_of_rows_keep_to_their_arrays(kernel, rng, threshold):
    for rows in (1, 2, 7, 16, 33):
        kernel.decode_ssd(f32(rng.uniform(0, 1, (rows, 7))), threshold, (64, 64), columns(rows))
        for classes in (2, 3, 17, 80):
            scores, boxes = f32(rng.uniform(0, 1, (rows, classes))), f32(rng.uniform(0, 1, (rows, 4)))
            for background in (None, 0, classes - 1):
                into = columns(rows)
                kernel.decode_scored(scores, boxes, (64, 64), threshold, into, background=background)


def test_suppression_keeps_to_its_arrays(kernel, rng):
    for count in (0, 1, 2, 15, 16, 17, 31, 33, 64, 129):
        into = columns(count)
        corner = rng.uniform(0, 60, (count, 2))
        into.boxes[...] = np.hstack([corner, corner + rng.uniform(1, 30, (count, 2))])
        into.scores[...], into.labels[...] = rng.uniform(0, 1, count), rng.integers(0, 3, count)
        for by_class in (False, True):
            kernel.nms(into, count, 0.5, by_class=by_class, keep=last(np.zeros(count, np.int32)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_classes_of_pixels_keep_to_their_arrays(kernel, rng, dtype):
    for width in (*WIDTHS, 2047, 2049):
        for classes in (1, 2, 7, 8, 21):
            scores = last(rng.normal(0, 1, (classes, 1, width)).astype(dtype))
            kernel.argmax_planes(scores, last(np.zeros((1, width), np.uint8)))


@pytest.mark.parametrize("channels", [3, 4])
def test_an_overlay_keeps_to_its_arrays(kernel, rng, channels):
    palette = last(rng.integers(0, 256, (256, channels), np.uint8))
    for width in WIDTHS:
        pixels, out = (last(rng.integers(0, 256, (5, width, 3), np.uint8)) for _ in range(2))
        for mask_width in (1, 3, 8, 9, 40):
            mask = last(rng.integers(0, 256, (4, mask_width), np.uint8))
            kernel.overlay_mask(pixels, mask, palette, out)


def test_zones_keep_to_their_pictures(kernel, rng):
    for width in WIDTHS:
        pixels = last(rng.integers(0, 256, (6, width, 3), np.uint8))
        for strength in (2, 4, 1000):
            kernel.blur_zone(pixels, 0, 0, width, 6, strength)
        kernel.fill_zone(pixels, 0, 0, width, 6, (1, 2, 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("mode", ["training", "stock"])
def test_an_observation_keeps_to_its_arrays(kernel, rng, mode, dtype):
    sizes = (
        ((480, 640), (120, 160)),
        ((8, 8), (2, 2)),
        ((16, 36), (4, 9)),
        ((7, 5), (3, 2)),
        ((3, 2), (9, 7)),
    )
    for source, target in sizes:
        eyes = tuple(last(rng.integers(0, 256, (*source, 3), np.uint8)) for _ in range(2))
        kernel.observe(eyes[0], last(np.zeros(target, dtype)), mode=mode)
        kernel.observe(eyes, last(np.zeros((*target, 2), dtype)), mode=mode)
        kernel.observe(eyes, last(np.zeros((2, *target), dtype)), mode=mode)


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
