import sys
from pathlib import Path

import models
import pytest

from inference import inspection
from inference.anatomy import Anatomy, anatomy
from inference.backends import UNKNOWN
from inference.errors import BackendUnavailable, ModelInvalid, ModelNotFound
from inference.inspection import fits, settings
from inference.manifest import TASKS, InputSpec, Manifest


def test_a_model_is_told_as_it_stands_in_its_file(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("h", 32), softmax=True, metadata={"labels": "a b c"})
    found = anatomy(path)
    assert found.reader == "openvino"
    assert found.inputs[0].shape == (1, 3, UNKNOWN, 32)
    assert found.outputs[0].name == "probabilities"
    assert found.metadata["labels"] == "a b c"
    assert found.operations["Softmax"] == 1
    assert "Constant" not in found.operations
    assert found.precision == "FP32"


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        each for each in sys.modules if each.startswith(("inference.formats", "inference.backends.openv"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", None)


@pytest.mark.usefixtures("no_openvino")
def test_without_openvino_onnx_runtime_tells_what_it_can(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", metadata={"labels": "a b c"})
    found = anatomy(path)
    assert found.reader == "onnxruntime"
    assert found.inputs[0].shape == (1, 3, 24, 32)
    assert found.metadata["labels"] == "a b c"
    assert found.precision is None
    with pytest.raises(BackendUnavailable):
        anatomy(tmp_path / "m.tflite")


def weighing(**weights: int) -> Anatomy:
    return Anatomy("openvino", (), (), {}, {}, weights)


def test_precision_is_that_of_most_weights() -> None:
    assert weighing(f32=1000, i64=9000).precision == "FP32"
    assert weighing(f16=1000, f32=100).precision == "FP16"
    assert weighing(i8=100, f32=1000).precision == "INT8"  # 100 of 350 numbers
    assert weighing(u8=10, f32=4000).precision == "FP32"
    assert weighing().precision is None


@pytest.mark.parametrize(
    ("content", "error"), [(b"", ModelInvalid), (None, ModelNotFound), (b"text", ModelInvalid)]
)
def test_what_is_no_model_is_a_sentence(
    tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=r"m\.onnx"):
        anatomy(path)


def test_every_setting_says_where_a_run_takes_it_from(tmp_path: Path) -> None:
    path = models.classifier(
        tmp_path / "m.onnx", metadata={"mean_values": "1 2 3", "pad_value": "9", "iou_threshold": "0.4"}
    )
    manifest = Manifest("p", "classification", path, ("a", "b", "c"), InputSpec(mean=(5.0,), resize="crop"))
    rows = {row.key: (row.value, row.origin) for row in settings(anatomy(path), manifest)}
    assert rows["input.mean"] == ((5.0,), "project")
    assert rows["input.resize"] == ("crop", "project")
    assert rows["input.pad"] == (9, "metadata")
    assert rows["input.size"] == ((32, 24), "model")
    assert rows["input.layout"] == ("NCHW", "model")
    assert rows["input.color"] == ("rgb", "default")
    assert rows["input.scale"] == (None, "default")
    assert rows["output.iou"] == (0.4, "metadata")
    assert rows["output.decoder"] == (None, "default")
    assert rows["labels"] == ("3 names", "project")


def test_a_gray_model_is_seen_from_its_shape(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", channels=1, layout="NHWC")
    rows = {row.key: (row.value, row.origin) for row in settings(anatomy(path), None)}
    assert rows["input.color"] == ("gray", "model")
    assert rows["input.layout"] == ("NHWC", "model")
    assert rows["labels"] == (None, "default")


def test_each_task_is_tried_and_says_why_it_does_not_fit(tmp_path: Path) -> None:
    path = models.yolo_like(tmp_path / "m.onnx")
    found = {fit.task: fit for fit in fits(path, None)}
    assert set(found) == set(TASKS)
    assert found["detection"].fits
    assert (found["detection"].decoder, found["detection"].classes) == ("yolov8", 4)
    assert found["detection"].backend == "openvino CPU"
    assert not found["classification"].fits
    assert "classification" in str(found["classification"].reason)


def test_of_a_project_its_own_task_is_tried_alone(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    [fit] = fits(path, Manifest("p", "classification", path, ("a",)))
    assert not fit.fits
    assert "labels names 1 classes" in str(fit.reason)
    assert inspection.Fit("x", fits=True).reason is None
