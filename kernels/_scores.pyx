"""The best of many scores; what it does is told in kernels/reference/scores.py, its twin.

The best k are kept in a heap whose root is the worst of them. Of many scores nearly none is looked at one by one: the
peak of every sixteen is found first, and a peak that lies below the k-th highest one speaks for the other fifteen.
"""

from libc.math cimport INFINITY, expf, isfinite, isnan
from libc.stdint cimport int32_t

import numpy as np

from kernels import checks
from kernels._lend cimport Lent, lend
from kernels._levels import NUMBER

cdef extern from "scores.h":
    enum: TILE
    ctypedef struct Scores:
        void (*column_peaks)(const float* scores, Py_ssize_t rows, float* peaks) noexcept nogil
        double (*exponentials)(const float* scores, Py_ssize_t count, float peak) noexcept nogil
    Scores scores_for(int level)

cdef enum:
    COLUMNS = 128  # peaks that are looked through at a time, and rows of scores that they are the peaks of
    FEW = 16  # best scores, at most, whose bound is looked for

cdef object ARRAY = np.ndarray, EMPTY = np.empty, INT32 = checks.INT32, FLOAT32 = checks.FLOAT32
cdef Scores LEVELLED = scores_for(NUMBER)


cdef inline bint worse(const float* scores, int32_t a, int32_t b) noexcept nogil:
    """Whether score a comes after score b: lower, or equal with the higher id; a NaN comes after everything."""
    cdef float left = scores[a], right = scores[b]
    if left < right:
        return True
    if left > right:
        return False
    if left == right or (isnan(left) and isnan(right)):
        return a > b
    return isnan(left)


cdef inline void sink(const float* scores, int32_t* heap, Py_ssize_t at, Py_ssize_t length) noexcept nogil:
    """Let the id at `at` sink until both below it are better."""
    cdef int32_t moved = heap[at]
    cdef Py_ssize_t child = 2 * at + 1
    while child < length:
        if child + 1 < length and worse(scores, heap[child + 1], heap[child]):
            child += 1
        if not worse(scores, heap[child], moved):
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = moved


cdef inline void offer(const float* scores, int32_t new, int32_t* heap, Py_ssize_t* held, Py_ssize_t k) noexcept nogil:
    """Let an id into the heap of the best k, which stands as a heap from the moment that it is full."""
    cdef Py_ssize_t at
    if held[0] == k:
        if worse(scores, heap[0], new):
            heap[0] = new
            sink(scores, heap, 0, k)
        return
    heap[held[0]] = new
    held[0] += 1
    if held[0] == k:
        for at in range(k // 2 - 1, -1, -1):
            sink(scores, heap, at, k)


cdef inline float bound_of(const float* peaks, Py_ssize_t count, Py_ssize_t k) noexcept nogil:
    """The k-th highest of the peaks, which as many scores reach at least; k is at most FEW."""
    cdef float best[FEW]
    cdef Py_ssize_t i, at
    for at in range(k):
        best[at] = -INFINITY
    for i in range(count):
        if peaks[i] > best[k - 1]:
            at = k - 1
            while at > 0 and peaks[i] > best[at - 1]:
                best[at] = best[at - 1]
                at -= 1
            best[at] = peaks[i]
    return best[k - 1]


cdef inline void offer_column(
    const float* scores, int32_t first, int32_t end, float bound, int32_t* heap, Py_ssize_t* held, Py_ssize_t k
) noexcept nogil:
    cdef int32_t i = first
    while i < end:
        if scores[i] >= bound:
            offer(scores, i, heap, held, k)
        i += TILE


cdef inline int32_t offer_tiles(
    const float* scores, int32_t length, int32_t* heap, Py_ssize_t* held, Py_ssize_t k
) noexcept nogil:
    """Offer whole rows of TILE scores, by looking into those columns alone whose peak may be among the best k.

    Returns how many scores have been seen to, none where the bound is not worth a number.
    """
    cdef float peaks[COLUMNS]
    cdef float bound = -INFINITY
    cdef int32_t at = 0, rows, tile, column, columns
    while length - at >= TILE:
        rows = min((length - at) // TILE, COLUMNS)
        columns = (rows + TILE - 1) // TILE * TILE
        LEVELLED.column_peaks(scores + at, rows, peaks)
        if at == 0:
            bound = bound_of(peaks, columns, k) if columns >= k else -INFINITY
            if bound == -INFINITY:
                return 0
        for column in range(columns):
            if held[0] == k and scores[heap[0]] > bound:
                bound = scores[heap[0]]
            if peaks[column] >= bound:
                tile = column // TILE * TILE
                offer_column(scores, at + tile * TILE + column % TILE, at + min(tile + TILE, rows) * TILE, bound,
                             heap, held, k)
        at += rows * TILE
    return at


cdef inline void top(const float* scores, int32_t length, int32_t* ids, Py_ssize_t k) noexcept nogil:
    """The ids of the k best of `length` scores, best first; k is at most `length` and at least one."""
    cdef Py_ssize_t held = 0, at
    cdef int32_t i, first = 0
    if k <= FEW and length >= TILE * TILE:
        first = offer_tiles(scores, length, ids, &held, k)
    for i in range(first, length):
        offer(scores, i, ids, &held, k)
    for at in range(k - 1, 0, -1):  # the worst that is left goes to the end
        ids[0], ids[at] = ids[at], ids[0]
        sink(scores, ids, 0, at)


cdef inline void probabilities(
    const float* scores, Py_ssize_t length, const int32_t* ids, float* values, Py_ssize_t k
) noexcept nogil:
    """The softmax of the chosen ids; the first of them is the peak, against which every exponent is taken."""
    cdef float peak = scores[ids[0]]
    cdef double total = 0
    cdef Py_ssize_t i
    if isfinite(peak):
        total = LEVELLED.exponentials(scores, length, peak)
    elif peak == INFINITY:
        for i in range(length):
            total += scores[i] == INFINITY
    for i in range(k):
        values[i] = <float>(weight(scores[ids[i]], peak) / total) if total > 0 else 0


cdef inline float weight(float score, float peak) noexcept nogil:
    """exp(score - peak); 0 for NaN, and beside an infinite peak 1 for every infinite score."""
    if peak == INFINITY:
        return 1 if score == peak else 0
    return expf(score - peak) if score == score else 0


def softmax_top_k(scores, k, *, softmax=True, ids=None, values=None):
    """The k highest scores, highest first; the contract is that of kernels.reference.scores."""
    cdef Lent read, best, told
    cdef Py_ssize_t wanted, i
    cdef bint as_probabilities = softmax
    if not lend(scores, ARRAY, b"f", 1, False, &read) or k < 1:
        raise checks.refusal(checks.top_k, scores, k)
    wanted = min(<Py_ssize_t>k, read.shape[0])
    ids, values = room(ids, "ids", b"i", wanted, &best), room(values, "values", b"f", wanted, &told)
    if wanted == 0:
        return ids, values
    with nogil:
        top(<const float*>read.data, <int32_t>read.shape[0], <int32_t*>best.data, wanted)
        if as_probabilities:
            probabilities(<const float*>read.data, read.shape[0], <int32_t*>best.data, <float*>told.data, wanted)
        else:
            for i in range(wanted):
                (<float*>told.data)[i] = (<const float*>read.data)[(<int32_t*>best.data)[i]]
    return ids, values


cdef object room(out, name, const char* code, Py_ssize_t wanted, Lent* lent):
    """The caller's array for `wanted` numbers, or a new one; and its memory."""
    if out is None:
        out = EMPTY(wanted, INT32 if code[0] == c"i" else FLOAT32)
    if not lend(out, ARRAY, code, 1, True, lent) or lent.shape[0] != wanted:
        raise checks.refusal(checks.output, out, name, INT32 if code[0] == c"i" else FLOAT32, (wanted,))
    return out
