"""Decoders are recognised by the shapes of outputs; a model that gives a known answer shows that they read it."""

from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from numpy.typing import NDArray

import inference
from inference import Manifest, ModelMismatch
from inference.backends import TensorSpec
from inference.manifest import DECODERS
from inference.results import Detections
from inference.tasks.decoders import Head, NoFit, fit_decoder
from kernels.formats import PixelFormat

Floats = NDArray[np.float32]
SIDE = 64
CELLS = 8 * 8 + 4 * 4 + 2 * 2
PICTURE = np.zeros((32, 128, 3), np.uint8)  # twice as wide as high, so that mistakes of x and y show


def loaded(path: Path, backend: str = "openvino", **keys: Any) -> inference.Model:
    mapping = {"name": "m", "task": "detection", "model": str(path), **keys}
    return inference.load(Manifest.from_mapping(mapping, path.parent), backend=backend)


def seen(path: Path, **keys: Any) -> tuple[str, Detections]:
    """The decoder chosen, and what it found."""
    model = loaded(path, **keys)
    result = model.predict(PICTURE, PixelFormat.BGR)
    assert isinstance(result, Detections)
    name = model._task.decoder.name  # type: ignore[attr-defined]
    model.close()
    return name, result


def ssd_rows(*rows: tuple[float, ...]) -> Floats:
    return np.array([*rows, (-1, 0, 0, 0, 0, 0, 0)], np.float32).reshape(1, 1, -1, 7)


def test_ssd_rows_are_read_best_first(tmp_path: Path) -> None:
    rows = ssd_rows(
        (0, 2, 0.6, 0.1, 0.1, 0.2, 0.3), (0, 1, 0.9, 0.5, 0.5, 0.75, 1.0), (0, 1, 0.2, 0, 0, 1, 1)
    )
    name, found = seen(models.answering(tmp_path / "m.onnx", {"detection_out": rows}))
    assert name == "ssd"
    np.testing.assert_allclose(found.boxes, [[0.5, 0.5, 0.75, 1.0], [0.1, 0.1, 0.2, 0.3]], atol=1e-6)
    assert found.label_ids.tolist() == [1, 2]
    assert found.rows(("a", "b"))[0]["label"] == "b"
    assert found.rows(("a", "b"))[1]["label"] == "2"


def test_boxes_that_an_ssd_left_in_stay_unless_the_project_sets_an_iou(tmp_path: Path) -> None:
    rows = ssd_rows((0, 1, 0.9, 0.1, 0.1, 0.5, 0.5), (0, 1, 0.8, 0.1, 0.1, 0.5, 0.51))
    path = models.answering(tmp_path / "m.onnx", {"out": rows})
    assert len(seen(path)[1].scores) == 2
    assert len(seen(path, output={"iou": 0.5})[1].scores) == 1


def yolo_answer(width: int, anchors: int = CELLS) -> Floats:
    """One thing at the middle of the input, a quarter of it wide, half of it high; class 1 of it is sure."""
    answer = np.zeros((1, anchors, width), np.float32)
    answer[0, 10, :4] = 32, 32, 16, 32
    answer[0, 10, 4:] = 0.0
    return answer


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_yolov8_lies_the_other_way_round(tmp_path: Path, backend: str) -> None:
    answer = yolo_answer(4 + 3)
    answer[0, 10, 5] = 0.9
    path = models.answering(tmp_path / "m.onnx", {"output0": answer.transpose(0, 2, 1)})
    model = loaded(path, backend)
    found = model.predict(PICTURE, PixelFormat.BGR)
    assert isinstance(found, Detections)
    np.testing.assert_allclose(found.boxes, [[0.375, 0.25, 0.625, 0.75]], atol=1e-6)
    assert found.rows(model.labels)[0]["label"] == "1"
    assert model.labels == ("0", "1", "2")


def test_yolov8_the_usual_way_round_is_known_by_its_labels(tmp_path: Path) -> None:
    answer = yolo_answer(4 + 3)
    answer[0, 10, 5] = 0.9
    name, found = seen(models.answering(tmp_path / "m.onnx", {"output0": answer}), labels=["a", "b", "c"])
    assert name == "yolov8"
    assert found.label_ids.tolist() == [1]


def test_yolov5_has_three_anchors_a_cell(tmp_path: Path) -> None:
    answer = yolo_answer(5 + 2, 3 * CELLS)
    answer[0, 10, 4:] = 0.9, 0.1, 0.8
    name, found = seen(models.answering(tmp_path / "m.onnx", {"output": answer}))
    assert name == "yolov5"
    np.testing.assert_allclose(found.boxes, [[0.375, 0.25, 0.625, 0.75]], atol=1e-6)
    np.testing.assert_allclose(found.scores, [0.72], atol=1e-6)
    assert found.label_ids.tolist() == [1]


def test_yolox_has_one_row_a_cell_with_an_objectness(tmp_path: Path) -> None:
    answer = np.zeros((1, CELLS, 5 + 4), np.float32)
    answer[0, 64 + 5] = [
        0.5,
        0.5,
        0.0,
        np.log(2.0),
        0.9,
        0,
        0,
        0,
        0.8,
    ]  # second cell, second row, of stride 16
    name, found = seen(models.answering(tmp_path / "m.onnx", {"output": answer}), output={"threshold": 0.3})
    assert name == "yolox"
    np.testing.assert_allclose(found.boxes, [[16 / 64, 8 / 64, 32 / 64, 40 / 64]], atol=1e-6)
    assert found.label_ids.tolist() == [3]


def nanodet_answers(classes: int) -> dict[str, Floats]:
    answers: dict[str, Floats] = {}
    for stride in (8, 16, 32):
        cells = (SIDE // stride) ** 2
        answers[f"scores{stride}"] = np.zeros((1, cells, classes), np.float32)
        answers[f"distances{stride}"] = np.zeros((1, cells, 32), np.float32)
    return answers


@pytest.mark.parametrize(("classes", "reverse"), [(2, False), (2, True), (32, False)])
def test_nanodet_has_two_outputs_a_stride_in_any_order_that_can_be_told(
    tmp_path: Path, classes: int, reverse: bool
) -> None:
    answers = nanodet_answers(classes)
    answers["scores16"][0, 5, 1] = 0.8
    answers["distances16"][0, 5].reshape(4, 8)[:, 1] = 50.0  # every side one stride from the centre
    ordered = dict(reversed(answers.items())) if reverse else answers
    name, found = seen(models.answering(tmp_path / "m.onnx", ordered))
    assert name == "nanodet"
    centre = 16 + 7.5
    np.testing.assert_allclose(found.boxes, [[(centre - 16) / 64] * 2 + [(centre + 16) / 64] * 2], atol=1e-5)
    assert found.label_ids.tolist() == [1]


def yunet_answers() -> dict[str, Floats]:
    answers: dict[str, Floats] = {}
    for part, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            answers[f"{part}_{stride}"] = np.zeros((1, (SIDE // stride) ** 2, width), np.float32)
    return answers


def test_yunet_finds_faces_with_landmarks(tmp_path: Path) -> None:
    answers = yunet_answers()
    answers["cls_32"][0, 3], answers["obj_32"][0, 3] = 0.9, 0.4
    answers["kps_32"][0, 3] = 0.5
    name, found = seen(models.answering(tmp_path / "m.onnx", answers), output={"threshold": 0.5})
    assert name == "yunet"
    np.testing.assert_allclose(found.scores, [0.6], atol=1e-6)
    np.testing.assert_allclose(found.boxes, [[0.25, 0.25, 0.75, 0.75]], atol=1e-6)
    assert found.landmarks is not None
    np.testing.assert_allclose(found.landmarks, np.full((1, 5, 2), 0.75), atol=1e-6)


@pytest.mark.parametrize(("labels", "expected"), [(None, 0), (["face"], 0), (["none", "face"], 1)])
def test_scored_boxes_have_a_background_unless_the_labels_name_every_class(
    tmp_path: Path, labels: list[str] | None, expected: int
) -> None:
    scores, boxes = np.zeros((1, 20, 2)), np.zeros((1, 20, 4))
    scores[0, :, 0] = 0.1
    scores[0, 7], boxes[0, 7] = [0.05, 0.95], [0.1, 0.2, 0.3, 0.4]
    name, found = seen(models.answering(tmp_path / "m.onnx", {"s": scores, "b": boxes}), labels=labels)
    assert name == "scored"
    np.testing.assert_allclose(found.boxes, [[0.1, 0.2, 0.3, 0.4]], atol=1e-6)
    assert found.label_ids.tolist() == [expected]


def test_scored_boxes_are_found_in_any_order(tmp_path: Path) -> None:
    scores, boxes = np.zeros((1, 20, 4)), np.zeros((1, 20, 4))
    scores[0, 7, 2], boxes[0, 7] = 0.9, [0.1, 0.2, 0.3, 0.4]
    for answers in ({"boxes": boxes, "scores": scores}, {"scores": scores, "boxes": boxes}):
        name, found = seen(models.answering(tmp_path / "m.onnx", answers))
        assert (name, found.label_ids.tolist()) == ("scored", [1])


def test_a_letterboxed_box_is_mapped_back_to_the_picture(tmp_path: Path) -> None:
    rows = ssd_rows((0, 0, 0.9, 0.25, 0.25, 0.75, 0.75))
    _, found = seen(models.answering(tmp_path / "m.onnx", {"out": rows}), input={"resize": "letterbox"})
    np.testing.assert_allclose(found.boxes, [[0.25, 0.0, 0.75, 1.0]], atol=1e-6)


def test_top_k_bounds_the_number_of_things(tmp_path: Path) -> None:
    rows = ssd_rows(*[(0, 0, 0.9 - i / 100, i / 10, 0, i / 10 + 0.05, 1) for i in range(9)])
    path = models.answering(tmp_path / "m.onnx", {"out": rows})
    assert len(seen(path, output={"top_k": 4})[1].scores) == 4
    assert len(seen(path)[1].scores) == 9


def test_results_own_their_arrays(tmp_path: Path) -> None:
    path = models.yolo_like(tmp_path / "m.onnx")
    model = loaded(path, output={"threshold": 0.0, "iou": 1.0})
    noise = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    first = model.predict(noise[0], PixelFormat.BGR)
    assert isinstance(first, Detections)
    kept = first.boxes.copy(), first.scores.copy(), first.label_ids.copy()
    model.predict(noise[1], PixelFormat.BGR)
    for before, now in zip(kept, (first.boxes, first.scores, first.label_ids), strict=True):
        np.testing.assert_array_equal(before, now)


def test_both_backends_find_the_same_things(tmp_path: Path) -> None:
    path = models.yolo_like(tmp_path / "m.onnx", side=96)
    noise = np.random.default_rng(0).integers(0, 255, (80, 120, 3), dtype=np.uint8)
    keys = {"input": {"scale": 255, "resize": "letterbox"}, "output": {"threshold": 0.1, "top_k": 50}}
    one, other = (
        loaded(path, name, **keys).predict(noise, PixelFormat.BGR) for name in ("openvino", "onnxruntime")
    )
    assert isinstance(one, Detections)
    assert isinstance(other, Detections)
    assert len(one.scores) > 5
    np.testing.assert_array_equal(one.label_ids, other.label_ids)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)
    np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-3)


def test_the_wrong_decoder_is_refused_with_what_it_wants_and_what_there_is(tmp_path: Path) -> None:
    path = models.yolo_like(tmp_path / "m.onnx")
    for decoder in ("ssd", "nanodet", "yunet", "scored", "yolox"):
        with pytest.raises(ModelMismatch, match=f"decoder {decoder} reads .* output0 .1, 8, 84.") as caught:
            loaded(path, output={"decoder": decoder})
        assert caught.value.key == "output.decoder"


def test_outputs_of_no_known_detector_name_the_decoders_there_are(tmp_path: Path) -> None:
    path = models.answering(tmp_path / "m.onnx", {"a": np.zeros((1, 5, 6, 7)), "b": np.zeros((1, 3))})
    with pytest.raises(
        ModelMismatch, match=r"output.decoder can name one of ssd, .*scored.* has a "
    ) as caught:
        loaded(path)
    assert caught.value.key == "output.decoder"


def test_a_classifier_is_not_a_detector(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match="a classifier's; detection wants boxes") as caught:
        loaded(models.classifier(tmp_path / "m.onnx"))
    assert caught.value.key == "task"


def test_labels_that_do_not_fit_the_decoder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ModelMismatch, match=r"labels names 2 classes, but the outputs of m.onnx have 4"
    ) as caught:
        loaded(models.yolo_like(tmp_path / "m.onnx"), labels=["a", "b"])
    assert caught.value.key == "labels"


def fitted(*shapes: tuple[int, ...], size: tuple[int, int] = (640, 640), labels: int | None = None) -> str:
    outputs = tuple(TensorSpec(f"o{i}", shape, np.dtype(np.float32)) for i, shape in enumerate(shapes))
    return fit_decoder("auto", Head(outputs, size, labels)).name


@pytest.mark.parametrize(
    ("shapes", "labels", "name"),
    [
        ([(1, 84, 8400)], None, "yolov8"),
        ([(1, 84, 8400)], 80, "yolov8"),
        ([(1, 8400, 84)], 80, "yolov8"),
        ([(1, 8400, 85)], None, "yolox"),
        ([(1, 8400, 85)], 80, "yolox"),
        ([(1, 25200, 85)], None, "yolov5"),
        ([(1, 25200, 7)], None, "yolov5"),
        ([(1, 1, 200, 7)], None, "ssd"),
        ([(1, 200, 7)], None, "ssd"),
        ([(200, 7)], 20, "ssd"),
        ([(1, 1, -1, 7)], None, "ssd"),
        ([(-1, 84, 8400)], None, "yolov8"),
    ],
)
def test_common_exports_are_recognised_at_640(
    shapes: list[tuple[int, ...]], labels: int | None, name: str
) -> None:
    assert fitted(*shapes, labels=labels) == name


@pytest.mark.parametrize(
    "shapes", [[(1, 9000, 85)], [(1, 116, 8400), (1, 32, 160, 160)], [(1, 300)], [(1, 300, 6)]]
)
def test_what_is_not_sure_is_not_guessed(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(NoFit):
        fitted(*shapes)


def test_a_named_decoder_is_believed_where_auto_would_not_dare() -> None:
    outputs = (TensorSpec("o", (1, 9000, 85), np.dtype(np.float32)),)
    assert fit_decoder("yolov5", Head(outputs, (640, 640), None)).classes == 80
    assert fit_decoder("yolov8", Head(outputs, (640, 640), None)).classes == 81


@pytest.mark.parametrize("name", DECODERS[1:])
def test_every_decoder_of_the_manifest_stands(name: str) -> None:
    with pytest.raises(NoFit, match=f"decoder {name} reads"):
        fit_decoder(name, Head((TensorSpec("o", (1, 2, 3, 4), np.dtype(np.float32)),), (64, 64), None))
