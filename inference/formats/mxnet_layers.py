"""MXNet's layers in OpenVINO's operators. Defaults are those of MXNet's own operators (1.9)."""

import math

import numpy as np

from inference.formats import graph
from inference.formats.graph import Value
from inference.formats.mxnet_call import PASSING, Call, operator

_LARGEST_KERNEL = 4096
_CHANNELS_FIRST = ("NCW", "NCHW", "NCDHW")


@operator("Convolution", "Convolution_v1")
def _convolution(call: Call) -> Value:
    node, kernel = call.node, _kernel(call)
    groups, filters = _count(call, "num_group", 1), _count(call, "num_filter")
    weights = call.weights(1)
    if weights.shape[:1] + weights.shape[2:] != (filters, *kernel) or filters % groups:
        raise call.refused(f"has {filters} filters of {kernel}; its weights are of shape {weights.shape}")
    bias = None if node.flag("no_bias") else call.weights(2, (filters,))
    places = (_sizes(call, "stride", 1), _sizes(call, "pad", 0), _sizes(call, "dilate", 1))
    return graph.convolution(call.x, weights, bias, *places, groups)


@operator("Deconvolution")
def _deconvolution(call: Call) -> Value:
    node, kernel = call.node, _kernel(call)
    groups, filters = _count(call, "num_group", 1), _count(call, "num_filter")
    weights = call.weights(1)
    if weights.shape[1:] != (filters // groups, *kernel) or weights.shape[0] % groups:
        raise call.refused(f"has {filters} filters of {kernel}; its weights are of shape {weights.shape}")
    bias = None if node.flag("no_bias", default=True) else call.weights(2, (filters,))
    stride, dilate = _sizes(call, "stride", 1), _sizes(call, "dilate", 1)
    begin, end, extra = _sizes(call, "pad", 0), _sizes(call, "pad", 0), _sizes(call, "adj", 0)
    if node.has("target_shape") and any(node.wholes("target_shape")):
        begin, end = _cut_to_target(call, kernel, stride, dilate)
        extra = (0,) * len(kernel)
    return graph.deconvolution(call.x, weights, bias, stride, (begin, end), dilate, extra, groups)


def _cut_to_target(
    call: Call, kernel: tuple[int, ...], stride: tuple[int, ...], dilate: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What is cut off so that the target comes out. Source: DeconvolutionParam::InferPad, MXNet 1.9."""
    target = call.node.wholes("target_shape")
    sizes = (graph.shape_of(call.x) or ())[2:]
    if len(target) != len(kernel) or len(sizes) != len(kernel) or -1 in sizes:
        raise call.refused("has a target_shape, which needs an input of known size")
    begin, end = [], []
    for wanted, size, k, s, d in zip(target, sizes, kernel, stride, dilate, strict=True):
        over = s * (size - 1) + (k - 1) * d + 1 - wanted
        if over < 0:
            raise call.refused(f"cannot reach its target_shape {target} from {sizes}")
        begin.append((over + 1) // 2)
        end.append(over - (over + 1) // 2)
    return tuple(begin), tuple(end)


@operator("FullyConnected")
def _fully_connected(call: Call) -> Value:
    node, hidden = call.node, _count(call, "num_hidden")
    weights = call.weights(1)
    if weights.ndim != 2 or weights.shape[0] != hidden:
        raise call.refused(f"has {hidden} outputs; its weights are of shape {weights.shape}")
    bias = None if node.flag("no_bias") else call.weights(2, (hidden,))
    x = call.x
    if node.flag("flatten", default=True) and call.rank() != 2:
        x = graph.flatten(x)
    return graph.linear(x, weights, bias)


@operator("BatchNorm", "BatchNorm_v1", "CuDNNBatchNorm", "_contrib_SyncBatchNorm")
def _batch_norm(call: Call) -> Value:
    node = call.node
    gamma, beta = call.weights(1), call.weights(2)
    if len(node.inputs) >= 5:
        mean, variance = call.weights(3), call.weights(4)
    else:  # files of MXNet 0.8 and older
        mean, variance = (call.named(f"{node.name}_moving_{which}") for which in ("mean", "var"))
    if len({array.shape for array in (gamma, beta, mean, variance)}) != 1 or gamma.ndim != 1:
        raise call.refused("has parameters of different lengths")
    known = graph.shape_of(call.x)
    axis = call.axis("axis", 1)
    if known is not None and known[axis] not in (-1, gamma.size):
        raise call.refused(f"has parameters for {gamma.size} channels, its input {known[axis]}")
    ones = np.ones_like(gamma) if node.flag("fix_gamma", default=True) else gamma
    scale = ones.astype(np.float64) / np.sqrt(variance.astype(np.float64) + node.number("eps", 1e-3))
    return graph.scale_shift(call.x, scale, beta - mean * scale, axis)


@operator("Pooling", "Pooling_v1")
def _pooling(call: Call) -> Value:
    node = call.node
    kind = node.text("pool_type", "max")
    if kind not in ("max", "avg", "sum"):
        raise node.wrong("pool_type", "max, avg or sum")
    if node.flag("global_pool"):
        return graph.reduce({"avg": "mean"}.get(kind, kind), call.x, graph.space(call.x), keep=True)
    kernel, stride, pad = _kernel(call), _sizes(call, "stride", 1), _sizes(call, "pad", 0)
    convention = node.text("pooling_convention", "valid")
    if convention not in ("valid", "full"):
        raise node.wrong("pooling_convention", "valid or full")
    ceil = convention == "full"
    if kind == "sum":
        return graph.sum_pool(call.x, kernel, stride, pad, ceil)
    count_pad = node.flag("count_include_pad", default=True)
    return graph.pool(call.x, kind, kernel, stride, (pad, pad), ceil, count_pad)


@operator("_contrib_AdaptiveAvgPooling2D")
def _adaptive_pooling(call: Call) -> Value:
    if set(call.node.wholes("output_size", (1,))) != {1}:
        raise call.node.wrong("output_size", "1")
    return graph.reduce("mean", call.x, [2, 3], keep=True)


@operator("Activation")
def _activation(call: Call) -> Value:
    kinds = {
        "relu": "relu",
        "sigmoid": "sigmoid",
        "tanh": "tanh",
        "softrelu": "softplus",
        "softsign": "softsign",
    }
    kind = call.node.text("act_type")
    if kind not in kinds:
        raise call.node.wrong("act_type", "one of " + ", ".join(kinds))
    return graph.unary(kinds[kind], call.x)


@operator("LeakyReLU")
def _leaky_relu(call: Call) -> Value:
    node, kind = call.node, call.node.text("act_type", "leaky")
    if kind == "prelu":
        return graph.prelu(call.x, call.weights(1))
    if kind == "elu":
        return graph.elu(call.x, node.number("slope", 0.25))
    if kind in ("selu", "gelu"):
        return graph.selu(call.x) if kind == "selu" else graph.gelu(call.x)
    if kind not in ("leaky", "rrelu"):
        raise node.wrong("act_type", "leaky, rrelu, prelu, elu, selu or gelu")
    random = (node.number("lower_bound", 0.125) + node.number("upper_bound", 0.334)) / 2
    return graph.prelu(call.x, np.array([node.number("slope", 0.25) if kind == "leaky" else random]))


@operator("SoftmaxOutput", "Softmax", first_only=True)
def _softmax_output(call: Call) -> Value:
    if call.node.flag("preserve_shape"):
        return graph.softmax(call.x, call.rank() - 1)
    if call.node.flag("multi_output") or call.rank() == 2:
        return graph.softmax(call.x, 1)
    return graph.softmax(graph.flatten(call.x), 1)


@operator("SoftmaxActivation")
def _softmax_activation(call: Call) -> Value:
    mode = call.node.text("mode", "instance")
    if mode not in ("instance", "channel"):
        raise call.node.wrong("mode", "instance or channel")
    return graph.softmax(call.x, 1 if mode == "channel" else call.rank() - 1)


@operator("softmax", "log_softmax")
def _softmax(call: Call) -> Value:
    x = call.x
    if call.node.has("temperature"):
        x = graph.binary("divide", x, call.node.number("temperature"))
    return graph.softmax(x, call.axis("axis", -1), log=call.node.op == "log_softmax")


@operator("LogisticRegressionOutput", first_only=True)
def _logistic(call: Call) -> Value:
    return graph.unary("sigmoid", call.x)


@operator("LinearRegressionOutput", "MAERegressionOutput", "SVMOutput", first_only=True)
@operator(*PASSING, first_only=True)
def _pass(call: Call) -> Value:
    dtype = call.node.text("dtype", "float32")
    if call.node.op in ("Cast", "cast") and not dtype.startswith("float"):
        raise call.node.wrong("dtype", "a floating-point type")
    return call.x


@operator("LRN")
def _lrn(call: Call) -> Value:
    node = call.node
    alpha, beta, bias = node.number("alpha", 1e-4), node.number("beta", 0.75), node.number("knorm", 2)
    if bias <= 0:
        raise node.wrong("knorm", "a number above 0")
    return graph.lrn(call.x, [1], _count(call, "nsize"), alpha, beta, bias)


@operator("L2Normalization")
def _l2_normalization(call: Call) -> Value:
    modes = {"instance": list(range(1, call.rank())), "channel": [1], "spatial": graph.space(call.x)}
    mode = call.node.text("mode", "instance")
    if mode not in modes:
        raise call.node.wrong("mode", "instance, channel or spatial")
    return graph.normalized(call.x, modes[mode], call.node.number("eps", 1e-10))


@operator("InstanceNorm")
def _instance_norm(call: Call) -> Value:
    y = graph.standardized(call.x, graph.space(call.x), call.node.number("eps", 1e-3))
    return graph.scale_shift(y, call.weights(1), call.weights(2))


@operator("UpSampling")
def _upsampling(call: Call) -> Value:
    node, scale = call.node, _count(call, "scale")
    if scale > _LARGEST_KERNEL:
        raise node.wrong("scale", f"a number from 1 to {_LARGEST_KERNEL}")
    kind = node.text("sample_type")
    if kind == "nearest" and len(node.inputs) == 1:
        return graph.enlarge(call.x, scale)
    if kind != "bilinear" or len(node.inputs) != 2:
        raise node.wrong("sample_type", "nearest of one input, or bilinear with its weights")
    filters, kernel = _count(call, "num_filter"), 2 * scale - scale % 2
    weights = call.weights(1, (filters, 1, kernel, kernel))
    cut = (math.ceil((scale - 1) / 2),) * 2
    return graph.deconvolution(call.x, weights, None, (scale, scale), (cut, cut), (1, 1), (0, 0), filters)


def _kernel(call: Call) -> tuple[int, ...]:
    kernel = call.node.wholes("kernel")
    if not 1 <= len(kernel) <= 3 or not all(1 <= size <= _LARGEST_KERNEL for size in kernel):
        raise call.node.wrong("kernel", f"one to three sizes from 1 to {_LARGEST_KERNEL}")
    layout = call.node.text("layout", "None")
    if layout not in (*_CHANNELS_FIRST, "None", ""):
        raise call.node.wrong("layout", "channels before space")
    if call.rank() != len(kernel) + 2:
        raise call.refused(f"has a kernel of {len(kernel)} dimensions, its input {call.rank()}")
    return kernel


def _sizes(call: Call, key: str, default: int) -> tuple[int, ...]:
    """One size a dimension of the kernel."""
    rank = len(call.node.wholes("kernel"))
    sizes = call.node.wholes(key, (default,) * rank) or (default,) * rank
    if len(sizes) != rank or not all(default <= size <= _LARGEST_KERNEL for size in sizes):
        raise call.node.wrong(key, f"{rank} sizes from {default} to {_LARGEST_KERNEL}")
    return sizes


def _count(call: Call, key: str, default: int | None = None) -> int:
    count = call.node.whole(key, default)
    if count < 1:
        raise call.node.wrong(key, "a number from 1 on")
    return count
