"""Boxes and points from the model's input back to the frame."""

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from kernel_pair import Guarded, at_once, frozen

from kernels import Placement, placement

STRETCHED = placement((480, 640), (300, 300), "stretch")
BOXED = placement((720, 1280), (640, 640), "letterbox")
CUT = placement((480, 640), (240, 240), "crop")
PLACES = pytest.mark.parametrize("place", [STRETCHED, BOXED, CUT])


def forward(boxes, place):
    """Shares of the frame into input pixels: the definition of a placement."""
    points = boxes.reshape(-1, 2) * (place.source_width, place.source_height)
    points = points * (place.scale_x, place.scale_y) + (place.left, place.top)
    return points.reshape(boxes.shape).astype(np.float32)


@PLACES
def test_a_box_of_the_frame_goes_into_the_input_and_comes_back(kernel, rng, place):
    boxes = rng.uniform(0, 1, (20, 4))
    assert np.abs(kernel.boxes_to_frame(forward(boxes, place), place) - boxes).max() < 1e-6


@PLACES
def test_points_come_back_even_from_outside_the_frame(kernel, rng, place):
    points = rng.uniform(-1, 2, (9, 5, 2))
    assert np.abs(kernel.points_to_frame(forward(points, place), place) - points).max() < 1e-5


def test_a_box_is_clipped_to_the_frame(kernel):
    boxes = np.array([[-50, 100, 900, 700]], np.float32)
    assert kernel.boxes_to_frame(boxes, BOXED).tolist() == [[0, 0, 1, 1]]


def test_what_is_not_finite_is_clipped_too_and_a_nan_becomes_zero(kernel):
    boxes = np.array([[np.nan, -np.inf, np.inf, np.nan]], np.float32)
    assert kernel.boxes_to_frame(boxes, STRETCHED).tolist() == [[0, 0, 1, 0]]


def test_a_point_that_is_not_finite_stays_so(kernel):
    points = np.array([[[np.nan, np.inf]]], np.float32)
    assert np.isnan(kernel.points_to_frame(points, STRETCHED)[0, 0, 0])
    assert kernel.points_to_frame(points, STRETCHED)[0, 0, 1] == np.inf


@pytest.mark.parametrize(
    ("name", "shape"),
    [("boxes_to_frame", (0, 4)), ("points_to_frame", (0, 5, 2)), ("points_to_frame", (3, 0, 2))],
)
def test_nothing_in_gives_nothing_out(kernel, name, shape):
    assert getattr(kernel, name)(np.zeros(shape, np.float32), BOXED).shape == shape


@pytest.mark.parametrize(("name", "shape"), [("boxes_to_frame", (7, 4)), ("points_to_frame", (7, 5, 2))])
def test_out_is_filled_and_returned_and_nothing_beside_it(kernel, rng, name, shape):
    values = frozen(rng.uniform(-10, 700, shape).astype(np.float32))
    place = Guarded(shape, np.float32)
    assert getattr(kernel, name)(values, BOXED, place.array) is place.array
    place.check()
    assert (place.array == getattr(kernel, name)(values, BOXED)).all()


@pytest.mark.parametrize(("name", "shape"), [("boxes_to_frame", (7, 4)), ("points_to_frame", (7, 5, 2))])
def test_out_may_be_the_input_itself(kernel, rng, name, shape):
    values = rng.uniform(0, 640, shape).astype(np.float32)
    wanted = getattr(kernel, name)(values.copy(), BOXED)
    assert (getattr(kernel, name)(values, BOXED, values) == wanted).all()


def test_two_threads_at_once_map_their_own(kernel, rng):
    boxes = rng.uniform(0, 300, (2, 50, 4)).astype(np.float32)
    alone = [kernel.boxes_to_frame(each, STRETCHED) for each in boxes]

    def work(thread):
        assert (kernel.boxes_to_frame(boxes[thread], STRETCHED) == alone[thread]).all()

    at_once(work)


BOXES, POINTS = np.zeros((2, 4), np.float32), np.zeros((2, 5, 2), np.float32)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "sentence"),
    [
        ("boxes_to_frame", (np.zeros((2, 4)), BOXED), TypeError, "boxes must be float32, not float64"),
        ("boxes_to_frame", (np.zeros((2, 5), np.float32), BOXED), ValueError, r"\(K, 4\), not \(2, 5\)"),
        (
            "boxes_to_frame",
            (np.zeros((2, 8), np.float32)[:, ::2], BOXED),
            ValueError,
            "boxes must be C-contiguous",
        ),
        (
            "boxes_to_frame",
            (BOXES, BOXED, np.zeros((3, 4), np.float32)),
            ValueError,
            r"\(2, 4\), not \(3, 4\)",
        ),
        ("boxes_to_frame", (BOXES, BOXED, frozen(BOXES)), ValueError, "out must be writable"),
        ("boxes_to_frame", (BOXES, Placement(0, 4, 1.0, 1.0, 0.0, 0.0)), ValueError, "above zero"),
        (
            "points_to_frame",
            (np.zeros((2, 10), np.float32), BOXED),
            ValueError,
            r"\(K, P, 2\), not \(2, 10\)",
        ),
        (
            "points_to_frame",
            (np.zeros((2, 5, 2), np.float16), BOXED),
            TypeError,
            "points must be float32, not float16",
        ),
        (
            "points_to_frame",
            (POINTS, BOXED, np.zeros((2, 5, 4), np.float32)[:, :, ::2]),
            ValueError,
            "C-contiguous",
        ),
        ("points_to_frame", (POINTS, Placement(4, 4, -1.0, 1.0, 0.0, 0.0)), ValueError, "above zero"),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_a_sentence(kernel, name, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        getattr(kernel, name)(*arguments)


@hypothesis.given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 9), st.just(4)), elements=st.floats(width=32)),
    st.sampled_from([STRETCHED, BOXED, CUT]),
)
def test_the_compiled_kernels_equal_their_twins(twins, boxes, place):
    ours, theirs = (twin.boxes_to_frame(boxes, place) for twin in twins)
    assert (ours == theirs).all()
    points = boxes.reshape(len(boxes), 2, 2)
    ours, theirs = (twin.points_to_frame(points, place) for twin in twins)
    assert np.array_equal(ours, theirs, equal_nan=True)
