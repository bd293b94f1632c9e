"""How much of a mask is which class, and masks out of scores side by side; kernels/reference/segments.py tells more."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

import numpy as np

from kernels import areas, checks
from kernels._lend cimport Lent, lend

cdef extern from "segments.h":
    void segments_argmax(const float* scores, Py_ssize_t pixels, Py_ssize_t classes, uint8_t* out) noexcept nogil

cdef enum:
    CLASSES = 256
    TABLES = 4  # counted apart: the same class again and again would wait for itself

cdef object ARRAY = np.ndarray


cdef void count_row(const uint8_t* row, Py_ssize_t width, uint32_t* tables) noexcept nogil:
    cdef Py_ssize_t x = 0
    while x + TABLES <= width:
        tables[row[x]] += 1
        tables[CLASSES + row[x + 1]] += 1
        tables[2 * CLASSES + row[x + 2]] += 1
        tables[3 * CLASSES + row[x + 3]] += 1
        x += TABLES
    while x < width:
        tables[row[x]] += 1
        x += 1


def count_classes(mask, part, out):
    """Pixels of each class in a part of a mask; the contract is that of kernels.reference.segments."""
    cdef Lent read, written
    cdef uint32_t tables[TABLES * CLASSES]
    cdef int64_t* counts
    cdef Py_ssize_t top, left, bottom, right, y
    cdef int i
    top, left, bottom, right = areas.part(mask, part, out)
    if not (lend(mask, ARRAY, b"B", 2, False, &read) and lend(out, ARRAY, b"lq", 1, True, &written)):
        raise checks.refusal(areas.part, mask, part, out)
    counts = <int64_t*>written.data
    with nogil:
        memset(tables, 0, sizeof(tables))
        for y in range(top, bottom):
            count_row(<const uint8_t*>read.data + y * read.shape[1] + left, right - left, tables)
        for i in range(CLASSES):
            counts[i] = <int64_t>tables[i] + tables[CLASSES + i] + tables[2 * CLASSES + i] + tables[3 * CLASSES + i]
    return out


def argmax_pixels(scores, out):
    """The class of each pixel's highest score; the contract is that of kernels.reference.segments."""
    cdef Lent read, written
    if not (
        lend(scores, ARRAY, b"f", 3, False, &read) and 1 <= read.shape[2] <= CLASSES
        and lend(out, ARRAY, b"B", 2, True, &written)
        and written.shape[0] == read.shape[0] and written.shape[1] == read.shape[1]
    ):
        raise checks.refusal(areas.side_by_side, scores, out)
    with nogil:
        segments_argmax(
            <const float*>read.data, read.shape[0] * read.shape[1], read.shape[2], <uint8_t*>written.data
        )
    return out
