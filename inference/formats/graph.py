"""A network in OpenVINO's operators, said in the terms in which other formats describe theirs.

Importers build with these functions alone. Values are outputs of OpenVINO nodes, in the layout N, C, then space
(1 to 3 dimensions); weights are NumPy arrays of float32. Nothing needs the sizes of space to be known.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import opset14 as op

from inference.formats.openvino_library import ov

Value = Any
Array = NDArray[Any]
Sizes = Sequence[int]

MOST_NUMBERS = 1 << 28  # in one value: 1 GB of float32

UNARY: dict[str, Callable[[Value], Value]] = {
    "abs": op.absolute,
    "ceil": op.ceiling,
    "cos": op.cos,
    "erf": op.erf,
    "exp": op.exp,
    "floor": op.floor,
    "log": op.log,
    "negative": op.negative,
    "relu": op.relu,
    "sigmoid": op.sigmoid,
    "sin": op.sin,
    "softplus": op.softplus,
    "softsign": op.softsign,
    "sqrt": op.sqrt,
    "tanh": op.tanh,
}
BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "add": op.add,
    "divide": op.divide,
    "maximum": op.maximum,
    "minimum": op.minimum,
    "multiply": op.multiply,
    "power": op.power,
    "subtract": op.subtract,
}
REDUCE: dict[str, Callable[..., Value]] = {
    "max": op.reduce_max,
    "mean": op.reduce_mean,
    "min": op.reduce_min,
    "prod": op.reduce_prod,
    "sum": op.reduce_sum,
}


def variable(name: str, shape: Sizes) -> Value:
    """An input of float32; -1 for a size that is open."""
    node = op.parameter(ov.PartialShape(list(shape)), ov.Type.f32, name)
    node.output(0).set_names({name})
    return node.output(0)


def constant(array: Array | float) -> Value:
    """Floating-point numbers as float32, whole ones as int64."""
    values = np.asarray(array)
    dtype = np.float32 if values.dtype.kind == "f" else np.int64
    return op.constant(np.asarray(values, dtype, order="C")).output(0)


def whole(number: int) -> Value:
    """A vector of one whole number, as a part of a shape."""
    return constant(np.array([number]))


def model(outputs: Mapping[str, Value], inputs: Sequence[Value], name: str) -> Any:
    """The openvino.Model; its outputs have the names given."""
    results = []
    for label, value in outputs.items():
        if value.get_node().get_type_name() == "Parameter":
            value = op.convert_like(value, value).output(0)  # a name of its own
        value.add_names({label})
        results.append(op.result(value))
    return ov.Model(results, [value.get_node() for value in inputs], name)


def shape_of(x: Value) -> tuple[int, ...] | None:
    """The sizes, -1 where open; None where even their number is."""
    partial = x.get_partial_shape()
    if partial.rank.is_dynamic:
        return None
    return tuple(-1 if size.is_dynamic else size.get_length() for size in partial)


def too_large(x: Value) -> bool:
    """Whether a value has more numbers than MOST_NUMBERS, as far as its sizes are known."""
    return math.prod(size for size in shape_of(x) or () if size > 0) > MOST_NUMBERS


def unary(kind: str, x: Value) -> Value:
    return UNARY[kind](x).output(0)


def binary(kind: str, left: Value, right: Value | float) -> Value:
    """With broadcasting, as NumPy does it."""
    return BINARY[kind](left, right if not isinstance(right, int | float) else constant(float(right))).output(
        0
    )


def convolution(
    x: Value, weights: Array, bias: Array | None, stride: Sizes, pad: Sizes, dilate: Sizes, groups: int
) -> Value:
    """weights: (out, in / groups, *kernel). Padded by `pad` on both sides of each dimension of space."""
    places = (list(stride), list(pad), list(pad), list(dilate))
    if groups == 1:
        y = op.convolution(x, constant(weights), *places)
    else:
        grouped = weights.reshape(groups, weights.shape[0] // groups, *weights.shape[1:])
        y = op.group_convolution(x, constant(grouped), *places)
    return _biased(y.output(0), bias)


def deconvolution(
    x: Value,
    weights: Array,
    bias: Array | None,
    stride: Sizes,
    pad: tuple[Sizes, Sizes],
    dilate: Sizes,
    extra: Sizes,
    groups: int,
) -> Value:
    """weights: (in, out / groups, *kernel). pad: what is cut off at begin and end; extra: added at the end."""
    places = {"pads_begin": list(pad[0]), "pads_end": list(pad[1])}
    more = {"dilations": list(dilate), "output_padding": list(extra), "auto_pad": "EXPLICIT"}
    if groups == 1:
        y = op.convolution_backprop_data(x, constant(weights), list(stride), **places, **more)
    else:
        grouped = weights.reshape(groups, weights.shape[0] // groups, *weights.shape[1:])
        y = op.group_convolution_backprop_data(x, constant(grouped), list(stride), **places, **more)
    return _biased(y.output(0), bias)


def _biased(x: Value, bias: Array | None) -> Value:
    return x if bias is None else binary("add", x, constant(_along(bias, 1, shape_of(x))))


def _along(array: Array, axis: int, like: tuple[int, ...] | None) -> Array:
    """A vector turned to stand along one axis of a value with the shape `like`."""
    rank = 4 if like is None else len(like)
    sizes = [1] * rank
    sizes[axis] = array.size
    return np.asarray(array, np.float32).reshape(sizes)


def scale_shift(x: Value, scale: Array | None, shift: Array | None, axis: int = 1) -> Value:
    """x * scale + shift, one number of each a channel."""
    if scale is not None:
        x = binary("multiply", x, constant(_along(scale, axis, shape_of(x))))
    if shift is not None:
        x = binary("add", x, constant(_along(shift, axis, shape_of(x))))
    return x


def linear(x: Value, weights: Array, bias: Array | None) -> Value:
    """x (..., in) with weights (out, in)."""
    y = op.matmul(x, constant(weights), transpose_a=False, transpose_b=True).output(0)
    return y if bias is None else binary("add", y, constant(np.asarray(bias, np.float32)))


def pool(
    x: Value,
    kind: str,
    kernel: Sizes,
    stride: Sizes,
    pad: tuple[Sizes, Sizes],
    ceil: bool,
    count_pad: bool,
    inside: bool = False,
) -> Value:
    """kind: max or avg. ceil: a last window that does not fit counts (if `inside`, only one that begins before
    the end). count_pad: avg divides by what lies in the padding too.
    """
    if kind == "avg" and ceil and count_pad and any(pad[0]):
        return _padded_average(x, kernel, stride, pad[0], inside)
    places = {"strides": list(stride), "pads_begin": list(pad[0]), "pads_end": list(pad[1])}
    more = {"kernel_shape": list(kernel), "rounding_type": _rounding(ceil, inside)}
    if kind == "max":
        return op.max_pool(x, dilations=[1] * len(kernel), auto_pad="explicit", **places, **more).output(0)
    return op.avg_pool(x, exclude_pad=not count_pad, auto_pad="explicit", **places, **more).output(0)


def _padded_average(x: Value, kernel: Sizes, stride: Sizes, pads: Sizes, inside: bool) -> Value:
    """The average over windows of the padded value, of which the last is cut off where the padding ends.

    OpenVINO (2026.4) divides that one by another number, so sums are divided by counts here.
    """
    whole_pads = [0, 0, *pads]
    size = concat([whole(1), whole(1), sizes_of(x, space(x))], 0)
    ones = pad(same_shape(constant(1.0), size), whole_pads, whole_pads, "constant", 1.0)
    nothing = [0] * len(kernel)
    counts = sum_pool(ones, kernel, stride, nothing, ceil=True)
    y = binary("divide", sum_pool(x, kernel, stride, pads, ceil=True), counts)
    if not inside:
        return y
    like = pool(x, "max", kernel, stride, (pads, pads), ceil=True, count_pad=False, inside=True)
    return cut(y, nothing, sizes_of(like, space(x)), [1] * len(kernel), space(x))


def _rounding(ceil: bool, inside: bool) -> str:
    if not ceil:
        return "floor"
    return "ceil_torch" if inside else "ceil"


def sum_pool(x: Value, kernel: Sizes, stride: Sizes, pads: Sizes, ceil: bool) -> Value:
    """The sum over each window; a last window that does not fit counts if `ceil`."""
    more = [step - 1 if ceil else 0 for step in stride]
    begin, end = [0, 0, *pads], [0, 0, *[size + extra for size, extra in zip(pads, more, strict=True)]]
    nothing = [0] * len(kernel)
    y = pool(
        pad(x, begin, end, "constant", 0.0),
        "avg",
        kernel,
        stride,
        (nothing, nothing),
        ceil=False,
        count_pad=True,
    )
    return binary("multiply", y, float(math.prod(kernel)))


def reduce(kind: str, x: Value, axes: Sizes, keep: bool) -> Value:
    return REDUCE[kind](x, constant(np.array(axes, np.int64)), keep).output(0)


def space(x: Value) -> list[int]:
    """The axes after N and C. A value of unknown rank is taken for a picture."""
    return list(range(2, len(shape_of(x) or (0,) * 4)))


def softmax(x: Value, axis: int, log: bool = False) -> Value:
    return (op.log_softmax if log else op.softmax)(x, axis).output(0)


def concat(values: Sequence[Value], axis: int) -> Value:
    return op.concat(list(values), axis).output(0)


def reshape(x: Value, sizes: Sizes | Value, keep_zero: bool = True) -> Value:
    """sizes: 0 keeps a size (if keep_zero), -1 takes the rest."""
    target = sizes if not isinstance(sizes, Sequence) else constant(np.array(sizes, np.int64))
    return op.reshape(x, target, keep_zero).output(0)


def flatten(x: Value, axis: int = 1) -> Value:
    """Everything from `axis` on becomes one dimension."""
    return reshape(x, [0] * axis + [-1])


def transpose(x: Value, order: Sizes) -> Value:
    return op.transpose(x, constant(np.array(order, np.int64))).output(0)


def prelu(x: Value, slope: Array) -> Value:
    return op.prelu(x, constant(slope)).output(0)


def elu(x: Value, alpha: float) -> Value:
    return op.elu(x, alpha).output(0)


def selu(x: Value) -> Value:
    return op.selu(x, constant(1.6732632423543772), constant(1.0507009873554805)).output(0)


def gelu(x: Value) -> Value:
    return op.gelu(x, "erf").output(0)


def clip(x: Value, lowest: float, highest: float) -> Value:
    return op.clamp(x, lowest, highest).output(0)


def lrn(x: Value, axes: Sizes, size: int, alpha: float, beta: float, bias: float) -> Value:
    """x / (bias + alpha / size * sum of squares over a window of `size`) ** beta.

    OpenVINO's processor plug-in (2026.4) cuts a bias off to a whole number, so it is 1 and the factor stands
    outside.
    """
    y = op.lrn(x, constant(np.array(axes, np.int64)), alpha / bias, beta, 1.0, size).output(0)
    return y if bias == 1 else binary("multiply", y, bias**-beta)


def normalized(x: Value, axes: Sizes, eps: float) -> Value:
    """x / sqrt(sum of squares + eps)."""
    squares = reduce("sum", binary("multiply", x, x), axes, keep=True)
    return binary("divide", x, unary("sqrt", binary("add", squares, eps)))


def standardized(x: Value, axes: Sizes, eps: float) -> Value:
    """(x - mean) / sqrt(variance + eps)."""
    return op.mvn(
        x, constant(np.array(axes, np.int64)), normalize_variance=True, eps=eps, eps_mode="inside_sqrt"
    ).output(0)


def pad(x: Value, begin: Sizes, end: Sizes, mode: str, fill: float) -> Value:
    """mode: constant, edge or reflect."""
    ends = [constant(np.array(sizes, np.int64)) for sizes in (begin, end)]
    return op.pad(x, *ends, mode, constant(fill)).output(0)


def enlarge(x: Value, times: int) -> Value:
    """Each pixel of (N, C, H, W) becomes times x times of its kind."""
    settings = {"mode": "nearest", "shape_calculation_mode": "scales", "nearest_mode": "floor"}
    scales, axes = constant(np.array([times, times], np.float32)), constant(np.array([2, 3]))
    return op.interpolate(
        x, scales, coordinate_transformation_mode="asymmetric", axes=axes, **settings
    ).output(0)


def cut(x: Value, begin: Sizes | Value, end: Sizes | Value, step: Sizes, axes: Sizes) -> Value:
    """x[begin:end:step] on the axes given."""
    edges = [constant(np.array(e, np.int64)) if isinstance(e, Sequence) else e for e in (begin, end)]
    steps = [constant(np.array(sizes, np.int64)) for sizes in (step, axes)]
    return op.slice(x, *edges, *steps).output(0)


def split(x: Value, axis: int, lengths: Sizes) -> list[Value]:
    """Parts one after the other; one length may be -1."""
    node = op.variadic_split(x, constant(np.array(axis)), constant(np.array(lengths, np.int64)))
    return list(node.outputs())


def split_evenly(x: Value, axis: int, parts: int) -> list[Value]:
    return list(op.split(x, constant(np.array(axis)), parts).outputs())


def squeeze(x: Value, axes: Sizes) -> Value:
    return op.squeeze(x, constant(np.array(axes, np.int64))).output(0)


def unsqueeze(x: Value, axes: Sizes) -> Value:
    return op.unsqueeze(x, constant(np.array(axes, np.int64))).output(0)


def tile(x: Value, times: Sizes) -> Value:
    return op.tile(x, constant(np.array(times, np.int64))).output(0)


def roi_pool(x: Value, regions: Value, size: Sizes, scale: float) -> Value:
    return op.roi_pooling(x, regions, list(size), scale, "max").output(0)


def sizes_of(x: Value, axes: Sizes) -> Value:
    """The sizes of some axes as a value of int64, known or not."""
    shape = op.shape_of(x, "i64").output(0)
    return op.gather(shape, constant(np.array(axes, np.int64)), constant(np.array(0))).output(0)


def counted(count: Value) -> Value:
    """0.0, 1.0, ... one less than `count`, which is an int64 of one element."""
    stop = op.squeeze(count, constant(np.array([0]))).output(0)
    return op.range(constant(np.array(0)), stop, constant(np.array(1)), "f32").output(0)


def as_float(x: Value) -> Value:
    return op.convert(x, "f32").output(0)


def as_whole(x: Value) -> Value:
    return op.convert(x, "i64").output(0)


def same_shape(x: Value, shape: Value) -> Value:
    """x spread out to a shape."""
    return op.broadcast(x, shape).output(0)
