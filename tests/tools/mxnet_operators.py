"""One small network for each MXNet operator and form of it, with what MXNet answers. Needs MXNet 1.9.1."""

import json
from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np

sym = mx.sym
SHAPES = {
    "data": (2, 4, 5, 6),
    "other": (2, 4, 5, 6),
    "flat": (3, 6),
    "one": (2, 1, 5, 6),
    "map": (1, 2, 12, 10),
}


def cases() -> Iterator[tuple[str, Any]]:
    """Names and networks; their inputs are named as in SHAPES, all other variables are parameters."""
    x, y, flat, one = (sym.Variable(name) for name in ("data", "other", "flat", "one"))
    yield from layers(x, flat)
    yield from arithmetic(x, y, one, flat)
    yield from shapes(x, y, flat, one)


def layers(x: Any, flat: Any) -> Iterator[tuple[str, Any]]:
    yield (
        "convolution",
        sym.Convolution(x, kernel=(3, 3), num_filter=6, stride=(2, 1), pad=(1, 0), dilate=(1, 2)),
    )
    yield "convolution_groups", sym.Convolution(x, kernel=(3, 3), num_filter=8, num_group=4, no_bias=True)
    yield (
        "convolution_line",
        sym.Convolution(sym.Reshape(x, shape=(0, 0, -1)), kernel=(5,), num_filter=3, stride=(2,)),
    )
    yield "deconvolution", sym.Deconvolution(x, kernel=(4, 4), num_filter=3, stride=(2, 2), pad=(1, 1))
    yield (
        "deconvolution_groups",
        sym.Deconvolution(
            x, kernel=(3, 3), num_filter=8, num_group=4, stride=(2, 2), adj=(1, 1), no_bias=False
        ),
    )
    yield (
        "deconvolution_target",
        sym.Deconvolution(x, kernel=(4, 4), num_filter=2, stride=(2, 2), target_shape=(9, 11)),
    )
    yield "fully_connected", sym.FullyConnected(x, num_hidden=5)
    yield "fully_connected_last", sym.FullyConnected(x, num_hidden=5, flatten=False, no_bias=True)
    yield "batch_norm", sym.BatchNorm(x)
    yield "batch_norm_gamma", sym.BatchNorm(x, fix_gamma=False, eps=1e-5, axis=3)
    yield "instance_norm", sym.InstanceNorm(x)
    for act in ("relu", "sigmoid", "tanh", "softrelu", "softsign"):
        yield f"activation_{act}", sym.Activation(x, act_type=act)
    for act in ("leaky", "elu", "selu", "gelu", "prelu"):
        yield f"leaky_{act}", sym.LeakyReLU(x, act_type=act)
    yield "leaky_rrelu", sym.LeakyReLU(x, act_type="rrelu")[0]
    for convention in ("valid", "full"):
        for kind in ("max", "avg", "sum"):
            form = {"pool_type": kind, "pooling_convention": convention, "stride": (2, 2)}
            yield f"pool_{kind}_{convention}", sym.Pooling(x, kernel=(3, 2), **form)
            yield f"pool_{kind}_{convention}_pad", sym.Pooling(x, kernel=(3, 3), pad=(1, 1), **form)
            yield f"pool_{kind}_{convention}_over", sym.Pooling(x, kernel=(4, 4), pad=(1, 1), **form)
    yield "pool_avg_over_uncounted", sym.Pooling(
        x, kernel=(4, 4), pad=(1, 1), stride=(2, 2), pool_type="avg", count_include_pad=False,
        pooling_convention="full",
    )  # fmt: skip
    yield (
        "pool_avg_uncounted",
        sym.Pooling(x, kernel=(3, 3), pad=(1, 1), stride=(2, 2), pool_type="avg", count_include_pad=False),
    )
    yield "pool_avg_full_uncounted", sym.Pooling(
        x, kernel=(3, 3), pad=(1, 1), stride=(2, 2), pool_type="avg", count_include_pad=False,
        pooling_convention="full",
    )  # fmt: skip
    for kind in ("max", "avg", "sum"):
        yield f"pool_{kind}_global", sym.Pooling(x, kernel=(2, 2), global_pool=True, pool_type=kind)
    yield "pool_adaptive", sym.contrib.AdaptiveAvgPooling2D(x, output_size=1)
    yield "lrn", sym.LRN(x, nsize=3, alpha=0.1, beta=0.6, knorm=1.5)
    for mode in ("instance", "channel", "spatial"):
        yield f"l2_{mode}", sym.L2Normalization(x, mode=mode)
    yield "upsampling", sym.UpSampling(x, scale=3, sample_type="nearest", num_args=1)
    yield "upsampling_bilinear", sym.UpSampling(x, scale=2, sample_type="bilinear", num_filter=4, num_args=2)
    for mode in ("instance", "channel"):
        yield f"softmax_{mode}", sym.SoftmaxActivation(x, mode=mode)
    yield "softmax_flat", sym.SoftmaxActivation(flat)
    yield "softmax_output", sym.SoftmaxOutput(flat, name="softmax")
    yield "softmax_output_multi", sym.SoftmaxOutput(x, multi_output=True, name="softmax")
    yield "softmax_output_shape", sym.SoftmaxOutput(x, preserve_shape=True, name="softmax")
    yield "softmax_last", sym.softmax(x)
    yield "softmax_axis", sym.softmax(x, axis=1, temperature=2.0)
    yield "log_softmax", sym.log_softmax(x, axis=1)
    yield "logistic", sym.LogisticRegressionOutput(flat, name="logistic")
    yield "linear", sym.LinearRegressionOutput(sym.FullyConnected(flat, num_hidden=2), name="linear")
    yield "dropout", sym.Dropout(sym.BlockGrad(sym.identity(sym.Activation(x, act_type="relu"))))


def arithmetic(x: Any, y: Any, one: Any, flat: Any) -> Iterator[tuple[str, Any]]:
    positive = sym.abs(x) + 0.5
    yield from {"add": x + y, "subtract": x - y, "multiply": x * y, "divide": x / (sym.abs(y) + 1)}.items()
    yield "power", sym.broadcast_power(positive, one)
    yield "broadcast_add", sym.broadcast_add(x, one)
    yield "broadcast_sub", sym.broadcast_sub(x, one)
    yield "broadcast_mul", sym.broadcast_mul(x, sym.Variable("scale_weight", shape=(1, 4, 1, 1)))
    yield "broadcast_div", sym.broadcast_div(x, sym.abs(one) + 1)
    yield "maximum", sym.broadcast_maximum(x, one)
    yield "minimum", sym.broadcast_minimum(x, one)
    yield from {"plus_scalar": x + 2.5, "minus_scalar": x - 2.5, "rminus_scalar": 2.5 - x}.items()
    yield from {"mul_scalar": x * 2.5, "div_scalar": x / 2.5, "rdiv_scalar": 2.5 / positive}.items()
    yield from {"power_scalar": positive**1.5, "max_scalar": sym.maximum(x, 0.2)}.items()
    yield "min_scalar", sym.minimum(x, 0.2)
    yield "add_n", sym.add_n(x, y, x)
    for name in (
        "abs",
        "ceil",
        "cos",
        "erf",
        "exp",
        "floor",
        "negative",
        "relu",
        "sigmoid",
        "sin",
        "softsign",
    ):
        yield f"unary_{name}", getattr(sym, name)(x)
    for name in ("log", "sqrt", "rsqrt", "square"):
        yield f"unary_{name}", getattr(sym, name)(positive)
    yield "tanh", sym.tanh(x)
    yield "hard_sigmoid", sym.hard_sigmoid(x)
    yield "clip", sym.clip(x, a_min=-0.3, a_max=0.4)
    for name in ("mean", "sum", "max", "min", "prod"):
        yield f"reduce_{name}", getattr(sym, name)(x, axis=(2, 3))
    yield "reduce_kept", sym.mean(x, axis=1, keepdims=True)
    yield "reduce_excluded", sym.sum(x, axis=(0, 1), exclude=True)


def shapes(x: Any, y: Any, flat: Any, one: Any) -> Iterator[tuple[str, Any]]:
    yield "concat", sym.Concat(x, y, one, dim=1)
    yield "stack", sym.stack(x, y, axis=2)
    yield "flatten", sym.Flatten(x)
    for index, codes in enumerate(
        [
            (0, -1),
            (0, 2, 2, -1),
            (-3, 0, 0),
            (0, -4, 2, -1, -2),
            (-2,),
            (0, -3, -1),
            (0, 0, -3),
            (-4, 1, 2, 0, -2),
        ]
    ):
        yield f"reshape_{index}", sym.Reshape(x, shape=codes)
    yield "transpose", sym.transpose(x, axes=(0, 2, 3, 1))
    yield "transpose_all", sym.transpose(x)
    yield "swap", sym.SwapAxis(x, dim1=1, dim2=3)
    yield "expand", sym.expand_dims(x, axis=1)
    yield "squeeze", sym.squeeze(one, axis=1)
    yield "slice", sym.slice(x, begin=(None, 1, 2), end=(None, 3, None))
    yield "slice_step", sym.slice(x, begin=(None, None, 4), end=(None, None, 0), step=(1, 2, -2))
    yield "slice_axis", sym.slice_axis(x, axis=2, begin=1, end=-1)
    yield "slice_like", sym.slice_like(x, sym.slice_axis(y, axis=3, begin=0, end=4), axes=(3,))
    yield (
        "crop",
        sym.Crop(x, sym.slice_axis(sym.slice_axis(y, axis=2, begin=0, end=3), axis=3, begin=0, end=4)),
    )
    yield "crop_offset", sym.Crop(x, offset=(1, 2), h_w=(3, 4), num_args=1)
    yield "split", sym.Concat(*reversed(list(sym.SliceChannel(x, num_outputs=2, axis=1))), dim=1)
    yield "split_squeezed", sym.SliceChannel(x, num_outputs=4, axis=1, squeeze_axis=True)[2]
    for mode in ("constant", "edge", "reflect"):
        yield f"pad_{mode}", sym.Pad(x, mode=mode, pad_width=(0, 0, 0, 0, 1, 2, 2, 1), constant_value=0.5)
    yield "tile", sym.tile(x, reps=(1, 2, 1, 2))
    grid = sym.Variable("map")
    yield "prior", sym.contrib.MultiBoxPrior(grid, sizes=(0.2, 0.3), ratios=(1, 2, 0.5))
    yield (
        "prior_clipped",
        sym.contrib.MultiBoxPrior(
            grid, sizes=(0.5,), ratios=(2, 1, 3), clip=True, steps=(0.1, 0.08), offsets=(0.4, 0.6)
        ),
    )


def operator_cases() -> dict[str, Any]:
    """Arrays by name: `symbols` (JSON of JSON), `in:NAME`, `param:CASE:NAME`, `out:CASE`."""
    draw = np.random.RandomState(1)
    inputs = {key: draw.normal(0, 1, shape).astype(np.float32) for key, shape in SHAPES.items()}
    found: dict[str, Any] = {f"in:{key}": value for key, value in inputs.items()}
    symbols: dict[str, Any] = {}
    for name, network in cases():
        arrays = {key: mx.nd.array(value) for key, value in drawn(network, inputs, draw).items()}
        states = {key: arrays.pop(key) for key in network.list_auxiliary_states()}
        executor = network.bind(mx.cpu(), arrays, aux_states=states, grad_req="null")
        found[f"out:{name}"] = executor.forward(is_train=False)[0].asnumpy()
        for key, value in {**arrays, **states}.items():
            if key not in inputs and not key.endswith("_label"):
                found[f"param:{name}:{key}"] = value.asnumpy()
        symbols[name] = json.loads(network.tojson(remove_amp_cast=False))
    found["symbols"] = np.frombuffer(json.dumps(symbols, separators=(",", ":")).encode(), np.uint8)
    return found


def drawn(network: Any, inputs: dict[str, Any], draw: Any) -> dict[str, Any]:
    arguments, states = network.list_arguments(), network.list_auxiliary_states()
    known = {key: value.shape for key, value in inputs.items() if key in arguments}
    arg_shapes, _, state_shapes = network.infer_shape(**known)
    values = {}
    for key, shape in zip([*arguments, *states], [*arg_shapes, *state_shapes], strict=True):
        value = draw.uniform(0.5, 2, shape) if key.endswith("var") else draw.normal(0, 1, shape)
        values[key] = inputs.get(key, value.astype(np.float32))
    return values
