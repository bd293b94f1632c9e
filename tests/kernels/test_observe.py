"""What a racer's policy is shown: bit for bit what Pillow and NumPy make, and what OpenCV makes within a level."""

import cv2
import hypothesis
import hypothesis.strategies as st
import make_observations
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen
from make_observations import SIZES, picture


@pytest.fixture(scope="module")
def golden():
    with np.load(make_observations.FILE) as made:
        return dict(made)


def blank(height=8, width=8):
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("name", list(SIZES))
def test_training_mode_is_pillow_bit_for_bit(kernel, golden, name, dtype):
    out = np.empty(SIZES[name][1], dtype)
    assert kernel.observe(picture(name), out) is out
    assert (out == golden[f"{name}-0-luma"]).all()


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("name", list(SIZES))
def test_two_eyes_are_what_pillow_calls_l_interleaved_or_planar(kernel, golden, name, dtype):
    height, width = SIZES[name][1]
    eyes = picture(name, 0), picture(name, 1)
    wanted = np.stack([golden[f"{name}-{eye}-L"] for eye in (0, 1)])
    assert (kernel.observe(eyes, np.empty((height, width, 2), dtype)) == wanted.transpose(1, 2, 0)).all()
    if width != 2:
        assert (kernel.observe(eyes, np.empty((2, height, width), dtype)) == wanted).all()


@pytest.mark.parametrize("name", list(SIZES))
def test_stock_mode_is_opencv_within_one_level(kernel, name):
    height, width = SIZES[name][1]
    wanted = cv2.cvtColor(cv2.resize(picture(name), (width, height)), cv2.COLOR_BGR2GRAY)
    ours = kernel.observe(picture(name), np.empty((height, width), np.uint8), mode="stock")
    assert np.abs(ours.astype(int) - wanted.reshape(height, width)).max() <= 1


def test_stock_mode_of_two_eyes_is_that_of_each(kernel):
    eyes = picture("camera", 0), picture("camera", 1)
    both = kernel.observe(eyes, np.empty((2, 120, 160), np.uint8), mode="stock")
    for eye, one in zip(both, eyes, strict=True):
        assert (eye == kernel.observe(one, np.empty((120, 160), np.uint8), mode="stock")).all()


def test_levels_that_are_whole_numbers_are_cut_as_doubles_are(kernel):
    """Every colour whose luma is a whole number exactly: there the rounding of doubles decides."""
    blue, green, red = (each.ravel() for each in np.indices((256, 256, 256), np.int32))
    whole = (2989 * red + 5870 * green + 1140 * blue) % 10000 == 0
    view = np.stack([blue[whole], green[whole], red[whole]], axis=1).astype(np.uint8)[np.newaxis]
    red, green, blue = (view[:, :, channel] for channel in (2, 1, 0))
    wanted = (0.2989 * red + 0.5870 * green + 0.1140 * blue).astype(np.uint8)
    assert len(view[0]) > 1000
    assert (kernel.observe(view, np.empty(view.shape[:2], np.uint8)) == wanted).all()


def test_read_only_pictures_are_read_and_nothing_is_written_past_the_end(kernel):
    for mode in ("training", "stock"):
        for source, shape in (((40, 56), (10, 14)), ((13, 9), (5, 3)), ((24, 24), (6, 6))):
            out = Guarded(shape, np.uint8)
            kernel.observe(frozen(np.full((*source, 3), 200, np.uint8)), out.array, mode=mode)
            out.check()
            assert (out.array == (199 if mode == "training" else 200)).all()


def test_a_picture_is_not_read_past_its_end(kernel, rng):
    """Bytes behind the picture, and before it, make no difference."""
    for source, shape in (((40, 56), (10, 14)), ((24, 24), (6, 6)), ((8, 8), (2, 2)), ((4, 4), (1, 1))):
        inside = rng.integers(0, 256, (*source, 3), np.uint8)
        held = Guarded(inside.shape, np.uint8)
        held.array[...] = inside
        for mode in ("training", "stock"):
            ours = kernel.observe(held.array, np.empty(shape, np.uint8), mode=mode)
            assert (ours == kernel.observe(inside, np.empty(shape, np.uint8), mode=mode)).all()


def test_two_threads_at_once_see_their_own(kernel):
    eyes = [picture("quarter", eye) for eye in (0, 1)]
    alone = [kernel.observe(eye, np.empty((10, 14), np.uint8)) for eye in eyes]

    def work(thread):
        assert (kernel.observe(eyes[thread], np.empty((10, 14), np.uint8)) == alone[thread]).all()

    at_once(work)


@pytest.mark.parametrize(
    ("pixels", "out", "mode", "error", "sentence"),
    [
        (
            blank(),
            np.empty((2, 2), np.uint8),
            "exact",
            ValueError,
            "mode must be one of training, stock, not 'exact'",
        ),
        (blank(), np.empty((2, 2), np.int8), "stock", TypeError, "out must be uint8 or float32, not int8"),
        (blank(), [[0]], "stock", TypeError, "out must be a NumPy array"),
        (blank(), np.empty((2, 2, 2), np.uint8), "stock", ValueError, r"\(height, width\), not \(2, 2, 2\)"),
        (blank(), np.empty((0, 2), np.uint8), "stock", ValueError, "out must not be empty"),
        (blank(), np.empty((4, 4), np.uint8)[:, ::2], "training", ValueError, "out must be C-contiguous"),
        (blank(), frozen(np.zeros((2, 2), np.uint8)), "training", ValueError, "out must be writable"),
        (blank()[:, ::2], np.empty((2, 2), np.uint8), "training", ValueError, "pixels must be C-contiguous"),
        (blank(0), np.empty((2, 2), np.uint8), "training", ValueError, "a picture must not be empty"),
        (blank()[:, :, 0].copy(), np.empty((2, 2), np.uint8), "stock", ValueError, r"\(height, width, 3\)"),
        (blank().astype(float), np.empty((2, 2), np.uint8), "stock", TypeError, "pixels must be uint8"),
        ((blank(),) * 3, np.empty((2, 2, 2), np.uint8), "stock", ValueError, "a left and a right one, not 3"),
        (
            (blank(),) * 2,
            np.empty((2, 2), np.uint8),
            "stock",
            ValueError,
            r"\(2, height, width\), not \(2, 2\)",
        ),
        ((blank(),) * 2, np.empty((3, 4, 5), np.uint8), "stock", ValueError, r"not \(3, 4, 5\)"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_sentence(kernel, pixels, out, mode, error, sentence):
    with pytest.raises(error, match=sentence):
        kernel.observe(pixels, out, mode=mode)


@hypothesis.given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.booleans(),
    st.sampled_from(["training", "stock"]),
    st.integers(0, 1000),
)
@hypothesis.settings(max_examples=150)
def test_the_compiled_kernel_equals_its_twin(twins, source, shape, quarter, mode, seed):
    source = (4 * shape[0], 4 * shape[1]) if quarter else source
    pixels = np.random.default_rng(seed).integers(0, 256, (*source, 3), np.uint8)
    ours, theirs = (twin.observe(pixels, np.empty(shape, np.uint8), mode=mode) for twin in twins)
    assert (ours == theirs).all()
    both = [twin.observe((pixels, pixels), np.empty((*shape, 2), np.float32), mode=mode) for twin in twins]
    assert (both[0] == both[1]).all()
