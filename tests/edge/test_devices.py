"""The machine's cameras and inference devices as plain values, ready for JSON."""

import json
from pathlib import Path

import pytest

from edge import devices
from streams.sources.devices import Device, Holder
from streams.sources.v4l2 import Format, Size

CAMERA = Device(
    path="/dev/video0",
    name="HD Pro Webcam",
    driver="uvcvideo",
    links=("/dev/v4l/by-id/usb-cam",),
    formats=(Format("MJPG", (Size(1280, 720, (30.0, 15.0)), Size(640, 480, (30.0,)))), Format("YUYV", ())),
    holders=(Holder(7, "cheese"),),
    refusal=None,
)


def test_a_camera_is_told_with_what_to_write_as_its_source() -> None:
    told = devices.camera(CAMERA)
    assert told["uri"] == "/dev/video0"
    assert told["links"] == ["/dev/v4l/by-id/usb-cam"]
    assert told["formats"][0]["sizes"][0] == {"width": 1280, "height": 720, "rates": (30.0, 15.0)}
    assert told["held_by"] == ["cheese (process 7)"]
    assert json.loads(json.dumps(told))


def test_both_backends_tell_their_devices() -> None:
    for name in devices.BACKENDS:
        told = devices.backend(name)
        assert told["error"] is None
        assert "CPU" in told["devices"]


def test_a_backend_that_is_not_here_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from inference.errors import BackendUnavailable

    def missing(name: str) -> object:
        raise BackendUnavailable(f"{name} cannot be used here")

    monkeypatch.setattr(devices.importlib, "import_module", missing)
    told = devices.backend("openvino")
    assert told["devices"] == {}
    assert "cannot be used here" in told["error"]


def test_the_device_names_are_those_that_the_backends_take(tmp_path: Path) -> None:
    import models

    import inference
    from inference import Manifest

    manifest = Manifest("x", "classification", models.classifier(tmp_path / "model.onnx"), ("a", "b", "c"))
    for name in devices.BACKENDS:
        assert "CPU" in devices.backend(name)["devices"]
        inference.load(manifest, backend=name, device="CPU").close()


def test_auto_tells_its_order_and_what_of_it_is_here() -> None:
    found = [
        {"backend": "openvino", "devices": {"CPU": "x", "GPU.0": "y"}, "error": None},
        {"backend": "onnxruntime", "devices": {"CPU": "z"}, "error": None},
    ]
    told = devices.auto(found)
    assert told["order"] == ["GPU", "NPU", "CPU"]
    assert [tuple(each.values()) for each in told["here"]] == [
        ("openvino", "GPU"),
        ("openvino", "CPU"),
        ("onnxruntime", "CPU"),
    ]
    from edge.commands.devices import of_auto

    assert of_auto(told).endswith("here openvino GPU, then openvino CPU, then onnxruntime CPU")
    assert of_auto(devices.auto([])).endswith("none of which is here")
