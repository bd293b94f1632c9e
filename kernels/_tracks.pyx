"""How tracks move, and which box continues which; what each does is told in kernels/reference/tracks.py, its twin."""

from libc.math cimport INFINITY, isfinite
from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from kernels import checks, motion
from kernels._lend cimport Lent, lend

cdef enum:
    STATE = 20

cdef object ARRAY = np.ndarray
cdef double POSITION = motion.POSITION, VELOCITY = motion.VELOCITY, SHAPE = motion.SHAPE
cdef double SHAPE_MEASURED = motion.SHAPE_MEASURED, SHAPE_VELOCITY = motion.SHAPE_VELOCITY


cdef inline bint among(const int32_t* values, Py_ssize_t count, Py_ssize_t length) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        if not 0 <= values[i] < length:
            return False
    return True


cdef inline double variance(double length, double shape, int measure) noexcept nogil:
    return shape * shape if measure == 2 else length * length


cdef inline void measures(const double* box, double* out) noexcept nogil:
    cdef double width = box[2] - box[0], height = box[3] - box[1]
    out[0], out[1], out[2], out[3] = box[0] + 0.5 * width, box[1] + 0.5 * height, width / height, height


cdef inline void start(double* state, const double* box) noexcept nogil:
    cdef int i
    measures(box, state)
    for i in range(4):
        state[4 + i], state[12 + i] = 0.0, 0.0
        state[8 + i] = variance(2 * POSITION * state[3], SHAPE, i)
        state[16 + i] = variance(10 * VELOCITY * state[3], SHAPE_VELOCITY, i)


cdef inline void predict(double* state, bint lost) noexcept nogil:
    cdef double height = state[3]
    cdef int i
    if lost:
        state[7] = 0.0
    for i in range(4):
        state[i] += state[4 + i]
        state[8 + i] += 2 * state[12 + i] + state[16 + i] + variance(POSITION * height, SHAPE, i)
        state[12 + i] += state[16 + i]
        state[16 + i] += variance(VELOCITY * height, SHAPE_VELOCITY, i)


cdef inline void correct(double* state, const double* box) noexcept nogil:
    cdef double seen[4]
    cdef double height = state[3], own, shared, doubt, news
    cdef int i
    measures(box, seen)
    for i in range(4):
        own, shared = state[8 + i], state[12 + i]
        doubt = own + variance(POSITION * height, SHAPE_MEASURED, i)
        news = seen[i] - state[i]
        state[i] += own / doubt * news
        state[4 + i] += shared / doubt * news
        state[8 + i] = own - own / doubt * own
        state[12 + i] = shared - own / doubt * shared
        state[16 + i] -= shared / doubt * shared


cdef bint lend_pairs(states, places, boxes, picks, Lent* lent) noexcept:
    """The memory of the four arrays into lent[0..3]; false for what does not pair states with boxes."""
    return (
        lend(states, ARRAY, b"d", 2, True, &lent[0]) and lent[0].shape[1] == STATE
        and lend(places, ARRAY, b"i", 1, False, &lent[1]) and lend(boxes, ARRAY, b"d", 2, False, &lent[2])
        and lent[2].shape[1] == 4 and lend(picks, ARRAY, b"i", 1, False, &lent[3])
        and among(<const int32_t*>lent[1].data, lent[1].shape[0], lent[0].shape[0])
        and among(<const int32_t*>lent[3].data, lent[3].shape[0], lent[2].shape[0])
    )


def start_tracks(states, places, boxes, picks):
    """Begin tracks at boxes; the contract is that of kernels.reference.tracks."""
    cdef Lent lent[4]
    cdef Py_ssize_t i
    if not lend_pairs(states, places, boxes, picks, lent) or lent[1].shape[0] != lent[3].shape[0]:
        raise checks.refusal(motion.pairs, states, places, boxes, picks)
    with nogil:
        for i in range(lent[1].shape[0]):
            start(<double*>lent[0].data + STATE * (<const int32_t*>lent[1].data)[i],
                  <const double*>lent[2].data + 4 * (<const int32_t*>lent[3].data)[i])


def correct_tracks(states, places, boxes, picks):
    """Fold boxes that were seen into states; the contract is that of kernels.reference.tracks."""
    cdef Lent lent[4]
    cdef Py_ssize_t i
    if not lend_pairs(states, places, boxes, picks, lent) or lent[1].shape[0] != lent[3].shape[0]:
        raise checks.refusal(motion.pairs, states, places, boxes, picks)
    with nogil:
        for i in range(lent[1].shape[0]):
            correct(<double*>lent[0].data + STATE * (<const int32_t*>lent[1].data)[i],
                    <const double*>lent[2].data + 4 * (<const int32_t*>lent[3].data)[i])


def predict_tracks(states, lost):
    """Move states on by a picture; the contract is that of kernels.reference.tracks."""
    cdef Lent held, gone
    cdef Py_ssize_t i
    if not (
        lend(states, ARRAY, b"d", 2, True, &held) and held.shape[1] == STATE
        and lend(lost, ARRAY, b"B", 1, False, &gone) and gone.shape[0] == held.shape[0]
    ):
        raise checks.refusal(motion.moving, states, lost)
    with nogil:
        for i in range(held.shape[0]):
            predict(<double*>held.data + STATE * i, (<const uint8_t*>gone.data)[i] != 0)


cdef inline double overlap(const double* state, const double* box) noexcept nogil:
    """Intersection over union of where a track is and a box; 0 where they share nothing."""
    cdef double half_height = 0.5 * state[3], half_width = 0.5 * (state[2] * state[3])
    cdef double x1 = state[0] - half_width, x2 = state[0] + half_width
    cdef double y1 = state[1] - half_height, y2 = state[1] + half_height
    cdef double width = (box[2] if box[2] < x2 else x2) - (box[0] if box[0] > x1 else x1)
    cdef double height = (box[3] if box[3] < y2 else y2) - (box[1] if box[1] > y1 else y1)
    cdef double shared
    if not (width > 0 and height > 0):
        return 0.0
    shared = width * height
    return shared / ((x2 - x1) * (y2 - y1) + (box[2] - box[0]) * (box[3] - box[1]) - shared)


cdef void augment(
    const double* costs, Py_ssize_t columns, Py_ssize_t row, double* of_row, double* of_column, double* nearest,
    int32_t* taken, int32_t* before, uint8_t* done,
) noexcept nogil:
    """Give `row` a column by the shortest path of exchanges, and keep every reduced cost at 0 or above."""
    cdef Py_ssize_t reached = row, at = -1, following, earlier, j
    cdef double step, reduced
    for j in range(columns):
        nearest[j], before[j], done[j] = INFINITY, -1, False
    while True:
        step, following = INFINITY, 0
        for j in range(columns):
            if not done[j]:
                reduced = costs[reached * columns + j] - of_row[reached] - of_column[j]
                if reduced < nearest[j]:
                    nearest[j], before[j] = reduced, <int32_t>at
                if nearest[j] < step:
                    step, following = nearest[j], j
        of_row[row] += step
        for j in range(columns):
            if done[j]:
                of_row[taken[j]] += step
                of_column[j] -= step
            else:
                nearest[j] -= step
        at = following
        done[at] = True
        if taken[at] < 0:
            break
        reached = taken[at]
    while at >= 0:
        earlier = before[at]
        taken[at] = taken[earlier] if earlier >= 0 else <int32_t>row
        at = earlier


cdef int least_sum(const double* costs, Py_ssize_t rows, Py_ssize_t columns, bint turned, int32_t* out) noexcept nogil:
    """The assignment with the least sum, rows <= columns; 0, or -1 without memory.

    `out` has the column of each row, or where the matrix is turned the row of each column.
    """
    cdef Py_ssize_t i, j
    cdef double* doubles = <double*>malloc((rows + 2 * columns + 1) * sizeof(double))
    cdef int32_t* ints = <int32_t*>malloc((2 * columns + 1) * sizeof(int32_t))
    cdef uint8_t* done = <uint8_t*>malloc(columns + 1)
    if doubles == NULL or ints == NULL or done == NULL:
        free(doubles)
        free(ints)
        free(done)
        return -1
    for i in range(rows + columns):
        doubles[i] = 0.0
    for j in range(columns):
        ints[j] = -1
    for i in range(rows):
        for j in range(columns):
            if costs[i * columns + j] < 0.0:
                augment(costs, columns, i, doubles, doubles + rows, doubles + rows + columns, ints, ints + columns, done)
                break
    for i in range(columns if turned else rows):
        out[i] = -1
    for j in range(columns):
        i = ints[j]
        if i >= 0 and costs[i * columns + j] < 0.0:
            if turned:
                out[j] = <int32_t>i
            else:
                out[i] = <int32_t>j
    free(doubles)
    free(ints)
    free(done)
    return 0


def match_tracks(states, places, boxes, picks, labels, least, out):
    """Which box continues each track; the contract is that of kernels.reference.tracks."""
    cdef Lent lent[4]
    cdef Lent of_states, of_boxes, written
    cdef Py_ssize_t n, m, i, j, at
    cdef const double* state
    cdef const int32_t* place
    cdef const int32_t* pick
    cdef double share, bound = motion.least_overlap(least)
    cdef double* costs
    cdef bint turned
    cdef int failed
    if not (
        lend_pairs(states, places, boxes, picks, lent)
        and lend(labels[0], ARRAY, b"i", 1, False, &of_states) and of_states.shape[0] == lent[0].shape[0]
        and lend(labels[1], ARRAY, b"i", 1, False, &of_boxes) and of_boxes.shape[0] == lent[2].shape[0]
        and lend(out, ARRAY, b"i", 1, True, &written) and written.shape[0] == lent[1].shape[0]
    ):
        raise checks.refusal(motion.matching, states, places, boxes, picks, labels, out)
    n, m, place, pick = lent[1].shape[0], lent[3].shape[0], <const int32_t*>lent[1].data, <const int32_t*>lent[3].data
    turned = n > m
    costs = <double*>malloc((n * m + 1) * sizeof(double))
    if costs == NULL:
        raise MemoryError(f"no memory to match {n} tracks with {m} boxes")
    with nogil:
        for i in range(n):
            state = <const double*>lent[0].data + STATE * place[i]
            for j in range(m):
                share = 0.0
                if (<const int32_t*>of_states.data)[place[i]] == (<const int32_t*>of_boxes.data)[pick[j]]:
                    share = overlap(state, <const double*>lent[2].data + 4 * pick[j])
                at = j * n + i if turned else i * m + j
                costs[at] = bound - share if share > bound else 0.0
        failed = least_sum(costs, min(n, m), max(n, m), turned, <int32_t*>written.data)
        free(costs)
    if failed:
        raise MemoryError(f"no memory to match {n} tracks with {m} boxes")
    return out


def assign_pairs(costs, out):
    """The pairs with the least sum of costs; the contract is that of kernels.reference.tracks."""
    cdef Lent read, written
    cdef Py_ssize_t n, m, i, j
    cdef bint turned, finite = True
    cdef double cost
    cdef double* clipped
    cdef int failed
    if not (
        lend(costs, ARRAY, b"d", 2, False, &read) and lend(out, ARRAY, b"i", 1, True, &written)
        and written.shape[0] == read.shape[0]
    ):
        raise checks.refusal(motion.costs, costs, out)
    n, m = read.shape[0], read.shape[1]
    turned = n > m
    clipped = <double*>malloc((n * m + 1) * sizeof(double))
    if clipped == NULL:
        raise MemoryError(f"no memory to assign {n} rows to {m} columns")
    with nogil:
        for i in range(n):
            for j in range(m):
                cost = (<const double*>read.data)[i * m + j]
                finite = finite and isfinite(cost)
                clipped[j * n + i if turned else i * m + j] = cost if cost < 0.0 else 0.0
        failed = least_sum(clipped, min(n, m), max(n, m), turned, <int32_t*>written.data) if finite else 0
        free(clipped)
    if not finite:
        raise checks.refusal(motion.costs, costs, out)
    if failed:
        raise MemoryError(f"no memory to assign {n} rows to {m} columns")
    return out
