import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from inference.results import Classification, Detections, Timings, label_name

IDS = np.array([2, 0], np.int32)
SCORES = np.array([0.97, 0.01], np.float32)
BOXES = np.array([[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]], np.float32)
POINTS = np.full((2, 5, 2), 0.25, np.float32)


def test_rows_of_a_classification_are_plain_and_rounded() -> None:
    rows = Classification(IDS, SCORES, Timings(1, 2, 3)).rows(("a", "b", "c"))
    assert rows == [
        {"label": "c", "label_id": 2, "score": 0.97},
        {"label": "a", "label_id": 0, "score": 0.01},
    ]
    assert json.dumps(rows[0]) == '{"label": "c", "label_id": 2, "score": 0.97}'


def test_rows_of_detections_have_boxes_and_landmarks_where_there_are() -> None:
    plain = Detections(BOXES, SCORES, IDS).rows(("a",))
    assert plain[0] == {"label": "2", "label_id": 2, "score": 0.97, "box": [0.1, 0.2, 0.3, 0.4]}
    faces = Detections(BOXES, SCORES, IDS, POINTS).rows(("a",))
    assert faces[1]["landmarks"] == [[0.25, 0.25]] * 5
    json.dumps(faces)


def test_nothing_found_is_no_row() -> None:
    none = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))
    assert none.rows(()) == []


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Classification(IDS, SCORES).scores = SCORES  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arrays", "error", "sentence"),
    [
        ((BOXES, SCORES[:1], IDS), ValueError, r"boxes must have the shape \(1, 4\).* not \(2, 4\)"),
        ((BOXES, SCORES, IDS[:1]), ValueError, "label_ids must have the shape"),
        ((BOXES, SCORES, IDS.astype(np.int64)), TypeError, "label_ids must be int32, not int64"),
        ((BOXES.astype(float), SCORES, IDS), TypeError, "boxes must be float32, not float64"),
        ((BOXES, SCORES[None], IDS), ValueError, "one dimension"),
        ((BOXES, SCORES, IDS, POINTS[:, :4]), ValueError, r"landmarks must have the shape \(2, 5, 2\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_at_birth(
    arrays: tuple[Any, ...], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        Detections(*arrays)


def test_a_class_without_a_name_is_called_by_its_number() -> None:
    assert [label_name(("a",), number) for number in (0, 1, -1)] == ["a", "1", "-1"]
