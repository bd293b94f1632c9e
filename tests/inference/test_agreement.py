"""Agreement of two models: full for the same results, none for others, and told class by class, for every task."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from inference.agreement import Agreement, agreement, overlaps
from inference.results import Activity, Classification, Detections, Result, Segmentation
from kernels.placement import Placement

WHOLE = Placement(4, 4, 1.0, 1.0, 0.0, 0.0)
A, B = [0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]


def classified(*labels: int) -> Classification:
    return Classification(np.array(labels, np.int32), np.linspace(1, 0.1, len(labels), dtype=np.float32))


def doing(*labels: int) -> Activity:
    return Activity(np.array(labels, np.int32), np.ones(len(labels), np.float32))


def found(*things: tuple[int, list[float]]) -> Detections:
    boxes = np.array([box for _, box in things], np.float32).reshape(-1, 4)
    labels = np.array([label for label, _ in things], np.int32)
    return Detections(boxes, np.full(len(things), 0.9, np.float32), labels)


def parted(mask: list[list[int]], placement: Placement = WHOLE, *, finite: bool = True) -> Segmentation:
    nobody = np.empty(0, np.int32)
    return Segmentation(np.array(mask, np.uint8), placement, nobody, nobody.astype(np.float32), finite=finite)


def shares(result: Agreement) -> dict[int, float]:
    return {each.label_id: round(each.share, 3) for each in result.classes}


MASK = [[0, 0, 1, 1]] * 4
EVERY = [classified(2, 1), doing(1), found((0, A), (1, B)), found(), parted(MASK)]


@pytest.mark.parametrize("result", EVERY, ids=lambda result: type(result).__name__)
def test_what_is_the_same_agrees_fully(result: Result) -> None:
    told = agreement([result, result], [result, result])
    assert told.share == 1.0
    assert all(each.share == 1.0 and each.left == each.right for each in told.classes)
    assert told.pictures == 2


@pytest.mark.parametrize("kind", [classified, doing])
def test_pictures_of_the_same_first_class_count(kind: type) -> None:
    left = [kind(0, 1), kind(0), kind(1), kind(1)]
    right = [kind(0, 2), kind(1), kind(1), kind(1, 0)]
    told = agreement(left, right)
    assert (told.share, told.counted) == (0.75, "pictures")
    assert shares(told) == {0: 0.667, 1: 0.8}


def test_to_say_nothing_is_an_answer_too() -> None:
    told = agreement([classified(), classified()], [classified(), classified(3)])
    assert told.share == 0.5
    assert shares(told) == {-1: 0.667, 3: 0.0}


def test_things_match_by_class_and_overlap() -> None:
    moved = [0.05, 0.0, 0.55, 0.5]
    told = agreement([found((0, A), (1, B))], [found((0, moved), (0, B))])
    assert (told.share, told.counted) == (0.5, "things")
    assert shares(told) == {0: 0.667, 1: 0.0}


def test_a_box_is_matched_once() -> None:
    told = agreement([found((0, A))], [found((0, A), (0, A))])
    assert round(told.share, 3) == 0.667


def test_boxes_that_overlap_by_less_than_half_are_two_things() -> None:
    assert agreement([found((0, A))], [found((0, [0.2, 0.0, 0.7, 0.5]))]).share == 0.0


def test_pixels_are_counted_over_all_pictures() -> None:
    told = agreement([parted(MASK), parted(MASK)], [parted(MASK), parted([[0, 0, 0, 1]] * 4)])
    assert told.counted == "pixels"
    assert shares(told) == {0: 0.8, 1: 0.75}
    assert round(told.share, 3) == 0.775


def test_a_class_that_only_the_right_sees_costs_the_others_alone() -> None:
    told = agreement([parted(MASK)], [parted([[0, 0, 1, 2]] * 4)])
    assert shares(told) == {0: 1.0, 1: 0.5, 2: 0.0}
    assert told.share == 0.75


def test_the_border_of_a_letterbox_does_not_count() -> None:
    upper = Placement(2, 4, 1.0, 1.0, 0.0, 0.0)
    lower_differs = [[0, 0, 1, 1]] * 2 + [[1, 1, 0, 0]] * 2
    assert agreement([parted(MASK, upper)], [parted(lower_differs, upper)]).share == 1.0


def test_masks_of_two_sizes_are_compared() -> None:
    twice = [[0] * 4 + [1] * 4] * 8
    double = Placement(4, 4, 2.0, 2.0, 0.0, 0.0)
    assert agreement([parted(MASK)], [parted(twice, double)]).share == 1.0


def test_a_mask_that_is_no_number_agrees_with_none() -> None:
    assert agreement([parted(MASK)], [parted([[0] * 4] * 4, finite=False)]).share == 0.0


def test_no_pictures_agree_fully_and_are_no_pictures() -> None:
    assert agreement([], [])[::3] == (1.0, 0)


def test_another_number_or_kind_of_results_is_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        agreement([classified(1)], [])
    with pytest.raises(TypeError, match="not Classification and Detections"):
        agreement([classified(1)], [found()])


boxes = some.lists(
    some.tuples(some.integers(0, 2), some.lists(some.floats(0, 1, width=32), min_size=4, max_size=4)),
    max_size=6,
)


@given(some.lists(some.tuples(boxes, boxes), max_size=4))
def test_shares_stay_in_their_range_and_agreement_is_mutual(
    pairs: list[tuple[list[tuple[int, list[float]]], list[tuple[int, list[float]]]]],
) -> None:
    left = [found(*pair[0]) for pair in pairs]
    right = [found(*pair[1]) for pair in pairs]
    one, other = agreement(left, right), agreement(right, left)
    assert 0 <= one.share <= 1
    assert shares(one) == shares(other)
    assert all(0 <= share <= 1 for share in shares(one).values())


def test_a_box_without_area_overlaps_nothing() -> None:
    line = np.array([[0.2, 0.2, 0.2, 0.9]], np.float32)
    assert overlaps(line, line).tolist() == [[0.0]]
