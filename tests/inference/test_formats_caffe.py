"""Caffe's networks against OpenCV 4's importer (tests/tools/make_caffe_fixtures.py) and against MXNet."""

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from caffe_form import caffe_form
from caffe_writer import caffemodel

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats.caffe import caffe_model
from inference.formats.mxnet_params import read_params
from inference.formats.mxnet_symbol import read_symbol
from inference.formats.openvino_library import core

FORMATS = Path(__file__).resolve().parent.parent / "data" / "formats"
LARGEST_ERROR = 1e-4
LAYER = 'layer {{ name: "y" type: "{}" bottom: "data" top: "y" {} }}'
INPUT = (
    'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 dim: 9 dim: 12 } } }\n'
)


def answer(model: Any, data: Any) -> Any:
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    (found,) = compiled(np.asarray(data, np.float32)).values()
    return found


def error(found: Any, expected: Any) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def written(folder: Path, text: str, layers: dict[str, Any], old: bool = False) -> Path:
    (folder / "net.caffemodel").write_bytes(caffemodel(layers or {"none": [np.zeros(1)]}, old))
    path = folder / "net.prototxt"
    path.write_text(text)
    return path


def case_names() -> Iterator[str]:
    for key in np.load(FORMATS / "caffe.npz").files:
        if key.startswith("out:"):
            yield key.removeprefix("out:")


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    return dict(np.load(FORMATS / "caffe.npz"))


@pytest.mark.parametrize("name", sorted(case_names()))
def test_a_layer_answers_as_opencv_does(cases: dict[str, Any], tmp_path: Path, name: str) -> None:
    text = json.loads(cases["texts"].tobytes())[name]
    arrays = [cases[key] for key in sorted(cases) if key.startswith(f"array:{name}:")]
    model = caffe_model(written(tmp_path, text, {"y": arrays} if arrays else {}))
    assert error(answer(model, cases["data"]), cases[f"out:{name}"]) < LARGEST_ERROR


@pytest.mark.parametrize("old", [False, True], ids=["new form", "old form"])
@pytest.mark.parametrize(
    ("name", "output"), [("classification18/image-classification", "softmax"), ("squeezenet", "last")]
)
def test_a_network_answers_as_its_mxnet_form_does(tmp_path: Path, name: str, output: str, old: bool) -> None:
    expected = np.load(FORMATS / f"{name}.npz")
    (params,) = FORMATS.glob(f"{name}-*.params")
    text, layers = caffe_form(
        read_symbol(FORMATS / f"{name}-symbol.json"), read_params(params), expected["data"].shape
    )
    model = caffe_model(written(tmp_path, text, layers, old))
    found = answer(model, expected["data"])
    assert error(found.reshape(expected[output].shape), expected[output]) < LARGEST_ERROR


def test_an_ssd_finds_what_opencv_finds(cases: dict[str, Any], tmp_path: Path) -> None:
    text = json.loads(cases["texts"].tobytes())["ssd"]
    layers: dict[str, Any] = {}
    for key in sorted(cases):
        if key.startswith("ssd:") and key.count(":") == 2:
            layers.setdefault(key.split(":")[1], []).append(cases[key])
    found = answer(caffe_model(written(tmp_path, text, layers)), cases["ssd:data"])
    rows = list(itertools.takewhile(lambda row: row[0] >= 0, found[0, 0]))
    expected = cases["ssd:rows"][0, 0]
    assert len(rows) == len(expected) > 10
    for one, other in zip(sorted(map(tuple, rows)), sorted(map(tuple, expected)), strict=True):
        assert np.allclose(one, other, atol=1e-4)


def test_the_input_has_the_size_that_the_description_gives(tmp_path: Path) -> None:
    model = caffe_model(written(tmp_path, INPUT + LAYER.format("ReLU", ""), {}))
    assert str(model.inputs[0].partial_shape) == "[?,4,9,12]"
    assert [port.get_any_name() for port in model.outputs] == ["y"]


def test_what_only_trains_is_left_out(tmp_path: Path) -> None:
    train = 'layer { name: "t" type: "Accuracy" bottom: "y" top: "t" include { phase: TRAIN } }\n'
    model = caffe_model(written(tmp_path, INPUT + train + LAYER.format("ReLU", ""), {}))
    assert len(model.outputs) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("layer {", r"net\.prototxt, line 1: '}' was expected, the end of the file came"),
        ("layer }", "line 1: after layer a colon or a bracket was expected"),
        ("a: 1\nb: %", "line 2: '%' is not understood"),
        ("a: " * 3, "line 1: a value was expected|was expected"),
        ("layer {" * 80, "nested more than 50 deep"),
        ("", "is empty"),
        ("# nothing\n", "it describes no layers"),
        (
            INPUT + LAYER.format("Wizardry", ""),
            r"the layer y is of the kind Wizardry, which is not supported",
        ),
        (LAYER.format("Data", ""), r"kind Data, which is not supported; the description for deployment"),
        (LAYER.format("ReLU", ""), r"the layer y \(ReLU\) takes 'data', which nothing gives before it"),
        ('input: "data" input_dim: 3', "it describes no layers|has the shape"),
        ('input: "data"' + LAYER.format("ReLU", ""), "names 1 inputs and 0 shapes"),
        (INPUT.replace("12", "99999999"), "has the shape"),
        (INPUT.replace("12", "-1") + LAYER.format("ReLU", ""), "has the shape"),
        (INPUT + LAYER.format("Convolution", ""), r"the layer y \(Convolution\) lacks its weights"),
        (INPUT + LAYER.format("Pooling", ""), "kernel_size"),
        (INPUT + LAYER.format("Pooling", "pooling_param { kernel_size: 0 }"), "sizes from 1"),
        (INPUT + LAYER.format("Pooling", "pooling_param { kernel_size: 2 pool: STOCHASTIC }"), "MAX or AVE"),
        (INPUT + LAYER.format("Softmax", "softmax_param { axis: 9 }"), "names the axis 9; its input has 4"),
        (INPUT + LAYER.format("LRN", "lrn_param { alpha: much }"), "a number was expected"),
        (INPUT + LAYER.format("Tile", "tile_param { tiles: 99999 }"), "a number from 1 to 4096"),
        (INPUT + LAYER.format("Split", "").replace('top: "y"', ""), "no input or no output"),
        (INPUT + LAYER.format("ReLU", 'top: "z"'), "names 2 outputs; it has 1"),
        (INPUT + LAYER.format("Reshape", "reshape_param { shape { dim: -1 dim: -1 } }"), "cannot be"),
        (INPUT + LAYER.format("Permute", "permute_param { order: 1 order: 1 }"), "an axis comes twice"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) and "layer" not in value[:9] else "",
)
def test_a_wrong_description_is_refused_with_its_file_and_layer(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = written(tmp_path, text, {})
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        caffe_model(path)
    assert str(path) in str(caught.value)


CONVOLUTION = "convolution_param { num_output: 6 kernel_size: 3 }"


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    layers = {"y": [np.zeros((6, 4, 5, 5)), np.zeros(6)]}
    with pytest.raises(ModelInvalid, match=r"6 filters of \(3, 3\); its weights are of shape \(6, 4, 5, 5\)"):
        caffe_model(written(tmp_path, INPUT + LAYER.format("Convolution", CONVOLUTION), layers))


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (b"", "is empty"),
        (b"\x0a\x03net", "no layer in it has weights"),
        (b"\xff" * 20, "is no caffemodel"),
        (b"\xa2\x06\xff\xff\xff\xff\x0f", "claims 4294967295 bytes"),
        (caffemodel({"y": [np.zeros(4)]})[:-5], "claims"),
        (caffemodel({"y": [np.zeros(2)]} | {"z": [np.zeros(2)] * 20}), "claims more than 16 arrays"),
        (
            caffemodel({"y": [np.zeros(2)]}).replace(b"\x0a\x01\x02", b"\x0a\x01\x05"),
            r"shape \[5\] with 2 numbers",
        ),
    ],
    ids=["empty", "bare", "noise", "claim", "truncated", "many", "shape"],
)
def test_a_damaged_caffemodel_is_refused_with_its_name(tmp_path: Path, weights: bytes, sentence: str) -> None:
    path = written(tmp_path, INPUT + LAYER.format("ReLU", ""), {})
    path.with_suffix(".caffemodel").write_bytes(weights)
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        caffe_model(path)
    assert "net.caffemodel" in str(caught.value)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(INPUT)
    with pytest.raises(ModelNotFound, match=r"net\.caffemodel does not exist"):
        caffe_model(tmp_path / "net.prototxt")


@pytest.mark.parametrize("seed", range(8))
def test_no_mutation_of_a_caffe_network_is_more_than_a_sentence(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    text = INPUT + LAYER.format("Convolution", CONVOLUTION)
    layers = {"y": [np.ones((6, 4, 3, 3)), np.zeros(6)]}
    for count in range(40):
        path = written(tmp_path, text, layers)
        part = path if count % 2 else path.with_suffix(".caffemodel")
        content = bytearray(part.read_bytes())
        for _ in range(draw.randint(1, 3)):
            content[draw.randrange(len(content))] = draw.choice(
                [0, 0x7B, 0x7D, 0x22, 0x80, 0xFF, draw.randrange(256)]
            )
        part.write_bytes(content)
        refusal = str(tmp_path)
        try:
            caffe_model(path)
        except ModelInvalid as error:
            refusal = str(error)
        assert str(tmp_path) in refusal
