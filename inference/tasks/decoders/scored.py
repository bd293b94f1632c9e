"""Scored boxes: class scores (N, C), already 0..1, and boxes (N, 4) x1, y1, x2, y2 normalised.

One class may be the background, which is never a result: it is the first class unless as many labels as
classes are given.
"""

import kernels
from inference.tasks.decoders import Decoder, Head, NoFit, Outputs, all_rows, table
from kernels.candidates import Candidates

_EXPECTED = "decoder scored reads two outputs, scores (1, N, C) and boxes (1, N, 4)"


def fit(head: Head) -> Decoder:
    """Recognises two outputs of as many rows, one of them with four columns. Raises NoFit."""
    sizes = all_rows(head, _EXPECTED)
    if len(sizes) != 2 or sizes[0][0] != sizes[1][0]:
        raise NoFit(_EXPECTED)
    scores, boxes = _order(head, (sizes[0][1], sizes[1][1]))
    anchors, columns = sizes[scores]
    background = None if columns in (1, head.labels) else 0
    classes = columns if background is None else columns - 1

    def read(outputs: Outputs, threshold: float, into: Candidates) -> int:
        return kernels.decode_scored(
            table(outputs[scores]), table(outputs[boxes]), head.size, threshold, into, background=background
        )

    return Decoder("scored", classes, anchors, 0.5, 0.5, read, lambda outputs: anchors)


def _order(head: Head, columns: tuple[int, int]) -> tuple[int, int]:
    """(index of the scores, of the boxes); where both have four columns, boxes have "box" in their name."""
    if 4 not in columns:
        raise NoFit(_EXPECTED)
    if columns[0] == columns[1]:
        return (1, 0) if "box" in head.outputs[0].name.lower() else (0, 1)
    return (1, 0) if columns[0] == 4 else (0, 1)
