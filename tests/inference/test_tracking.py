from pathlib import Path
from types import ModuleType
from typing import Any

import models
import numpy as np
import pytest

import inference
import kernels
from inference import Detections, Manifest
from inference.tracking import PATIENCE, Tracker, floor_of
from kernels.formats import PixelFormat
from kernels.reference import tracks as twins

BACKENDS = ("openvino", "onnxruntime")
THRESHOLD = 0.5


@pytest.fixture(params=["these", "twins"])
def tracker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    if request.param == "twins":
        use(twins, monkeypatch)
    return Tracker(THRESHOLD)


def use(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("start_tracks", "predict_tracks", "correct_tracks", "match_tracks"):
        monkeypatch.setattr(kernels, name, getattr(module, name))


def step(tracker: Tracker, *things: tuple[Any, ...]) -> list[int]:
    """The tracks of things (x, y, score) or (x, y, score, label), each a tenth of the picture wide and high."""
    rows = [(*thing, 0)[:4] for thing in things]
    boxes = np.array([(x, y, x + 0.1, y + 0.1) for x, y, _, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([score for *_, score, _ in rows], np.float32)
    labels = np.array([label for *_, label in rows], np.int32)
    ids = tracker.update(boxes, scores, labels, aspect=1.5)
    assert ids.dtype == np.int32
    return ids.tolist()


def test_things_of_the_first_picture_are_tracks_at_once(tracker: Tracker) -> None:
    assert step(tracker, (0.1, 0.1, 0.9), (0.5, 0.5, 0.7)) == [1, 2]
    assert tracker.alive.tolist() == [1, 2]


def test_later_ones_are_with_their_second_box_in_a_row(tracker: Tracker) -> None:
    step(tracker)
    assert step(tracker, (0.1, 0.1, 0.9)) == [0]
    assert step(tracker, (0.11, 0.1, 0.9)) == [1]
    assert step(tracker, (0.12, 0.1, 0.9), (0.5, 0.5, 0.9)) == [1, 0]
    assert step(tracker, (0.13, 0.1, 0.9)) == [1]
    assert step(tracker, (0.14, 0.1, 0.9), (0.5, 0.5, 0.9)) == [1, 0], "what was seen once only is forgotten"
    assert step(tracker, (0.15, 0.1, 0.9), (0.5, 0.5, 0.9)) == [1, 2]


def test_a_track_begins_a_tenth_above_the_threshold(tracker: Tracker) -> None:
    for _ in range(3):
        assert step(tracker, (0.1, 0.1, 0.55)) == [0]
    assert step(tracker, (0.1, 0.1, 0.61)) == [0]
    assert step(tracker, (0.1, 0.1, 0.55)) == [1], "and goes on with any high box"


def test_a_weak_box_continues_a_track_and_never_begins_one(tracker: Tracker) -> None:
    assert step(tracker, (0.1, 0.1, 0.9), (0.6, 0.6, 0.3)) == [1, 0]
    for _ in range(40):
        assert step(tracker, (0.1, 0.1, 0.2), (0.6, 0.6, 0.3)) == [1, 0]
    assert tracker.alive.tolist() == [1]


def test_a_high_box_goes_before_a_weak_one(tracker: Tracker) -> None:
    step(tracker, (0.1, 0.1, 0.9))
    assert step(tracker, (0.1, 0.1, 0.3), (0.12, 0.1, 0.6)) == [0, 1]


def test_a_thing_that_is_hidden_keeps_its_number_and_loses_it_in_the_end(tracker: Tracker) -> None:
    step(tracker, (0.1, 0.1, 0.9))
    for _ in range(PATIENCE):
        step(tracker)
        assert tracker.alive.tolist() == [1]
    assert step(tracker, (0.1, 0.1, 0.9)) == [1]
    for _ in range(PATIENCE + 1):
        step(tracker)
    assert tracker.alive.tolist() == []
    assert step(tracker, (0.1, 0.1, 0.9)) == [0]
    assert step(tracker, (0.1, 0.1, 0.9)) == [2], "a number is never given twice"


def test_a_hidden_thing_is_found_again_where_it_was_heading(tracker: Tracker) -> None:
    for picture in range(12):
        step(tracker, (0.02 * picture, 0.3, 0.9))
    for _ in range(8):
        step(tracker)
    assert step(tracker, (0.02 * 20, 0.3, 0.9)) == [1]


def test_a_lost_track_is_not_brought_back_by_a_weak_box(tracker: Tracker) -> None:
    step(tracker, (0.1, 0.1, 0.9))
    step(tracker)
    assert step(tracker, (0.1, 0.1, 0.3)) == [0]
    assert step(tracker, (0.1, 0.1, 0.6)) == [1]


def test_two_things_that_pass_each_other_keep_their_numbers(tracker: Tracker) -> None:
    for picture in range(40):
        way = 0.02 * picture
        assert step(tracker, (0.05 + way, 0.40, 0.9), (0.85 - way, 0.46, 0.8)) == [1, 2]


def test_boxes_of_another_label_do_not_continue_a_track(tracker: Tracker) -> None:
    assert step(tracker, (0.1, 0.1, 0.9, 0)) == [1]
    assert step(tracker, (0.1, 0.1, 0.9, 1)) == [0]
    assert step(tracker, (0.1, 0.1, 0.9, 1), (0.1, 0.1, 0.9, 0)) == [2, 1]


def test_of_two_tracks_in_one_place_the_elder_stays(tracker: Tracker) -> None:
    step(tracker, (0.1, 0.1, 0.9))
    for picture in range(
        20
    ):  # the thing jumps aside and a second track is born; then the first is seen again
        step(tracker, (0.1, 0.1, 0.9), *[(0.4, 0.4, 0.9)] * (picture > 2))
    assert tracker.alive.tolist() == [1, 2]
    for _ in range(3):
        step(tracker, (0.4, 0.4, 0.9))
    for x in np.arange(0.4, 0.09, -0.03):
        step(tracker, (float(x), float(x), 0.9))
    for _ in range(3):
        ids = step(tracker, (0.1, 0.1, 0.9))
    assert len(tracker.alive) == 1 or ids[0] in tracker.alive


def test_more_things_than_there_was_room_for_are_all_followed(tracker: Tracker) -> None:
    grid = [(x / 14, y / 14, 0.9) for x in range(13) for y in range(13)]
    tiny = np.array([(x, y, x + 0.05, y + 0.05) for x, y, _ in grid], np.float32)
    scores, labels = np.full(len(grid), 0.9, np.float32), np.zeros(len(grid), np.int32)
    for _ in range(3):
        assert tracker.update(tiny, scores, labels, 1.0).tolist() == list(range(1, 170))


def test_boxes_without_an_area_and_pictures_without_a_box_are_no_trouble(tracker: Tracker) -> None:
    flat = np.array([[0.5, 0.5, 0.5, 0.9], [0.2, 0.7, 0.9, 0.7]], np.float32)
    for _ in range(3):
        ids = tracker.update(flat, np.ones(2, np.float32), np.zeros(2, np.int32), 1.0)
        assert ids.tolist() == [0, 0]
    assert step(tracker) == []


def test_the_twins_follow_as_the_compiled_kernels_do(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for module in (None, twins):
        if module is not None:
            use(module, monkeypatch)
        random, tracker, numbers = np.random.default_rng(8), Tracker(THRESHOLD), []
        for _ in range(80):
            count = int(random.integers(0, 14))
            corner = random.uniform(0, 0.8, (count, 2))
            boxes = np.hstack([corner, corner + random.uniform(0.02, 0.4, (count, 2))]).astype(np.float32)
            scores = random.uniform(0.1, 1, count).astype(np.float32)
            numbers.append(tracker.update(boxes, scores, random.integers(0, 2, count).astype(np.int32), 1.3))
        told.append([each.tolist() for each in numbers])
    assert told[0] == told[1]


def test_the_floor_is_never_above_the_threshold() -> None:
    assert floor_of(0.5) == 0.1
    assert floor_of(0.03) == 0.03


ROWS = np.zeros((1, 1, 4, 7), np.float32)
ROWS[0, 0, :, 2:] = [
    [0.9, 0.1, 0.1, 0.2, 0.2],
    [0.8, 0.5, 0.5, 0.6, 0.6],
    [0.3, 0.7, 0.1, 0.8, 0.2],
    [0.05, 0.1, 0.7, 0.2, 0.8],
]


def followed(path: Path, backend: str = "openvino", requests: int = 1, **output: Any) -> inference.Model:
    mapping = {
        "name": "m",
        "task": "detection",
        "model": str(path),
        "labels": ["thing"],
        "output": {"track": True, "threshold": 0.5, **output},
    }
    return inference.load(Manifest.from_mapping(mapping, path.parent), backend=backend, requests=requests)


PICTURE = np.zeros((48, 64, 3), np.uint8)


def seen(model: inference.Model, source: str = "") -> Detections:
    result = model.predict(PICTURE, PixelFormat.BGR, source)
    assert isinstance(result, Detections)
    return result


@pytest.mark.parametrize("backend", BACKENDS)
def test_tracks_stand_in_message_rows_and_boxes_stay_the_detector_s(tmp_path: Path, backend: str) -> None:
    model = followed(models.answering(tmp_path / "m.onnx", {"rows": ROWS}), backend)
    plain = followed(tmp_path / "m.onnx", backend, track=False)
    for _ in range(3):
        rows = seen(model).rows(model.labels)
        assert [row["track_id"] for row in rows] == [1, 2]
        assert [{**row, "track_id": 0} for row in seen(plain).rows(())] == [
            {**row, "track_id": 0, "label": "0"} for row in rows
        ]
    assert seen(plain).track_ids is None
    model.close()
    plain.close()


def test_nothing_is_followed_unless_the_project_wants_it(tmp_path: Path) -> None:
    model = followed(models.answering(tmp_path / "m.onnx", {"rows": ROWS}), track=None)
    result = seen(model)
    assert (result.track_ids, result.alive) == (None, None)
    assert "track_id" not in result.rows(())[0]
    model.close()


def test_a_weak_box_that_continues_a_track_is_a_result(tmp_path: Path) -> None:
    """The first thing's score follows the picture: 0.9 in a black one, 0.2 in a white one."""
    model = followed(fading(tmp_path / "m.onnx"))
    assert seen(model).rows(())[0]["score"] == 0.9
    white = np.full((48, 64, 3), 255, np.uint8)
    weak = model.predict(white, PixelFormat.BGR).rows(())
    assert [(row["track_id"], row["score"]) for row in weak] == [(1, 0.2)]
    model.forget("")
    assert model.predict(white, PixelFormat.BGR).rows(()) == []
    model.close()


def fading(path: Path) -> Path:
    from onnx import TensorProto, helper

    falling = np.zeros((1, 1, 1, 7), np.float32)
    falling[..., 2] = -0.7 / 255
    base = np.array([0, 0, 0.9, 0.1, 0.1, 0.2, 0.2], np.float32).reshape(1, 1, 1, 7)
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["falling", "mean"], ["fall"]),
        helper.make_node("Add", ["base", "fall"], ["rows"]),
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 48, 64])
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, 1, 1, 7])
    return models._save(path, nodes, picture, [rows], {"falling": falling, "base": base}, None)


def test_each_source_counts_its_own_tracks(tmp_path: Path) -> None:
    model = followed(models.answering(tmp_path / "m.onnx", {"rows": ROWS}), requests=2)
    for source in ("left", "right", "left"):
        model.submit(PICTURE, PixelFormat.BGR, source, source)
        _, result = model.collect()
        assert isinstance(result, Detections)
        assert result.track_ids is not None
        assert result.track_ids.tolist() == [1, 2]
    model.close()


def test_top_k_bounds_what_is_told_and_not_what_is_followed(tmp_path: Path) -> None:
    model = followed(models.answering(tmp_path / "m.onnx", {"rows": ROWS}), top_k=1)
    result = seen(model)
    assert result.track_ids is not None
    assert result.track_ids.tolist() == [1]
    assert result.alive is not None
    assert result.alive.tolist() == [1, 2]
    model.close()


def test_both_backends_follow_alike(tmp_path: Path) -> None:
    path = models.yolo_like(tmp_path / "m.onnx")
    noise = np.random.default_rng(2).integers(0, 255, (10, 64, 64, 3), np.uint8)
    told = []
    for backend in BACKENDS:
        mapping = {"name": "m", "task": "detection", "model": str(path), "labels": list("abcd")}
        mapping |= {"output": {"track": True, "threshold": 0.6, "decoder": "yolov8"}, "input": {"scale": 255}}
        model = inference.load(Manifest.from_mapping(mapping, tmp_path), backend=backend)
        results = [model.predict(picture, PixelFormat.BGR) for picture in noise]
        told.append([result.track_ids.tolist() for result in results])  # type: ignore[union-attr]
        model.close()
    assert told[0] == told[1]
    assert any(told[0])


def test_no_number_is_given_twice_and_those_in_sight_live() -> None:
    random, tracker, born, before = np.random.default_rng(3), Tracker(THRESHOLD), 0, set[int]()
    for _ in range(200):
        count = int(random.integers(0, 10))
        corner = random.integers(0, 6, (count, 2)) / 6
        boxes = np.hstack([corner, corner + random.uniform(0.1, 0.2, (count, 2))]).astype(np.float32)
        scores = random.uniform(0.1, 1, count).astype(np.float32)
        ids = tracker.update(boxes, scores, np.zeros(count, np.int32), 1.0)
        numbers, alive = ids[ids > 0].tolist(), set(tracker.alive.tolist())
        assert len(set(numbers)) == len(numbers)
        assert set(numbers) <= alive
        assert all(number > born for number in alive - before), "the dead stay dead"
        before, born = alive, max([born, *alive])
    assert born > 10


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_face_of_the_head_pose_clip_is_one_track(shared_data: Path, backend: str) -> None:
    import cv2

    mapping = {
        "name": "faces",
        "task": "detection",
        "model": str(shared_data / "models/ultralight-face/version-RFB-320.onnx"),
        "labels": ["face"],
        "input": {"mean": 127, "scale": 128},
        "output": {"threshold": 0.7, "iou": 0.3, "track": True},
    }
    model = inference.load(Manifest.from_mapping(mapping, shared_data), backend=backend)
    clip, told = cv2.VideoCapture(str(shared_data / "videos/head-pose-face-detection-female.gif")), []
    while clip.grab():
        rows = model.predict(clip.retrieve()[1], PixelFormat.BGR).rows(model.labels)
        told.append([row.get("track_id") for row in rows])
    assert len(told) == 23
    assert told.count([1]) >= 22
    model.close()
