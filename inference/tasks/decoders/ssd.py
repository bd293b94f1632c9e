"""SSD: one output of rows (N, 7): image, label (the model's own number), score, x1, y1, x2, y2 normalised."""

import kernels
from inference.backends import UNKNOWN
from inference.tasks.decoders import Decoder, Head, NoFit, Outputs, table
from kernels.candidates import Candidates

_ROOM = 200  # to begin with, where the number of rows is not known before a run


def fit(head: Head) -> Decoder:
    """Recognises one output (..., N, 7). Raises NoFit."""
    shapes = [spec.shape for spec in head.outputs]
    if (
        len(shapes) != 1
        or len(shapes[0]) not in (2, 3, 4)
        or shapes[0][-1] != 7
        or any(size not in (1, UNKNOWN) for size in shapes[0][:-2])
    ):
        raise NoFit("decoder ssd reads one output of rows (1, 1, N, 7)")

    def read(outputs: Outputs, threshold: float, into: Candidates) -> int:
        return kernels.decode_ssd(table(outputs[0]), threshold, head.size, into)

    rows = shapes[0][-2]
    return Decoder("ssd", None, _ROOM if rows == UNKNOWN else rows, 0.5, 1.0, read, _count)


def _count(outputs: Outputs) -> int:
    return int(outputs[0].shape[-2])
