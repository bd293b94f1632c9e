"""Writes what OpenCV 4's Caffe importer answers for small networks: tests/data/formats/caffe.npz.

Run by hand, in a virtual environment of its own:
    python3.11 -m venv /tmp/cv4-venv && /tmp/cv4-venv/bin/pip install opencv-python-headless==4.10.0.84 "numpy<2"
    /tmp/cv4-venv/bin/python tests/tools/make_caffe_fixtures.py
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from caffe_writer import caffemodel

FILE = Path(__file__).resolve().parent.parent / "data" / "formats" / "caffe.npz"
SHAPE = (1, 4, 9, 12)
DATA = 'name: "net" input: "data" input_dim: 1 input_dim: 4 input_dim: 9 input_dim: 12\n'
CONV = "convolution_param { num_output: 6 kernel_size: 3"
# The kind of the layer, its settings, and the shapes of its arrays.
CASES: dict[str, tuple[str, str, list[tuple[int, ...]]]] = {
    "convolution": ("Convolution", f"{CONV} stride: 2 pad: 1 dilation: 2 }}", [(6, 4, 3, 3), (6,)]),
    "convolution_bare": (
        "Convolution",
        "convolution_param { num_output: 8 kernel_h: 3 kernel_w: 5 pad_h: 1 pad_w: 2 stride_h: 1 stride_w: 2 group: 2"
        " bias_term: false }",
        [(8, 2, 3, 5)],
    ),
    "deconvolution": ("Deconvolution", f"{CONV} stride: 2 pad: 1 }}", [(4, 6, 3, 3), (6,)]),
    "inner_product": ("InnerProduct", "inner_product_param { num_output: 5 }", [(5, 432), (5,)]),
    "pool_max": ("Pooling", "pooling_param { pool: MAX kernel_size: 2 stride: 2 }", []),
    "pool_max_pad": ("Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 }", []),
    "pool_max_clip": ("Pooling", "pooling_param { pool: MAX kernel_size: 2 stride: 2 pad: 1 }", []),
    "pool_ave": ("Pooling", "pooling_param { pool: AVE kernel_h: 3 kernel_w: 2 stride: 2 }", []),
    "pool_ave_pad": ("Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }", []),
    "pool_global": ("Pooling", "pooling_param { pool: AVE global_pooling: true }", []),
    "relu": ("ReLU", "", []),
    "relu_leaky": ("ReLU", "relu_param { negative_slope: 0.1 }", []),
    "prelu": ("PReLU", "", [(4,)]),
    "elu": ("ELU", "elu_param { alpha: 0.7 }", []),
    "sigmoid": ("Sigmoid", "", []),
    "tanh": ("TanH", "", []),
    "abs": ("AbsVal", "", []),
    "bnll": ("BNLL", "", []),
    "power": ("Power", "power_param { power: 2 scale: 0.5 shift: 1.5 }", []),
    "batch_norm": ("BatchNorm", "batch_norm_param { eps: 0.001 }", [(4,), (4,), (1,)]),
    "scale": ("Scale", "scale_param { bias_term: true }", [(4,), (4,)]),
    "scale_alone": ("Scale", "", [(4,)]),
    "lrn": ("LRN", "lrn_param { local_size: 3 alpha: 0.2 beta: 0.7 }", []),
    "lrn_within": ("LRN", "lrn_param { local_size: 3 alpha: 0.2 norm_region: WITHIN_CHANNEL }", []),
    "softmax": ("Softmax", "", []),
    "softmax_last": ("Softmax", "softmax_param { axis: -1 }", []),
    "flatten": ("Flatten", "", []),
    "flatten_part": ("Flatten", "flatten_param { axis: 1 end_axis: 2 }", []),
    "reshape": ("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 3 } }", []),
    "reshape_part": ("Reshape", "reshape_param { shape { dim: 2 dim: -1 } axis: 1 num_axes: 1 }", []),
    "permute": ("Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }", []),
    "dropout": ("Dropout", "", []),
    "shuffle": ("ShuffleChannel", "shuffle_channel_param { group: 2 }", []),
    "normalize": ("Normalize", "norm_param { across_spatial: false channel_shared: false }", [(4,)]),
}
# Networks of several layers.
RELU = 'layer {{ name: "{0}" type: "ReLU" bottom: "data" top: "{0}" }}\n'
POWER = (
    'layer {{ name: "{0}" type: "Power" bottom: "data" top: "{0}" power_param {{ shift: 0.3 scale: -1 }} }}\n'
)
PAIR = RELU.format("a") + POWER.format("b")
NETWORKS = {
    "eltwise_sum": PAIR + 'layer { name: "y" type: "Eltwise" bottom: "a" bottom: "b" top: "y" }',
    "eltwise_coeff": PAIR
    + 'layer { name: "y" type: "Eltwise" bottom: "a" bottom: "b" top: "y" eltwise_param { coeff: 2 coeff: -1 } }',
    "eltwise_prod": PAIR
    + 'layer { name: "y" type: "Eltwise" bottom: "a" bottom: "b" top: "y" eltwise_param { operation: PROD } }',
    "eltwise_max": PAIR
    + 'layer { name: "y" type: "Eltwise" bottom: "a" bottom: "b" top: "y" eltwise_param { operation: MAX } }',
    "concat": PAIR
    + 'layer { name: "y" type: "Concat" bottom: "a" bottom: "b" top: "y" concat_param { axis: 2 } }',
    "slice": 'layer { name: "s" type: "Slice" bottom: "data" top: "a" top: "b" slice_param { slice_point: 1 } }\n'
    'layer { name: "y" type: "Concat" bottom: "b" bottom: "a" top: "y" }',
    "in_place": 'layer { name: "p" type: "Power" bottom: "data" top: "y" power_param { scale: 2 } }\n'
    'layer { name: "r" type: "ReLU" bottom: "y" top: "y" }',
}

TAPS = [(5, 30, 60, 2), (3, 60, 111, 3)]  # kernel of the convolution, min_size, max_size, aspect_ratio


def ssd() -> tuple[str, dict[str, list[tuple[int, ...]]]]:
    """Two maps with their boxes, four classes, and what becomes of them."""
    text, shapes, bottom = (
        'name: "ssd" input: "data" input_dim: 1 input_dim: 3 input_dim: 120 input_dim: 96\n',
        {},
        "data",
    )
    joined: dict[str, str] = {"loc": "", "conf": "", "prior": ""}
    for index, (kernel, small, large, ratio) in enumerate(TAPS):
        count = 4  # boxes: min, max, the ratio and its flip
        text += convolution(f"map{index}", bottom, 8, kernel, 4)
        text += f'layer {{ name: "n{index}" type: "ReLU" bottom: "map{index}" top: "map{index}" }}\n'
        shapes[f"map{index}"] = [(8, 3 if bottom == "data" else 8, kernel, kernel), (8,)]
        bottom = f"map{index}"
        for kind, each in (("loc", 4), ("conf", 4)):
            name = f"{kind}{index}"
            text += convolution(name, bottom, count * each, 3, 1)
            shapes[name] = [(count * each, 8, 3, 3), (count * each,)]
            text += (
                f'layer {{ name: "{name}p" type: "Permute" bottom: "{name}" top: "{name}p" permute_param {{'
            )
            text += f' order: 0 order: 2 order: 3 order: 1 }} }}\nlayer {{ name: "{name}f" type: "Flatten" bottom:'
            text += f' "{name}p" top: "{name}f" }}\n'
            joined[kind] += f' bottom: "{name}f"'
        text += f'layer {{ name: "prior{index}" type: "PriorBox" bottom: "{bottom}" bottom: "data" top: "prior{index}"'
        text += f" prior_box_param {{ min_size: {small} max_size: {large} aspect_ratio: {ratio} variance: 0.1"
        text += " variance: 0.1 variance: 0.2 variance: 0.2 offset: 0.5 clip: false } }\n"
        joined["prior"] += f' bottom: "prior{index}"'
    for kind, axis in (("loc", 1), ("conf", 1), ("prior", 2)):
        ends = f'{joined[kind]} top: "{kind}" concat_param {{ axis: {axis} }}'
        text += f'layer {{ name: "{kind}" type: "Concat" {ends} }}\n'
    text += """
layer { name: "r" type: "Reshape" bottom: "conf" top: "r" reshape_param { shape { dim: 0 dim: -1 dim: 4 } } }
layer { name: "s" type: "Softmax" bottom: "r" top: "s" softmax_param { axis: 2 } }
layer { name: "f" type: "Flatten" bottom: "s" top: "f" }
layer { name: "y" type: "DetectionOutput" bottom: "loc" bottom: "f" bottom: "prior" top: "y" detection_output_param {
  num_classes: 4 share_location: true background_label_id: 0 nms_param { nms_threshold: 0.45 top_k: 100 }
  code_type: CENTER_SIZE keep_top_k: 50 confidence_threshold: 0.3 } }
"""
    return text, shapes


def convolution(name: str, bottom: str, count: int, kernel: int, stride: int) -> str:
    sizes = f"num_output: {count} kernel_size: {kernel} pad: {kernel // 2} stride: {stride}"
    ends = f'bottom: "{bottom}" top: "{name}" convolution_param {{ {sizes} }}'
    return f'layer {{ name: "{name}" type: "Convolution" {ends} }}\n'


def ssd_answer(draw: Any, found: dict[str, Any]) -> str:
    text, shapes = ssd()
    layers = {}
    for name, sizes in shapes.items():
        spread = {"map": 1.5, "loc": 0.3, "con": 1.0}[name[:3]] / np.sqrt(np.prod(sizes[0][1:]))
        layers[name] = [
            draw.normal(0, spread, sizes[0]).astype("f4"),
            draw.normal(0, 0.1, sizes[1]).astype("f4"),
        ]
        for index, array in enumerate(layers[name]):
            found[f"ssd:{name}:{index}"] = array
    found["ssd:data"] = draw.randint(-2, 3, (1, 3, 120, 96)).astype(np.float32)
    found["ssd:rows"] = answer(text, layers, found["ssd:data"])
    return text


def main() -> None:
    draw = np.random.RandomState(5)
    data = draw.normal(0, 1, SHAPE).astype(np.float32)
    texts, found = {}, {"data": data}
    for name, (kind, settings, shapes) in CASES.items():
        arrays = [np.abs(draw.normal(0, 1, shape)).astype(np.float32) + 0.2 for shape in shapes]
        if name != "batch_norm":
            arrays = [array * draw.choice([-1, 1], array.shape).astype(np.float32) for array in arrays]
        texts[name] = DATA + f'layer {{ name: "y" type: "{kind}" bottom: "data" top: "y" {settings} }}'
        found[f"out:{name}"] = answer(texts[name], {"y": arrays} if arrays else {}, data)
        found.update({f"array:{name}:{index}": array for index, array in enumerate(arrays)})
    for name, layers in NETWORKS.items():
        texts[name] = DATA + layers
        found[f"out:{name}"] = answer(texts[name], {}, data)
    texts["ssd"] = ssd_answer(draw, found)
    found["texts"] = np.frombuffer(json.dumps(texts).encode(), np.uint8)
    np.savez_compressed(FILE, **found)


def answer(text: str, layers: dict[str, Any], data: Any) -> Any:
    weights = caffemodel(layers or {"none": [np.zeros(1)]})
    net = cv2.dnn.readNetFromCaffe(np.frombuffer(text.encode(), np.uint8), np.frombuffer(weights, np.uint8))
    net.setInput(data)
    return net.forward()


if __name__ == "__main__":
    main()
