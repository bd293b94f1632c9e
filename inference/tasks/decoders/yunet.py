"""YuNet: for each stride, 8, 16, 32, the outputs cls (n, 1), obj (n, 1), boxes (n, 4), landmarks (n, 10)."""

from typing import NamedTuple

import kernels
from inference.tasks.decoders import Decoder, Head, NoFit, Outputs, Rows, all_rows, table
from inference.tasks.decoders.cells import stride_of
from kernels.candidates import Candidates

COLUMNS = (1, 1, 4, 10)
_EXPECTED = "decoder yunet reads four outputs a stride, (1, n, C) with C of 1, 1, 4 and 10"


class Level(NamedTuple):
    """Which outputs (by index) are one stride's; cls and obj are multiplied, so they may change places."""

    stride: int
    cls: int
    obj: int
    boxes: int
    landmarks: int


def fit(head: Head) -> Decoder:
    """Recognises fours of outputs with one row a cell of a stride's grid. Raises NoFit."""
    sizes = all_rows(head, _EXPECTED)
    anchors = list(dict.fromkeys(rows for rows, _ in sizes))
    levels = [_level(rows, sizes, head.size) for rows in anchors]

    def read(outputs: Outputs, threshold: float, into: Candidates) -> int:
        count = 0
        for stride, *parts in levels:
            cls, obj, boxes, landmarks = (table(outputs[index]) for index in parts)
            count = kernels.decode_yunet(
                cls, obj, boxes, landmarks, head.size, stride, threshold, into, count
            )
        return count

    return Decoder("yunet", 1, sum(anchors), 0.6, 0.3, read, lambda outputs: sum(anchors), landmarks=True)


def _level(rows: int, sizes: list[Rows], size: tuple[int, int]) -> Level:
    found = sorted((columns, index) for index, (own, columns) in enumerate(sizes) if own == rows)
    stride = stride_of(rows, size)
    if stride is None or tuple(columns for columns, _ in found) != COLUMNS:
        raise NoFit(_EXPECTED)
    return Level(stride, *(index for _, index in found))
