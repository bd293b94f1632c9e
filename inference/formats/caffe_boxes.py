"""The two layers of SSD in Caffe: boxes to begin with, and detections at the end.

Source: PriorBoxParameter and DetectionOutputParameter of the SSD branch's caffe.proto.
"""

from inference.formats import graph_boxes
from inference.formats.caffe_call import Layer, Settings, layer
from inference.formats.graph import Value

_CODES = {"CORNER": "CORNER", "1": "CORNER", "CENTER_SIZE": "CENTER_SIZE", "2": "CENTER_SIZE"}
_MOST_SIZES = 256
_MOST_ROWS = 100_000


@layer("PriorBox")
def _priors(call: Layer) -> Value:
    """(1, 2, boxes * 4): x1, y1, x2, y2 in 0..1, then their variances."""
    own = call.settings("prior_box_param")
    if len(call.inputs) != 2:
        raise call.refused("needs two inputs, a map and the picture")
    steps = {own.number("step_h", own.number("step", 0.0)), own.number("step_w", own.number("step", 0.0))}
    smallest, largest = _numbers(own, "min_size"), _numbers(own, "max_size")
    if len(steps) != 1 or not smallest or len(largest) not in (0, len(smallest)):
        raise call.refused("needs one step, and min_size (and max_size) as often as one another")
    settings = {
        "min_size": smallest,
        "max_size": largest,
        "aspect_ratio": _numbers(own, "aspect_ratio"),
        "flip": own.flag("flip", default=True),
        "clip": own.flag("clip"),
        "variance": _numbers(own, "variance") or [0.1],
        "step": steps.pop(),
        "offset": own.number("offset", 0.5),
        "scale_all_sizes": True,
        "min_max_aspect_ratios_order": True,
    }
    return graph_boxes.prior_boxes(call.x, call.inputs[1], settings)


def _numbers(own: Settings, key: str) -> list[float]:
    values = own.message.get(key, [])
    if len(values) > _MOST_SIZES:
        raise own.wrong(key, f"at most {_MOST_SIZES} numbers")
    return [Settings(own.who, {key: [value]}).number(key, 0.0) for value in values]


@layer("DetectionOutput")
def _detections(call: Layer) -> Value:
    """Rows (1, 1, N, 7) of image, label (0 being the background), score, x1, y1, x2, y2; image -1 ends them."""
    own = call.settings("detection_output_param")
    nms = Settings(own.who, (own.message.get("nms_param") or [{}])[-1])
    code = _CODES.get(own.word("code_type", "CORNER"))
    keep, most = own.whole("keep_top_k", -1), nms.whole("top_k", -1)
    if len(call.inputs) != 3 or code is None or max(keep, most) > _MOST_ROWS:
        raise call.refused(f"needs three inputs, a known code_type, and at most {_MOST_ROWS} rows")
    settings = {
        "background_label_id": own.whole("background_label_id", 0),
        "top_k": most,
        "keep_top_k": [keep],
        "code_type": f"caffe.PriorBoxParameter.{code}",
        "share_location": own.flag("share_location", default=True),
        "variance_encoded_in_target": own.flag("variance_encoded_in_target"),
        "nms_threshold": nms.number("nms_threshold", 0.3),
        "confidence_threshold": own.number("confidence_threshold", 0.0),
        "decrease_label_id": False,
        "normalized": True,
    }
    return graph_boxes.detections(call.x, call.inputs[1], call.inputs[2], settings)
