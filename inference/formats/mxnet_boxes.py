"""The two MXNet operators of SSD: boxes to begin with, and detections at the end.

Source: src/operator/contrib/multibox_prior.cc and multibox_detection.cc of Apache MXNet 1.9.
"""

import numpy as np

from inference.formats import graph, graph_boxes
from inference.formats.graph import Value
from inference.formats.mxnet_call import Call, operator

_MOST_ROWS = 1000  # where neither the network nor its input limits them
_MOST_BOXES = 1024


@operator("_contrib_MultiBoxPrior", "MultiBoxPrior")
def _priors(call: Call) -> Value:
    """(1, rows * columns * boxes, 4) of x1, y1, x2, y2 in 0..1, row by row."""
    node, x = call.node, call.x
    sizes, ratios = node.numbers("sizes", (1.0,)), node.numbers("ratios", (1.0,))
    steps, offsets = node.numbers("steps", (-1.0, -1.0)), node.numbers("offsets", (0.5, 0.5))
    if not 1 <= len(sizes) + len(ratios) <= _MOST_BOXES or len(steps) != 2 or len(offsets) != 2:
        raise call.refused("needs sizes and ratios, two steps and two offsets")
    if not sizes or not ratios or min(ratios) <= 0:
        raise call.refused("needs sizes, and ratios above 0")
    rows, columns = (graph.sizes_of(x, [axis]) for axis in (2, 3))
    centre_y = _centres(rows, steps[0], offsets[0], [-1, 1, 1, 1])
    centre_x = _centres(columns, steps[1], offsets[1], [1, -1, 1, 1])
    aspect = graph.binary("divide", graph.as_float(rows), graph.as_float(columns))
    across, upright = _halves(sizes, ratios)
    reach = graph.binary(
        "add", graph.binary("multiply", graph.constant(across), aspect), graph.constant(upright)
    )
    middle = graph.binary(
        "add",
        graph.binary("multiply", centre_x, graph.constant(np.array([1.0, 0, 1, 0]))),
        graph.binary("multiply", centre_y, graph.constant(np.array([0, 1.0, 0, 1]))),
    )
    boxes = graph.reshape(graph.binary("add", middle, reach), [1, -1, 4], keep_zero=False)
    return graph.clip(boxes, 0.0, 1.0) if node.flag("clip") else boxes


def _centres(count: Value, step: float, offset: float, sizes: list[int]) -> Value:
    places = graph.binary("add", graph.counted(count), offset)
    if step > 0:
        places = graph.binary("multiply", places, step)
    else:
        places = graph.binary("divide", places, graph.as_float(count))
    return graph.reshape(places, sizes, keep_zero=False)


def _halves(sizes: tuple[float, ...], ratios: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Per box, from its centre: what is to be multiplied by height / width, and what is not."""
    kinds = [(size, ratios[0]) for size in sizes] + [(sizes[0], ratio) for ratio in ratios[1:]]
    across = [size * ratio**0.5 / 2 for size, ratio in kinds]
    upright = [size / ratio**0.5 / 2 for size, ratio in kinds]
    zero = [0.0] * len(kinds)
    minus = [-value for value in across], [-value for value in upright]
    return np.array([minus[0], zero, across, zero]).T, np.array([zero, minus[1], zero, upright]).T


@operator("_contrib_MultiBoxDetection", "MultiBoxDetection")
def _detections(call: Call) -> Value:
    """Rows (1, 1, N, 7) of image, label from 0, score, x1, y1, x2, y2; image -1 ends them.

    MXNet keeps the best class of each box alone, which is what `decrease_label_id` has OpenVINO do.
    """
    node = call.node
    if node.whole("background_id", 0) != 0:
        raise node.wrong("background_id", "0")
    if node.flag("force_suppress"):
        raise node.wrong("force_suppress", "False (suppression within each class)")
    variances = node.numbers("variances", (0.1, 0.1, 0.2, 0.2))
    if len(variances) != 4:
        raise node.wrong("variances", "four numbers")
    scores = graph.flatten(graph.transpose(call.value(0), [0, 2, 1]))
    boxes = graph.reshape(call.value(2), [1, 1, -1, 4], keep_zero=False)
    spread = graph.binary("add", graph.binary("multiply", boxes, 0.0), graph.constant(np.array(variances)))
    priors = graph.reshape(graph.concat([boxes, spread], 1), [1, 2, -1], keep_zero=False)
    return graph_boxes.detections(graph.flatten(call.value(1)), scores, priors, _settings(call))


def _settings(call: Call) -> dict[str, object]:
    node = call.node
    most = node.whole("nms_topk", -1)
    known = (graph.shape_of(call.value(0)) or (-1,))[-1]
    return {
        "background_label_id": 0,
        "top_k": most,
        "keep_top_k": [most if most > 0 else known if known > 0 else _MOST_ROWS],
        "code_type": "caffe.PriorBoxParameter.CENTER_SIZE",
        "share_location": True,
        "nms_threshold": node.number("nms_threshold", 0.5),
        "confidence_threshold": node.number("threshold", 0.01),
        "clip_before_nms": node.flag("clip", default=True),
        "decrease_label_id": True,
        "normalized": True,
    }
