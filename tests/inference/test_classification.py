from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest

import inference
from inference import Manifest, ModelMismatch, OutputSpec
from inference.results import Classification
from kernels.formats import PixelFormat

BACKENDS = ("openvino", "onnxruntime")
RED, GREEN, BLUE = (np.full((48, 64, 3), bgr, np.uint8) for bgr in [(0, 0, 250), (0, 250, 0), (250, 0, 0)])
TO_UNIT = {"scale": 255}


def loaded(path: Path, backend: str = "openvino", **keys: Any) -> inference.Model:
    mapping = {"name": "m", "task": "classification", "model": str(path), "input": TO_UNIT, **keys}
    return inference.load(Manifest.from_mapping(mapping, path.parent), backend=backend)


def best(model: inference.Model, pixels: np.ndarray, pixel_format: PixelFormat = PixelFormat.BGR) -> int:
    result = model.predict(pixels, pixel_format)
    assert isinstance(result, Classification)
    return int(result.label_ids[0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_the_colour_of_a_picture_is_its_class(tmp_path: Path, backend: str, layout: str) -> None:
    model = loaded(models.classifier(tmp_path / "m.onnx", layout=layout), backend)
    assert [best(model, pixels) for pixels in (RED, GREEN, BLUE)] == [0, 1, 2]
    assert best(model, BLUE, PixelFormat.RGB) == 0
    model.close()


def test_a_model_that_wants_bgr_gets_bgr(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    model = loaded(path, input={"color": "bgr", **TO_UNIT})
    assert [best(model, pixels) for pixels in (RED, GREEN, BLUE)] == [2, 1, 0]
    model.close()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_models_of_bytes_and_halves_are_fed_as_they_want(tmp_path: Path, backend: str, dtype: str) -> None:
    path = models.classifier(tmp_path / "m.onnx", dtype=dtype)
    model = loaded(path, backend, input={} if dtype == "uint8" else TO_UNIT)
    assert [best(model, pixels) for pixels in (RED, GREEN, BLUE)] == [0, 1, 2]
    model.close()


def test_a_model_of_gray_pictures_gets_gray(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", channels=1, classes=1)
    model = loaded(path, output={"softmax": False})
    result = model.predict(GREEN, PixelFormat.BGR)
    assert isinstance(result, Classification)
    assert float(result.scores[0]) == pytest.approx(10 * 0.587 * 250 / 255, rel=0.01)
    model.close()


@pytest.mark.parametrize("softmax", [False, True])
def test_scores_are_probabilities_whether_or_not_the_model_ends_in_softmax(
    tmp_path: Path, softmax: bool
) -> None:
    model = loaded(models.classifier(tmp_path / "m.onnx", softmax=softmax))
    result = model.predict(RED, PixelFormat.BGR)
    assert isinstance(result, Classification)
    expected = np.exp([10 * 250 / 255, 0, 0]) / np.exp([10 * 250 / 255, 0, 0]).sum()
    np.testing.assert_allclose(result.scores, expected, atol=1e-4)
    model.close()


def test_raw_scores_are_left_alone_where_the_project_says_so(tmp_path: Path) -> None:
    model = loaded(models.classifier(tmp_path / "m.onnx"), output={"softmax": False})
    assert model.predict(RED, PixelFormat.BGR).rows(model.labels)[0]["score"] == pytest.approx(
        9.804, abs=0.01
    )
    model.close()


def test_top_k_and_threshold_bound_the_result(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", classes=50, seed=3)
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    whole = loaded(path, output={"top_k": 50, "threshold": 0.0})
    scores = whole.predict(noise, PixelFormat.BGR).scores
    assert len(scores) == 50
    assert (np.diff(scores) <= 0).all()
    assert len(loaded(path).predict(noise, PixelFormat.BGR).scores) == 5
    few = loaded(path, output={"threshold": float(scores[2])}).predict(noise, PixelFormat.BGR)
    assert len(few.scores) == 3
    none = loaded(path, output={"threshold": 1.0}).predict(noise, PixelFormat.BGR)
    assert none.rows(()) == []


def test_labels_come_from_the_project_then_the_metadata_then_numbers(tmp_path: Path) -> None:
    named = models.classifier(tmp_path / "named.onnx", metadata={"labels": "red green blue"})
    assert loaded(named, labels=["r", "g", "b"]).labels == ("r", "g", "b")
    assert loaded(named).labels == ("red", "green", "blue")
    assert loaded(models.classifier(tmp_path / "m.onnx")).labels == ("0", "1", "2")


def test_labels_that_do_not_fit_the_outputs_are_refused_with_both_numbers(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", classes=3)
    with pytest.raises(
        ModelMismatch, match=r"labels names 2 classes, but the outputs of m.onnx have 3"
    ) as caught:
        loaded(path, labels=["a", "b"])
    assert caught.value.key == "labels"
    path = models.classifier(tmp_path / "n.onnx", classes=3, metadata={"labels": "a b"})
    with pytest.raises(ModelMismatch, match=r"metadata names 2 classes, .* have 3"):
        loaded(path)


def test_metadata_prepares_the_picture_and_the_project_overrides_it(tmp_path: Path) -> None:
    metadata = {
        "scale_values": "255",
        "reverse_input_channels": "NO",
        "confidence_threshold": "0.5",
        "topk": "2",
    }
    path = models.classifier(tmp_path / "m.onnx", metadata=metadata)
    model = loaded(path, input={})
    assert [best(model, pixels) for pixels in (RED, BLUE)] == [2, 0]
    assert len(model.predict(RED, PixelFormat.BGR).scores) == 1
    loose = loaded(path, input={"color": "rgb"}, output={"threshold": 0})
    assert best(loose, RED) == 0
    assert len(loose.predict(RED, PixelFormat.BGR).scores) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_of_open_size_takes_the_project_s(tmp_path: Path, backend: str) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("height", "width"), batch="batch")
    model = loaded(path, backend, input={"size": [16, 8], **TO_UNIT})
    assert best(model, BLUE) == 2
    model.close()
    with pytest.raises(ModelMismatch, match=r"input.size must say") as caught:
        loaded(path, backend)
    assert caught.value.key == "input.size"


def test_a_detector_is_not_a_classifier(tmp_path: Path) -> None:
    with pytest.raises(
        ModelMismatch, match=r"classification reads one output .* output0 \(1, 8, 84\)"
    ) as caught:
        loaded(models.yolo_like(tmp_path / "m.onnx"))
    assert caught.value.key == "task"


def test_a_model_of_two_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match=r"one picture as input.*picture.*info") as caught:
        loaded(models.two_inputs(tmp_path / "m.onnx"))
    assert caught.value.key == "task"


def test_of_several_outputs_the_labels_choose(tmp_path: Path) -> None:
    answers = {"features": np.zeros((1, 7)), "scores": np.array([[0.1, 0.9]])}
    path = models.answering(tmp_path / "m.onnx", answers)
    assert best(loaded(path, labels=["a", "b"]), RED) == 1
    with pytest.raises(ModelMismatch, match="classification reads one output"):
        loaded(path)


def test_several_classes_at_once_are_refused_unless_taken_as_they_are(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", metadata={"multilabel": "True"})
    with pytest.raises(ModelMismatch) as caught:
        loaded(path)
    assert caught.value.key == "output.softmax"
    assert best(loaded(path, output={"softmax": False}), RED) == 0


def test_both_backends_name_the_same_classes(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", classes=20, seed=8)
    noise = np.random.default_rng(1).integers(0, 255, (100, 70, 3), dtype=np.uint8)
    one, other = (loaded(path, name).predict(noise, PixelFormat.BGR) for name in BACKENDS)
    np.testing.assert_array_equal(one.label_ids, other.label_ids)
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def test_the_default_output_is_that_of_the_manifest() -> None:
    assert Manifest("m", "classification", Path("m.onnx")).output == OutputSpec()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("scores", [[np.nan] * 3, [1.0, np.nan, 2.0], [-np.inf] * 3, [np.inf, 0.0, 0.0]])
def test_an_answer_that_is_no_number_says_nothing(
    tmp_path: Path, backend: str, scores: list[float], softmax: bool
) -> None:
    path = models.answering(tmp_path / "m.onnx", {"scores": np.array([scores], np.float32)})
    model = loaded(path, backend, output={"softmax": softmax})
    result = model.predict(RED, PixelFormat.BGR)
    assert not result.finite
    assert result.rows(model.labels) == []
    model.close()


def test_a_score_of_minus_infinity_beside_others_is_an_answer(tmp_path: Path) -> None:
    path = models.answering(tmp_path / "m.onnx", {"scores": np.array([[-np.inf, 1.0]], np.float32)})
    model = loaded(path, "onnxruntime")
    result = model.predict(RED, PixelFormat.BGR)
    assert result.finite
    assert result.rows(())[0] == {"label": "1", "label_id": 1, "score": 1.0}
    model.close()
