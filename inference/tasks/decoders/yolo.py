"""YOLO with finished boxes: one output of cx, cy, w, h in input pixels and the class scores of every anchor.

`yolov5` has an objectness before the class scores, `yolov8` (and 9, 11, 12) has none; either may lie the
other way round, (values, N), which is how v8 is exported.
"""

import kernels
from inference.tasks.decoders import Decoder, Head, NoFit, Outputs, rows_of, table
from inference.tasks.decoders.cells import strides_of
from kernels.candidates import Candidates

ANCHORS_A_CELL = 3  # of v5; the later ones have one


def fit(head: Head, name: str) -> Decoder:
    """Recognises one output (1, N, values) or (1, values, N). Raises NoFit."""
    objectness = name == "yolov5"
    before = 5 if objectness else 4
    anchors, values, transposed = _anchors(head, name)
    classes = values - before
    if classes < 1:
        raise NoFit(f"decoder {name} reads at least {before + 1} values an anchor")
    if not head.named and not _sure(head, anchors, classes, transposed=transposed, objectness=objectness):
        raise NoFit(f"decoder {name} must be named for these outputs")

    def read(outputs: Outputs, threshold: float, into: Candidates) -> int:
        output = table(outputs[0])
        return kernels.decode_yolo(output, threshold, into, transposed=transposed, objectness=objectness)

    return Decoder(name, classes, anchors, 0.35, 0.5, read, lambda outputs: anchors)


def _anchors(head: Head, name: str) -> tuple[int, int, bool]:
    """(anchors, values, transposed): anchors are on the axis that counts grid cells, else the longer."""
    shape = rows_of(head.outputs[0]) if len(head.outputs) == 1 else None
    if shape is None or len(head.outputs[0].shape) > 3:
        raise NoFit(f"decoder {name} reads one output (1, N, values) or (1, values, N)")
    rows, columns = shape
    counts = [_is_count(rows, head), _is_count(columns, head)]
    transposed = counts[1] if counts[0] != counts[1] else columns > rows
    return (columns, rows, True) if transposed else (rows, columns, False)


def _is_count(anchors: int, head: Head) -> bool:
    return bool(strides_of(anchors, head.size) or strides_of(anchors, head.size, ANCHORS_A_CELL))


def _sure(head: Head, anchors: int, classes: int, *, transposed: bool, objectness: bool) -> bool:
    """Whether it is this family without being named: v5 by its three anchors a cell, v8 by lying the other
    way round, or by a number of labels that leaves no value for an objectness."""
    if objectness:
        return not transposed and strides_of(anchors, head.size, ANCHORS_A_CELL) is not None
    return transposed or (classes == head.labels and strides_of(anchors, head.size) is not None)
