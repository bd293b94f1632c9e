"""Small ONNX models for tests: weights are set by hand or drawn from a seed, so their answers are known."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 9  # read by every version of both backends that the project takes
Size = int | str | None  # a name or None leaves it open
Floats = NDArray[np.float32]
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}


def classifier(
    path: Path,
    *,
    classes: int = 3,
    size: tuple[Size, Size] = (24, 32),
    batch: Size = 1,
    channels: int = 3,
    layout: str = "NCHW",
    dtype: str = "float32",
    softmax: bool = False,
    metadata: Mapping[str, str] | None = None,
    seed: int | None = None,
) -> Path:
    """The mean of each channel, times ten, as scores; with a seed, drawn weights and more classes than
    channels.

    Without a seed class c is channel c: a red picture put in as RGB is class 0, a blue one class 2. size: (h,
    w).
    """
    weights = (
        10.0 * np.eye(channels, classes)
        if seed is None
        else np.random.default_rng(seed).normal(size=(channels, classes))
    )
    nodes = [helper.make_node("Cast", ["picture"], ["values"], to=TensorProto.FLOAT)]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    nodes.append(helper.make_node("ReduceMean", ["values"], ["means"], axes=axes, keepdims=0))
    nodes.append(helper.make_node("MatMul", ["means", "weights"], ["scores"]))
    if softmax:
        nodes.append(helper.make_node("Softmax", ["scores"], ["probabilities"]))
    shape = [batch, channels, *size] if layout == "NCHW" else [batch, *size, channels]
    return _save(
        path,
        nodes,
        helper.make_tensor_value_info("picture", TYPES[dtype], shape),
        [
            helper.make_tensor_value_info(
                "probabilities" if softmax else "scores", TensorProto.FLOAT, [batch, classes]
            )
        ],
        {"weights": weights.astype(np.float32)},
        metadata,
    )


def answering(
    path: Path,
    answers: Mapping[str, Floats],
    *,
    size: tuple[int, int] = (64, 64),
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A model that gives the same outputs whatever the picture (1, 3, h, w): a decoder's known case."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "nought"], ["nothing"]),
    ]
    weights: dict[str, Floats] = {"nought": np.float32(0.0) * np.ones((), np.float32)}
    for name, answer in answers.items():
        weights[f"{name}_answer"] = answer.astype(np.float32)
        nodes.append(helper.make_node("Add", [f"{name}_answer", "nothing"], [name]))
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, answer.shape)
        for name, answer in answers.items()
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, *size])
    return _save(path, nodes, picture, outputs, weights, metadata)


def yolo_like(path: Path, *, classes: int = 4, side: int = 64, seed: int = 1) -> Path:
    """A seeded convolution a stride, laid out like YOLOv8: (1, 4 + classes, anchors)."""
    random = np.random.default_rng(seed)
    values = 4 + classes
    nodes, weights, levels = [], {}, []
    for stride in (8, 16, 32):
        weights[f"w{stride}"] = random.normal(0, 3.0 / stride, (values, 3, stride, stride)).astype(np.float32)
        weights[f"shape{stride}"] = np.array([1, values, -1], np.int64)
        nodes += [
            helper.make_node("Conv", ["picture", f"w{stride}"], [f"c{stride}"], strides=[stride, stride]),
            helper.make_node("Sigmoid", [f"c{stride}"], [f"s{stride}"]),
            helper.make_node("Reshape", [f"s{stride}", f"shape{stride}"], [f"r{stride}"]),
        ]
        levels.append(f"r{stride}")
    weights["unit"] = np.array([side] * 2 + [side / 3] * 2 + [1] * classes, np.float32).reshape(1, values, 1)
    nodes += [
        helper.make_node("Concat", levels, ["all"], axis=2),
        helper.make_node("Mul", ["all", "unit"], ["output0"]),
    ]
    anchors = sum((side // stride) ** 2 for stride in (8, 16, 32))
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, side, side])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, values, anchors])
    return _save(path, nodes, picture, [output], weights, None)


def two_inputs(path: Path) -> Path:
    """A model that no picture task can feed."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 8, 8])
    info = helper.make_tensor_value_info("info", TensorProto.FLOAT, [1, 3])
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Add", ["means", "info"], ["scores"]),
    ]
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])
    return _write(path, helper.make_graph(nodes, "test", [picture, info], [output]), None)


def _save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    picture: onnx.ValueInfoProto,
    outputs: Sequence[onnx.ValueInfoProto],
    weights: Mapping[str, NDArray[np.generic]],
    metadata: Mapping[str, str] | None,
) -> Path:
    tensors = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    return _write(path, helper.make_graph(nodes, "test", [picture], outputs, tensors), metadata)


def _write(path: Path, graph: onnx.GraphProto, metadata: Mapping[str, str] | None) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    if metadata:
        helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
