import numpy as np
import pytest

from inference.overlay import paint
from inference.palette import color_of
from inference.results import Activity, Classification, Detections, Segmentation
from kernels.placement import Placement

GREY = 90


def picture(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def boxes(*rows: tuple[float, float, float, float]) -> Detections:
    count = len(rows)
    scores = np.linspace(0.9, 0.6, count, dtype=np.float32)
    return Detections(np.array(rows, np.float32).reshape(-1, 4), scores, np.arange(count, dtype=np.int32))


@pytest.mark.parametrize(("height", "width"), [(240, 320), (480, 640), (1080, 1920)])
def test_a_box_is_painted_where_it_lies_in_its_label_s_colour(height: int, width: int) -> None:
    painted = paint(picture(height, width), boxes((0.25, 0.5, 0.75, 0.9)), ("bottle",))
    line = painted[round(0.9 * height), width // 2]
    assert np.abs(line.astype(int) - color_of(0)).max() < 40
    assert (painted[round(0.7 * height), width // 2] == GREY).all()


@pytest.mark.parametrize(("height", "width"), [(240, 320), (1080, 1920)])
def test_the_tag_is_large_enough_to_read_and_stays_in_the_picture(height: int, width: int) -> None:
    painted = paint(picture(height, width), boxes((0.9, 0.0, 1.0, 0.2)), ("bottle",))
    tag = (painted == color_of(0)).all(axis=2)
    rows = np.flatnonzero(tag[:, : round(0.88 * width)].any(axis=1))
    assert 11 <= len(rows) <= height / 8
    assert tag.sum() > 400


def test_the_picture_itself_stays_untouched_and_the_result_gets_one_copy() -> None:
    pixels, out = picture(240, 320), picture(240, 320)
    assert paint(pixels, boxes((0, 0, 1, 1)), (), out) is out
    assert (pixels == GREY).all()
    assert (out != GREY).any()


def test_an_empty_result_is_the_picture() -> None:
    nothing = Classification(np.empty(0, np.int32), np.empty(0, np.float32))
    assert (paint(picture(24, 32), nothing, ()) == GREY).all()
    assert (paint(picture(24, 32), boxes(), ()) == GREY).all()


def test_a_classification_gets_a_banner_with_a_bar_as_long_as_its_score() -> None:
    said = Classification(np.array([1, 0], np.int32), np.array([0.75, 0.25], np.float32))
    painted = paint(picture(480, 640), said, ("compost", "landfill"))
    bars = [(painted == color_of(label)).all(axis=2).any(axis=0).sum() / 640 for label in (1, 0)]
    assert bars == pytest.approx([0.75, 0.25], abs=0.03)
    assert (painted[200:] == GREY).all()


def test_landmarks_and_boxes_beyond_the_edge_are_no_trouble() -> None:
    found = Detections(
        np.array([[0, 0, 1, 1]], np.float32),
        np.ones(1, np.float32),
        np.zeros(1, np.int32),
        np.full((1, 5, 2), 1.3, np.float32),
    )
    assert paint(picture(3, 5), found, ("face",)).shape == (3, 5, 3)


def test_an_out_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(24, 32, 3\)"):
        paint(picture(24, 32), boxes(), (), picture(32, 24))


def test_neighbouring_labels_have_colours_that_differ() -> None:
    colors = np.array([color_of(label) for label in range(12)], int)
    apart = np.abs(colors[:, None] - colors[None]).max(axis=2) + 255 * np.eye(12, dtype=int)
    assert apart.min() > 30


def segmented(mask: np.ndarray, placement: Placement) -> Segmentation:
    ids = np.unique(mask).astype(np.int32)
    return Segmentation(mask, placement, ids, np.full(len(ids), 1 / len(ids), np.float32))


def test_each_class_of_a_segmentation_has_its_colour_and_the_background_none() -> None:
    mask = np.zeros((4, 4), np.uint8)
    mask[:, 2:] = 1
    result = segmented(mask, Placement(480, 640, 4 / 480, 4 / 640, 0.0, 0.0))
    painted = paint(picture(480, 640), result, ("Background", "track"))
    assert (painted[400, 100] == GREY).all()
    toward = np.sign(np.array(color_of(1), int) - GREY)
    assert (np.sign(painted[400, 500].astype(int) - GREY) == toward).all()
    plain = paint(picture(480, 640), result, ("floor", "track"))
    assert (plain[400, 100] != GREY).any()
    assert (painted[:20] != GREY).any(), "a banner names the classes"


def test_a_mask_is_painted_on_a_picture_larger_than_the_model_saw() -> None:
    mask = np.array([[0, 1]], np.uint8)
    small = Placement(24, 32, 1 / 24, 2 / 32, 0.0, 0.0)
    painted = paint(picture(480, 640), segmented(mask, small), ("background", "track"))
    assert (painted[400, 300] == GREY).all()
    assert (painted[400, 340] != GREY).any()


def test_what_a_crop_left_out_stays_as_it_is() -> None:
    mask = np.ones((4, 4), np.uint8)
    cropped = Placement(480, 640, 4 / 480, 4 / 480, 0.0, -2 / 3)
    painted = paint(picture(480, 640), segmented(mask, cropped), ("background", "track"))
    assert (painted[400, [10, 70, 570, 630]] == GREY).all()
    assert (painted[400, [90, 320, 550]] != GREY).any(axis=1).all()


def test_a_senseless_segmentation_is_the_picture() -> None:
    empty = Segmentation(
        np.zeros((4, 4), np.uint8),
        Placement(24, 32, 1.0, 1.0, 0.0, 0.0),
        np.empty(0, np.int32),
        np.empty(0, np.float32),
        finite=False,
    )
    assert (paint(picture(24, 32), empty, ("floor",)) == GREY).all()


def test_an_activity_gets_a_banner_once_a_class_is_shown() -> None:
    ids, scores = np.array([1, 0], np.int32), np.array([0.75, 0.25], np.float32)
    assert (paint(picture(480, 640), Activity(ids, scores), ("walk", "run")) == GREY).all()
    painted = paint(picture(480, 640), Activity(ids, scores, 1, 0.75), ("walk", "run"))
    bar = (painted == color_of(1)).all(axis=2).any(axis=0).sum() / 640
    assert bar == pytest.approx(0.75, abs=0.03)


def test_a_thing_that_is_followed_has_the_colour_of_its_track() -> None:
    place = np.array([[0.25, 0.5, 0.75, 0.9]] * 1, np.float32)
    found = Detections(
        place,
        np.ones(1, np.float32),
        np.zeros(1, np.int32),
        track_ids=np.array([5], np.int32),
        alive=np.array([5], np.int32),
    )
    line = paint(picture(480, 640), found, ("bottle",))[round(0.9 * 480), 320]
    assert np.abs(line.astype(int) - color_of(5)).max() < 40
