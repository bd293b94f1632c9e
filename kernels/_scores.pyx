"""The best of many scores; what it does is told in kernels/reference/scores.py, its twin.

The best k are kept in a heap whose root is the worst of them, so that nearly every score costs one comparison.
"""

from libc.math cimport INFINITY, expf, isnan
from libc.stdint cimport int32_t

from kernels import checks


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


cdef inline void top(const float* scores, int32_t length, int32_t* ids, Py_ssize_t k) noexcept nogil:
    """The ids of the k best of `length` scores, best first; k is at most `length` and at least one."""
    cdef int32_t i
    cdef Py_ssize_t at
    for i in range(<int32_t>k):
        ids[i] = i
    for at in range(k // 2 - 1, -1, -1):
        sink(scores, ids, at, k)
    for i in range(<int32_t>k, length):
        if worse(scores, ids[0], i):
            ids[0] = i
            sink(scores, ids, 0, k)
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
    for i in range(length):
        total += weight(scores[i], peak)
    for i in range(k):
        values[i] = <float>(weight(scores[ids[i]], peak) / total) if total > 0 else 0


cdef inline float weight(float score, float peak) noexcept nogil:
    """exp(score - peak); 0 for NaN and where there is no peak, and 1 for every infinite score."""
    if isnan(score) or isnan(peak) or peak == -INFINITY:
        return 0
    if peak == INFINITY:
        return 1 if score == peak else 0
    return expf(score - peak)


def softmax_top_k(scores, k, *, softmax=True, ids=None, values=None):
    """The k highest scores, highest first; the contract is that of kernels.reference.scores."""
    cdef Py_ssize_t length, wanted = checks.top_k(scores, k)
    ids = checks.room(ids, "ids", checks.INT32, (wanted,))
    values = checks.room(values, "values", checks.FLOAT32, (wanted,))
    if wanted == 0:
        return ids, values
    cdef const float[::1] read = scores
    cdef int32_t[::1] best = ids
    cdef float[::1] told = values
    cdef bint as_probabilities = softmax
    cdef Py_ssize_t i
    length = read.shape[0]
    with nogil:
        top(&read[0], <int32_t>length, &best[0], wanted)
        if as_probabilities:
            probabilities(&read[0], length, &best[0], &told[0], wanted)
        else:
            for i in range(wanted):
                told[i] = read[best[i]]
    return ids, values
