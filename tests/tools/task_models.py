"""Small ONNX models for segmentation and activities, whose answers are known or drawn from a seed."""

from pathlib import Path

import numpy as np
from models import TYPES, Size, _save
from numpy.typing import NDArray
from onnx import TensorProto, helper

FORMS = ("planes", "beside", "numbers", "one plane", "floats", "tensorflow")


def segmenter(
    path: Path,
    *,
    form: str = "planes",
    size: tuple[Size, Size] = (24, 32),
    stride: int = 1,
    classes: int = 3,
    seed: int | None = None,
    dtype: str = "float32",
) -> Path:
    """The class of a pixel is the channel that it has most of: of a red one put in as RGB 0, of a blue one 2.

    form: planes (1, C, h, w), beside (1, h, w, C), numbers int64 (1, h, w), one plane (1, 1, h, w) of the scores of
    red, floats: numbers as float32 (1, 1, h, w), tensorflow: int64 (1, h, w, 1). stride: how much coarser the mask
    is. With a seed the weights are drawn, 3 x 3.
    """
    side = 1 if seed is None else 3
    weights = (
        np.eye(classes, 3).reshape(classes, 3, 1, 1)
        if seed is None
        else np.random.default_rng(seed).normal(size=(classes, 3, side, side))
    )
    height, width = size
    nodes = [
        helper.make_node("Conv", ["picture", "weights"], ["fine"], pads=[side // 2] * 4),
        helper.make_node(
            "AveragePool", ["fine"], ["coarse"], kernel_shape=[stride] * 2, strides=[stride] * 2
        ),
        helper.make_node("Cast", ["coarse"], ["planes"], to=TYPES[dtype]),
    ]
    constants: dict[str, NDArray[np.generic]] = {"weights": weights.astype(np.float32)}
    sides = [side // stride if isinstance(side, int) else None for side in (height, width)]
    last, shape, kind = "planes", [1, classes, *sides], TYPES[dtype]
    if form == "beside":
        nodes.append(helper.make_node("Transpose", ["planes"], ["beside"], perm=[0, 2, 3, 1]))
        last, shape = "beside", [1, *sides, classes]
    elif form == "one plane":
        constants["first"] = np.array([0], np.int64)
        nodes.append(helper.make_node("Gather", ["planes", "first"], ["plane"], axis=1))
        last, shape = "plane", [1, 1, *sides]
    elif form != "planes":
        keep = form != "numbers"
        nodes.append(helper.make_node("ArgMax", ["planes"], ["numbers"], axis=1, keepdims=int(keep)))
        last, shape, kind = "numbers", [1, 1, *sides] if keep else [1, *sides], TensorProto.INT64
    if form == "floats":
        nodes.append(helper.make_node("Cast", ["numbers"], ["floats"], to=TensorProto.FLOAT))
        last, kind = "floats", TensorProto.FLOAT
    if form == "tensorflow":
        nodes.append(helper.make_node("Transpose", ["numbers"], ["last"], perm=[0, 2, 3, 1]))
        last, shape = "last", [1, *sides, 1]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, height, width])
    return _save(path, nodes, picture, [helper.make_tensor_value_info(last, kind, shape)], constants, None)


def clip_reader(
    path: Path,
    *,
    layout: str = "NCTHW",
    pictures: int = 4,
    size: tuple[int, int] = (8, 12),
    open_time: bool = False,
    channels: int = 3,
    dtype: str = "float32",
    seed: int | None = None,
    spoiled: bool = False,
) -> Path:
    """As many classes as pictures: the class is the place in the clip, from 0, of the brightest one.

    With a seed the weights of all means of pictures and channels are drawn. spoiled: none of them is a number.
    """
    time_axis = 2 if layout == "NCTHW" else 1
    sides = [2, 3] if layout == "NTHWC" else [3, 4]
    nodes = [
        helper.make_node("Cast", ["clip"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values"], ["means"], axes=sides, keepdims=0),
    ]
    if layout == "NCTHW":
        nodes.append(helper.make_node("Transpose", ["means"], ["ordered"], perm=[0, 2, 1]))
    else:
        nodes.append(helper.make_node("Identity", ["means"], ["ordered"]))
    length = pictures * channels
    weights = (
        np.repeat(np.eye(pictures), channels, axis=0)
        if seed is None
        else np.random.default_rng(seed).normal(size=(length, pictures))
    )
    constants: dict[str, NDArray[np.generic]] = {
        "weights": np.full_like(weights, np.nan, np.float32) if spoiled else weights.astype(np.float32),
        "flat": np.array([1, length], np.int64),
    }
    nodes += [
        helper.make_node("Reshape", ["ordered", "flat"], ["row"]),
        helper.make_node("MatMul", ["row", "weights"], ["scores"]),
    ]
    shapes: dict[str, list[Size]] = {
        "NCTHW": [1, channels, pictures, *size],
        "NTCHW": [1, pictures, channels, *size],
        "NTHWC": [1, pictures, *size, channels],
    }
    shape = shapes[layout]
    if open_time:
        shape[time_axis] = "time"
    clip = helper.make_tensor_value_info("clip", TYPES[dtype], shape)
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, pictures])
    return _save(path, nodes, clip, [scores], constants, None)
