"""`edge model` on networks of MXNet and Caffe: told, converted and measured as any other, or refused in a sentence."""

import dataclasses
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from caffe_form import caffe_form
from caffe_writer import caffemodel

import inference
from edge import cli, exits, project
from inference.formats.mxnet_params import read_params
from inference.formats.mxnet_symbol import read_symbol
from inference.results import Classification
from kernels import PixelFormat

FORMATS = Path(__file__).parent.parent / "data" / "formats"
LIST = struct.pack("<QQ", 0x112, 0)  # what MXNet's parameter files begin with


def edge(*words: str | Path) -> int:
    return cli.run(["model", *map(str, words)])


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Gluon's squeezenet, small, in a folder of its own."""
    for name in ("squeezenet-symbol.json", "squeezenet-0000.params"):
        shutil.copy(FORMATS / name, tmp_path / name)
    return tmp_path / "squeezenet-symbol.json"


def weights(network: Path) -> Path:
    return network.with_name("squeezenet-0000.params")


def cut(network: Path) -> None:
    weights(network).write_bytes(weights(network).read_bytes()[:3000])


def other_magic(network: Path) -> None:
    weights(network).write_bytes(b"X" * 16 + weights(network).read_bytes()[16:])


def empty(network: Path) -> None:
    weights(network).write_bytes(b"")


def huge_table(network: Path) -> None:
    weights(network).write_bytes(LIST + struct.pack("<Q", 1 << 60) + bytes(2000))


def huge_names(network: Path) -> None:
    weights(network).write_bytes(LIST + struct.pack("<QQ", 0, 1 << 60) + bytes(2000))


def unknown_operator(network: Path) -> None:
    described = json.loads(network.read_text())
    next(node for node in described["nodes"] if node["op"] == "Pooling")["op"] = "Frobnicate"
    network.write_text(json.dumps(described))


@pytest.mark.parametrize("verb", ["inspect", "convert", "bench"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, r"squeezenet-0000.params is truncated"),
        (other_magic, "squeezenet-0000.params is no MXNet parameter file"),
        (empty, "squeezenet-0000.params is empty"),
        (huge_table, "claims 1152921504606846976 arrays"),
        (huge_names, "claims 1152921504606846976 names"),
        (unknown_operator, "Frobnicate"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_with_its_file_and_exit_code_2(
    network: Path,
    spoil: Callable[[Path], None],
    said: str,
    verb: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(network)
    into = network.parent / "out"
    assert edge(verb, network, *(("-o", into) if verb == "convert" else ())) == exits.USAGE
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert not into.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("squeezenet", "squeezenet0_flatten0_flatten0"),
        ("deploy_ssd_resnet50", "detection"),
        ("deploy_ssd_vgg16", "detection"),
        ("classification50/image-classification", "softmax"),
    ],
)
def test_networks_of_mxnet_are_told_converted_and_measured(
    tmp_path: Path, name: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    symbol = FORMATS / f"{name}-symbol.json"
    edge("inspect", symbol, "--json")
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["outputs"]] == [output]
    assert edge("convert", symbol, "-o", tmp_path, "--name", "net", "--json") == exits.GOOD
    [difference] = json.loads(capsys.readouterr().out)["differences"]
    assert difference["largest"] <= 0.05
    assert edge("bench", tmp_path / "net.xml", "--seconds", "0.2", "--no-keep", "--json") == exits.GOOD
    assert json.loads(capsys.readouterr().out)["winner"]["per_second"] > 0


@pytest.mark.slow
def test_real_networks_are_told_and_converted(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = (
        "ultralight-face/version-RFB-320.onnx",
        "mxnet-pose/pose-symbol.json",
        "yunet/yunet_n_320_320.onnx",
    )
    for place in places:
        assert edge("convert", shared_data / "models" / place, "-o", tmp_path, "--json") == exits.GOOD
        for difference in json.loads(capsys.readouterr().out)["differences"]:
            assert difference["largest"] < 0.05
            assert difference["first_agrees"] >= difference["pictures"] - 1  # seeded blotches show no face


def network_project(folder: Path, name: str, model: str, side: int) -> Path:
    (folder / "project.yaml").write_text(
        f"name: {name}\ntask: classification\nmodel: {model}\ninput: {{size: [{side}, {side}]}}\n"
    )
    return folder


def in_both_forms(tmp_path: Path) -> tuple[Path, Path]:
    """SageMaker's ResNet-18 as MXNet wrote it, and the same weights as a Caffe network; a project of each."""
    mxnet, caffe = tmp_path / "mxnet", tmp_path / "caffe"
    shutil.copytree(FORMATS / "classification18", mxnet)
    caffe.mkdir()
    shape = np.load(FORMATS / "classification18" / "image-classification.npz")["data"].shape
    (params,) = mxnet.glob("*.params")
    text, layers = caffe_form(
        read_symbol(mxnet / "image-classification-symbol.json"), read_params(params), (1, *shape[1:])
    )
    (caffe / "net.prototxt").write_text(text)
    (caffe / "net.caffemodel").write_bytes(caffemodel(layers, old=False))
    return (
        network_project(mxnet, "mxnet-form", "image-classification-symbol.json", shape[-1]),
        network_project(caffe, "caffe-form", "net.prototxt", shape[-1]),
    )


@pytest.mark.slow
def test_a_caffe_network_and_the_mxnet_form_of_its_weights_are_told_converted_and_answer_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, models = [], []
    for place in in_both_forms(tmp_path):
        assert edge("inspect", place, "--json") == exits.GOOD
        said.append(json.loads(capsys.readouterr().out))
        assert edge("convert", place, "-o", place, "--name", "net-ir", "--precision", "f32") == exits.GOOD
        assert (
            edge("bench", place, "--also", place / "net-ir.xml", "--seconds", "0.3", "--no-keep")
            == exits.GOOD
        )
        found = project.load(place).manifest
        capsys.readouterr()
        paths = (found.model, place / "net-ir.xml")
        models += [inference.load(dataclasses.replace(found, model=path)) for path in paths]
    assert [each["shape"] for each in said[0]["outputs"]] == [each["shape"] for each in said[1]["outputs"]]
    assert [each["format"] for each in said] == ["mxnet", "caffe"]
    random = np.random.default_rng(5)
    for _ in range(4):
        picture = random.integers(0, 256, (48, 64, 3), np.uint8)
        first, *others = (model.predict(picture, PixelFormat.BGR) for model in models)
        for other in others:
            assert isinstance(other, Classification)
            np.testing.assert_array_equal(first.label_ids, other.label_ids)
            np.testing.assert_allclose(first.scores, other.scores, atol=1e-4)
    for model in models:
        model.close()
