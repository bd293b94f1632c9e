"""Caffe's layers that arrange values anew, in OpenVINO's operators."""

from inference.formats import graph
from inference.formats.caffe_call import Layer, layer
from inference.formats.graph import Value

_MOST_COPIES = 4096


@layer("Dropout")
def _pass(call: Layer) -> Value:
    return call.x


@layer("Split")
def _copies(call: Layer) -> list[Value]:
    return [call.x] * call.outputs


@layer("Concat")
def _concat(call: Layer) -> Value:
    own = call.settings("concat_param")
    return graph.concat(list(call.inputs), call.axis(own.whole("axis", own.whole("concat_dim", 1))))


@layer("Slice")
def _slice(call: Layer) -> list[Value]:
    own = call.settings("slice_param")
    axis, points = call.axis(own.whole("axis", own.whole("slice_dim", 1))), own.wholes("slice_point")
    if not points:
        return graph.split_evenly(call.x, axis, call.outputs)
    if len(points) != call.outputs - 1 or sorted(set(points)) != points or points[0] < 1:
        raise own.wrong("slice_point", f"{call.outputs - 1} rising numbers from 1 on")
    lengths = [after - before for before, after in zip([0, *points], points, strict=False)]
    return graph.split(call.x, axis, [*lengths, -1])


@layer("Flatten")
def _flatten(call: Layer) -> Value:
    own = call.settings("flatten_param")
    first, last = call.axis(own.whole("axis", 1)), call.axis(own.whole("end_axis", -1))
    if first >= last:
        return call.x
    sizes = [graph.sizes_of(call.x, [axis]) for axis in range(call.rank)]
    return graph.reshape(call.x, graph.concat([*sizes[:first], graph.whole(-1), *sizes[last + 1 :]], 0))


@layer("Reshape")
def _reshape(call: Layer) -> Value:
    own = call.settings("reshape_param")
    shape = own.message.get("shape", [{}])[-1]
    if not isinstance(shape, dict):
        raise own.wrong("shape", "a message of dim")
    sizes = type(own)(call.who, shape).wholes("dim")
    first, count = own.whole("axis", 0), own.whole("num_axes", -1)
    first += call.rank + 1 if first < 0 else 0
    last = call.rank if count < 0 else first + count
    if not 0 <= first <= last <= call.rank or sizes.count(-1) > 1 or any(size < -1 for size in sizes):
        raise call.refused(f"has a shape of {sizes} that cannot be")
    if any(not size and first + place >= call.rank for place, size in enumerate(sizes)):
        raise call.refused(f"keeps a size that its input of {call.rank} dimensions does not have")
    inner = [
        graph.whole(size) if size else graph.sizes_of(call.x, [first + place])
        for place, size in enumerate(sizes)
    ]
    before = [graph.sizes_of(call.x, [axis]) for axis in range(first)]
    after = [graph.sizes_of(call.x, [axis]) for axis in range(last, call.rank)]
    return graph.reshape(call.x, graph.concat([*before, *inner, *after], 0), keep_zero=False)


@layer("Permute")
def _permute(call: Layer) -> Value:
    given = [call.axis(axis) for axis in call.settings("permute_param").wholes("order")]
    order = [*given, *(axis for axis in range(call.rank) if axis not in given)]
    if len(set(given)) != len(given):
        raise call.refused(f"has the order {given}, in which an axis comes twice")
    return graph.transpose(call.x, order)


@layer("Tile")
def _tile(call: Layer) -> Value:
    own = call.settings("tile_param")
    times = [1] * call.rank
    times[call.axis(own.whole("axis", 1))] = copies = own.whole("tiles", 0)
    if not 1 <= copies <= _MOST_COPIES:
        raise own.wrong("tiles", f"a number from 1 to {_MOST_COPIES}")
    return graph.tile(call.x, times)


@layer("Crop")
def _crop(call: Layer) -> Value:
    """As much of the first input as the second is large, from `axis` on."""
    own = call.settings("crop_param")
    if len(call.inputs) != 2:
        raise call.refused("needs two inputs")
    axes = list(range(call.axis(own.whole("axis", 2)), call.rank))
    offsets = own.wholes("offset") or [0]
    if len(offsets) not in (1, len(axes)) or min(offsets) < 0:
        raise own.wrong("offset", f"one number, or {len(axes)}")
    begin = offsets if len(offsets) == len(axes) else offsets * len(axes)
    end = graph.binary(
        "add", graph.sizes_of(call.inputs[1], axes), graph.concat([*map(graph.whole, begin)], 0)
    )
    return graph.cut(call.x, begin, end, [1] * len(axes), axes)


@layer("ShuffleChannel")
def _shuffle(call: Layer) -> Value:
    groups = call.settings("shuffle_channel_param").whole("group", 1)
    known = (graph.shape_of(call.x) or (-1, -1))[1]
    if call.rank != 4 or groups < 1 or known < 1 or known % groups:
        raise call.refused(f"has {groups} groups, its input {known} channels")
    sizes = graph.sizes_of(call.x, range(4))
    parts = [graph.sizes_of(call.x, [0]), graph.whole(groups), graph.whole(known // groups)]
    y = graph.reshape(call.x, graph.concat([*parts, graph.sizes_of(call.x, [2, 3])], 0), keep_zero=False)
    return graph.reshape(graph.transpose(y, [0, 2, 1, 3, 4]), sizes, keep_zero=False)
