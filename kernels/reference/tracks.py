"""How tracks move, and which box continues which: the twins of kernels/_tracks.pyx.

The filter and its numbers are those of ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating
Every Detection Box", 2022, arXiv 2110.06864), which takes them from DeepSORT (Wojke et al., 2017, arXiv 1703.07402).
How a state is laid out is told in kernels/motion.py.
"""

import numpy as np
from numpy.typing import NDArray

from kernels import motion
from kernels.motion import POSITION, SHAPE, SHAPE_MEASURED, SHAPE_VELOCITY, VELOCITY

Doubles = NDArray[np.float64]
Ints = NDArray[np.int32]


def start_tracks(states: Doubles, places: Ints, boxes: Doubles, picks: Ints) -> None:
    """Begin tracks: states[places] (of (N, 20) float64) stand still at boxes[picks] (of (M, 4): x1, y1, x2, y2).

    A box must have a width and a height above zero. Raises TypeError for another dtype, ValueError for another
    shape, a read-only `states`, or places and picks beyond the arrays.
    """
    motion.pairs(states, places, boxes, picks)
    measured = _measures(boxes[picks])
    height = measured[:, 3]
    begun = np.zeros((len(places), motion.STATE))
    begun[:, :4] = measured
    begun[:, 8:12] = _squares(2 * POSITION * height, SHAPE)
    begun[:, 16:20] = _squares(10 * VELOCITY * height, SHAPE_VELOCITY)
    states[places] = begun


def predict_tracks(states: Doubles, lost: NDArray[np.uint8]) -> None:
    """Move every state (N, 20) on by a picture, at its velocity; where `lost` (N,) uint8 is not 0 the height stays.

    Raises TypeError for another dtype, ValueError for another shape or a read-only `states`.
    """
    motion.moving(states, lost)
    height = states[:, 3].copy()
    states[lost != 0, 7] = 0.0
    states[:, :4] += states[:, 4:8]
    own, shared, velocity = states[:, 8:12], states[:, 12:16], states[:, 16:20]
    own += 2 * shared + velocity + _squares(POSITION * height, SHAPE)
    shared += velocity
    velocity += _squares(VELOCITY * height, SHAPE_VELOCITY)


def correct_tracks(states: Doubles, places: Ints, boxes: Doubles, picks: Ints) -> None:
    """Fold what was seen into what was predicted: boxes[picks] into states[places], each place once.

    Arguments and what is raised are those of `start_tracks`.
    """
    motion.pairs(states, places, boxes, picks)
    known = states[places]
    own, shared, velocity = known[:, 8:12].copy(), known[:, 12:16].copy(), known[:, 16:20].copy()
    doubt = own + _squares(POSITION * known[:, 3], SHAPE_MEASURED)
    news = _measures(boxes[picks]) - known[:, :4]
    known[:, :4] += own / doubt * news
    known[:, 4:8] += shared / doubt * news
    known[:, 8:12] = own - own / doubt * own
    known[:, 12:16] = shared - own / doubt * shared
    known[:, 16:20] = velocity - shared / doubt * shared
    states[places] = known


def match_tracks(
    states: Doubles,
    places: Ints,
    boxes: Doubles,
    picks: Ints,
    labels: tuple[Ints, Ints],
    least: float,
    out: Ints,
) -> Ints:
    """Which of boxes[picks] continues each of states[places]: out (n,) int32, a position in `picks` or -1 for none.

    A track and a box may be a pair where they have one label (labels[0] (N,) of the states, labels[1] (M,) of the
    boxes, int32) and overlap by more than `least` (intersection over union, 0..1). Of all ways to pair them it is
    the one whose overlaps beyond `least` have the greatest sum. Returns `out`. Raises TypeError for another dtype,
    ValueError for another shape, places or picks beyond the arrays, a `least` outside 0..1, or a read-only `out`.
    """
    motion.matching(states, places, boxes, picks, labels, out)
    least = motion.least_overlap(least)
    kept = states[places]
    half_height = 0.5 * kept[:, 3]
    half_width = 0.5 * (kept[:, 2] * kept[:, 3])
    x1, x2 = kept[:, 0] - half_width, kept[:, 0] + half_width
    y1, y2 = kept[:, 1] - half_height, kept[:, 1] + half_height
    others = boxes[picks]
    width = np.minimum(x2[:, None], others[:, 2]) - np.maximum(x1[:, None], others[:, 0])
    height = np.minimum(y2[:, None], others[:, 3]) - np.maximum(y1[:, None], others[:, 1])
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    sizes = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    united = ((x2 - x1) * (y2 - y1))[:, None] + sizes - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = np.where(shared > 0.0, shared / united, 0.0)
    same = labels[0][places][:, None] == labels[1][picks]
    return _least_sum(np.where(same & (overlap > least), least - overlap, 0.0), out)


def assign_pairs(costs: Doubles, out: Ints) -> Ints:
    """The pairs of rows and columns with the least sum of costs (n, m) float64, each used once at most.

    Only costs below 0 make a pair; out (n,) int32 is each row's column, or -1. Of several such ways it is one.
    The method of shortest augmenting paths (Jonker and Volgenant, 1987, Computing 38) finds the optimum itself in
    at most n * n * m steps (n being the shorter side). Returns `out`. Raises TypeError for another dtype,
    ValueError for another shape, costs that are not finite, or a read-only `out`.
    """
    motion.costs(costs, out)
    return _least_sum(np.minimum(costs, 0.0), out)


def _least_sum(costs: Doubles, out: Ints) -> Ints:
    """Costs are 0 where there may be no pair: leaving both alone costs as much as pairing them."""
    if costs.shape[0] > costs.shape[1]:
        turned = np.empty(costs.shape[1], np.int32)
        _least_sum(np.ascontiguousarray(costs.T), turned)
        out[:] = -1
        paired = np.flatnonzero(turned >= 0)
        out[turned[paired]] = paired
        return out
    rows, columns = costs.shape
    of_row, of_column = np.zeros(rows), np.zeros(columns)
    taken = np.full(columns, -1)  # the row of each column
    for row in range(rows):
        if (costs[row] < 0.0).any():
            _augment(costs, row, of_row, of_column, taken)
    out[:] = -1
    for column in range(columns):
        row = int(taken[column])
        if row >= 0 and costs[row, column] < 0.0:
            out[row] = column
    return out


def _augment(costs: Doubles, row: int, of_row: Doubles, of_column: Doubles, taken: NDArray[np.intp]) -> None:
    """Give `row` a column by the shortest path of exchanges, and keep every reduced cost at 0 or above."""
    columns = costs.shape[1]
    nearest, before = np.full(columns, np.inf), np.full(columns, -1)
    done = np.zeros(columns, np.bool_)
    reached, at = row, -1
    while True:
        reduced = costs[reached] - of_row[reached] - of_column
        nearer = ~done & (reduced < nearest)
        nearest[nearer], before[nearer] = reduced[nearer], at
        following = int(np.where(done, np.inf, nearest).argmin())
        step = nearest[following]
        of_row[row] += step
        of_row[taken[done]] += step
        of_column[done] -= step
        nearest[~done] -= step
        at = following
        done[at] = True
        if taken[at] < 0:
            break
        reached = int(taken[at])
    while at >= 0:
        earlier = int(before[at])
        taken[at] = taken[earlier] if earlier >= 0 else row
        at = earlier


def _measures(boxes: Doubles) -> Doubles:
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    across, down = boxes[:, 0] + 0.5 * width, boxes[:, 1] + 0.5 * height
    return np.stack([across, down, width / height, height], axis=1)


def _squares(length: Doubles, shape: float) -> Doubles:
    """Variances of the four measures: that of lengths, and of width / height the square of `shape`."""
    squared = length * length
    return np.stack([squared, squared, np.full_like(squared, shape * shape), squared], axis=1)
