"""Choosing among boxes, and mapping them back; what it does is told in kernels/reference/boxes.py, its twin."""

from libc.stdint cimport int32_t

import numpy as np

from kernels import checks
from kernels._lend cimport Columns, Lent, lend, lend_columns
from kernels._levels import NUMBER
from kernels.candidates import Candidates

cdef extern from "suppression.h":
    ctypedef void (*ThinOut)(const void*, Py_ssize_t, Py_ssize_t, float, Py_ssize_t) noexcept nogil
    ThinOut thin_out_for(int level)
    Py_ssize_t suppression(
        const float* boxes, const float* scores, const int32_t* labels, Py_ssize_t count, float iou, bint by_class,
        Py_ssize_t limit, int32_t* keep, ThinOut thin_out,
    ) noexcept nogil

cdef object ARRAY = np.ndarray, CANDIDATES = Candidates, EMPTY = np.empty, INT32 = checks.INT32
cdef ThinOut thin_out = thin_out_for(NUMBER)


def nms(into, count, iou, *, limit=None, by_class=True, keep=None):
    """Greedy non-maximum suppression; the contract is that of kernels.reference.boxes."""
    cdef Columns columns
    cdef Lent chosen
    cdef Py_ssize_t length = count, found = 0, most = length if limit is None else limit
    cdef float threshold = iou
    cdef bint per_class = by_class
    if keep is None and length >= 0:
        keep = EMPTY(length, INT32)
    if not (
        lend_columns(into, CANDIDATES, ARRAY, &columns) and 0 <= length <= columns.held and 0 <= <double>iou <= 1
        and most >= 0 and lend(keep, ARRAY, b"i", 1, True, &chosen) and chosen.shape[0] >= length
    ):
        raise checks.refusal(checks.suppression, into, count, iou, limit, keep)
    most = min(most, length)
    if most > 0:
        with nogil:
            found = suppression(columns.boxes, columns.scores, columns.labels, length, threshold, per_class, most,
                                <int32_t*>chosen.data, thin_out)
    if found < 0:
        raise MemoryError(f"no memory to order {length} boxes")
    return keep[:found]


cdef inline void to_frame(
    const float* read, float* out, Py_ssize_t pairs, double left, double top, double across, double down
) noexcept nogil:
    """Pairs of x, y in input pixels into shares of the frame."""
    cdef Py_ssize_t i
    for i in range(pairs):
        out[2 * i] = <float>((read[2 * i] - left) * across)
        out[2 * i + 1] = <float>((read[2 * i + 1] - top) * down)


cdef inline void clip(float* values, Py_ssize_t length) noexcept nogil:
    """Into 0..1; a NaN becomes 0."""
    cdef Py_ssize_t i
    for i in range(length):
        values[i] = 0 if not values[i] > 0 else 1 if values[i] > 1 else values[i]


def boxes_to_frame(boxes, placement, out=None):
    """Boxes from input pixels to the frame, clipped to 0..1; the contract is that of kernels.reference.boxes."""
    cdef Lent read
    if not lend(boxes, ARRAY, b"f", 2, False, &read) or read.shape[1] != 4:
        raise checks.refusal(checks.array, boxes, "boxes", checks.FLOAT32, ("K", 4))
    return _mapped(boxes, &read, placement, out, True)


def points_to_frame(points, placement, out=None):
    """Points from input pixels to the frame, not clipped; the contract is that of kernels.reference.boxes."""
    cdef Lent read
    if not lend(points, ARRAY, b"f", 3, False, &read) or read.shape[2] != 2:
        raise checks.refusal(checks.array, points, "points", checks.FLOAT32, ("K", "P", 2))
    return _mapped(points, &read, placement, out, False)


cdef object _mapped(points, const Lent* read, placement, out, bint clipped):
    cdef Lent written
    cdef Py_ssize_t length = read.shape[0] * read.shape[1] * read.shape[2]
    cdef double x, y, step_x, step_y
    source_height, source_width, scale_y, scale_x, y, x = placement
    step_x, step_y = <double>scale_x * <double>source_width, <double>scale_y * <double>source_height
    if not (step_x > 0 and step_y > 0):
        raise checks.refusal(checks.frame_of, placement)
    if out is None:
        out = EMPTY(points.shape, checks.FLOAT32)
    if not lend(out, ARRAY, b"f", 3 - clipped, True, &written) or written.shape[0] != read.shape[0] or (
        written.shape[1] != read.shape[1] or written.shape[2] != read.shape[2]
    ):
        raise checks.refusal(checks.output, out, "out", checks.FLOAT32, points.shape)
    with nogil:
        to_frame(<const float*>read.data, <float*>written.data, length // 2, x, y, 1 / step_x, 1 / step_y)
        if clipped:
            clip(<float*>written.data, length)
    return out
