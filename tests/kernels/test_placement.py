"""Where a picture lies in a model's input."""

import hypothesis
import hypothesis.strategies as st
import pytest

from kernels import Placement, placement

SIZES = st.tuples(st.integers(1, 3000), st.integers(1, 3000))


def test_stretch_fills_the_input_and_scales_each_side_apart():
    assert placement((480, 640), (224, 320), "stretch") == Placement(480, 640, 224 / 480, 0.5, 0.0, 0.0)


def test_letterbox_centres_the_picture_between_two_borders():
    assert placement((720, 1280), (640, 640), "letterbox") == Placement(720, 1280, 0.5, 0.5, 140.0, 0.0)


def test_letterbox_at_the_top_left_has_its_border_below():
    assert placement((720, 1280), (640, 640), "letterbox", "top-left") == Placement(
        720, 1280, 0.5, 0.5, 0.0, 0.0
    )


def test_an_odd_border_is_one_pixel_wider_below():
    assert placement((3, 10), (10, 10), "letterbox").top == 3.0


def test_a_half_pixel_of_letterbox_is_rounded_up():
    assert placement((5, 20), (10, 10), "letterbox") == Placement(5, 20, 3 / 5, 0.5, 3.0, 0.0)


def test_a_sliver_keeps_one_pixel():
    assert placement((1, 3000), (64, 64), "letterbox").scale_y == 1.0


def test_crop_covers_the_input_and_cuts_both_sides_alike():
    assert placement((480, 640), (240, 240), "crop") == Placement(480, 640, 0.5, 0.5, 0.0, -40.0)


def test_crop_cuts_above_and_below_a_tall_picture():
    assert placement((640, 480), (240, 240), "crop") == Placement(640, 480, 0.5, 0.5, -40.0, 0.0)


@hypothesis.given(SIZES, SIZES, st.sampled_from(["centre", "top-left"]))
def test_letterbox_lies_inside_the_input_and_touches_two_of_its_sides(source, target, anchor):
    place = placement(source, target, "letterbox", anchor)
    height, width = place.scale_y * source[0], place.scale_x * source[1]
    assert place.top >= 0
    assert place.left >= 0
    assert place.top + height <= target[0] + 1e-6
    assert place.left + width <= target[1] + 1e-6
    assert round(height) == target[0] or round(width) == target[1]


@hypothesis.given(SIZES, SIZES)
def test_crop_covers_the_input_whole(source, target):
    place = placement(source, target, "crop")
    height, width = place.scale_y * source[0], place.scale_x * source[1]
    assert place.top <= 0
    assert place.left <= 0
    assert place.top + height >= target[0] - 1e-6
    assert place.left + width >= target[1] - 1e-6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (((0, 4), (4, 4), "stretch"), "at least one pixel"),
        (((4, 4), (4, 0), "stretch"), "at least one pixel"),
        (((4, 4), (4, 4), "squash"), "stretch, letterbox, crop, not 'squash'"),
        (((4, 4), (4, 4), "letterbox", "middle"), "centre, top-left, not 'middle'"),
    ],
)
def test_what_cannot_be_placed_is_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        placement(*arguments)
