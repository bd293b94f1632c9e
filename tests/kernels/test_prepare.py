"""A picture into a model's input tensor, against OpenCV and against the twin."""

from types import SimpleNamespace

import cv2
import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels import PixelFormat, placement
from kernels.plan import LUMA

BGR, RGB, GRAY, YUYV, NV12 = PixelFormat
MEAN, SCALE = (103.5, 116.25, 123.75), (57.0, 57.25, 58.5)
LEVEL = 1.0  # grey levels that an implementation may differ by from cv2 and from its twin
DTYPES = (np.uint8, np.float16, np.float32)
TO_BGR = {
    YUYV: cv2.COLOR_YUV2BGR_YUYV,
    NV12: cv2.COLOR_YUV2BGR_NV12,
    RGB: cv2.COLOR_RGB2BGR,
    GRAY: cv2.COLOR_GRAY2BGR,
}


def picture(rng, pixel_format, height, width):
    shape = {
        GRAY: (height, width),
        YUYV: (height, width, 2),
        NV12: (height * 3 // 2, width),
    }.get(pixel_format, (height, width, 3))
    return rng.integers(0, 256, shape, np.uint8)


def tensor(color, layout, height, width, dtype):
    channels = 1 if color is GRAY else 3
    shape = (channels, height, width) if layout == "NCHW" else (height, width, channels)
    return np.full(shape, 77, dtype)


def interleaved(out, layout):
    return out.transpose(1, 2, 0) if layout == "NCHW" else out


def expected(pixels, pixel_format, color, size):
    """The picture as OpenCV prepares it: float32 (height, width, C), 0..255."""
    bgr = pixels if pixel_format is BGR else cv2.cvtColor(pixels, TO_BGR[pixel_format])
    resized = cv2.resize(bgr, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    if color is GRAY:
        return (resized @ np.array(LUMA[BGR], np.float32))[:, :, np.newaxis]
    return resized if color is BGR else resized[:, :, ::-1]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("color", [BGR, RGB, GRAY])
@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_every_format_reaches_every_color_and_layout_as_in_opencv(kernel, rng, pixel_format, color, layout):
    pixels = picture(rng, pixel_format, 38, 54)
    out = tensor(color, layout, 31, 43, np.float32)
    kernel.prepare(pixels, out, format=pixel_format, color=color, layout=layout)
    wanted = expected(pixels, pixel_format, color, (31, 43))
    assert np.abs(interleaved(out, layout) - wanted).max() <= LEVEL


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("color", [BGR, RGB])
def test_mean_and_scale_follow_the_order_of_the_color(kernel, rng, color, dtype, layout):
    pixels = picture(rng, BGR, 40, 30)
    out = tensor(color, layout, 24, 24, dtype)
    kernel.prepare(pixels, out, color=color, mean=MEAN, scale=SCALE, layout=layout)
    wanted = (expected(pixels, BGR, color, (24, 24)) - MEAN) / SCALE
    assert (
        np.abs(interleaved(out, layout) - wanted).max() <= LEVEL / min(SCALE) + (dtype == np.float16) * 2e-3
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
def test_without_scaling_every_pixel_arrives_as_it_was(kernel, rng, resize, dtype):
    pixels = picture(rng, BGR, 17, 23)
    out = tensor(RGB, "NHWC", 17, 23, dtype)
    kernel.prepare(pixels, out, resize=resize, layout="NHWC")
    assert (out == pixels[:, :, ::-1]).all()


def test_every_size_up_to_64_is_within_a_grey_level_of_opencv(kernel, rng):
    worst = 0.0
    for source in range(1, 65):
        pixels = picture(rng, GRAY, source, 65 - source)
        for target in range(1, 65):
            out = np.empty((1, target, 65 - target), np.float32)
            kernel.prepare(pixels, out, format=GRAY, color=GRAY)
            wanted = cv2.resize(pixels, (65 - target, target), interpolation=cv2.INTER_LINEAR)
            worst = max(worst, float(np.abs(out[0] - wanted).max()))
    assert worst <= LEVEL


@pytest.mark.parametrize("source", [(1080, 1920), (480, 640), (719, 1283), (1, 1000), (600, 1)])
@pytest.mark.parametrize("target", [(224, 224), (300, 300), (333, 517), (1, 64)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_large_pictures_are_within_a_grey_level_of_opencv(kernel, rng, source, target, dtype):
    pixels = picture(rng, BGR, *source)
    out = tensor(BGR, "NCHW", *target, dtype)
    kernel.prepare(pixels, out, color=BGR)
    difference = interleaved(out, "NCHW").astype(np.float32) - expected(pixels, BGR, BGR, target)
    assert np.abs(difference).max() <= LEVEL
    assert np.abs(difference).mean() <= LEVEL / 2


@pytest.mark.parametrize("anchor", ["centre", "top-left"])
@pytest.mark.parametrize("source", [(37, 53), (53, 37), (3, 64), (90, 120)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_letterbox_is_opencv_resize_and_border(kernel, rng, source, anchor, dtype):
    pixels = picture(rng, BGR, *source)
    out = tensor(BGR, "NHWC", 48, 40, dtype)
    place = kernel.prepare(pixels, out, color=BGR, resize="letterbox", anchor=anchor, pad=99, layout="NHWC")
    height, width = round(place.scale_y * source[0]), round(place.scale_x * source[1])
    top, left = int(place.top), int(place.left)
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    below, right = 48 - height - top, 40 - width - left
    wanted = cv2.copyMakeBorder(resized, top, below, left, right, cv2.BORDER_CONSTANT, value=(99,) * 3)
    assert np.abs(out.astype(np.float32) - wanted).max() <= LEVEL + (dtype == np.float16) * 0.07


@pytest.mark.parametrize("source", [(37, 53), (53, 37), (3, 64), (90, 120)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_crop_is_opencv_resize_and_a_cut_from_the_middle(kernel, rng, source, dtype):
    pixels = picture(rng, BGR, *source)
    out = tensor(BGR, "NHWC", 48, 40, dtype)
    place = kernel.prepare(pixels, out, color=BGR, resize="crop", layout="NHWC")
    size = round(place.scale_x * source[1]), round(place.scale_y * source[0])
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    top, left = int(-place.top), int(-place.left)
    wanted = resized[top : top + 48, left : left + 40]
    assert np.abs(out.astype(np.float32) - wanted).max() <= LEVEL + (dtype == np.float16) * 0.07


def test_the_border_is_prepared_like_a_pixel(kernel):
    out = np.empty((3, 4, 8), np.float32)
    kernel.prepare(np.zeros((4, 4, 3), np.uint8), out, resize="letterbox", pad=114, mean=MEAN, scale=SCALE)
    wanted = ((114 - np.array(MEAN)) / SCALE)[:, np.newaxis, np.newaxis]
    assert np.allclose(out[:, :, :2], wanted, atol=1e-5)
    assert np.allclose(out[:, :, 6:], wanted, atol=1e-5)


@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
def test_the_placement_told_is_the_one_that_boxes_come_back_by(kernel, rng, resize):
    out = tensor(RGB, "NCHW", 20, 30, np.float32)
    place = kernel.prepare(picture(rng, BGR, 33, 27), out, resize=resize)
    assert place == placement((33, 27), (20, 30), resize)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("color", [RGB, GRAY])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
def test_nothing_is_written_past_the_tensor(kernel, rng, resize, dtype, color, layout):
    for size in ((1, 1), (5, 7), (16, 33)):
        place = Guarded(tensor(color, layout, *size, dtype).shape, dtype)
        kernel.prepare(picture(rng, BGR, 11, 9), place.array, color=color, resize=resize, layout=layout)
        place.check()


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_a_read_only_picture_is_read_and_left_alone(kernel, rng, pixel_format):
    pixels = frozen(picture(rng, pixel_format, 12, 14))
    before = pixels.copy()
    kernel.prepare(pixels, tensor(RGB, "NCHW", 9, 9, np.float32), format=pixel_format)
    assert (pixels == before).all()


@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("pixel_format", [BGR, RGB, GRAY])
def test_a_picture_of_one_pixel_fills_any_input(kernel, pixel_format, resize):
    pixels = np.full((1, 1) if pixel_format is GRAY else (1, 1, 3), 200, np.uint8)
    out = tensor(RGB, "NCHW", 5, 5, np.uint8)
    kernel.prepare(pixels, out, format=pixel_format, resize=resize)
    assert (out == 200).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_black_and_white_stay_black_and_white(kernel, dtype):
    for level in (0, 255):
        out = tensor(GRAY, "NCHW", 13, 29, dtype)
        kernel.prepare(np.full((31, 17, 3), level, np.uint8), out, color=GRAY)
        assert np.allclose(out.astype(np.float32), level, atol=1e-3)


def test_a_half_beyond_its_range_is_infinite(kernel):
    out = np.empty((3, 2, 2), np.float16)
    kernel.prepare(np.full((2, 2, 3), 255, np.uint8), out, scale=(1e-3, -1e-3, 1e-9))
    assert (out[0] == np.inf).all()
    assert (out[1] == -np.inf).all()
    assert (out[2] == np.inf).all()


def test_two_threads_prepare_at_once_without_disturbing_each_other(kernel, rng):
    pictures = [picture(rng, BGR, 60, 80), picture(rng, BGR, 33, 91)]
    alone = [np.empty((3, 48, 48), np.float32) for _ in pictures]
    for pixels, out in zip(pictures, alone, strict=True):
        kernel.prepare(pixels, out, resize="letterbox")

    def work(thread):
        out = np.empty((3, 48, 48), np.float32)
        kernel.prepare(pictures[thread], out, resize="letterbox")
        assert (out == alone[thread]).all()

    at_once(work)


GOOD = {
    "pixels": np.zeros((6, 8, 3), np.uint8),
    "out": np.zeros((3, 4, 4), np.float32),
}


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"pixels": [[1]]}, TypeError, "pixels must be a NumPy array of uint8, not list"),
        ({"pixels": np.zeros((6, 8, 3), np.float32)}, TypeError, "uint8, not float32"),
        ({"pixels": np.zeros((6, 8), np.uint8)}, ValueError, r"\(height, width, 3\), not \(6, 8\)"),
        ({"pixels": np.zeros((0, 8, 3), np.uint8)}, ValueError, "must not be empty"),
        ({"pixels": np.zeros((6, 16, 3), np.uint8)[:, ::2]}, ValueError, "pixels must be C-contiguous"),
        ({"pixels": np.zeros((6, 8, 3), np.uint8)[:, ::-1]}, ValueError, "pixels must be C-contiguous"),
        ({"format": "bgr"}, TypeError, "format must be a PixelFormat, not 'bgr'"),
        ({"color": YUYV}, ValueError, "color must be BGR, RGB or GRAY"),
        ({"color": GRAY}, ValueError, r"out must have the shape \(1, height, width\), not \(3, 4, 4\)"),
        ({"resize": "fit"}, ValueError, "stretch, letterbox, crop, not 'fit'"),
        ({"anchor": "left"}, ValueError, "centre, top-left, not 'left'"),
        ({"layout": "CHWN"}, ValueError, "NCHW, NHWC, not 'CHWN'"),
        ({"layout": "NHWC"}, ValueError, r"\(height, width, 3\), not \(3, 4, 4\)"),
        ({"pad": 256}, ValueError, "pad must lie in 0..255, it is 256"),
        ({"mean": (1.0,)}, ValueError, "mean must be 3 finite numbers"),
        ({"mean": (1.0, 2.0, float("nan"))}, ValueError, "mean must be 3 finite numbers"),
        ({"scale": (1.0, 2.0, 3.0, 4.0)}, ValueError, "scale must be 3 finite numbers"),
        ({"scale": (1.0, 0.0, 1.0)}, ValueError, "scale must not hold a zero"),
        ({"scale": (1.0, 1e-300, 1.0)}, ValueError, "scale must not hold a zero"),
        ({"out": np.zeros((3, 4, 4))}, TypeError, "uint8, float16 or float32, not float64"),
        ({"out": None}, TypeError, "not NoneType"),
        ({"out": np.zeros((3, 4, 0), np.float32)}, ValueError, "out must not be empty"),
        ({"out": np.zeros((1, 3, 4, 4), np.float32)}, ValueError, r"not \(1, 3, 4, 4\)"),
        ({"out": np.zeros((3, 4, 8), np.float32)[:, :, ::2]}, ValueError, "out must be C-contiguous"),
        ({"out": frozen(np.zeros((3, 4, 4), np.float32))}, ValueError, "out must be writable"),
        ({"out": np.zeros((3, 4, 4), np.uint8), "mean": MEAN}, ValueError, "a uint8 out takes no mean"),
        ({"out": np.zeros((3, 4, 4), np.uint8), "scale": SCALE}, ValueError, "a uint8 out takes no mean"),
        ({"out": np.zeros(193, np.uint8)[1:].view("f4").reshape(3, 4, 4)}, ValueError, "out must be aligned"),
    ],
)
def test_what_cannot_be_prepared_is_refused_with_a_sentence(kernel, change, error, sentence):
    call = GOOD | change
    with pytest.raises(error, match=sentence):
        kernel.prepare(call.pop("pixels"), call.pop("out"), **call)


@hypothesis.given(st.data())
def test_the_compiled_kernel_equals_its_twin(twins: tuple[SimpleNamespace, SimpleNamespace], data):
    side = st.integers(1, 40)
    pixel_format = data.draw(st.sampled_from(list(PixelFormat)))
    even = 2 if pixel_format in (YUYV, NV12) else 1
    pixels = picture(
        np.random.default_rng(data.draw(st.integers(0, 99))),
        pixel_format,
        data.draw(side) * even,
        data.draw(side) * even,
    )
    color, layout = data.draw(st.sampled_from([BGR, RGB, GRAY])), data.draw(st.sampled_from(["NCHW", "NHWC"]))
    dtype = data.draw(st.sampled_from(DTYPES))
    settings = {
        "format": pixel_format,
        "color": color,
        "layout": layout,
        "resize": data.draw(st.sampled_from(["stretch", "letterbox", "crop"])),
        "anchor": data.draw(st.sampled_from(["centre", "top-left"])),
        "pad": data.draw(st.integers(0, 255)),
    }
    step = 1.0
    if dtype != np.uint8:
        count = 1 if color is GRAY else 3
        settings["mean"] = data.draw(st.lists(st.floats(-300, 300), min_size=count, max_size=count))
        settings["scale"] = data.draw(st.lists(st.floats(0.25, 300), min_size=count, max_size=count))
        step = 1 / min(settings["scale"])
    ours = tensor(color, layout, data.draw(side), data.draw(side), dtype)
    theirs = ours.copy()
    assert twins[0].prepare(pixels, ours, **settings) == twins[1].prepare(pixels, theirs, **settings)
    rounding = 2.0**-10 * np.abs(theirs).max() if dtype == np.float16 else 1e-3 * step
    assert np.abs(ours.astype(np.float32) - theirs.astype(np.float32)).max() <= LEVEL * step + rounding


def test_every_half_is_rounded_to_the_nearest_as_numpy_does(twins):
    """Levels over a wide range of scales meet every case: normal, below normal, halfway, beyond."""
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for power in range(-36, 24):
        for part in (1.0, 1.37, 1.9990234375):
            scale = [1 / (part * 2.0**power)]
            ours, theirs = (np.empty((1, 16, 16), np.float16) for _ in range(2))
            for twin, out in zip(twins, (ours, theirs), strict=True):
                twin.prepare(pixels, out, format=GRAY, color=GRAY, mean=[127.5], scale=scale)
            assert (ours.view(np.uint16) == theirs.view(np.uint16)).all()
