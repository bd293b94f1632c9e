"""The graphs of ResNet-50, SqueezeNet 1.1 and a small policy as ONNX files, with weights drawn from a seed.

Layers and sizes are those of He and others, 2015 (arXiv:1512.03385, the form with the stride in the 3 x 3
convolution) and Iandola and others, 2016 (arXiv:1602.07360, version 1.1). Batch normalisation is left out:
after training it is folded into the convolutions, and costs nothing. The last layer of each branch of a
residual block is drawn smaller, so that values stay of one size through fifty layers and the answer depends
on the picture.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 9
BLOCKS = (3, 4, 6, 3)
FIRES = ((16, 64), (16, 64), None, (32, 128), (32, 128), None, (48, 192), (48, 192), (64, 256), (64, 256))


class Graph:
    """Nodes and weights, one after the other; each method returns the name of what it adds."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def drawn(self, shape: tuple[int, ...], deviation: float) -> str:
        name = f"weights{len(self.weights)}"
        values = (self._random.standard_normal(shape, np.float32) * np.float32(deviation)).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def convolution(
        self, x: str, into: int, out: int, side: int, stride: int = 1, *, gain: float = 1.0, relu: bool = True
    ) -> str:
        kernel = self.drawn((out, into, side, side), gain * (2.0 / (into * side * side)) ** 0.5)
        bias = self.drawn((out,), 0.01)
        pads = [side // 2] * 4
        y = self.node(
            "Conv", [x, kernel, bias], kernel_shape=[side, side], strides=[stride, stride], pads=pads
        )
        return self.node("Relu", [y]) if relu else y

    def pooled(self, x: str, pads: int) -> str:
        return self.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[pads] * 4)

    def save(self, path: Path, output: str, shape: tuple[int, int, int], classes: int) -> Path:
        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, *shape])
        scores = helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, classes])
        graph = helper.make_graph(self.nodes, path.stem, [picture], [scores], self.weights)
        opset = helper.make_opsetid("", OPSET)
        onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION), path)
        return path


def resnet50(path: Path, *, size: int = 224, classes: int = 1000, seed: int = 50) -> Path:
    """ResNet-50: one float32 picture (1, 3, size, size) to scores (1, classes)."""
    graph = Graph(seed)
    x = graph.pooled(graph.convolution("picture", 3, 64, 7, 2), 1)
    into = 64
    for stage, blocks in enumerate(BLOCKS):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            way = x if block else graph.convolution(x, into, 4 * width, 1, stride, relu=False)
            y = graph.convolution(x, into, width, 1)
            y = graph.convolution(y, width, width, 3, stride)
            y = graph.convolution(y, width, 4 * width, 1, gain=0.3, relu=False)
            x = graph.node("Relu", [graph.node("Add", [y, way])])
            into = 4 * width
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], axis=1)
    scores = graph.node("Gemm", [x, graph.drawn((into, classes), into**-0.5), graph.drawn((classes,), 0.01)])
    return graph.save(path, scores, (3, size, size), classes)


def squeezenet(path: Path, *, size: int = 224, classes: int = 1000, seed: int = 11) -> Path:
    """SqueezeNet 1.1: one float32 picture (1, 3, size, size) to scores (1, classes)."""
    graph = Graph(seed)
    x, into = graph.pooled(graph.convolution("picture", 3, 64, 3, 2), 0), 64
    for fire in FIRES:
        if fire is None:
            x = graph.pooled(x, 0)
            continue
        squeezed, wide = fire
        s = graph.convolution(x, into, squeezed, 1)
        both = [graph.convolution(s, squeezed, wide, 1), graph.convolution(s, squeezed, wide, 3)]
        x, into = graph.node("Concat", both, axis=1), 2 * wide
    x = graph.convolution(x, into, classes, 1)
    scores = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], axis=1)
    return graph.save(path, scores, (3, size, size), classes)


def policy(path: Path, *, actions: int = 10, seed: int = 7) -> Path:
    """A DeepRacer policy's size: one float32 grey picture (1, 1, 120, 160) to scores (1, actions)."""
    graph = Graph(seed)
    x, into = "picture", 1
    for out, side, stride in ((32, 8, 4), (32, 4, 2), (64, 4, 2), (64, 3, 1)):
        kernel = graph.drawn((out, into, side, side), (2.0 / (into * side * side)) ** 0.5)
        y = graph.node("Conv", [x, kernel, graph.drawn((out,), 0.01)], strides=[stride, stride])
        x, into = graph.node("Relu", [y]), out
    x = graph.node("Flatten", [x], axis=1)
    flat = 64 * 3 * 6
    weights, bias = graph.drawn((flat, 512), (2.0 / flat) ** 0.5), graph.drawn((512,), 0.01)
    x = graph.node("Relu", [graph.node("Gemm", [x, weights, bias])])
    scores = graph.node("Gemm", [x, graph.drawn((512, actions), 512**-0.5), graph.drawn((actions,), 0.01)])
    return graph.save(path, scores, (1, 120, 160), actions)
