"""NanoDet: for each stride an output of class scores (n, C) and one of distances (n, 4 * 8), in any order."""

from typing import NamedTuple

import kernels
from inference.tasks.decoders import Decoder, Head, NoFit, Outputs, Rows, all_rows, table
from inference.tasks.decoders.cells import stride_of
from kernels.candidates import Candidates

DISTANCES = 32  # four sides of 8 bins
_EXPECTED = "decoder nanodet reads two outputs a stride, class scores (1, n, C) and distances (1, n, 32)"


class Level(NamedTuple):
    """Which outputs (by index) are one stride's."""

    stride: int
    scores: int
    distances: int


def fit(head: Head) -> Decoder:
    """Recognises pairs of outputs with one row a cell of a stride's grid. Raises NoFit."""
    sizes = all_rows(head, _EXPECTED)
    anchors = list(dict.fromkeys(rows for rows, _ in sizes))
    levels = [_level(rows, sizes, head.size) for rows in anchors]
    classes = {sizes[level.scores][1] for level in levels}
    if len(classes) != 1:
        raise NoFit(f"{_EXPECTED}, with the same C for all")

    def read(outputs: Outputs, threshold: float, into: Candidates) -> int:
        count = 0
        for stride, *pair in levels:
            scores, distances = (table(outputs[index]) for index in pair)
            count = kernels.decode_nanodet(scores, distances, head.size, stride, threshold, into, count)
        return count

    return Decoder("nanodet", classes.pop(), sum(anchors), 0.35, 0.6, read, lambda outputs: sum(anchors))


def _level(rows: int, sizes: list[Rows], size: tuple[int, int]) -> Level:
    """The pair of outputs that have so many rows; where both could be distances, scores come first."""
    pair = [index for index, (own, _) in enumerate(sizes) if own == rows]
    stride = stride_of(rows, size)
    columns = [sizes[index][1] for index in pair]
    if stride is None or len(pair) != 2 or DISTANCES not in columns:
        raise NoFit(_EXPECTED)
    return Level(stride, *(pair if columns[1] == DISTANCES else reversed(pair)))
