"""MXNet's symbol files: all ages are read, every damage and every unknown operator is a sentence."""

import json
import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import params_writer
import pytest

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats.mxnet import mxnet_model
from inference.formats.mxnet_files import mxnet_files
from inference.formats.mxnet_symbol import read_symbol
from inference.formats.openvino_library import core

WEIGHTS = {
    "arg:c_weight": np.linspace(-1, 1, 2 * 3 * 9, dtype="f4").reshape(2, 3, 3, 3),
    "arg:n_gamma": np.array([2, 3], "f4"),
    "arg:n_beta": np.array([0.5, -0.5], "f4"),
    "aux:n_moving_mean": np.array([0.1, 0.2], "f4"),
    "aux:n_moving_var": np.array([1.5, 2.5], "f4"),
}


def network(key: str = "attrs", statistics: bool = True, width: int = 2) -> dict[str, Any]:
    """A convolution and a BatchNorm, as an MXNet of some age writes it."""
    names = [
        "data",
        "c_weight",
        "n_gamma",
        "n_beta",
        *(["n_moving_mean", "n_moving_var"] if statistics else []),
    ]
    nodes: list[dict[str, Any]] = [{"op": "null", "name": name, "inputs": []} for name in names]
    here = len(nodes)

    def ports(*numbers: int) -> list[list[int]]:
        return [[number, 0, 0][:width] for number in numbers]

    convolution = {
        "kernel": "(3,3)",
        "num_filter": "2",
        "no_bias": "True",
        "pad": "[1, 1]",
        "stride": "(1L, 1L)",
    }
    nodes.append({"op": "Convolution", "name": "c", key: convolution, "inputs": ports(0, 1)})
    settings = {"eps": "0.001", "fix_gamma": "False"}
    nodes.append(
        {"op": "BatchNorm", "name": "n", key: settings, "inputs": ports(here, *range(2, len(names)))}
    )
    if key == "param":
        for node in nodes:
            node["backward_source_id"] = -1
            node.setdefault("param", {})
    return {"nodes": nodes, "arg_nodes": list(range(here)), "heads": ports(here + 1)}


def written(folder: Path, symbol: Any, params: bytes | None = None, name: str = "net") -> Path:
    path = folder / f"{name}-symbol.json"
    path.write_text(symbol if isinstance(symbol, str) else json.dumps(symbol))
    content = params_writer.params(WEIGHTS) if params is None else params
    (folder / f"{name}-0000.params").write_bytes(content)
    return path


def answer(model: Any) -> Any:
    data = np.linspace(0, 1, 3 * 5 * 6, dtype="f4").reshape(1, 3, 5, 6)
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return next(iter(compiled({"data": data}).values()))


@pytest.mark.parametrize(
    ("key", "statistics", "width"),
    [("attr", True, 3), ("param", True, 2), ("param", False, 2), ("attrs", True, 2)],
)
def test_files_of_every_age_say_the_same(tmp_path: Path, key: str, statistics: bool, width: int) -> None:
    (tmp_path / "new").mkdir()
    new = answer(mxnet_model(written(tmp_path / "new", network(width=3))))
    old = answer(mxnet_model(written(tmp_path, network(key, statistics, width))))
    np.testing.assert_array_equal(old, new)


def test_the_input_has_the_channels_that_the_weights_want(tmp_path: Path) -> None:
    model = mxnet_model(written(tmp_path, network()))
    assert str(model.inputs[0].partial_shape) == "[?,3,?,?]"
    assert model.inputs[0].get_any_name() == "data"


def test_the_size_of_model_shapes_is_taken_without_its_batch(tmp_path: Path) -> None:
    (tmp_path / "model-shapes.json").write_text('[{"shape": [32, 3, 24, 20], "name": "data"}]')
    model = mxnet_model(written(tmp_path, network()))
    assert str(model.inputs[0].partial_shape) == "[?,3,24,20]"


@pytest.mark.parametrize(
    "content", ["", "{", "[3]", '[{"name": "data"}]', '[{"shape": [1, -3]}]', '[{"shape": "x"}]']
)
def test_a_damaged_model_shapes_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "model-shapes.json").write_text(content)
    with pytest.raises(ModelInvalid, match=r"model-shapes\.json"):
        mxnet_model(written(tmp_path, network()))


def changed(**node: Any) -> dict[str, Any]:
    """The network with some keys of its last node changed."""
    made = network()
    made["nodes"][-1].update(node)
    return made


def without_head() -> dict[str, Any]:
    return {**network(), "heads": []}


@pytest.mark.parametrize(
    ("symbol", "sentence"),
    [
        ("", "is empty"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1]", "lacks the lists nodes and heads"),
        (
            '{"nodes": [], "heads": [[0, 0]]}',
            r"heads names the input \[0, 0\], which does not come before it",
        ),
        (without_head(), "has no heads"),
        ('{"nodes": [' + "{}," * 100_001 + '{}], "heads": []}', "has 100002 nodes; at most 100000"),
        ('{"nodes": [' + "9" * 5000 + '], "heads": []}', "number that cannot be"),
        (changed(op="Abracadabra"), "the operator Abracadabra of the node n is not supported"),
        (changed(op=7), "node 7 is not a mapping with an op"),
        (changed(inputs=[[9, 0, 0]]), "which does not come before it"),
        (changed(inputs=[[7, 0, 0]]), "which does not come before it"),
        (changed(inputs=[[-1, 0, 0]]), "which does not come before it"),
        (changed(inputs=[["0", 0]]), r"\[node, output\] was expected"),
        (changed(inputs=[[6, 0]]), r"n \(BatchNorm\) has 1 inputs; input 2 is missing"),
        (changed(inputs=[[6, 5], [2, 0], [3, 0], [4, 0], [5, 0]]), "takes output 5 of c, which has fewer"),
        (changed(attrs=[1]), "attrs that is not a mapping"),
        (changed(attrs={"eps": "much"}), r"n \(BatchNorm\) has eps='much'; a number was expected"),
        (
            changed(op="Pooling", attrs={"kernel": "(2, 2)", "pool_type": "lp"}),
            "max, avg or sum was expected",
        ),
        (changed(op="Pooling", attrs={"kernel": "(2, 2)", "stride": "(0, 2)"}), "2 sizes from 1"),
        (changed(op="Pooling", attrs={"kernel": "(99999999999, 2)"}), "whole numbers was expected"),
        (changed(op="Reshape", attrs={"shape": "(0, 0, 0, 0, 0)"}), "input of 4 dimensions does not have"),
        (changed(op="Convolution", attrs={"kernel": "(3,3)", "num_filter": "8"}), "its weights are of shape"),
        (changed(op="UpSampling", attrs={"scale": "-3", "sample_type": "nearest"}), "a number from 1 on"),
        (changed(op="tile", attrs={"reps": "(4096, 4096, 1, 4096, 1, 1)"}), "more than 268435456 numbers"),
        (changed(op="UpSampling", attrs={"scale": "65536", "sample_type": "nearest"}), "from 1 to 4096"),
        (changed(op="transpose", attrs={"axes": "(0, 0, 1, 2)"}), "each of 4 axes once"),
    ],
    ids=lambda value: value.split(",")[0] if isinstance(value, str) and len(value) < 90 else "",
)
def test_a_damaged_symbol_is_refused_with_its_name_and_node(
    tmp_path: Path, symbol: Any, sentence: str
) -> None:
    path = written(tmp_path, symbol)
    with pytest.raises(ModelInvalid, match=sentence) as caught:
        core().compile_model(mxnet_model(path), "CPU")
    assert str(path) in str(caught.value)


def test_an_array_that_the_parameters_lack_is_named(tmp_path: Path) -> None:
    fewer = {name: value for name, value in WEIGHTS.items() if name != "arg:n_beta"}
    with pytest.raises(ModelInvalid, match=r"net-symbol\.json: the parameters lack the array 'n_beta'"):
        mxnet_model(written(tmp_path, network(), params_writer.params(fewer)))


def test_an_input_of_unknown_shape_is_asked_for(tmp_path: Path) -> None:
    nodes = [{"op": "null", "name": "x", "inputs": []}, {"op": "relu", "name": "r", "inputs": [[0, 0, 0]]}]
    with pytest.raises(ModelInvalid, match=r"input 'x' cannot be told .* model-shapes\.json"):
        mxnet_model(written(tmp_path, {"nodes": nodes, "heads": [[1, 0, 0]]}))


def test_the_highest_epoch_is_taken_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, network())
    for epoch in ("0002", "0010"):
        (tmp_path / f"net-{epoch}.params").write_bytes(params_writer.params(WEIGHTS))
    (tmp_path / "other-0099.params").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        assert {mxnet_files(path).params for _ in range(3)} == {tmp_path / "net-0010.params"}
    assert len(caplog.records) == 1
    assert "net-symbol.json is read with net-0010.params, the highest epoch" in caplog.text
    assert "net-0002.params, net-0000.params" in caplog.text


def test_an_epoch_can_be_chosen_by_naming_its_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    written(tmp_path, network())
    (tmp_path / "net-0010.params").write_bytes(b"")
    files = mxnet_files(tmp_path / "net-0000.params")
    assert (files.symbol.name, files.params.name) == ("net-symbol.json", "net-0000.params")
    assert not caplog.records


def test_parameters_that_are_missing_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, network())
    (tmp_path / "net-0000.params").unlink()
    with pytest.raises(ModelNotFound, match=r"net-0000\.params does not exist; it holds the weights"):
        mxnet_model(path)


@pytest.mark.parametrize("seed", range(8))
def test_no_mutation_of_a_symbol_is_more_than_a_sentence(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    original = json.dumps(network())
    for _ in range(40):
        text = list(original)
        for _ in range(draw.randint(1, 3)):
            text[draw.randrange(len(text))] = draw.choice(
                ['"', "[", "]", "-", "0", "9", "(", ",", "x", "\0", "é"]
            )
        path = written(tmp_path, "".join(text))
        refusal = str(tmp_path)
        try:
            mxnet_model(path)
        except (ModelInvalid, ModelNotFound) as error:
            refusal = str(error)
        assert str(tmp_path) in refusal


def test_read_symbol_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    symbol = read_symbol(written(tmp_path, network()))
    assert [node.name for node in symbol.nodes][-2:] == ["c", "n"]
