import logging
import types
from pathlib import Path

import models
import pytest
from backend_contract import as_it_is

from inference.backends import Backend, Opening, choice
from inference.backends.choice import devices_of, open_backend
from inference.errors import BackendUnavailable, DeviceRefused, ModelInvalid, ModelMismatch


def test_auto_is_an_order_of_ours_and_never_openvino_s_own() -> None:
    assert devices_of("AUTO") == ("GPU", "NPU", "CPU")
    assert devices_of("auto:GPU.1,CPU") == ("GPU.1", "CPU")
    assert devices_of("NPU, AUTO") == ("NPU", "GPU", "CPU")
    assert devices_of("CPU") == ("CPU",)
    assert devices_of("cpu,CPU") == ("CPU",)


def test_openvino_s_ways_to_use_several_at_once_stay_its_own() -> None:
    assert devices_of("HETERO:GPU,CPU") == ("HETERO:GPU,CPU",)


@pytest.mark.parametrize("wanted", ["", " , ", "AUTO:"])
def test_no_device_at_all_is_refused(wanted: str) -> None:
    with pytest.raises(BackendUnavailable, match=r"inference\.device names no device"):
        devices_of(wanted)


class Machine:
    """Backends whose devices answer as told: an error is raised, True opens."""

    def __init__(self, **devices: object) -> None:
        self.devices = devices
        self.asked: list[str] = []

    def module(self, name: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(open_model=lambda opening: self.open(name.rpartition(".")[2], opening))

    def open(self, backend: str, opening: Opening) -> object:
        at = f"{backend}_{opening.device}"
        self.asked.append(at)
        answer = self.devices.get(at, BackendUnavailable(f"{backend} finds no device {opening.device}"))
        if isinstance(answer, Exception):
            raise answer
        return types.SimpleNamespace(name=backend, device=opening.device)


def opened(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    backend: str = "auto",
    path: str = "m.onnx",
) -> Backend:
    monkeypatch.setattr(choice.importlib, "import_module", machine.module)
    return open_backend(backend, Opening(Path(path), device, 1, as_it_is))


def test_the_first_device_that_is_there_runs_the_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(openvino_NPU=True, openvino_CPU=True)
    with caplog.at_level(logging.INFO):
        assert opened(machine, monkeypatch, "AUTO").device == "NPU"
    assert machine.asked == ["openvino_GPU", "openvino_NPU"]
    [record] = caplog.records
    assert record.getMessage() == "m.onnx runs on OpenVINO NPU: openvino finds no device GPU"
    assert record.levelno == logging.INFO


def test_a_device_that_refuses_the_model_is_passed_over_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(
        openvino_GPU=DeviceRefused("m.onnx cannot be compiled for GPU: no memory"), openvino_CPU=True
    )
    with caplog.at_level(logging.INFO):
        assert opened(machine, monkeypatch, "GPU,CPU").device == "CPU"
    assert "runs on OpenVINO CPU: m.onnx cannot be compiled for GPU: no memory" in caplog.text


def test_onnx_runtime_is_the_last_resort_and_that_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(onnxruntime_CPU=True)
    with caplog.at_level(logging.INFO):
        assert opened(machine, monkeypatch, "AUTO").name == "onnxruntime"
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "m.onnx runs on ONNX Runtime, as OpenVINO does not take it: " in record.getMessage()


def test_a_model_that_cannot_be_read_is_not_read_for_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(**{f"openvino_{device}": ModelInvalid("no model") for device in ("GPU", "NPU", "CPU")})
    with pytest.raises(ModelInvalid, match="no model"):
        opened(machine, monkeypatch, "AUTO", path="m.xml")
    assert machine.asked == ["openvino_GPU"]


def test_a_model_that_does_not_fit_the_project_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(openvino_GPU=ModelMismatch("labels", "labels"), openvino_CPU=True)
    with pytest.raises(ModelMismatch):
        opened(machine, monkeypatch, "AUTO")


def test_only_onnx_goes_to_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(onnxruntime_CPU=True)
    with pytest.raises(BackendUnavailable, match=r"no device of AUTO can be used: .*GPU.*NPU.*CPU"):
        opened(machine, monkeypatch, "AUTO", path="m.tflite")
    assert "onnxruntime_CPU" not in machine.asked


def test_a_named_backend_tries_its_devices_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(openvino_CPU=True, onnxruntime_CPU=True)
    assert opened(machine, monkeypatch, "CUDA,CPU", backend="onnxruntime").name == "onnxruntime"
    assert machine.asked == ["onnxruntime_CUDA", "onnxruntime_CPU"]


@pytest.mark.parametrize("backend", ["auto", "openvino", "onnxruntime"])
def test_on_this_machine_a_list_comes_to_the_processor(tmp_path: Path, backend: str) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    for device in ("TOASTER,CPU", "AUTO:TOASTER,CPU"):
        found = open_backend(backend, Opening(path, device, 1, as_it_is))
        assert found.device == "CPU"
        found.close()


def test_the_identity_of_a_model_names_the_device_that_was_chosen(tmp_path: Path) -> None:
    from inference import Manifest, load

    manifest = Manifest("x", "classification", models.classifier(tmp_path / "m.onnx"))
    model = load(manifest, device="TOASTER,CPU")
    assert (model.identity.backend, model.identity.device) == ("openvino", "CPU")
    model.close()
