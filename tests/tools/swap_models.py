"""Projects for swaps: good ones whose models differ, and ones that are broken, each in a way of its own."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import models
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PROJECT = """\
name: {name}
task: classification
model: model.onnx
labels: {labels}
input: {{color: rgb, scale: 255}}
output: {{softmax: false}}
publish: {{every: 1}}
"""
LABELS = "[red, green, blue]"


def project(
    folder: Path, make: Callable[[Path], object], *, name: str = "", labels: str = LABELS, more: str = ""
) -> Path:
    """A project's folder with the model that `make` writes."""
    folder.mkdir(parents=True, exist_ok=True)
    make(folder / "model.onnx")
    (folder / "project.yaml").write_text(PROJECT.format(name=name or folder.name, labels=labels) + more)
    return folder


def good(path: Path, seed: int = 0) -> None:
    models.classifier(path, softmax=True, seed=seed)


def not_finite(path: Path) -> None:
    models.answering(path, {"scores": np.full((1, 3), np.nan)}, size=(24, 32))


def slow(path: Path, steps: int = 12_000, hidden: int = 256) -> None:
    """A long recurrence, each step of which waits for the one before: some tenths of a second, on one core.

    On one core on purpose: what is asked is whether the gate finds it slow and lets it go, not how a machine of two
    cores shares them between two models of which each wants both.
    """
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Reshape", ["means", "one_row"], ["row"]),
        helper.make_node("Expand", ["row", "many_rows"], ["rows"]),
        helper.make_node("LSTM", ["rows", "w", "r"], ["", "last"], hidden_size=hidden),
        helper.make_node("ReduceMean", ["last"], ["mean"], axes=[0, 1, 2], keepdims=0),
        helper.make_node("Mul", ["mean", "little"], ["nothing"]),
        helper.make_node("Add", ["means", "nothing"], ["scores"]),
    ]
    random = np.random.default_rng(1)
    weights = {
        "one_row": np.array([1, 1, 3], np.int64),
        "many_rows": np.array([steps, 1, 3], np.int64),
        "w": random.normal(0, 0.05, (1, 4 * hidden, 3)).astype(np.float32),
        "r": random.normal(0, 0.05, (1, 4 * hidden, hidden)).astype(np.float32),
        "little": np.float32(1e-6) * np.ones((), np.float32),
    }
    save(path, nodes, weights)


def crasher(path: Path) -> None:
    """Kills whoever reads it: the least whole number over -1, worked out beforehand, is more than a number holds."""
    nodes = [
        helper.make_node("Div", ["least", "minus"], ["sizes"]),
        helper.make_node("Reshape", ["picture", "sizes"], ["scores"]),
    ]
    weights = {
        "least": np.array([-(2**63), 4, 8, 8], np.int64),
        "minus": np.array([-1, 1, 1, 1], np.int64),
    }
    save(path, nodes, weights)


def turned(path: Path) -> None:
    """Calls red blue, and blue red."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "turned"], ["scores"]),
    ]
    save(path, nodes, {"turned": np.fliplr(np.eye(3)).astype(np.float32)})


def save(path: Path, nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray]) -> None:
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 24, 32])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)
    tensors = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "test", [picture], [scores], tensors)
    opset = helper.make_opsetid("", models.OPSET)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=models.IR_VERSION), path)


@dataclasses.dataclass(frozen=True)
class Broken:
    """A way to be broken, and the cause that it is to be refused for."""

    cause: str
    make: Callable[[Path], object]
    labels: str = LABELS


BROKEN = {
    "bad shape": Broken("shape", models.two_inputs),
    "no numbers": Broken("finite", not_finite),
    "too slow": Broken("latency", slow),
    "crash in the reader": Broken("model", crasher),
    "labels that do not fit": Broken("labels", good, "[red, green]"),
}
