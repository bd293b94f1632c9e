"""Prints a digest of what `prepare` makes of many pictures, to be compared between levels: run as a script."""

import hashlib
import sys

import numpy as np

from kernels import PixelFormat, prepare

SHAPES = {
    PixelFormat.BGR: lambda h, w: (h, w, 3),
    PixelFormat.RGB: lambda h, w: (h, w, 3),
    PixelFormat.GRAY: lambda h, w: (h, w),
    PixelFormat.YUYV: lambda h, w: (h, w + w % 2, 2),
    PixelFormat.NV12: lambda h, w: ((h + h % 2) * 3 // 2, w + w % 2),
}
LARGE = ((480, 640, 224), (480, 640, 300), (270, 1920, 224), (64, 1920, 640), (48, 640, 640))


def outputs(format, size, side, color, layout):  # noqa: A002
    """Every dtype of one preparation."""
    rng = np.random.default_rng(size[0] * 1000 + size[1])
    pixels = rng.integers(0, 256, SHAPES[format](*size), np.uint8)
    count = 1 if color is PixelFormat.GRAY else 3
    shape = (count, *side) if layout == "NCHW" else (*side, count)
    for dtype in (np.uint8, np.float16, np.float32):
        out = np.empty(shape, dtype)
        numbers = {} if dtype == np.uint8 else {"mean": [99.5] * count, "scale": [57.1, 58.2, 59.3][:count]}
        prepare(pixels, out, format=format, color=color, layout=layout, **numbers)
        yield out


def main() -> None:
    digest = hashlib.sha256()
    rng = np.random.default_rng(7)
    sides = [(size, 65 - size, *rng.integers(1, 65, 2)) for size in range(1, 65)]
    for index, (height, width, top, left) in enumerate(sides):
        for format in PixelFormat:  # noqa: A001
            color = (PixelFormat.RGB, PixelFormat.BGR, PixelFormat.GRAY)[index % 3]
            layout = ("NCHW", "NHWC")[index // 3 % 2]
            for out in outputs(format, (height, width), (int(top), int(left)), color, layout):
                digest.update(out.tobytes())
    for height, width, side in LARGE:
        for format in PixelFormat:  # noqa: A001
            for out in outputs(format, (height, width), (side // 4, side), PixelFormat.RGB, "NCHW"):
                digest.update(out.tobytes())
    sys.stdout.write(digest.hexdigest() + "\n")


if __name__ == "__main__":
    main()
