"""MXNet's networks as OpenVINO models: a symbol, its parameters, and what is known of its input."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import inference.formats.mxnet_boxes
import inference.formats.mxnet_layers
import inference.formats.mxnet_shapes  # noqa: F401 - each enters its operators into the table
from inference.errors import ModelInvalid
from inference.formats import graph
from inference.formats.bounds import MOST_DIMENSIONS, text_of
from inference.formats.graph import Value
from inference.formats.mxnet_call import FIRST_INPUT_ONLY, OPERATORS, PASSING, Array, Call
from inference.formats.mxnet_files import mxnet_files
from inference.formats.mxnet_params import read_params
from inference.formats.mxnet_symbol import Node, Port, Symbol, read_symbol
from inference.formats.openvino_library import guarded

_DETECTIONS = ("_contrib_MultiBoxDetection", "MultiBoxDetection")
_TRAINING = ("_contrib_MultiBoxTarget", "MultiBoxTarget")
_LARGEST_SIDE = 65_536
_SHAPE_KEEPING = ("Activation", "LeakyReLU", "clip", "LRN", "Dropout", "L2Normalization", "InstanceNorm")
_PARAMETER_ENDINGS = ("_weight", "_bias", "_gamma", "_beta", "_moving_mean", "_moving_var", "_running_mean")


def mxnet_model(path: Path) -> Any:
    """The `openvino.Model` of a `-symbol.json` (or of the `.params` beside it).

    Of a training form only what answers is kept: an SSD ends with its detections, labels and losses are left
    out. The input's size is that of `model-shapes.json` where there is one, else open.
    Raises ModelNotFound and ModelInvalid, naming the file, the operator and the node at fault.
    """
    files = mxnet_files(path)
    symbol, params = read_symbol(files.symbol), read_params(files.params)
    shapes = {} if files.shapes is None else _stated_shapes(files.shapes)
    try:
        return guarded(lambda: imported(symbol, params, shapes), ModelInvalid, "the graph cannot be built")
    except ModelInvalid as error:
        raise ModelInvalid(f"{files.symbol}: {error}") from error


def imported(symbol: Symbol, params: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """The model of a network that was read. shapes: of inputs by name, -1 for open sizes."""
    heads = _answering(symbol)
    alive = _alive(symbol, heads)
    _check_known(symbol, alive)
    values: dict[Port, Value] = {}
    inputs: list[Value] = []
    for index in alive:
        node = symbol.nodes[index]
        if node.is_variable:
            values[Port(index, 0)] = value = _variable(symbol, alive, index, params, shapes)
            if node.name not in params:
                inputs.append(value)
        else:
            results = _translated(Call(node, symbol, params, values))
            values.update({Port(index, number): value for number, value in enumerate(results)})
    if not inputs:
        raise ModelInvalid("the network has no input")
    return graph.model(_outputs(symbol, heads, values), inputs, symbol.path.name.removesuffix("-symbol.json"))


def _translated(call: Call) -> list[Value]:
    sentence = f"the node {call.node.name} ({call.node.op}) cannot be built"
    result = guarded(lambda: OPERATORS[call.node.op](call), ModelInvalid, sentence)
    results = result if isinstance(result, list) else [result]
    if any(map(graph.too_large, results)):
        raise call.refused(f"would make more than {graph.MOST_NUMBERS} numbers")
    return results


def _answering(symbol: Symbol) -> list[Port]:
    """The heads that answer: without a training form's losses, and without what only hands a value on."""
    heads = [_behind(symbol, head) for head in symbol.heads]
    found = [head for head in heads if symbol.nodes[head.node].op in _DETECTIONS]
    if not found:
        training = _training(symbol)
        found = [head for head in heads if not training[head.node]]
    return list(dict.fromkeys(found or heads))


def _behind(symbol: Symbol, head: Port) -> Port:
    node = symbol.nodes[head.node]
    while node.op in PASSING and node.inputs and not symbol.nodes[node.inputs[0].node].is_variable:
        head = node.inputs[0]
        node = symbol.nodes[head.node]
    return head


def _training(symbol: Symbol) -> list[bool]:
    """Of each node, whether it needs what only a training has."""
    needs: list[bool] = []
    for node in symbol.nodes:
        needs.append(node.op in _TRAINING or any(needs[port.node] for port in _inputs_that_matter(node)))
    return needs


def _alive(symbol: Symbol, heads: list[Port]) -> list[int]:
    """Numbers of the nodes that the heads need, in the file's order."""
    needed = {head.node for head in heads}
    for index in range(len(symbol.nodes) - 1, -1, -1):
        if index in needed:
            needed.update(port.node for port in _inputs_that_matter(symbol.nodes[index]))
    return sorted(needed)


def _inputs_that_matter(node: Node) -> tuple[Port, ...]:
    return node.inputs[:1] if node.op in FIRST_INPUT_ONLY else node.inputs


def _check_known(symbol: Symbol, alive: list[int]) -> None:
    nodes = [symbol.nodes[index] for index in alive]
    unknown = [node for node in nodes if not node.is_variable and node.op not in OPERATORS]
    if unknown:
        node, others = unknown[0], sorted({each.op for each in unknown[1:]} - {unknown[0].op})
        more = f" (nor are {', '.join(others[:10])})" if others else ""
        raise ModelInvalid(f"the operator {node.op} of the node {node.name} is not supported{more}")


def _outputs(symbol: Symbol, heads: list[Port], values: Mapping[Port, Value]) -> dict[str, Value]:
    named: dict[str, Value] = {}
    for head in heads:
        name = symbol.nodes[head.node].name
        if head not in values:
            raise ModelInvalid(f"the node {name} has no output {head.output}")
        named[name if name not in named else f"{name}_{head.output}"] = values[head]
    return named


def _variable(
    symbol: Symbol,
    alive: list[int],
    index: int,
    params: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
) -> Value:
    node = symbol.nodes[index]
    if node.name in params:
        return graph.constant(params[node.name])
    if node.name.endswith(_PARAMETER_ENDINGS):
        raise ModelInvalid(f"the parameters lack the array {node.name!r} that the network needs")
    shape = shapes.get(node.name) or _own_shape(node) or _wanted_shape(symbol, alive, index, params)
    if shape is None:
        raise ModelInvalid(
            f"the shape of the input {node.name!r} cannot be told from the files; a model-shapes.json beside them,"
            f' [{{"name": "{node.name}", "shape": [1, 3, 224, 224]}}], says it'
        )
    return graph.variable(node.name, shape)


def _own_shape(node: Node) -> tuple[int, ...] | None:
    if not node.has("__shape__"):
        return None
    sizes = node.wholes("__shape__")
    return (
        (-1, *(size if 0 < size <= _LARGEST_SIDE else -1 for size in sizes[1:])) if len(sizes) > 1 else None
    )


def _wanted_shape(
    symbol: Symbol, alive: list[int], index: int, params: Mapping[str, Array]
) -> tuple[int, ...] | None:
    """What the first layer with weights says of the input: its channels, and how many dimensions it has."""
    for node in _first_layers(symbol, alive, index):
        arrays = [params.get(symbol.nodes[port.node].name) for port in node.inputs[1:2]]
        weights = arrays[0] if arrays and arrays[0] is not None else np.zeros(0)
        if node.op.startswith("Convolution") and weights.ndim > 2:
            return (-1, weights.shape[1] * node.whole("num_group", 1), *[-1] * (weights.ndim - 2))
        if node.op == "Deconvolution" and weights.ndim > 2:
            return (-1, weights.shape[0], *[-1] * (weights.ndim - 2))
        if node.op == "FullyConnected" and weights.ndim == 2:
            return (-1, weights.shape[1])
        if node.op.startswith("BatchNorm") and weights.ndim == 1 and node.whole("axis", 1) == 1:
            return (-1, weights.size, -1, -1)
        if weights.ndim == 4 and weights.shape[1] in (1, 3):  # a mean or a scale for each channel
            return (-1, 3, -1, -1)
    return None


def _first_layers(symbol: Symbol, alive: list[int], index: int) -> Iterator[Node]:
    """The nodes that take the input as it is, or after operators that keep its shape."""
    same = {index}
    for number in alive:
        node = symbol.nodes[number]
        if not any(port.node in same for port in node.inputs):
            continue
        if node.op in PASSING or node.op in _SHAPE_KEEPING or node.op.lower().endswith("scalar"):
            same.add(number)
        else:
            yield node


def _stated_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """SageMaker's `model-shapes.json`: the input's size, whose batch does not count."""
    wrong = ModelInvalid(f'{path} must be a list like [{{"name": "data", "shape": [1, 3, 224, 224]}}]')
    try:
        entries = json.loads(text_of(path))
    except (ValueError, RecursionError):
        raise wrong from None
    shapes: dict[str, tuple[int, ...]] = {}
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise wrong
    for entry in entries:
        sizes = entry.get("shape")
        if not isinstance(sizes, list) or not 1 <= len(sizes) <= MOST_DIMENSIONS:
            raise wrong
        if not all(type(size) is int and 0 < size <= _LARGEST_SIDE for size in sizes):
            raise wrong
        shapes[str(entry.get("name"))] = (-1, *sizes[1:])
    return shapes
