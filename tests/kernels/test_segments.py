"""How much of a mask is which class, and the class of pixels whose scores lie side by side."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

NAN, INF = np.nan, np.inf


def counted(kernel, mask, part=None):
    out = Guarded((256,), np.int64)
    out.array[...] = -1
    kernel.count_classes(mask, (0, 0, *mask.shape) if part is None else part, out.array)
    out.check()
    return out.array


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 1027), (64, 64), (0, 4)])
def test_every_pixel_is_counted_once(kernel, rng, shape):
    mask = rng.integers(0, 256, shape, np.uint8)
    counts = counted(kernel, frozen(mask))
    assert counts.tolist() == [int((mask == label).sum()) for label in range(256)]


def test_only_the_part_counts(kernel, rng):
    mask = rng.integers(0, 4, (20, 30), np.uint8)
    counts = counted(kernel, mask, (3, 5, 17, 28))
    assert counts[:4].tolist() == [int((mask[3:17, 5:28] == label).sum()) for label in range(4)]
    assert counted(kernel, mask, (4, 4, 4, 9)).sum() == 0


def test_a_mask_of_one_class_does_not_overflow(kernel):
    assert counted(kernel, np.full((300, 4000), 9, np.uint8))[9] == 1_200_000


@pytest.mark.parametrize("classes", [1, 2, 3, 19, 256])
def test_the_class_of_a_pixel_is_that_of_its_highest_score(kernel, rng, classes):
    scores = rng.normal(size=(7, 9, classes)).astype(np.float32)
    out = Guarded((7, 9), np.uint8)
    assert kernel.argmax_pixels(frozen(scores), out.array) is out.array
    assert (out.array == scores.argmax(axis=2)).all()
    out.check()


def test_it_says_what_argmax_planes_says(kernel, rng):
    scores = rng.integers(0, 3, (11, 13, 5)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = NAN
    beside, planes = np.empty((11, 13), np.uint8), np.empty((11, 13), np.uint8)
    kernel.argmax_pixels(scores, beside)
    kernel.argmax_planes(np.ascontiguousarray(scores.transpose(2, 0, 1)), planes)
    assert (beside == planes).all()


def test_a_pixel_of_which_nothing_is_known_is_class_0(kernel):
    scores = np.array([[[NAN, NAN], [-INF, NAN], [NAN, 1.0], [1.0, INF]]], np.float32)
    assert kernel.argmax_pixels(scores, np.empty((1, 4), np.uint8)).tolist() == [[0, 0, 1, 1]]


def test_two_threads_at_once_count_their_own(kernel, rng):
    masks = [rng.integers(0, 256, (90, 70), np.uint8) for _ in range(2)]
    alone = [counted(kernel, mask).tolist() for mask in masks]

    def work(thread):
        assert counted(kernel, masks[thread]).tolist() == alone[thread]

    at_once(work)


MASK, COUNTS = np.zeros((4, 6), np.uint8), np.zeros(256, np.int64)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ((MASK, (0, 0, 5, 6), COUNTS), ValueError, "within a mask of 4 x 6, not"),
        ((MASK, (0, -1, 4, 6), COUNTS), ValueError, "within a mask of 4 x 6"),
        ((MASK, (3, 0, 2, 6), COUNTS), ValueError, "within a mask of 4 x 6"),
        ((MASK.astype(np.int8), (0, 0, 4, 6), COUNTS), TypeError, "mask must be uint8, not int8"),
        ((MASK[:, ::2], (0, 0, 4, 3), COUNTS), ValueError, "mask must be C-contiguous"),
        ((MASK, (0, 0, 4, 6), np.zeros(255, np.int64)), ValueError, r"out must have the shape \(256,\)"),
        ((MASK, (0, 0, 4, 6), np.zeros(256, np.int32)), TypeError, "out must be int64, not int32"),
        ((MASK, (0, 0, 4, 6), frozen(COUNTS)), ValueError, "out must be writable"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_a_sentence(kernel, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        kernel.count_classes(*arguments)


@pytest.mark.parametrize(
    ("scores", "out", "error", "sentence"),
    [
        (np.zeros((2, 3, 4)), MASK, TypeError, "scores must be float32, not float64"),
        (np.zeros((2, 3), np.float32), MASK, ValueError, r"scores must have the shape \(H, W, C\)"),
        (np.zeros((4, 6, 0), np.float32), MASK, ValueError, "1..256 classes, not 0"),
        (np.zeros((4, 6, 257), np.float32), MASK, ValueError, "1..256 classes, not 257"),
        (
            np.zeros((4, 5, 2), np.float32),
            MASK,
            ValueError,
            r"out must have the shape \(4, 5\), not \(4, 6\)",
        ),
        (np.zeros((4, 6, 2), np.float32), frozen(MASK), ValueError, "out must be writable"),
    ],
)
def test_scores_that_cannot_be_read_are_refused_with_a_sentence(kernel, scores, out, error, sentence):
    with pytest.raises(error, match=sentence):
        kernel.argmax_pixels(scores, out)


SCORE = st.sampled_from([0.0, 1.0, -1.0, 2.5, NAN, INF, -INF])


@hypothesis.given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 6), st.data())
def test_the_compiled_kernels_equal_their_twins(twins, height, width, classes, data):
    count = height * width * classes
    values = data.draw(st.lists(SCORE, min_size=count, max_size=count))
    scores = np.array(values, np.float32).reshape(height, width, classes)
    masks = [twin.argmax_pixels(scores, np.empty((height, width), np.uint8)) for twin in twins]
    assert (masks[0] == masks[1]).all()
    top, left = data.draw(st.integers(0, height)), data.draw(st.integers(0, width))
    counts = [counted(twin, masks[0], (top, left, height, width)) for twin in twins]
    assert (counts[0] == counts[1]).all()
