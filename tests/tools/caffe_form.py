"""An MXNet network said in Caffe's form, with the same weights."""

from typing import Any

import numpy as np

from inference.formats.mxnet_symbol import Node, Symbol

PASSING = ("Flatten", "identity", "_copy", "Dropout")


def caffe_form(symbol: Symbol, params: dict[str, Any], shape: tuple[int, ...]) -> tuple[str, dict[str, Any]]:
    """The prototxt, and the arrays of each layer by name."""
    dims = " ".join(f"dim: {size}" for size in shape)
    text = [f'layer {{ name: "in" type: "Input" top: "data" input_param {{ shape {{ {dims} }} }} }}']
    weights: dict[str, Any] = {}
    tops: dict[int, str] = {}
    for index, node in enumerate(symbol.nodes):
        given = [symbol.nodes[port.node].name for port in node.inputs]
        bottoms = [tops[port.node] for port in node.inputs if port.node in tops]
        if node.is_variable:
            if node.name == "data":
                tops[index] = "data"
            continue
        if node.op in PASSING:
            tops[index] = bottoms[0]
            continue
        arrays = [params[name] for name in given if name in params]
        tops[index] = node.name
        for kind, name, settings, blobs in layers_of(node, arrays):
            lines = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
            text.append(f'layer {{ name: "{name}" type: "{kind}" {lines} top: "{node.name}" {settings} }}')
            bottoms = [node.name]
            if blobs:
                weights[name] = blobs
    return "\n".join(text), weights


def layers_of(node: Node, arrays: list[Any]) -> list[tuple[str, str, str, list[Any]]]:
    name = node.name
    if node.op == "Convolution":
        kernel, stride, pad = node.wholes("kernel"), node.wholes("stride", (1, 1)), node.wholes("pad", (0, 0))
        bias = "false" if node.flag("no_bias") else "true"
        sizes = f"kernel_size: {kernel[0]} stride: {stride[0]} pad: {pad[0]} bias_term: {bias}"
        count = f"num_output: {node.whole('num_filter')} group: {node.whole('num_group', 1)}"
        return [("Convolution", name, f"convolution_param {{ {count} {sizes} }}", arrays)]
    if node.op == "BatchNorm":
        gamma, beta, mean, variance = arrays
        gamma = np.ones_like(gamma) if node.flag("fix_gamma", default=True) else gamma
        settings = f"batch_norm_param {{ eps: {node.number('eps', 1e-3)} }}"
        thrice = [mean * 3, variance * 3, np.array([3.0])]  # Caffe keeps sums and how many went into them
        return [
            ("BatchNorm", name, settings, thrice),
            ("Scale", f"{name}_scale", "scale_param { bias_term: true }", [gamma, beta]),
        ]
    if node.op == "Pooling":
        if node.flag("global_pool"):
            return [("Pooling", name, "pooling_param { pool: AVE global_pooling: true }", [])]
        kernel, stride, pad = node.wholes("kernel"), node.wholes("stride", (1, 1)), node.wholes("pad", (0, 0))
        mode = "CEIL" if node.text("pooling_convention", "valid") == "full" else "FLOOR"
        sizes = f"kernel_size: {kernel[0]} stride: {stride[0]} pad: {pad[0]} round_mode: {mode}"
        return [
            ("Pooling", name, f"pooling_param {{ pool: {node.text('pool_type').upper()[:3]} {sizes} }}", [])
        ]
    if node.op == "FullyConnected":
        settings = f"inner_product_param {{ num_output: {node.whole('num_hidden')} }}"
        return [("InnerProduct", name, settings, arrays)]
    kinds = {"Activation": "ReLU", "elemwise_add": "Eltwise", "Concat": "Concat", "SoftmaxOutput": "Softmax"}
    return [(kinds[node.op], name, "", [])]
