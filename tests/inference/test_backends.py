import importlib
import logging
import subprocess
import sys
from pathlib import Path

import models
import numpy as np
import onnx
import openvino as ov
import pytest
from backend_contract import as_it_is, check_backend, opened

from inference.backends import UNKNOWN, Opening, Shape, TensorSpec
from inference.backends import openvino as openvino_backend
from inference.errors import BackendUnavailable, ModelInvalid, ModelMismatch

VENDORS = ("openvino", "onnxruntime")


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("name", VENDORS)
def test_a_backend_keeps_its_promises(tmp_path: Path, name: str, slots: int) -> None:
    check_backend(opened(name, models.yolo_like(tmp_path / "m.onnx"), slots=slots))


def test_the_fake_backend_keeps_them_too() -> None:
    check_backend(opened("fake", Path("fake:detection:3:64x48"), slots=2))


def test_both_backends_give_the_same_answers(tmp_path: Path) -> None:
    path = models.yolo_like(tmp_path / "m.onnx", side=96)
    answers = []
    for name in VENDORS:
        backend = opened(name, path)
        backend.input(0)[...] = np.random.default_rng(5).random(backend.inputs[0].shape, np.float32)
        answers.append(backend.run(0)[0].copy())
        backend.close()
    assert answers[0].std() > 1
    np.testing.assert_allclose(*answers, atol=1e-3)


@pytest.mark.parametrize("name", VENDORS)
def test_outputs_are_those_of_the_newest_run(tmp_path: Path, name: str) -> None:
    backend = opened(name, models.classifier(tmp_path / "m.onnx"))
    for level in (0.1, 0.9, 0.4):
        backend.input(0)[...] = level
        np.testing.assert_allclose(backend.run(0)[0], np.full((1, 3), 10 * level), rtol=1e-5)
        backend.input(0)[...] = 2 * level
        backend.start(0)
        np.testing.assert_allclose(backend.wait(0)[0], np.full((1, 3), 20 * level), rtol=1e-5)
    backend.close()


@pytest.mark.parametrize("limit", [0.0, 60.0], ids=["never quick", "quick from the second run on"])
def test_a_quick_model_answers_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """Whether the caller's thread computes or the backend's own ones, through the change from one to the other."""
    monkeypatch.setattr(openvino_backend, "QUICK_S", limit)
    backend = opened("openvino", models.classifier(tmp_path / "m.onnx"), slots=2)
    for number in range(2 * openvino_backend.LOOK_AT):
        slot, level = number % 2, 0.1 * number
        backend.input(slot)[...] = level
        np.testing.assert_allclose(backend.run(slot)[0], np.full((1, 3), 10 * level), rtol=1e-5)
    backend.input(0)[...], backend.input(1)[...] = 0.5, 0.7
    backend.start(1)  # one under way beside it changes nothing
    np.testing.assert_allclose(backend.run(0)[0], np.full((1, 3), 5.0), rtol=1e-5)
    np.testing.assert_allclose(backend.wait(1)[0], np.full((1, 3), 7.0), rtol=1e-5)
    backend.close()


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_the_input_tensor_has_the_model_s_own_type(tmp_path: Path, name: str, dtype: str) -> None:
    backend = opened(name, models.classifier(tmp_path / "m.onnx", dtype=dtype))
    assert backend.input(0).dtype == dtype
    backend.input(0)[...] = 3
    np.testing.assert_allclose(backend.run(0)[0], [[30, 30, 30]], rtol=1e-3)
    backend.close()


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("batch", ["batch", None])
def test_open_sizes_get_what_the_task_settles_on(tmp_path: Path, name: str, batch: str | None) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("height", None), batch=batch)
    seen: list[TensorSpec] = []

    def arrange(specs: tuple[TensorSpec, ...], metadata: object) -> tuple[Shape, ...]:
        seen.extend(specs)
        return ((1, 3, 20, 30),)

    backend = opened(name, path, arrange=arrange)
    assert seen[0].shape == (UNKNOWN, 3, UNKNOWN, UNKNOWN)
    assert not seen[0].is_static
    assert str(seen[0]) == "picture (?, 3, ?, ?) float32"
    assert backend.inputs[0].shape == (1, 3, 20, 30)
    assert backend.outputs[0].shape == (1, 3)
    backend.input(0)[...] = 0.5
    np.testing.assert_allclose(backend.run(0)[0], [[5, 5, 5]], rtol=1e-5)
    backend.start(0)
    np.testing.assert_allclose(backend.wait(0)[0], [[5, 5, 5]], rtol=1e-5)
    backend.close()


def batch_of_one(specs: tuple[TensorSpec, ...], metadata: object) -> tuple[Shape, ...]:
    return tuple((1, *spec.shape[1:]) for spec in specs)


def test_a_fixed_batch_becomes_one_where_the_backend_can(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", batch=4)
    backend = opened("openvino", path, arrange=batch_of_one)
    assert backend.inputs[0].shape == (1, 3, 24, 32)
    backend.close()
    with pytest.raises(ModelMismatch, match=r"made for the input picture \(4, 3, 24, 32\)"):
        opened("onnxruntime", path, arrange=batch_of_one)


@pytest.mark.parametrize("name", VENDORS)
def test_onnx_properties_are_metadata(tmp_path: Path, name: str) -> None:
    path = models.classifier(
        tmp_path / "m.onnx", metadata={"model_info labels": "a b c", "iou_threshold": "0.3"}
    )
    backend = opened(name, path)
    assert backend.metadata["labels"] == "a b c"
    assert backend.metadata["iou_threshold"] == "0.3"
    backend.close()


def ir_of(path: Path) -> Path:
    model = ov.Core().read_model(models.classifier(path.with_suffix(".onnx")))
    model.set_rt_info(["glass", "tin", "tea"], ["model_info", "labels"])
    model.set_rt_info([1.0, 2.0, 3.0], ["model_info", "mean_values"])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def test_an_ir_is_read_with_its_model_info(tmp_path: Path) -> None:
    backend = opened("openvino", ir_of(tmp_path / "m.xml"))
    assert backend.metadata["labels"] == "glass tin tea"
    assert backend.metadata["mean_values"].split() == ["1", "2", "3"]
    check_backend(backend)


def test_onnx_runtime_reads_onnx_alone(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"m\.xml is not for ONNX Runtime, which reads \.onnx"):
        opened("onnxruntime", ir_of(tmp_path / "m.xml"))


@pytest.mark.parametrize("name", [*VENDORS, "auto"])
def test_a_truncated_model_is_a_sentence(tmp_path: Path, name: str) -> None:
    whole = models.classifier(tmp_path / "m.onnx", classes=1000, seed=0).read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelInvalid, match=r"cut\.onnx is not readable as an ONNX model: \S+") as caught:
        opened(name, path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", VENDORS)
def test_a_model_of_an_unknown_operator_is_a_sentence(tmp_path: Path, name: str) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.node[1].op_type = "Frobnicate"
    onnx.save(model, path)
    with pytest.raises(ModelInvalid, match="Frobnicate") as caught:
        opened(name, path)
    assert str(path) in str(caught.value)


def test_weights_cut_short_are_a_sentence(tmp_path: Path) -> None:
    path = ir_of(tmp_path / "m.xml")
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:4])
    with pytest.raises(ModelInvalid, match=r"m\.xml is not readable as an OpenVINO IR: .*bin file"):
        opened("openvino", path)


@pytest.mark.parametrize("name", VENDORS)
def test_a_device_that_is_not_here_is_named_with_those_that_are(tmp_path: Path, name: str) -> None:
    from inference.backends import Opening
    from inference.backends.choice import open_backend

    path = models.classifier(tmp_path / "m.onnx")
    with pytest.raises(BackendUnavailable, match=r"device TOASTER on this machine, only .*CPU"):
        open_backend(name, Opening(path, "TOASTER", 1, as_it_is))


def test_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="there are auto, openvino, onnxruntime, fake"):
        opened("abacus", tmp_path / "m.onnx")


def test_auto_is_openvino_where_it_can(tmp_path: Path) -> None:
    backend = opened("auto", models.classifier(tmp_path / "m.onnx"))
    assert backend.name == "openvino"
    backend.close()


@pytest.fixture
def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [
        name for name in sys.modules if name.startswith(("inference.formats", "inference.backends.openvino"))
    ]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", None)


@pytest.mark.usefixtures("no_openvino")
def test_auto_falls_back_to_onnx_runtime_and_says_why_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        backend = opened("auto", models.classifier(tmp_path / "m.onnx"))
    assert backend.name == "onnxruntime"
    assert len(caplog.records) == 1
    assert "m.onnx runs on ONNX Runtime, as OpenVINO" in caplog.text
    backend.close()


@pytest.mark.usefixtures("no_openvino")
def test_without_openvino_the_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="OpenVINO cannot be used here"):
        opened("auto", tmp_path / "m.xml")


def test_nothing_of_a_vendor_is_imported_before_a_model_is_opened() -> None:
    listed = "import sys, inference, inference.model, inference.tasks.detection, inference.backends.choice;"
    code = listed + "print({'openvino', 'onnxruntime', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", VENDORS)
def test_reading_a_model_says_nothing_on_the_terminal(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    opened(name, models.yolo_like(tmp_path / "m.onnx")).close()
    assert capfd.readouterr() == ("", "")


def test_every_backend_has_its_own_file() -> None:
    from inference.backends.choice import BACKENDS

    for name in BACKENDS[1:]:
        assert callable(importlib.import_module(f"inference.backends.{name}").open_model)


@pytest.mark.parametrize("name", VENDORS)
def test_a_backend_tells_its_maker_nothing(tmp_path: Path, name: str) -> None:
    """Both makers' packages call home at import or session, and keep an id of this machine, unless told not to."""
    home = tmp_path / "home"
    home.mkdir()
    model = models.classifier(tmp_path / "m.onnx")
    code = (
        "import sys, pathlib, backend_contract; "
        f"backend_contract.opened({name!r}, pathlib.Path({str(model)!r})).close(); "
        "print(any(name.startswith('openvino_telemetry') for name, module in sys.modules.items() if module))"
    )
    root = Path(__file__).parents[2]
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": f"{root}:{root / 'tests/tools'}"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
    assert "telemetry" not in done.stderr
    assert list(home.rglob("*")) == []


def test_a_service_elsewhere_is_no_device_of_this_machine(tmp_path: Path) -> None:
    assert "Azure" not in importlib.import_module("inference.backends.onnxruntime_devices").devices()
    from inference.backends.choice import open_backend

    opening = Opening(models.classifier(tmp_path / "m.onnx"), "Azure", 1, as_it_is)
    with pytest.raises(BackendUnavailable, match="no device Azure on this machine, only CPU"):
        open_backend("onnxruntime", opening)


@pytest.mark.parametrize("name", VENDORS)
def test_a_name_that_is_not_utf_8_is_a_sentence(tmp_path: Path, name: str) -> None:
    """One flipped bit in a damaged file is enough; the vendors hand the name over as it is."""
    path = models.classifier(tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes().replace(b"scores", b"sc\xa0res"))
    with pytest.raises(ModelInvalid, match=r"m\.onnx"):
        opened(name, path)
