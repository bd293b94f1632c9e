"""Caffe's networks as OpenVINO models: a description for deployment, and its weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import inference.formats.caffe_boxes
import inference.formats.caffe_layers
import inference.formats.caffe_shapes  # noqa: F401 - each enters its layers into the table
from inference.errors import ModelInvalid
from inference.formats import graph
from inference.formats.bounds import MOST_DIMENSIONS, MOST_NODES
from inference.formats.caffe_call import LAYERS, Layer, Settings
from inference.formats.caffe_files import caffe_files
from inference.formats.caffemodel import Array, read_caffemodel
from inference.formats.graph import Value
from inference.formats.openvino_library import guarded
from inference.formats.prototxt import Message, read_prototxt

_OLD_KINDS = {
    "ABSVAL": "AbsVal",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONVOLUTION": "Convolution",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "ELTWISE": "Eltwise",
    "FLATTEN": "Flatten",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SPLIT": "Split",
    "TANH": "TanH",
}
_TRAINING = (
    "Data",
    "ImageData",
    "HDF5Data",
    "AnnotatedData",
    "MemoryData",
    "WindowData",
    "DATA",
    "IMAGE_DATA",
)
_LARGEST_SIDE = 65_536


class _Step(NamedTuple):
    name: str
    kind: str
    bottoms: list[str]
    tops: list[str]
    message: Message


def caffe_model(path: Path) -> Any:
    """The `openvino.Model` of a `.prototxt` and its `.caffemodel`; either may be given.

    The description is the one for deployment, which says how large the input is; its batch does not count.
    Raises ModelNotFound and ModelInvalid, naming the file and the layer at fault.
    """
    files = caffe_files(path)
    network, weights = read_prototxt(files.prototxt), read_caffemodel(files.weights)
    name = files.prototxt.stem
    try:
        return guarded(lambda: imported(network, weights, name), ModelInvalid, "the network cannot be built")
    except ModelInvalid as error:
        raise ModelInvalid(f"{files.prototxt}: {error}") from error


def imported(network: Message, weights: dict[str, list[Array]], name: str) -> Any:
    """The model of a network that was read."""
    inputs = dict(_declared_inputs(network))
    steps = list(_steps(network))
    values = dict(inputs)
    pending = dict.fromkeys(values)  # what no layer has taken, in order
    for step in steps:
        if step.kind == "Input":
            fresh = _input_layer(step)
            inputs.update(fresh)
            values.update(fresh)
            pending.update(dict.fromkeys(fresh))
            continue
        produced = _translated(step, values, weights.get(step.name, []))
        for bottom in step.bottoms:
            pending.pop(bottom, None)
        values.update(produced)
        pending.update(dict.fromkeys(produced))
    outputs = {top: values[top] for top in pending if top not in inputs}
    if not inputs or not outputs:
        raise ModelInvalid(
            "the network has no input or no output; the description for deployment was expected"
        )
    return graph.model(outputs, list(inputs.values()), name)


def _translated(step: _Step, values: dict[str, Value], blobs: list[Array]) -> dict[str, Value]:
    missing = [bottom for bottom in step.bottoms if bottom not in values]
    if missing:
        raise ModelInvalid(
            f"the layer {step.name} ({step.kind}) takes {missing[0]!r}, which nothing gives before it"
        )
    inputs = [values[bottom] for bottom in step.bottoms]
    call = Layer(step.name, step.kind, inputs, len(step.tops), step.message, blobs)
    result = guarded(lambda: LAYERS[step.kind](call), ModelInvalid, f"{call.who} cannot be built")
    results = result if isinstance(result, list) else [result]
    if any(map(graph.too_large, results)):
        raise call.refused(f"would make more than {graph.MOST_NUMBERS} numbers")
    if len(results) != len(step.tops):
        raise call.refused(f"names {len(step.tops)} outputs; it has {len(results)}")
    return dict(zip(step.tops, results, strict=True))


def _steps(network: Message) -> Iterator[_Step]:
    """The layers that a deployed network runs, of the new form or the old."""
    messages = [*network.get("layer", []), *network.get("layers", [])]
    if not messages:
        raise ModelInvalid("it describes no layers")
    if len(messages) > MOST_NODES:
        raise ModelInvalid(f"it describes {len(messages)} layers; at most {MOST_NODES} are read")
    steps = [_step(message) for message in messages if not _only_trains(message)]
    unknown = [step for step in steps if step.kind not in LAYERS and step.kind not in ("Input", "Silence")]
    if unknown:
        step = unknown[0]
        more = (
            "; the description for deployment (deploy.prototxt) was expected"
            if step.kind in _TRAINING
            else ""
        )
        raise ModelInvalid(f"the layer {step.name} is of the kind {step.kind}, which is not supported{more}")
    return (step for step in steps if step.kind != "Silence")


def _step(message: Any) -> _Step:
    if not isinstance(message, dict):
        raise ModelInvalid("a layer of it is not a message")
    own = Settings("a layer", message)
    name, kind = own.word("name", ""), own.word("type", "")
    bottoms, tops = message.get("bottom", []), message.get("top", [])
    if not all(isinstance(each, str) for each in (*bottoms, *tops)):
        raise ModelInvalid(f"the layer {name} ({kind}) has a bottom or top that is not a text")
    return _Step(name, _OLD_KINDS.get(kind, kind), bottoms, tops, message)


def _only_trains(message: Any) -> bool:
    rules = message.get("include", []) if isinstance(message, dict) else []
    phases = [rule.get("phase", []) for rule in rules if isinstance(rule, dict)]
    return bool(phases) and all(phase and phase[-1] in ("TRAIN", "0") for phase in phases)


def _declared_inputs(network: Message) -> Iterator[tuple[str, Value]]:
    """Inputs declared for the whole network: `input`, with `input_shape` or four `input_dim` each."""
    names = network.get("input", [])
    sizes = Settings("the network", network).wholes("input_dim")
    shapes = [_dims(shape) for shape in network.get("input_shape", [])]
    shapes = shapes or [sizes[at : at + 4] for at in range(0, len(sizes), 4)]
    if len(shapes) != len(names):
        raise ModelInvalid(f"the network names {len(names)} inputs and {len(shapes)} shapes")
    for name, shape in zip(names, shapes, strict=True):
        yield str(name), _input(str(name), shape)


def _input_layer(step: _Step) -> dict[str, Value]:
    own = (step.message.get("input_param") or [{}])[-1]
    shapes = [_dims(shape) for shape in own.get("shape", [])] if isinstance(own, dict) else []
    if not shapes or len(shapes) not in (1, len(step.tops)):
        raise ModelInvalid(f"the layer {step.name} (Input) needs a shape for each of its outputs")
    shapes = shapes if len(shapes) == len(step.tops) else shapes * len(step.tops)
    return {top: _input(top, shape) for top, shape in zip(step.tops, shapes, strict=True)}


def _dims(shape: Any) -> list[int]:
    return Settings("an input's shape", shape).wholes("dim") if isinstance(shape, dict) else []


def _input(name: str, shape: list[int]) -> Value:
    if not 1 <= len(shape) <= MOST_DIMENSIONS or not all(0 < size <= _LARGEST_SIDE for size in shape):
        raise ModelInvalid(
            f"the input {name!r} has the shape {shape}; 1 to {MOST_DIMENSIONS} sizes were expected"
        )
    return graph.variable(name, [-1, *shape[1:]])
