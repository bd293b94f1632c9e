"""MXNet's networks against what the real MXNet 1.9.1 answered (tests/tools/make_mxnet_fixtures.py)."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import ModelInvalid
from inference.formats.mxnet import imported, mxnet_model
from inference.formats.mxnet_params import read_params
from inference.formats.mxnet_symbol import Port, Symbol, read_symbol
from inference.formats.openvino_library import core

FORMATS = Path(__file__).resolve().parent.parent / "data" / "formats"
CLASSIFIERS = ["classification18/image-classification", "classification50/image-classification"]
GLUON = ["squeezenet", "mobilenet", "resnetv1"]
LARGEST_ERROR = 1e-4


def answers(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled({key: np.asarray(value, np.float32) for key, value in inputs.items()})
    return {port.get_any_name(): value for port, value in found.items()}


def error(found: Any, expected: Any) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def inner(symbol: Symbol, name: str) -> Symbol:
    """The network cut at one of its nodes."""
    number = next(index for index, node in enumerate(symbol.nodes) if node.name == name)
    return symbol._replace(heads=(Port(number, 0),))


def parameters(name: str) -> dict[str, Any]:
    (path,) = FORMATS.glob(f"{name}-*.params")
    return read_params(path)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_image_classification_answers_as_mxnet_does(name: str) -> None:
    expected = np.load(FORMATS / f"{name}.npz")
    (scores,) = answers(mxnet_model(FORMATS / f"{name}-symbol.json"), {"data": expected["data"]}).values()
    assert error(scores, expected["softmax"]) < LARGEST_ERROR
    assert scores.max(axis=1).min() > 0.5
    assert len(set(scores.argmax(axis=1))) == 2


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_image_classification_answers_before_its_softmax_as_mxnet_does(name: str) -> None:
    expected = np.load(FORMATS / f"{name}.npz")
    symbol = inner(read_symbol(FORMATS / f"{name}-symbol.json"), "fc1")
    (logits,) = answers(imported(symbol, parameters(name), {}), {"data": expected["data"]}).values()
    assert error(logits, expected["before:fc1"]) < LARGEST_ERROR


@pytest.mark.parametrize("name", GLUON)
def test_gluon_networks_answer_as_mxnet_does(name: str) -> None:
    expected = np.load(FORMATS / f"{name}.npz")
    (logits,) = answers(mxnet_model(FORMATS / f"{name}-symbol.json"), {"data": expected["data"]}).values()
    assert error(logits, expected["last"]) < LARGEST_ERROR
    assert len(set(logits.argmax(axis=1))) == 2


@pytest.mark.parametrize("head", ["multibox_loc_pred", "multibox_cls_pred", "multibox_anchors"])
@pytest.mark.parametrize("name", ["ssd_resnet50", "ssd_vgg16"])
def test_each_head_of_an_ssd_answers_as_mxnet_does(name: str, head: str) -> None:
    expected = np.load(FORMATS / f"{name}.npz")
    symbol = inner(read_symbol(FORMATS / f"deploy_{name}-symbol.json"), head)
    (found,) = answers(
        imported(symbol, parameters(f"deploy_{name}"), {}), {"data": expected["data"]}
    ).values()
    assert error(found.reshape(-1)[::7], expected[f"before:{head}"]) < LARGEST_ERROR


def overlap(one: Any, other: Any) -> float:
    size = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = np.prod(np.maximum(size, 0))
    return float(shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared))


@pytest.mark.parametrize("form", ["deploy_ssd_resnet50", "ssd_resnet50", "deploy_ssd_vgg16", "ssd_vgg16"])
def test_an_ssd_finds_what_mxnet_finds_in_both_of_its_forms(form: str) -> None:
    name = form.removeprefix("deploy_")
    expected = np.load(FORMATS / f"{name}.npz")
    rows = [row for row in expected["rows"][0] if row[0] >= 0]
    model = imported(read_symbol(FORMATS / f"{form}-symbol.json"), parameters(f"deploy_{name}"), {})
    assert [port.get_any_name() for port in model.outputs] == ["detection"]
    (found,) = answers(model, {"data": expected["data"]}).values()
    kept = list(itertools.takewhile(lambda row: row[0] >= 0, found[0, 0]))
    assert len(kept) == len(rows) > 20
    for row in rows:
        same = [each for each in kept if each[1] == row[0] and abs(each[2] - row[1]) < 1e-4]
        assert max(overlap(each[3:7], row[2:6]) for each in same) > 0.99


def operator_names() -> Iterator[str]:
    for key in np.load(FORMATS / "operators.npz").files:
        if key.startswith("out:"):
            yield key.removeprefix("out:")


@pytest.fixture(scope="module")
def operators() -> dict[str, Any]:
    return dict(np.load(FORMATS / "operators.npz"))


KNOWN = [pytest.param(True, marks=pytest.mark.slow), False]


@pytest.mark.parametrize("known", KNOWN, ids=["known size", "open size"])
@pytest.mark.parametrize("name", sorted(operator_names()))
def test_an_operator_answers_as_mxnet_does(
    operators: dict[str, Any], tmp_path: Path, name: str, known: bool
) -> None:
    path = tmp_path / "op-symbol.json"
    path.write_text(json.dumps(json.loads(operators["symbols"].tobytes())[name]))
    symbol, begin = read_symbol(path), f"param:{name}:"
    params = {key.removeprefix(begin): value for key, value in operators.items() if key.startswith(begin)}
    names = {node.name for node in symbol.nodes}
    inputs = {
        key[3:]: value for key, value in operators.items() if key.startswith("in:") and key[3:] in names
    }
    shapes = {key: value.shape if known else _open(value.shape) for key, value in inputs.items()}
    if not known and name == "deconvolution_target":
        with pytest.raises(ModelInvalid, match="target_shape, which needs an input of known size"):
            imported(symbol, params, shapes)
        return
    (found,) = answers(imported(symbol, params, shapes), inputs).values()
    assert error(found, operators[f"out:{name}"]) < LARGEST_ERROR


def test_suppression_across_classes_is_refused_by_its_node(tmp_path: Path) -> None:
    path = tmp_path / "s-symbol.json"
    text = (FORMATS / "deploy_ssd_vgg16-symbol.json").read_text()
    path.write_text(text.replace('"force_suppress":"False"', '"force_suppress":"True"'))
    with pytest.raises(
        ModelInvalid, match=r"node detection \(_contrib_MultiBoxDetection\) has force_suppress='True'"
    ):
        imported(read_symbol(path), parameters("deploy_ssd_vgg16"), {})


def _open(shape: tuple[int, ...]) -> tuple[int, ...]:
    """As with a network whose file does not say how large its picture is."""
    return (-1, shape[1], *(-1 for _ in shape[2:]))
