"""What OpenVINO sees in a model file."""

import collections
from pathlib import Path

from inference.anatomy import Anatomy
from inference.backends.openvino_ports import metadata_of, specs_of
from inference.formats.reading import openvino_model

_SILENT = ("Parameter", "Result", "Constant")  # which every model has, and which compute nothing


def anatomy(path: Path) -> Anatomy:
    """See inference.anatomy."""
    model = openvino_model(path)
    operations: collections.Counter[str] = collections.Counter()
    weights: collections.Counter[str] = collections.Counter()
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "Constant":
            weights[node.get_output_element_type(0).get_type_name()] += node.get_byte_size()
        elif kind not in _SILENT:
            operations[kind] += 1
    return Anatomy(
        "openvino",
        specs_of(model.inputs, "input"),
        specs_of(model.outputs, "output"),
        metadata_of(model),
        dict(operations.most_common()),
        dict(weights.most_common()),
    )
