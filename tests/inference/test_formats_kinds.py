"""Every kind of model is told by its name, checked by its first bytes, digested whole, and read."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import foreign_models
import models
import numpy as np
import onnx
import pytest

from inference.errors import ModelInvalid, ModelNotFound
from inference.files import check_file, sha256_of
from inference.formats import KINDS, files_of, kind_of
from inference.formats.openvino_library import core
from inference.formats.reading import openvino_model

MADE: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "ir": ("m.xml", foreign_models.ir),
    "tensorflow": ("m.pb", foreign_models.frozen),
    "saved-model": ("m", foreign_models.saved_model),
    "tflite": ("m.tflite", foreign_models.tflite),
    "paddle": ("m.pdmodel", foreign_models.paddle),
}


@pytest.mark.parametrize("kind", MADE)
def test_a_model_of_each_kind_is_read(tmp_path: Path, kind: str) -> None:
    name, make = MADE[kind]
    path = make(tmp_path / name)
    assert kind_of(path) == kind
    found = core().compile_model(openvino_model(path), "CPU")(np.array([[1, -2, 3]], np.float32))[0]
    np.testing.assert_array_equal(found, [[1, 0, 3]])


def test_an_onnx_model_is_read(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    assert kind_of(path) == "onnx"
    assert len(openvino_model(path).outputs) == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("net-symbol.json", "mxnet"),
        ("net-0007.params", "mxnet"),
        ("deploy.prototxt", "caffe"),
        ("net.caffemodel", "caffe"),
        ("M.ONNX", "onnx"),
        ("saved_model.pb", "saved-model"),
    ],
)
def test_the_name_tells_the_kind(name: str, kind: str) -> None:
    assert kind_of(Path(name)) == kind
    assert kind in KINDS


@pytest.mark.parametrize("name", ["m.json", "m.h5", "m.pt", "m"])
def test_another_name_is_refused_with_the_endings_that_are_known(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        ModelInvalid, match=r"no model format has the ending .*-symbol\.json \(an MXNet network\)"
    ):
        kind_of(tmp_path / name)


def test_a_folder_without_a_saved_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"is a folder without saved_model\.pb"):
        check_file(tmp_path)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"the model .*m does not exist"):
        check_file(tmp_path / "m")


def test_a_saved_model_can_be_named_by_its_file(tmp_path: Path) -> None:
    folder = foreign_models.saved_model(tmp_path / "m")
    assert sha256_of(folder / "saved_model.pb") == sha256_of(folder)
    assert len(openvino_model(folder / "saved_model.pb").outputs) == 1


def test_the_digest_covers_the_variables_of_a_saved_model(tmp_path: Path) -> None:
    folder = foreign_models.saved_model(tmp_path / "m")
    before = sha256_of(folder)
    (folder / "variables" / "variables.index").write_bytes(b"x")
    assert files_of(folder) == (folder / "saved_model.pb", folder / "variables" / "variables.index")
    assert sha256_of(folder) != before


def test_the_digest_covers_both_files_of_mxnet_and_the_shapes(tmp_path: Path) -> None:
    for name, content in (("n-symbol.json", b"{}"), ("n-0001.params", b"p"), ("model-shapes.json", b"s")):
        (tmp_path / name).write_bytes(content)
    assert sha256_of(tmp_path / "n-symbol.json") == hashlib.sha256(b"{}ps").hexdigest()


def test_the_digest_covers_both_files_of_caffe(tmp_path: Path) -> None:
    (tmp_path / "deploy.prototxt").write_bytes(b"d")
    (tmp_path / "net.caffemodel").write_bytes(b"c")
    assert sha256_of(tmp_path / "deploy.prototxt") == hashlib.sha256(b"dc").hexdigest()
    assert sha256_of(tmp_path / "net.caffemodel") == hashlib.sha256(b"dc").hexdigest()


def test_the_digest_covers_the_external_data_of_an_onnx_model(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "in.onnx")
    onnx.save(
        onnx.load(path), tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0
    )
    assert files_of(tmp_path / "m.onnx") == (tmp_path / "m.onnx", tmp_path / "w.bin")
    before = sha256_of(tmp_path / "m.onnx")
    (tmp_path / "w.bin").write_bytes(b"other")
    assert sha256_of(tmp_path / "m.onnx") != before


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["n-symbol.json"], r"n-0000\.params does not exist; it holds the weights of .*n-symbol\.json"),
        (["n-0003.params"], r"n-symbol\.json does not exist; it describes the network of .*n-0003\.params"),
        (["d.prototxt"], r"d\.caffemodel does not exist; it holds the weights of .*d\.prototxt"),
        (["d.caffemodel"], r"d\.prototxt does not exist; it describes the network of .*d\.caffemodel"),
        (["m.pdmodel"], r"m\.pdiparams does not exist; it holds the weights of .*m\.pdmodel"),
    ],
)
def test_the_other_half_of_a_model_is_asked_for(tmp_path: Path, names: list[str], sentence: str) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"\x08x")
    with pytest.raises(ModelNotFound, match=sentence):
        check_file(tmp_path / names[0])


def test_weights_that_could_be_either_are_asked_for(tmp_path: Path) -> None:
    for name in ("deploy.prototxt", "a.caffemodel", "b.caffemodel"):
        (tmp_path / name).write_bytes(b"\x08x")
    with pytest.raises(
        ModelInvalid, match=r"no deploy\.caffemodel beside it, and a\.caffemodel, b\.caffemodel"
    ):
        check_file(tmp_path / "deploy.prototxt")


@pytest.mark.parametrize("version", range(2, 10))
def test_an_old_ir_is_refused_with_what_to_do(tmp_path: Path, version: int) -> None:
    (tmp_path / "m.xml").write_text(
        f'<?xml version="1.0"?>\n<net batch="1" name="m" version="{version}"></net>'
    )
    (tmp_path / "m.bin").write_bytes(b"")
    with pytest.raises(
        ModelInvalid, match=rf"OpenVINO IR of version {version}; .*Take the network that it was made"
    ):
        check_file(tmp_path / "m.xml")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("n-symbol.json", b"", "is empty; an MXNet network was expected"),
        ("n-symbol.json", b"\x89PNG", "is a PNG picture; an MXNet network"),
        ("n-symbol.json", b"hello", "is no JSON"),
        ("n-0000.params", b"hello, this is text", "is a text file; an MXNet network"),
        ("deploy.prototxt", b"a\0b", "is no text; a Caffe network"),
        ("deploy.caffemodel", b"PK\x03\x04", "zip archive; unpack it first; a Caffe network"),
        ("m.pdmodel", b"{}", "is a text file; a PaddlePaddle model"),
    ],
)
def test_what_cannot_be_a_model_is_refused_by_its_first_bytes(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    for other in ("n-symbol.json", "n-0000.params", "deploy.prototxt", "deploy.caffemodel", "m.pdiparams"):
        (tmp_path / other).write_bytes(b'{"nodes": []}' if other.endswith("json") else b"\x08\x01x")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        check_file(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_the_pose_model_of_a_deeplens_project_answers_as_mxnet_did(shared_data: Path) -> None:
    folder = shared_data / "models" / "mxnet-pose"
    expected = np.load(folder / "pose.npz")
    model = openvino_model(folder / "pose-symbol.json")
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(expected["in_data"])[0]
    assert np.abs(found - expected["out0_softmax_output"]).max() < 1e-4
