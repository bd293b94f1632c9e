from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inference
from inference import Detections, Manifest, ModelInvalid, ModelMismatch
from inference.backends.fake import ANSWERS
from kernels.formats import PixelFormat

PICTURE = np.zeros((48, 64, 3), np.uint8)


def loaded(model: str, task: str = "classification", **keys: Any) -> inference.Model:
    backend = keys.pop("backend", "auto")
    mapping = {"name": "made-up", "task": task, "model": model, **keys}
    return inference.load(Manifest.from_mapping(mapping, Path("/nowhere")), backend=backend)


def rows(model: inference.Model, count: int) -> list[list[dict[str, Any]]]:
    return [model.predict(PICTURE, PixelFormat.BGR).rows(model.labels) for _ in range(count)]


@pytest.mark.parametrize("task", ["classification", "detection"])
def test_the_same_name_gives_the_same_answers(task: str) -> None:
    first, again = (rows(loaded(f"fake:{task}:4", task), 20) for _ in range(2))
    assert first == again
    assert first[:ANSWERS] == first[ANSWERS : 2 * ANSWERS]
    assert any(answer != first[0] for answer in first)


def test_a_classifier_is_sure_of_one_class() -> None:
    for answer in rows(loaded("fake:classification:5"), ANSWERS):
        assert answer[0]["score"] > 0.6
        assert sum(row["score"] for row in answer) == pytest.approx(1, abs=0.001)


def test_a_detector_finds_one_to_three_things() -> None:
    model = loaded("fake:detection:5", "detection", labels=list("abcde"))
    for answer in rows(model, ANSWERS):
        assert 1 <= len(answer) <= 3
        assert all(row["label"] in "abcde" for row in answer)


def test_the_size_is_the_one_asked_for_else_the_project_s_else_224() -> None:
    for name, size, expected in [
        ("fake:detection:1:320x240", None, (240, 320)),
        ("fake:detection:1", [64, 32], (32, 64)),
        ("fake:detection:1", None, (224, 224)),
    ]:
        model = loaded(name, "detection", input={"size": size})
        assert model._backend.inputs[0].shape[2:] == expected


def test_labels_must_fit_as_with_a_real_model() -> None:
    with pytest.raises(ModelMismatch, match=r"labels names 2 classes, but .* have 3"):
        loaded("fake:classification:3", labels=["a", "b"])


def test_the_task_must_fit_as_with_a_real_model() -> None:
    for name, task in (("fake:classification:3", "detection"), ("fake:detection:3", "classification")):
        with pytest.raises(ModelMismatch) as caught:
            loaded(name, task)
        assert caught.value.key == "task"


def test_the_fake_backend_stands_in_for_a_model_that_is_not_there() -> None:
    output = {"decoder": "nanodet"}
    model = loaded("absent.onnx", "detection", backend="fake", labels=["a", "b"], output=output)
    result = model.predict(PICTURE, PixelFormat.BGR)
    assert isinstance(result, Detections)
    assert model.identity.backend == "fake"
    assert model.labels == ("a", "b")


@pytest.mark.parametrize("name", ["fake:", "fake:driving:3", "fake:classification:0", "fake:detection:3:0x5"])
def test_a_name_that_asks_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(ModelInvalid, match="fake model"):
        loaded(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("fake:classification:3:8x8x4", "only fake:activity takes clips"),
        ("fake:activity:3:8x8x0", "only fake:activity takes clips, of one picture or more"),
    ],
)
def test_only_an_activity_is_made_of_clips(name: str, sentence: str) -> None:
    with pytest.raises(ModelInvalid, match=sentence):
        loaded(name, name.split(":")[1])


def test_the_fake_backend_stands_in_for_a_segmentation_of_one_plane() -> None:
    output = {"threshold": 0.4, "mask": True}
    model = loaded("absent.onnx", "segmentation", backend="fake", labels=["a", "b"], output=output)
    result_rows = model.predict(PICTURE, PixelFormat.BGR).rows(model.labels)
    assert {row["label"] for row in result_rows} == {"a", "b"}
    assert all("mask" in row for row in result_rows)
