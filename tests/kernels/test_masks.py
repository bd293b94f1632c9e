"""Which class a pixel is, masks laid over pictures, and zones that must not be seen."""

import cv2
import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels import placement

INF, NAN = np.inf, np.nan
PALETTE = np.random.default_rng(3).integers(0, 256, (256, 4), np.uint8)


def picture(rng, height=12, width=17):
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def column(*scores, dtype=np.float32):
    """One pixel's scores, as (C, 1, 1)."""
    return np.array(scores, dtype).reshape(-1, 1, 1)


def classes(kernel, scores):
    return kernel.argmax_planes(scores, np.empty(scores.shape[1:], np.uint8))


# ---- argmax


@pytest.mark.parametrize("dtype", ["f4", "f2"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 3), (21, 7, 9), (7, 64, 65), (256, 3, 5), (8, 50, 83)])
def test_the_highest_score_is_the_class(kernel, rng, shape, dtype):
    scores = rng.normal(0, 3, shape).astype(dtype)
    assert (classes(kernel, scores) == scores.argmax(axis=0)).all()


@pytest.mark.parametrize("dtype", ["f4", "f2"])
@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ((1, 3, 3, 2), 1),
        ((-0.0, 0.0), 0),
        ((0.0, -0.0), 0),
        ((-2, -1, -3), 1),
        ((NAN, 1, 2, NAN), 2),
        ((NAN, -INF, -INF), 0),
        ((NAN, NAN), 0),
        ((-INF, -5), 1),
        ((INF, NAN, INF), 0),
        ((5e-8, 6e-8, 1e-7), 2),
    ],
)
def test_equal_scores_go_to_the_lower_class_and_a_nan_never_wins(kernel, dtype, scores, label):
    many = np.tile(column(*scores, dtype=dtype), (1, 5, 41))
    assert (classes(kernel, many) == label).all()


def test_no_pixels_are_no_trouble(kernel):
    assert classes(kernel, np.empty((3, 0, 5), np.float32)).shape == (0, 5)


@pytest.mark.parametrize("dtype", ["f4", "f2"])
@pytest.mark.parametrize("shape", [(3, 1, 1), (9, 5, 13), (5, 41, 51)])
def test_planes_may_be_read_only_and_nothing_beside_the_classes_is_written(kernel, rng, shape, dtype):
    out = Guarded(shape[1:], np.uint8)
    scores = frozen(rng.normal(0, 3, shape).astype(dtype))
    assert kernel.argmax_planes(scores, out.array) is out.array
    out.check()
    assert (out.array == scores.argmax(axis=0)).all()


@pytest.mark.parametrize(
    ("scores", "out", "error", "sentence"),
    [
        (np.zeros((2, 3, 4)), np.zeros((3, 4), np.uint8), TypeError, "float32 or float16, not float64"),
        ([1], np.zeros((3, 4), np.uint8), TypeError, "scores must be a NumPy array"),
        (np.zeros((3, 4), np.float32), np.zeros((3, 4), np.uint8), ValueError, r"\(C, H, W\), not \(3, 4\)"),
        (np.zeros((0, 3, 4), np.float32), np.zeros((3, 4), np.uint8), ValueError, r"1\.\.256 classes, not 0"),
        (np.zeros((257, 1, 1), np.float32), np.zeros((1, 1), np.uint8), ValueError, "classes, not 257"),
        (np.zeros((2, 3, 8), np.float32)[:, :, ::2], np.zeros((3, 4), np.uint8), ValueError, "C-contiguous"),
        (np.zeros((2, 3, 4), np.float32), np.zeros((4, 3), np.uint8), ValueError, r"\(3, 4\), not \(4, 3\)"),
        (
            np.zeros((2, 3, 4), np.float32),
            np.zeros((3, 4), np.int32),
            TypeError,
            "out must be uint8, not int32",
        ),
        (
            np.zeros((2, 3, 4), np.float32),
            frozen(np.zeros((3, 4), np.uint8)),
            ValueError,
            "out must be writable",
        ),
    ],
)
def test_planes_that_cannot_be_compared_are_refused_with_a_sentence(kernel, scores, out, error, sentence):
    with pytest.raises(error, match=sentence):
        kernel.argmax_planes(scores, out)


@hypothesis.given(
    st.sampled_from([np.float32, np.float16]).flatmap(
        lambda dtype: hnp.arrays(
            dtype,
            st.tuples(st.integers(1, 20), st.integers(1, 3), st.integers(1, 40)),
            elements=st.sampled_from([NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.5, 6e-8, -6e-8]),
        )
    )
)
def test_the_compiled_argmax_equals_its_twin(twins, scores):
    ours, theirs = (classes(twin, scores) for twin in twins)
    assert (ours == theirs).all()


# ---- overlay


@pytest.mark.parametrize("columns", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (12, 17), (40, 61)])
def test_every_pixel_is_blended_with_its_classs_colour(kernel, rng, size, columns):
    pixels, mask = picture(rng, 24, 34), rng.integers(0, 256, size, np.uint8)
    palette = np.ascontiguousarray(PALETTE[:, :columns])
    out = kernel.overlay_mask(pixels, mask, palette, alpha=77)
    rows = ((np.arange(24) + 0.5) * size[0] / 24).astype(int)
    labels = mask[np.ix_(rows, ((np.arange(34) + 0.5) * size[1] / 34).astype(int))]
    alpha = palette[labels][:, :, 3:] / 255 if columns == 4 else 77 / 255
    wanted = pixels * (1 - alpha) + palette[labels][:, :, :3] * alpha
    assert (out == np.floor(wanted + 0.5)).all()


def test_it_is_what_opencv_lays_over(kernel, rng):
    pixels, mask = picture(rng, 64, 96), rng.integers(0, 256, (16, 24), np.uint8)
    large = cv2.resize(mask, (96, 64), interpolation=cv2.INTER_NEAREST)
    wanted = cv2.addWeighted(pixels, 127 / 255, PALETTE[:, :3][large], 128 / 255, 0)
    ours = kernel.overlay_mask(pixels, mask, np.ascontiguousarray(PALETTE[:, :3]))
    assert np.abs(ours.astype(int) - wanted).max() <= 1


def test_an_alpha_of_nothing_leaves_the_picture_and_one_of_all_covers_it(kernel, rng):
    pixels, mask = picture(rng), np.zeros((3, 3), np.uint8)
    colours = np.ascontiguousarray(PALETTE[:, :3])
    assert (kernel.overlay_mask(pixels, mask, colours, alpha=0) == pixels).all()
    assert (kernel.overlay_mask(pixels, mask, colours, alpha=255) == colours[0]).all()


def test_a_picture_may_be_painted_in_place(kernel, rng):
    pixels, mask = picture(rng), rng.integers(0, 9, (5, 6), np.uint8)
    wanted = kernel.overlay_mask(frozen(pixels), frozen(mask), frozen(PALETTE))
    assert kernel.overlay_mask(pixels, mask, PALETTE, pixels) is pixels
    assert (pixels == wanted).all()


def test_a_placement_says_which_part_of_the_mask_the_picture_is(kernel):
    """20 x 40 letterboxed into 32 x 32: rows 8..23 of the mask are the picture."""
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24] = 1
    mask[8:24, 16:] = 2
    palette = np.zeros((256, 3), np.uint8)
    palette[1], palette[2] = 100, 200
    out = kernel.overlay_mask(
        np.zeros((20, 40, 3), np.uint8),
        mask,
        palette,
        alpha=255,
        placement=placement((20, 40), (32, 32), "letterbox"),
    )
    assert (out[:, :20] == 100).all()
    assert (out[:, 20:] == 200).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 11), (7, 16), (5, 33)])
@pytest.mark.parametrize("columns", [3, 4])
def test_nothing_is_written_past_the_painted_picture(kernel, rng, size, columns):
    out = Guarded((*size, 3), np.uint8)
    palette = np.ascontiguousarray(PALETTE[:, :columns])
    kernel.overlay_mask(picture(rng, *size), rng.integers(0, 9, (4, 60), np.uint8), palette, out.array)
    out.check()


PIXELS, MASK = np.zeros((4, 6, 3), np.uint8), np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        ((PIXELS[:, :, 0].copy(), MASK, PALETTE), {}, ValueError, r"\(height, width, 3\), not \(4, 6\)"),
        ((PIXELS[:, ::2], MASK, PALETTE), {}, ValueError, "pixels must be C-contiguous"),
        ((PIXELS[:0], MASK, PALETTE), {}, ValueError, "a picture must not be empty"),
        ((PIXELS, MASK.astype(np.int32), PALETTE), {}, TypeError, "mask must be uint8, not int32"),
        ((PIXELS, MASK[:0], PALETTE), {}, ValueError, "mask must not be empty"),
        ((PIXELS, MASK, PALETTE[:9]), {}, ValueError, r"\(256, 3 or 4\), not \(9, 4\)"),
        ((PIXELS, MASK, np.zeros((256, 2), np.uint8)), {}, ValueError, "palette must have 3 columns"),
        ((PIXELS, MASK, PALETTE), {"alpha": 256}, ValueError, r"alpha must lie in 0\.\.255, it is 256"),
        ((PIXELS, MASK, PALETTE, PIXELS[:2]), {}, ValueError, r"\(4, 6, 3\), not \(2, 6, 3\)"),
        ((PIXELS, MASK, PALETTE, frozen(PIXELS)), {}, ValueError, "out must be writable"),
        (
            (PIXELS, MASK, PALETTE),
            {"placement": placement((4, 4), (8, 8), "stretch")},
            ValueError,
            "a picture of 4 x 4 .* but pixels are 4 x 6",
        ),
    ],
)
def test_what_cannot_be_laid_over_is_refused_with_a_sentence(kernel, arguments, options, error, sentence):
    with pytest.raises(error, match=sentence):
        kernel.overlay_mask(*arguments, **options)


@hypothesis.given(
    st.tuples(st.integers(1, 20), st.integers(1, 40)),
    st.tuples(st.integers(1, 20), st.integers(1, 40)),
    st.sampled_from([None, "stretch", "letterbox", "crop"]),
    st.sampled_from([3, 4]),
    st.integers(0, 255),
)
def test_the_compiled_overlay_equals_its_twin(twins, size, mask_size, resize, columns, alpha):
    rng = np.random.default_rng(alpha)
    pixels, mask = picture(rng, *size), rng.integers(0, 256, mask_size, np.uint8)
    where = None if resize is None else placement(size, mask_size, resize)
    palette = np.ascontiguousarray(PALETTE[:, :columns])
    ours, theirs = (twin.overlay_mask(pixels, mask, palette, alpha=alpha, placement=where) for twin in twins)
    assert (ours == theirs).all()


# ---- zones


def test_a_blurred_zone_is_the_mean_of_its_cells(kernel, rng):
    pixels = picture(rng, 40, 60)
    wanted = pixels.copy()
    cells = pixels[4:34, 6:56].reshape(3, 10, 5, 10, 3)
    means = np.floor(cells.mean(axis=(1, 3)) + 0.5).astype(np.uint8)
    wanted[4:34, 6:56] = means.repeat(10, axis=0).repeat(10, axis=1)
    assert kernel.blur_zone(pixels, 6, 4, 56, 34, 10) is pixels
    assert (pixels == wanted).all()


def test_nothing_of_a_cell_but_its_mean_is_left(kernel, rng):
    """Whatever a cell's pixels are rearranged to, the zone looks the same."""
    pixels = picture(rng, 16, 16)
    shuffled = pixels.copy()
    for top in (0, 8):
        for left in (0, 8):
            cell = shuffled[top : top + 8, left : left + 8].reshape(64, 3)
            shuffled[top : top + 8, left : left + 8] = rng.permutation(cell).reshape(8, 8, 3)
    assert (kernel.blur_zone(pixels, 0, 0, 16, 16, 8) == kernel.blur_zone(shuffled, 0, 0, 16, 16, 8)).all()


@pytest.mark.parametrize(("size", "most"), [((300, 200), 8 * 6), ((20, 20), 9), ((640, 640), 64)])
def test_without_a_strength_a_zone_has_no_more_than_64_colours(kernel, rng, size, most):
    pixels = kernel.blur_zone(picture(rng, *size), 0, 0, size[1], size[0])
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) <= most


@pytest.mark.parametrize("high", [256, 257, 258, 600])
def test_high_cells_do_not_overflow(kernel, high):
    pixels = np.full((high, 5, 3), 255, np.uint8)
    assert (kernel.blur_zone(pixels, 0, 0, 5, high, high) == 255).all()


def test_a_zone_beyond_the_picture_is_cut_and_an_empty_one_is_nothing(kernel, rng):
    pixels = picture(rng)
    before = pixels.copy()
    for zone in ((3, 3, 3, 9), (17, 0, 30, 12), (-9, -9, 0, 5)):
        assert (kernel.blur_zone(pixels, *zone) == before).all()
        assert (kernel.fill_zone(pixels, *zone) == before).all()
    assert (kernel.fill_zone(pixels, -5, -5, 99, 99, (1, 2, 3)) == (1, 2, 3)).all()


def test_a_filled_zone_has_one_colour_and_the_rest_stays(kernel, rng):
    pixels = picture(rng)
    before = pixels.copy()
    kernel.fill_zone(pixels, 2, 3, 9, 8, (255, 0, 7))
    assert (pixels[3:8, 2:9] == (255, 0, 7)).all()
    pixels[3:8, 2:9] = before[3:8, 2:9]
    assert (pixels == before).all()


def test_a_read_only_picture_is_copied_into_out_and_nothing_is_written_beside_it(kernel, rng):
    pixels, out = frozen(picture(rng)), Guarded((12, 17, 3), np.uint8)
    for zone in ((0, 0, 17, 12), (5, 5, 17, 12)):
        assert kernel.blur_zone(pixels, *zone, 3, out.array) is out.array
        assert (out.array == kernel.blur_zone(pixels.copy(), *zone, 3)).all()
        assert kernel.fill_zone(pixels, *zone, out=out.array) is out.array
        out.check()
    assert (out.array[:5] == pixels[:5]).all()


@pytest.mark.parametrize(
    ("pixels", "zone", "options", "error", "sentence"),
    [
        (frozen(PIXELS), (0, 0, 1, 1), {}, ValueError, "pixels must be writable"),
        (PIXELS, (3, 0, 2, 1), {}, ValueError, r"must not end before it begins: x 3\.\.2, y 0\.\.1"),
        (PIXELS, (0, 0, 1.5, 1), {}, TypeError, "cannot be interpreted as an integer"),
        (PIXELS[:, ::2], (0, 0, 1, 1), {}, ValueError, "pixels must be C-contiguous"),
        (PIXELS[:0], (0, 0, 1, 1), {}, ValueError, "a picture must not be empty"),
        (PIXELS, (0, 0, 1, 1), {"out": np.zeros((4, 5, 3), np.uint8)}, ValueError, r"not \(4, 5, 3\)"),
        (PIXELS, (0, 0, 1, 1), {"out": frozen(PIXELS)}, ValueError, "out must be writable"),
    ],
)
def test_a_zone_that_is_none_is_refused_with_a_sentence(kernel, pixels, zone, options, error, sentence):
    for paint in (kernel.blur_zone, kernel.fill_zone):
        with pytest.raises(error, match=sentence):
            paint(pixels, *zone, **options)


def test_a_strength_that_hides_nothing_and_a_colour_that_is_none_are_refused(kernel):
    with pytest.raises(ValueError, match="strength must be cells of 2 pixels or more, it is 1"):
        kernel.blur_zone(PIXELS.copy(), 0, 0, 2, 2, 1)
    with pytest.raises(
        ValueError, match=r"color must be blue, green and red, each 0\.\.255, not \(0, 256, 0\)"
    ):
        kernel.fill_zone(PIXELS.copy(), 0, 0, 2, 2, (0, 256, 0))


def test_two_threads_at_once_paint_their_own(kernel, rng):
    pictures = [picture(rng, 50, 50), picture(rng, 50, 50)]
    mask = rng.integers(0, 9, (7, 7), np.uint8)

    def painted(pixels):
        return kernel.blur_zone(kernel.overlay_mask(pixels, mask, PALETTE), 3, 3, 40, 40, 5)

    alone = [painted(each) for each in pictures]

    def work(thread):
        assert (painted(pictures[thread]) == alone[thread]).all()

    at_once(work)


@hypothesis.given(
    st.tuples(st.integers(1, 30), st.integers(1, 40)),
    st.lists(st.integers(-5, 45), min_size=4, max_size=4),
    st.one_of(st.none(), st.integers(2, 60)),
)
def test_the_compiled_blur_equals_its_twin(twins, size, sides, strength):
    x1, x2 = sorted(sides[:2])
    y1, y2 = sorted(sides[2:])
    pixels = picture(np.random.default_rng(x2), *size)
    ours, theirs = (twin.blur_zone(pixels.copy(), x1, y1, x2, y2, strength) for twin in twins)
    assert (ours == theirs).all()
