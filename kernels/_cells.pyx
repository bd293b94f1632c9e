"""Detectors that say where a box lies in its cell of a grid; the contracts are told in kernels/reference/cells.py."""

from libc.math cimport expf, isfinite, sqrtf
from libc.stdint cimport int32_t

import numpy as np

from kernels import checks, heads
from kernels._lend cimport Lent, lend
from kernels._levels import NUMBER
from kernels._survivors cimport FOUND, Box, Survivors, around, limited, room, rows_reaching, store, table
from kernels.candidates import Candidates

cdef extern from "cells.h":
    ctypedef struct Cells:
        float (*peak)(const float* scores, Py_ssize_t count) noexcept nogil
        Py_ssize_t (*first_with)(const float* scores, Py_ssize_t count, float score) noexcept nogil
        Py_ssize_t (*cells_reaching)(
            const float* scores, Py_ssize_t classes, Py_ssize_t* start, Py_ssize_t cells, float limit,
            const float* others, Py_ssize_t step, Py_ssize_t* found,
        ) noexcept nogil
        Py_ssize_t (*next_face)(
            const float* cls, const float* obj, Py_ssize_t i, Py_ssize_t end, float limit
        ) noexcept nogil
        void (*expectations)(const float* bins, Py_ssize_t length, float* means) noexcept nogil
    Cells cells_for(int level)

cdef enum:
    POINTS = 10  # numbers of five landmarks

cdef object ARRAY = np.ndarray, CANDIDATES = Candidates
cdef Cells LEVELLED = cells_for(NUMBER)


cdef Py_ssize_t grid_of(height, width, stride, Py_ssize_t* columns) except -1:
    """How many cells a stride's grid has, a part of one counted whole."""
    cdef Py_ssize_t step = stride, rows = height, across = width
    if step < 1 or rows < 1 or across < 1:
        return 0
    columns[0] = (across + step - 1) // step
    return (rows + step - 1) // step * columns[0]


cdef inline void yolox_cell(
    const float* row, Py_ssize_t classes, float column, float line, float stride, float limit, Survivors* into
) noexcept nogil:
    cdef float highest = LEVELLED.peak(row + 5, classes), score = highest * row[4]
    cdef Box box
    if score >= limit:
        box = around((row[0] + column) * stride, (row[1] + line) * stride, expf(row[2]) * stride, expf(row[3]) * stride)
        store(into, &box, score, <int32_t>LEVELLED.first_with(row + 5, classes, highest))


cdef inline void yolox_grid(
    const float* output, Py_ssize_t cells, Py_ssize_t columns, Py_ssize_t classes, float stride, float limit,
    Survivors* into,
) noexcept nogil:
    cdef Py_ssize_t found[FOUND]
    cdef Py_ssize_t values = 5 + classes, done = 0, count, i
    while done < cells:
        count = rows_reaching(output, values, 4, &done, cells, limit, found)
        for i in range(count):
            yolox_cell(output + found[i] * values, classes, <float>(found[i] % columns), <float>(found[i] // columns),
                       stride, limit, into)


def decode_yolox(output, input_size, strides, threshold, into, start=0):
    """YOLOX; the contract is that of kernels.reference.cells."""
    cdef float limit
    cdef Lent read
    cdef Survivors found
    cdef Py_ssize_t cells, columns, done = 0
    if not (
        lend(output, ARRAY, b"f", 2, False, &read) and read.shape[1] > 5 and room(into, CANDIDATES, ARRAY, start, read.shape[0], &found)
        and limited(threshold, &limit)
    ):
        raise checks.refusal(heads.yolox, output, input_size, strides, threshold, into, start)
    height, width = input_size
    for stride in strides:
        cells = grid_of(height, width, stride, &columns)
        if cells == 0 or cells > read.shape[0] - done:
            raise checks.refusal(heads.yolox, output, input_size, strides, threshold, into, start)
        done += cells
    if done != read.shape[0] or done == 0:
        raise checks.refusal(heads.yolox, output, input_size, strides, threshold, into, start)
    done = 0
    for stride in strides:
        cells = grid_of(height, width, stride, &columns)
        yolox_level(<const float*>read.data + done * read.shape[1], cells, columns, read.shape[1] - 5, stride, limit,
                    &found)
        done += cells
    return found.count


cdef void yolox_level(
    const float* output, Py_ssize_t cells, Py_ssize_t columns, Py_ssize_t classes, float stride, float limit,
    Survivors* into,
) noexcept:
    with nogil:
        yolox_grid(output, cells, columns, classes, stride, limit, into)


cdef inline void nanodet_cell(
    const float* bins, Py_ssize_t length, float column, float line, float stride, float score, int32_t label,
    Survivors* into,
) noexcept nogil:
    cdef float middle = (stride - 1) / 2, x = column * stride + middle, y = line * stride + middle
    cdef float means[4]
    cdef Box box
    LEVELLED.expectations(bins, length, means)
    box = Box(x - means[0] * stride, y - means[1] * stride, x + means[2] * stride, y + means[3] * stride)
    store(into, &box, score, label)


cdef inline void nanodet_cells(
    const float* scores, Py_ssize_t cells, Py_ssize_t classes, const float* bins, Py_ssize_t length,
    Py_ssize_t columns, float stride, float limit, Survivors* into,
) noexcept nogil:
    """Only cells that have a score that reaches the limit are looked at."""
    cdef Py_ssize_t found[FOUND]
    cdef Py_ssize_t done = 0, count, cell, i
    cdef const float* here
    cdef float score
    while done < cells:
        count = LEVELLED.cells_reaching(scores, classes, &done, cells, limit, bins, 4 * length, found)
        for i in range(count):
            cell, here = found[i], scores + found[i] * classes
            score = LEVELLED.peak(here, classes)
            nanodet_cell(bins + cell * 4 * length, length, <float>(cell % columns), <float>(cell // columns), stride,
                         score, <int32_t>LEVELLED.first_with(here, classes, score), into)


def decode_nanodet(scores, distances, input_size, stride, threshold, into, start=0):
    """One level of NanoDet; the contract is that of kernels.reference.cells."""
    cdef float limit, step = stride
    cdef Lent read, sides
    cdef Survivors found
    cdef Py_ssize_t columns
    height, width = input_size
    if not (
        lend(scores, ARRAY, b"f", 2, False, &read) and read.shape[1] >= 1
        and lend(distances, ARRAY, b"f", 2, False, &sides) and sides.shape[0] == read.shape[0]
        and sides.shape[1] >= 8 and sides.shape[1] % 4 == 0
        and grid_of(height, width, stride, &columns) == read.shape[0] != 0
        and room(into, CANDIDATES, ARRAY, start, read.shape[0], &found) and limited(threshold, &limit)
    ):
        raise checks.refusal(heads.nanodet, scores, distances, input_size, stride, threshold, into, start)
    with nogil:
        nanodet_cells(<const float*>read.data, read.shape[0], read.shape[1], <const float*>sides.data,
                      sides.shape[1] // 4, columns, step, limit, &found)
    return found.count


cdef inline float probability(float value) noexcept nogil:
    """Clipped to 0..1; a NaN stays."""
    return 0 if value < 0 else 1 if value > 1 else value


cdef inline void yunet_points(
    const float* landmarks, float column, float line, float stride, Survivors* into, Py_ssize_t row
) noexcept nogil:
    """The landmarks of the box that was stored last, in `row`; one that is not finite takes the box away again."""
    cdef float* out = into.landmarks + row * POINTS
    cdef Py_ssize_t i
    for i in range(POINTS):
        out[i] = (landmarks[i] + (line if i % 2 else column)) * stride
        if not isfinite(out[i]):
            into.count = row


cdef inline void yunet_cell(
    const float* box, const float* landmarks, float column, float line, float stride, float score, Survivors* into
) noexcept nogil:
    cdef Py_ssize_t row = into.count
    cdef Box around_it = around(
        (box[0] + column) * stride, (box[1] + line) * stride, expf(box[2]) * stride, expf(box[3]) * stride
    )
    store(into, &around_it, score, 0)
    if into.landmarks != NULL and into.count > row:
        yunet_points(landmarks, column, line, stride, into, row)


cdef inline void yunet_cells(
    const float* cls, const float* obj, const float* boxes, const float* landmarks, Py_ssize_t cells,
    Py_ssize_t columns, float stride, float limit, Survivors* into,
) noexcept nogil:
    cdef Py_ssize_t i = LEVELLED.next_face(cls, obj, 0, cells, limit)
    cdef float score
    while i < cells:
        score = sqrtf(probability(cls[i]) * probability(obj[i]))
        if score >= limit:
            yunet_cell(boxes + 4 * i, landmarks + POINTS * i, <float>(i % columns), <float>(i // columns), stride,
                       score, into)
        i = LEVELLED.next_face(cls, obj, i + 1, cells, limit)


def decode_yunet(cls, obj, boxes, landmarks, input_size, stride, threshold, into, start=0):
    """One level of YuNet; the contract is that of kernels.reference.cells."""
    cdef float limit, step = stride
    cdef Lent faces, there, places, points
    cdef Survivors found
    cdef Py_ssize_t columns, cells
    height, width = input_size
    cells = grid_of(height, width, stride, &columns)
    if not (
        cells > 0 and table(cls, ARRAY, cells, 1, &faces) and table(obj, ARRAY, cells, 1, &there)
        and table(boxes, ARRAY, cells, 4, &places) and table(landmarks, ARRAY, cells, POINTS, &points)
        and room(into, CANDIDATES, ARRAY, start, cells, &found) and limited(threshold, &limit)
    ):
        raise checks.refusal(heads.yunet, cls, obj, boxes, landmarks, input_size, stride, threshold, into, start)
    with nogil:
        yunet_cells(<const float*>faces.data, <const float*>there.data, <const float*>places.data,
                    <const float*>points.data, cells, columns, step, limit, &found)
    return found.count
