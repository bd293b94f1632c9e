"""OpenVINO's operators of detectors: boxes to begin with, and what is kept of them."""

from collections.abc import Mapping
from typing import Any

from openvino import opset14 as op

from inference.formats.graph import Value, sizes_of, unsqueeze


def prior_boxes(x: Value, picture: Value, settings: Mapping[str, Any]) -> Value:
    """PriorBox: (1, 2, boxes * 4), the boxes of a map in 0..1 and their variances; see OpenVINO's PriorBox-8."""
    sizes = sizes_of(x, [2, 3]), sizes_of(picture, [2, 3])
    return unsqueeze(op.prior_box(sizes[0].get_node(), sizes[1].get_node(), dict(settings)).output(0), [0])


def detections(locations: Value, scores: Value, priors: Value, settings: Mapping[str, Any]) -> Value:
    """DetectionOutput: rows (1, 1, N, 7) of image, label, score, x1, y1, x2, y2; see OpenVINO's DetectionOutput-8."""
    return op.detection_output(locations, scores, priors, dict(settings)).output(0)
