import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from inference.results import (
    MOST_COUNTS,
    Activity,
    Classification,
    Detections,
    Segmentation,
    Timings,
    frame_box,
    label_name,
    seen_part,
)
from kernels.placement import Placement
from kernels.runs import decode_runs

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


MASK = np.array([[0, 1, 1], [0, 1, 2]], np.uint8)
WHOLE = Placement(2, 3, 1.0, 1.0, 0.0, 0.0)


def test_a_segmentation_tells_classes_by_size_and_masks_where_asked() -> None:
    ids, areas = np.array([1, 0, 2], np.int32), np.array([1 / 2, 1 / 3, 1 / 6], np.float32)
    rows = Segmentation(MASK.copy(), WHOLE, ids, areas).rows(("floor", "line"))
    assert rows == [
        {"label": "line", "label_id": 1, "area": 0.5},
        {"label": "floor", "label_id": 0, "area": 0.3333},
        {"label": "2", "label_id": 2, "area": 0.1667},
    ]
    masked = Segmentation(MASK.copy(), WHOLE, ids, areas, with_mask=True).rows(())
    assert masked[0]["mask"] == {"size": [2, 3], "box": [0.0, 0.0, 1.0, 1.0], "counts": [2, 3, 1]}
    json.dumps(masked)


def test_a_mask_too_fine_for_any_message_is_halved() -> None:
    noise = np.random.default_rng(0).integers(0, 3, (600, 800), np.uint8)
    areas = np.full(3, 1 / 3, np.float32)
    whole = Placement(600, 800, 1.0, 1.0, 0.0, 0.0)
    rows = Segmentation(noise, whole, np.arange(3, dtype=np.int32), areas, with_mask=True).rows(())
    assert sum(len(row["mask"]["counts"]) for row in rows) <= MOST_COUNTS
    height, width = rows[0]["mask"]["size"]
    step = 600 // height
    assert (height, width) == (600 // step, 800 // step)
    part = decode_runs(rows[2]["mask"]["counts"], (height, width))
    assert (part == (noise[::step, ::step] == 2)).all()


@pytest.mark.parametrize(
    ("placement", "part", "box"),
    [
        (Placement(100, 100, 0.08, 0.08, 0.0, 0.0), (0, 0, 8, 8), [0.0, 0.0, 1.0, 1.0]),
        (Placement(50, 100, 0.08, 0.08, 2.0, 0.0), (2, 0, 6, 8), [0.0, 0.0, 1.0, 1.0]),
        (Placement(100, 100, 0.16, 0.16, -4.0, -4.0), (0, 0, 8, 8), [0.25, 0.25, 0.75, 0.75]),
        (Placement(10, 100, 0.08, 0.08, 3.6, 0.0), (4, 0, 5, 8), [0.0, 0.5, 1.0, 1.75]),
    ],
)
def test_the_seen_part_of_a_mask_lies_in_the_picture(
    placement: Placement, part: tuple[int, ...], box: list[float]
) -> None:
    assert seen_part((8, 8), placement) == part
    assert frame_box(part, placement) == pytest.approx(box)  # type: ignore[arg-type]


def test_an_activity_tells_the_class_that_is_shown_and_no_other() -> None:
    said = Activity(IDS, SCORES, 7, 0.123456)
    assert said.rows(()) == [{"label": "7", "label_id": 7, "score": 0.1235}]
    assert Activity(IDS, SCORES).rows(("a", "b")) == []


def test_the_columns_of_every_result_are_checked_and_frozen() -> None:
    areas = np.ones(1, np.float32)
    with pytest.raises(TypeError, match="mask must be uint8, not int64"):
        Segmentation(MASK.astype(np.int64), WHOLE, np.zeros(1, np.int32), areas)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"mask must have the shape \(h, w\)"):
        Segmentation(MASK.ravel(), WHOLE, np.zeros(1, np.int32), areas)
    with pytest.raises(ValueError, match="label_ids must have the shape"):
        Segmentation(MASK.copy(), WHOLE, np.zeros(2, np.int32), areas)
    with pytest.raises(TypeError, match="label_ids must be int32"):
        Activity(np.zeros(1, np.int64), areas)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="track_ids must have the shape"):
        Detections(BOXES, SCORES, IDS, track_ids=np.zeros(9, np.int32))
    made = Segmentation(MASK.copy(), WHOLE, np.zeros(1, np.int32), areas.copy())
    assert not made.mask.flags.writeable
    assert not made.areas.flags.writeable


def test_only_things_that_belong_to_a_track_have_its_number() -> None:
    tracks = np.zeros(len(IDS), np.int32)
    tracks[0] = 9
    rows = Detections(BOXES, SCORES, IDS, track_ids=tracks, alive=np.array([9], np.int32)).rows(())
    assert [row.get("track_id") for row in rows] == [9] + [None] * (len(IDS) - 1)
