"""MXNet's arithmetic, reductions and changes of shape in OpenVINO's operators."""

import numpy as np

from inference.formats import graph
from inference.formats.graph import Value
from inference.formats.mxnet_call import Call, operator

_LAST = 2**31 - 1
_MOST_PARTS = 4096
_LARGEST_PAD = 4096
_BINARY = {
    "add": "elemwise_add _add _plus _Plus broadcast_add broadcast_plus _grad_add",
    "subtract": "elemwise_sub _sub _minus _Minus broadcast_sub broadcast_minus",
    "multiply": "elemwise_mul _mul _Mul broadcast_mul",
    "divide": "elemwise_div _div _Div broadcast_div",
    "maximum": "_maximum _Maximum broadcast_maximum",
    "minimum": "_minimum _Minimum broadcast_minimum",
    "power": "_power _Power broadcast_power",
}
_SCALAR = {
    "add": "_plus_scalar _PlusScalar",
    "subtract": "_minus_scalar _MinusScalar",
    "multiply": "_mul_scalar _MulScalar",
    "divide": "_div_scalar _DivScalar",
    "maximum": "_maximum_scalar _MaximumScalar",
    "minimum": "_minimum_scalar _MinimumScalar",
    "power": "_power_scalar _PowerScalar",
}
_SCALAR_FIRST = {
    "subtract": "_rminus_scalar _RMinusScalar",
    "divide": "_rdiv_scalar _RDivScalar",
    "power": "_rpower_scalar _RPowerScalar",
}
_UNARY = "abs ceil cos erf exp floor log negative relu sigmoid sin softsign sqrt tanh"
_REDUCE = ("max", "mean", "min", "prod", "sum")


def _enter_binary(kind: str, names: str) -> None:
    operator(*names.split())(lambda call: graph.binary(kind, call.value(0), call.value(1)))


def _enter_scalar(kind: str, names: str, first: bool) -> None:
    def translation(call: Call) -> Value:
        scalar = graph.constant(call.node.number("scalar"))
        return graph.binary(kind, scalar, call.x) if first else graph.binary(kind, call.x, scalar)

    operator(*names.split())(translation)


def _enter_unary(kind: str) -> None:
    operator(kind)(lambda call: graph.unary(kind, call.x))


for _kind, _names in _BINARY.items():
    _enter_binary(_kind, _names)
for _kind, _names in _SCALAR.items():
    _enter_scalar(_kind, _names, first=False)
for _kind, _names in _SCALAR_FIRST.items():
    _enter_scalar(_kind, _names, first=True)
for _kind in _UNARY.split():
    _enter_unary(_kind)


@operator("square")
def _square(call: Call) -> Value:
    return graph.binary("multiply", call.x, call.x)


@operator("rsqrt")
def _rsqrt(call: Call) -> Value:
    return graph.binary("power", call.x, -0.5)


@operator("hard_sigmoid")
def _hard_sigmoid(call: Call) -> Value:
    alpha, beta = call.node.number("alpha", 0.2), call.node.number("beta", 0.5)
    return graph.clip(graph.binary("add", graph.binary("multiply", call.x, alpha), beta), 0.0, 1.0)


@operator("clip")
def _clip(call: Call) -> Value:
    lowest, highest = call.node.number("a_min"), call.node.number("a_max")
    if lowest > highest:
        raise call.refused(f"has a_min={lowest} above a_max={highest}")
    return graph.clip(call.x, lowest, highest)


@operator("add_n", "ElementWiseSum", "_sum")
def _add_all(call: Call) -> Value:
    total, *others = call.all_values()
    for other in others:
        total = graph.binary("add", total, other)
    return total


@operator(*_REDUCE, "max_axis", "min_axis", "sum_axis")
def _reduce(call: Call) -> Value:
    node, rank = call.node, call.rank()
    axes = [axis % rank for axis in node.wholes("axis", ())] or list(range(rank))
    if node.flag("exclude"):
        axes = [axis for axis in range(rank) if axis not in axes]
    return graph.reduce(node.op.removesuffix("_axis"), call.x, axes, node.flag("keepdims"))


@operator("Concat", "concat")
def _concat(call: Call) -> Value:
    return graph.concat(call.all_values(), call.axis("dim", 1))


@operator("stack")
def _stack(call: Call) -> Value:
    axis = call.node.whole("axis", 0)
    axis += call.rank() + 1 if axis < 0 else 0
    return graph.concat([graph.unsqueeze(value, [axis]) for value in call.all_values()], axis)


@operator("Flatten", "flatten")
def _flatten(call: Call) -> Value:
    return call.x if call.rank() == 2 else graph.flatten(call.x)


@operator("Reshape", "reshape")
def _reshape(call: Call) -> Value:
    """Codes: 0 keeps a size, -1 takes the rest, -2 all that follow, -3 joins two, -4 parts one in two."""
    codes = call.node.wholes("shape", ()) or call.node.wholes("target_shape", ())
    if not codes:
        raise call.refused("lacks its attribute shape")
    if call.node.flag("reverse"):
        raise call.node.wrong("reverse", "False")
    if not set(codes) & {-2, -3, -4}:
        if any(code == 0 and place >= call.rank() for place, code in enumerate(codes)):
            raise call.refused(f"keeps a size that its input of {call.rank()} dimensions does not have")
        return graph.reshape(call.x, codes)
    return graph.reshape(call.x, graph.concat(_coded_sizes(call, list(codes)), 0), keep_zero=False)


def _coded_sizes(call: Call, codes: list[int]) -> list[Value]:
    rank, at, sizes = call.rank(), 0, []
    while codes:
        code = codes.pop(0)
        if code == -2:
            sizes += [graph.sizes_of(call.x, [axis]) for axis in range(at, rank)]
            at = rank
            continue
        if at + (code == -3) >= rank and code != 1:
            raise call.refused(f"asks more of its shape than the {rank} dimensions of its input give")
        if code == -3:
            pair = graph.sizes_of(call.x, [at]), graph.sizes_of(call.x, [at + 1])
            sizes.append(graph.binary("multiply", *pair))
        elif code == -4:
            sizes += _parted(call, at, codes)
        else:
            sizes.append(graph.sizes_of(call.x, [at]) if code == 0 else graph.constant(np.array([code])))
        at += 2 if code == -3 else 1
    return sizes


def _parted(call: Call, axis: int, codes: list[int]) -> list[Value]:
    if len(codes) < 2:
        raise call.refused("lacks the two sizes after -4 in its shape")
    whole, parts = graph.sizes_of(call.x, [axis]), [codes.pop(0), codes.pop(0)]
    if sorted(part < 1 for part in parts) == [True, True]:
        raise call.refused("leaves both sizes after -4 open")
    known = [graph.constant(np.array([part])) for part in parts]
    for index, part in enumerate(parts):
        if part < 1:
            known[index] = graph.binary("divide", whole, known[1 - index])
    return known


@operator("transpose")
def _transpose(call: Call) -> Value:
    order = call.node.wholes("axes", ()) or tuple(reversed(range(call.rank())))
    if sorted(axis % call.rank() for axis in order) != list(range(call.rank())):
        raise call.node.wrong("axes", f"each of {call.rank()} axes once")
    return graph.transpose(call.x, [axis % call.rank() for axis in order])


@operator("SwapAxis", "swapaxes")
def _swap(call: Call) -> Value:
    order = list(range(call.rank()))
    first, second = call.axis("dim1", 0), call.axis("dim2", 0)
    order[first], order[second] = order[second], order[first]
    return graph.transpose(call.x, order)


@operator("expand_dims")
def _expand(call: Call) -> Value:
    return graph.unsqueeze(call.x, [call.node.whole("axis")])


@operator("squeeze")
def _squeeze(call: Call) -> Value:
    axes = call.node.wholes("axis", ())
    if not axes:
        shape = graph.shape_of(call.x) or (-1,)
        if -1 in shape:
            raise call.refused("names no axis, which needs an input of known size")
        axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return graph.squeeze(call.x, axes) if axes else call.x


@operator("slice", "crop")
def _slice(call: Call) -> Value:
    begin, end = call.node.places("begin"), call.node.places("end")
    step = call.node.places("step") if call.node.has("step") else ()
    steps = [each or 1 for each in (*step, *[1] * (len(begin) - len(step)))]
    if len(begin) != len(end) or len(steps) != len(begin) or len(begin) > call.rank():
        raise call.refused("has begin, end and step of different lengths")
    edges = zip(begin, end, steps, strict=True)
    whole = [_edges(first, last, by) for first, last, by in edges]
    return graph.cut(call.x, [b for b, _ in whole], [e for _, e in whole], steps, range(len(begin)))


def _edges(first: int | None, last: int | None, step: int) -> tuple[int, int]:
    forward = step > 0
    begin = first if first is not None else 0 if forward else _LAST
    return begin, last if last is not None else _LAST if forward else -_LAST


@operator("slice_axis")
def _slice_axis(call: Call) -> Value:
    end = call.node.whole("end") if call.node.has("end") else _LAST
    return graph.cut(call.x, [call.node.whole("begin")], [end], [1], [call.axis("axis", 0)])


@operator("slice_like")
def _slice_like(call: Call) -> Value:
    rank = min(call.rank(), call.rank(1))
    axes = [axis % call.rank() for axis in call.node.wholes("axes", ())] or list(range(rank))
    return graph.cut(call.x, [0] * len(axes), graph.sizes_of(call.value(1), axes), [1] * len(axes), axes)


@operator("Crop")
def _crop(call: Call) -> Value:
    """A window of the first input, as large as the second or as h_w says."""
    node = call.node
    if node.flag("center_crop"):
        raise node.wrong("center_crop", "False")
    offset = node.wholes("offset", (0, 0))
    if len(offset) != 2 or call.rank() != 4:
        raise node.wrong("offset", "two numbers, and an input of four dimensions")
    size = graph.sizes_of(call.value(1), [2, 3]) if len(node.inputs) > 1 else _stated_size(call)
    end = graph.binary("add", size, graph.constant(np.array(offset)))
    return graph.cut(call.x, offset, end, [1, 1], [2, 3])


def _stated_size(call: Call) -> Value:
    size = call.node.wholes("h_w", (0, 0))
    if len(size) != 2 or min(size) < 1:
        raise call.node.wrong("h_w", "a height and a width")
    return graph.constant(np.array(size))


@operator("SliceChannel", "split")
def _split(call: Call) -> list[Value]:
    axis, parts = call.axis("axis", 1), call.node.whole("num_outputs")
    if not 1 <= parts <= _MOST_PARTS:
        raise call.node.wrong("num_outputs", f"1 to {_MOST_PARTS}")
    values = graph.split_evenly(call.x, axis, parts)
    squeezed = call.node.flag("squeeze_axis")
    return [graph.squeeze(value, [axis]) for value in values] if squeezed else values


@operator("Pad", "pad")
def _pad(call: Call) -> Value:
    widths, mode = call.node.wholes("pad_width"), call.node.text("mode")
    if mode not in ("constant", "edge", "reflect"):
        raise call.node.wrong("mode", "constant, edge or reflect")
    if len(widths) != 2 * call.rank() or not all(0 <= width <= _LARGEST_PAD for width in widths):
        raise call.node.wrong("pad_width", f"{2 * call.rank()} numbers from 0 to {_LARGEST_PAD}")
    return graph.pad(call.x, widths[::2], widths[1::2], mode, call.node.number("constant_value", 0))


@operator("tile")
def _tile(call: Call) -> Value:
    times = call.node.wholes("reps")
    if not all(1 <= each <= _LARGEST_PAD for each in times):
        raise call.node.wrong("reps", f"numbers from 1 to {_LARGEST_PAD}")
    return graph.tile(call.x, times)
