"""YOLOX: one output (N, 5 + C) of offsets and log sizes against the cells of three or four grids."""

import kernels
from inference.tasks.decoders import Decoder, Head, NoFit, Outputs, rows_of, table
from inference.tasks.decoders.cells import strides_of
from kernels.candidates import Candidates


def fit(head: Head) -> Decoder:
    """Recognises one output (1, N, 5 + C) with one row a cell. Raises NoFit."""
    rows = rows_of(head.outputs[0]) if len(head.outputs) == 1 else None
    strides = strides_of(rows[0], head.size) if rows else None
    if rows is None or strides is None or rows[1] < 6:
        raise NoFit(
            "decoder yolox reads one output (1, N, 5 + classes), one row a cell of strides 8, 16 and 32"
        )

    def read(outputs: Outputs, threshold: float, into: Candidates) -> int:
        return kernels.decode_yolox(table(outputs[0]), head.size, strides, threshold, into)

    return Decoder("yolox", rows[1] - 5, rows[0], 0.35, 0.5, read, lambda outputs: rows[0])
