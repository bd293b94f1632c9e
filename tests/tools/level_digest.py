"""Prints digests of what kernels make of many arrays, to be compared between levels: run as a script.

One line for each: its name and a digest. Of `softmax_top_k`, whose sum is taken in the order that a level likes, the
ids and the scores alone.
"""

import hashlib
import sys

import numpy as np

import kernels
from kernels import PixelFormat, candidates, prepare

SHAPES = {
    PixelFormat.BGR: lambda h, w: (h, w, 3),
    PixelFormat.RGB: lambda h, w: (h, w, 3),
    PixelFormat.GRAY: lambda h, w: (h, w),
    PixelFormat.YUYV: lambda h, w: (h, w + w % 2, 2),
    PixelFormat.NV12: lambda h, w: ((h + h % 2) * 3 // 2, w + w % 2),
}
LARGE = (
    (480, 640, 224),
    (480, 640, 300),
    (270, 1920, 224),
    (270, 1920, 300),
    (64, 1920, 640),
    (48, 640, 640),
)


def outputs(format, size, side, color, layout, resize="stretch"):  # noqa: A002
    """Every dtype of one preparation."""
    rng = np.random.default_rng(size[0] * 1000 + size[1])
    pixels = rng.integers(0, 256, SHAPES[format](*size), np.uint8)
    count = 1 if color is PixelFormat.GRAY else 3
    shape = (count, *side) if layout == "NCHW" else (*side, count)
    for dtype in (np.uint8, np.float16, np.float32):
        out = np.empty(shape, dtype)
        numbers = {} if dtype == np.uint8 else {"mean": [99.5] * count, "scale": [57.1, 58.2, 59.3][:count]}
        prepare(pixels, out, format=format, color=color, layout=layout, resize=resize, **numbers)
        yield out


def prepared():
    rng = np.random.default_rng(7)
    sides = [(size, 65 - size, *rng.integers(1, 65, 2)) for size in range(1, 65)]
    for index, (height, width, top, left) in enumerate(sides):
        for format in PixelFormat:  # noqa: A001
            color = (PixelFormat.RGB, PixelFormat.BGR, PixelFormat.GRAY)[index % 3]
            layout = ("NCHW", "NHWC")[index // 3 % 2]
            yield from outputs(format, (height, width), (int(top), int(left)), color, layout)
    for height, width, side in LARGE:
        for format in PixelFormat:  # noqa: A001
            yield from outputs(format, (height, width), (side // 4, side), PixelFormat.RGB, "NCHW")
    for side in (*range(1, 70), 640):  # not scaled, and with a border beside it
        for format in PixelFormat:  # noqa: A001
            width = side + side % 2
            yield from outputs(format, (4, width), (4, width), PixelFormat.RGB, "NCHW")
            yield from outputs(format, (4, width), (10, width), PixelFormat.BGR, "NCHW", "letterbox")


def scores(rng, *shape):
    """0..1 with many equal ones, and a few that are no numbers."""
    found = (rng.integers(0, 200, shape) / np.float32(200)).astype(np.float32)
    found[rng.uniform(0, 1, shape) < 0.001] = np.nan
    return found


def decoded(rng):
    """(into, count) of every decoder, for several thresholds."""
    for threshold in (0.3, 0.9, 0.99):
        for classes in (1, 5, 16, 17, 80):
            for objectness in (False, True):
                into = candidates(1100)
                output = scores(rng, 4 + objectness + classes, 1100)
                output[:4] *= 640
                rows = np.ascontiguousarray(output.T)
                told = {"objectness": objectness}
                yield into, kernels.decode_yolo(output, threshold, into, transposed=True, **told)
                yield into, kernels.decode_yolo(rows, threshold, into, transposed=False, **told)
            into = candidates(400, landmarks=True)
            rows = scores(rng, 400, 5 + classes)
            yield into, kernels.decode_yolox(rows, (160, 160), (8,), threshold, into)
            each, boxes = scores(rng, 400, classes + 1), scores(rng, 400, 4)
            yield into, kernels.decode_scored(each, boxes, (64, 64), threshold, into, background=1)
            for bins in (8, 17):
                sides = rng.normal(0, 2, (400, 4 * bins)).astype(np.float32)
                yield into, kernels.decode_nanodet(each, sides, (160, 160), 8, threshold, into)
        faces = [scores(rng, 400, side) for side in (1, 1, 4, 10)]
        yield into, kernels.decode_yunet(*faces, (160, 160), 8, threshold, into)
        yield into, kernels.decode_ssd(scores(rng, 400, 7), threshold, (64, 64), into)


def boxes():
    rng = np.random.default_rng(8)
    for into, count in decoded(rng):
        yield into.boxes[:count]
        yield into.scores[:count]
        yield into.labels[:count]
        yield kernels.nms(into, count, 0.45)
        yield kernels.nms(into, count, 0.6, by_class=False)


def best():
    rng = np.random.default_rng(9)
    for length in (*range(1, 70), 255, 256, 300, 1000, 5000):
        for k in (1, 5, 40):
            yield from kernels.softmax_top_k(scores(rng, length), k, softmax=False)
            yield kernels.softmax_top_k(rng.normal(0, 4, length).astype(np.float32), k)[0]


def masks():
    rng = np.random.default_rng(10)
    for width in (*range(1, 70), 2047, 2060):
        for classes, dtype in ((1, np.float32), (7, np.float16), (21, np.float32), (21, np.float16)):
            planes = scores(rng, classes, 2, width).astype(dtype)
            yield kernels.argmax_planes(planes, np.empty((2, width), np.uint8))
        pixels = rng.integers(0, 256, (5, width, 3), np.uint8)
        labels = rng.integers(0, 256, (3, 1 + width // 3), np.uint8)
        for channels in (3, 4):
            yield kernels.overlay_mask(pixels, labels, rng.integers(0, 256, (256, channels), np.uint8))
        yield kernels.blur_zone(pixels, 0, 0, width, 5, 4)


def observed():
    rng = np.random.default_rng(11)
    for source, target in (
        ((480, 640), (120, 160)),
        ((64, 100), (16, 25)),
        ((77, 50), (30, 20)),
        ((9, 8), (20, 30)),
    ):
        eyes = tuple(rng.integers(0, 256, (*source, 3), np.uint8) for _ in range(2))
        for mode in ("training", "stock"):
            yield kernels.observe(eyes[0], np.empty(target, np.float32), mode=mode)
            yield kernels.observe(eyes, np.empty((*target, 2), np.uint8), mode=mode)


def converted():
    rng = np.random.default_rng(12)
    for width in range(2, 70, 2):
        for format in PixelFormat:  # noqa: A001
            yield kernels.convert(rng.integers(0, 256, SHAPES[format](6, width), np.uint8), format)


def main() -> None:
    for work in (prepared, converted, best, boxes, masks, observed):
        digest = hashlib.sha256()
        for out in work():
            digest.update(np.ascontiguousarray(out).tobytes())
        sys.stdout.write(f"{work.__name__} {digest.hexdigest()}\n")


if __name__ == "__main__":
    main()
