"""Caffe's layers in OpenVINO's operators. Defaults are those of BVLC Caffe 1.0's caffe.proto."""

import numpy as np

from inference.formats import graph
from inference.formats.caffe_call import Layer, Settings, layer
from inference.formats.caffemodel import Array
from inference.formats.graph import Value

_LARGEST_KERNEL = 4096


@layer("Convolution", "ConvolutionDepthwise", "DepthwiseConvolution")
def _convolution(call: Layer) -> Value:
    own = call.settings("convolution_param")
    weights, count = call.array(0, "weights"), _filters(own)
    kernel = _sizes(own, "kernel", None)
    groups = own.whole("group", 1) if call.kind == "Convolution" else count
    if (
        weights.ndim != 4
        or weights.shape[:1] + weights.shape[2:] != (count, *kernel)
        or not _fits(count, groups)
    ):
        raise call.refused(f"has {count} filters of {kernel}; its weights are of shape {weights.shape}")
    places = (_sizes(own, "stride", 1), _sizes(own, "pad", 0), _sizes(own, "dilation", 1))
    return graph.convolution(call.x, weights, _bias(call, own, count), *places, groups)


@layer("Deconvolution")
def _deconvolution(call: Layer) -> Value:
    own = call.settings("convolution_param")
    weights, count = call.array(0, "weights"), _filters(own)
    kernel, groups, pad = _sizes(own, "kernel", None), own.whole("group", 1), _sizes(own, "pad", 0)
    if weights.ndim != 4 or not _fits(count, groups) or weights.shape[1:] != (count // groups, *kernel):
        raise call.refused(f"has {count} filters of {kernel}; its weights are of shape {weights.shape}")
    places = (_sizes(own, "stride", 1), (pad, pad), _sizes(own, "dilation", 1), (0, 0))
    return graph.deconvolution(call.x, weights, _bias(call, own, count), *places, groups)


@layer("InnerProduct")
def _inner_product(call: Layer) -> Value:
    own = call.settings("inner_product_param")
    count, stored, axis = _filters(own), call.array(0, "weights"), call.axis(own.whole("axis", 1))
    if stored.size % count:
        raise call.refused(f"has {count} outputs; its weights are of shape {stored.shape}")
    turned = own.flag("transpose")
    weights = stored.reshape(-1, count).T if turned else stored.reshape(count, -1)
    x = call.x if call.rank == axis + 1 else graph.flatten(call.x, axis)
    return graph.linear(x, weights, _bias(call, own, count))


@layer("Pooling")
def _pooling(call: Layer) -> Value:
    own = call.settings("pooling_param")
    kind = {"MAX": "max", "0": "max", "AVE": "avg", "1": "avg"}.get(own.word("pool", "MAX"))
    if kind is None:
        raise own.wrong("pool", "MAX or AVE")
    if own.flag("global_pooling"):
        return graph.reduce({"avg": "mean", "max": "max"}[kind], call.x, [2, 3], keep=True)
    ceil = own.word("round_mode", "CEIL") in ("CEIL", "0") and own.flag("ceil_mode", default=True)
    kernel, stride, pad = _sizes(own, "kernel", None), _sizes(own, "stride", 1), _sizes(own, "pad", 0)
    return graph.pool(call.x, kind, kernel, stride, (pad, pad), ceil, count_pad=True, inside=any(pad))


@layer("ReLU")
def _relu(call: Layer) -> Value:
    slope = call.settings("relu_param").number("negative_slope", 0.0)
    return graph.prelu(call.x, np.array([slope])) if slope else graph.unary("relu", call.x)


@layer("PReLU")
def _prelu(call: Layer) -> Value:
    return graph.prelu(call.x, call.array(0, "slopes").ravel())


@layer("ELU")
def _elu(call: Layer) -> Value:
    return graph.elu(call.x, call.settings("elu_param").number("alpha", 1.0))


@layer("Sigmoid", "TanH", "AbsVal", "BNLL")
def _activation(call: Layer) -> Value:
    kinds = {"Sigmoid": "sigmoid", "TanH": "tanh", "AbsVal": "abs", "BNLL": "softplus"}
    return graph.unary(kinds[call.kind], call.x)


@layer("Power")
def _power(call: Layer) -> Value:
    own = call.settings("power_param")
    y = graph.binary("multiply", call.x, own.number("scale", 1.0))
    y = graph.binary("add", y, own.number("shift", 0.0))
    power = own.number("power", 1.0)
    return y if power == 1 else graph.binary("power", y, power)


@layer("BatchNorm")
def _batch_norm(call: Layer) -> Value:
    mean, variance, factor = (
        call.array(index, what).ravel().astype(np.float64)
        for index, what in enumerate(("mean", "variance", "scale factor"))
    )
    if mean.shape != variance.shape or factor.size != 1:
        raise call.refused("has a mean and a variance of different lengths")
    share = 1 / factor[0] if factor[0] else 0.0
    eps = call.settings("batch_norm_param").number("eps", 1e-5)
    scale = 1 / np.sqrt(variance * share + eps)
    return graph.scale_shift(call.x, scale, -mean * share * scale)


@layer("Scale")
def _scale(call: Layer) -> Value:
    own = call.settings("scale_param")
    axis = call.axis(own.whole("axis", 1))
    if len(call.inputs) > 1:
        y = graph.binary("multiply", call.x, _lined_up(call, axis))
        bias = call.blobs[0] if own.flag("bias_term") and call.blobs else None
    else:
        y = graph.binary("multiply", call.x, graph.constant(_lined(call, call.array(0, "scale"), axis)))
        bias = call.array(1, "bias") if own.flag("bias_term") else None
    return y if bias is None else graph.binary("add", y, graph.constant(_lined(call, bias, axis)))


@layer("Bias")
def _bias_layer(call: Layer) -> Value:
    axis = call.axis(call.settings("bias_param").whole("axis", 1))
    if len(call.inputs) > 1:
        return graph.binary("add", call.x, _lined_up(call, axis))
    return graph.binary("add", call.x, graph.constant(_lined(call, call.array(0, "bias"), axis)))


def _lined(call: Layer, array: Array, axis: int) -> Array:
    """An array made to stand along the axes from `axis` on."""
    if array.ndim == 4 and array.shape[:3] == (1, 1, 1):  # as old files have a vector
        array = array.ravel()
    behind = call.rank - axis - array.ndim
    if behind < 0:
        raise call.refused(
            f"has an array of shape {array.shape}, more than its input has from axis {axis} on"
        )
    return array.reshape((1,) * axis + array.shape + (1,) * behind)


def _lined_up(call: Layer, axis: int) -> Value:
    """The second input made to stand along the first's axes from `axis` on."""
    rank = len(graph.shape_of(call.inputs[1]) or ())
    if axis + rank > call.rank:
        raise call.refused(f"has a second input of {rank} dimensions, too many from axis {axis} on")
    others = [*range(axis), *range(axis + rank, call.rank)]
    return graph.unsqueeze(call.inputs[1], others) if others else call.inputs[1]


@layer("Eltwise")
def _eltwise(call: Layer) -> Value:
    own = call.settings("eltwise_param")
    kinds = {"PROD": "multiply", "SUM": "add", "MAX": "maximum", "0": "multiply", "1": "add", "2": "maximum"}
    kind = kinds.get(own.word("operation", "SUM"))
    if kind is None:
        raise own.wrong("operation", "PROD, SUM or MAX")
    values = list(call.inputs)
    if own.has("coeff") and kind == "add":
        parts = [Settings(own.who, {"coeff": [value]}).number("coeff", 1.0) for value in own.message["coeff"]]
        if len(parts) != len(values):
            raise own.wrong("coeff", f"{len(values)} numbers")
        values = [graph.binary("multiply", value, part) for value, part in zip(values, parts, strict=True)]
    total = call.x if not values else values[0]
    for value in values[1:]:
        total = graph.binary(kind, total, value)
    return total


@layer("LRN")
def _lrn(call: Layer) -> Value:
    own = call.settings("lrn_param")
    size, alpha, beta = own.whole("local_size", 5), own.number("alpha", 1.0), own.number("beta", 0.75)
    within = own.word("norm_region", "ACROSS_CHANNELS") in ("WITHIN_CHANNEL", "1")
    bias = 1.0 if within else own.number("k", 1.0)
    if bias <= 0 or not 1 <= size <= _LARGEST_KERNEL:
        raise call.refused("needs a local_size from 1 on and a k above 0")
    return graph.lrn(call.x, [2, 3] if within else [1], size, alpha, beta, bias)


@layer("Normalize")
def _normalize(call: Layer) -> Value:
    """SSD's normalization, one scale a channel or one for all."""
    own = call.settings("norm_param")
    axes = [1, 2, 3] if own.flag("across_spatial", default=True) else [1]
    y = graph.normalized(call.x, axes, own.number("eps", 1e-10))
    scale = call.array(0, "scale").ravel()
    return (
        graph.scale_shift(y, scale, None) if scale.size > 1 else graph.binary("multiply", y, float(scale[0]))
    )


@layer("Softmax")
def _softmax(call: Layer) -> Value:
    return graph.softmax(call.x, call.axis(call.settings("softmax_param").whole("axis", 1)))


@layer("ROIPooling")
def _roi_pooling(call: Layer) -> Value:
    own = call.settings("roi_pooling_param")
    size = [own.whole("pooled_h", 0), own.whole("pooled_w", 0)]
    if len(call.inputs) != 2 or not all(1 <= each <= _LARGEST_KERNEL for each in size):
        raise call.refused("needs two inputs, and pooled_h and pooled_w from 1 on")
    return graph.roi_pool(call.x, call.inputs[1], size, own.number("spatial_scale", 1.0))


def _bias(call: Layer, own: Settings, count: int) -> Array | None:
    if not own.flag("bias_term", default=True):
        return None
    bias = call.array(1, "bias").ravel()
    if bias.size != count:
        raise call.refused(f"has {count} outputs and a bias of {bias.size}")
    return bias


def _filters(own: Settings) -> int:
    count = own.whole("num_output", 0)
    if count < 1:
        raise own.wrong("num_output", "a number from 1 on")
    return count


def _fits(count: int, groups: int) -> bool:
    return groups >= 1 and count % groups == 0


def _sizes(own: Settings, key: str, default: int | None) -> tuple[int, int]:
    """Height and width: `kernel_h` and `kernel_w`, or one or two `kernel_size`; the same of stride and pad."""
    names = {"kernel": "kernel_size"}
    both = own.wholes(names.get(key, key))
    tall, wide = own.whole(f"{key}_h", -1), own.whole(f"{key}_w", -1)
    lowest = 1 if default is None else default
    sizes = [tall, wide] if min(tall, wide) >= 0 else both or ([] if default is None else [default])
    if len(sizes) not in (1, 2) or not all(lowest <= size <= _LARGEST_KERNEL for size in sizes):
        raise own.wrong(names.get(key, key), f"one or two sizes from {lowest} to {_LARGEST_KERNEL}")
    return sizes[0], sizes[-1]
