"""Two models' raw outputs: numbers place by place, rows of detections by what they say, in whatever order."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.backends import UNKNOWN, TensorSpec
from inference.difference import difference

ROWS = TensorSpec("detection", (1, 1, UNKNOWN, 7), np.dtype(np.float32))
SCORES = TensorSpec("scores", (1, 3), np.dtype(np.float32))
NOTHING: list[float] = [-1, -1, 0, 0, 0, 0, 0]
CAT: list[float] = [0, 1, 0.9, 0.1, 0.1, 0.4, 0.4]
DOG: list[float] = [0, 2, 0.8, 0.5, 0.5, 0.9, 0.9]


def table(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(1, 1, -1, 7)


def test_rows_in_another_order_are_the_same() -> None:
    nearly = [[0, 2, 0.8001, 0.5, 0.5, 0.9, 0.9], [0, 1, 0.7999, 0.1, 0.1, 0.4, 0.4]]
    turned = [nearly[1], nearly[0]]
    found = difference(ROWS, [(table(*nearly, NOTHING), table(*turned, NOTHING))])
    assert found.largest == pytest.approx(0, abs=1e-6)
    assert (found.first_agrees, found.pictures) == (1, 1)


def test_a_row_that_is_missing_counts_as_much_as_it_is_sure() -> None:
    weak = [0, 3, 0.01, 0.1, 0.1, 0.2, 0.2]
    without_weak = difference(ROWS, [(table(CAT, DOG, weak), table(CAT, DOG))])
    without_dog = difference(ROWS, [(table(CAT, DOG), table(CAT))])
    assert without_weak.largest == pytest.approx(0.01 / 3.41, abs=1e-5)
    assert without_dog.largest == pytest.approx(0.8 / 2.6, abs=1e-5)
    assert without_dog.first_agrees == 1


@pytest.mark.parametrize(
    "other", [[0, 2, 0.9, 0.1, 0.1, 0.4, 0.4], [0, 1, 0.9, 0.3, 0.3, 0.6, 0.6]], ids=["class", "place"]
)
def test_another_class_or_place_is_another_thing(other: list[float]) -> None:
    found = difference(ROWS, [(table(CAT), table(other))])
    assert found.largest == 1
    assert found.first_agrees == 0


def test_tables_of_different_length_can_be_compared_and_empty_ones_agree() -> None:
    assert difference(ROWS, [(table(NOTHING), table(NOTHING, NOTHING))])[1:] == (0.0, 1, 1)
    assert difference(ROWS, [(table(NOTHING), table(CAT))])[1:] == (1.0, 0, 1)


def test_seven_numbers_that_are_no_detections_are_compared_place_by_place() -> None:
    left = np.linspace(-3, 3, 7, dtype=np.float32).reshape(1, 7)
    found = difference(TensorSpec("scores", (1, 7), np.dtype(np.float32)), [(left, left[:, ::-1])])
    assert found.largest == 2


def test_numbers_are_compared_with_the_largest_of_their_output() -> None:
    left, right = np.array([[1, 2, 4]], np.float32), np.array([[1, 2.4, 4]], np.float32)
    found = difference(SCORES, [(left, right), (left, left)])
    assert found.largest == pytest.approx(0.1)
    assert found.first_agrees == 2


def test_another_shape_and_what_is_no_number_differ_without_limit() -> None:
    left = np.ones((1, 3), np.float32)
    assert difference(SCORES, [(left, np.ones((1, 2), np.float32))]).largest == math.inf
    assert difference(SCORES, [(left, np.full((1, 3), np.nan, np.float32))]).largest == math.inf
