"""Detectors whose anchors tell their own boxes; the contracts are told in kernels/reference/decoders.py, the twin."""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t

import numpy as np

from kernels import checks, heads
from kernels._lend cimport Lent, lend
from kernels._levels import NUMBER
from kernels._survivors cimport FOUND, Box, Survivors, around, limited, room, rows_reaching, store, table
from kernels.candidates import Candidates

cdef extern from "decoders.h":
    enum: BLOCK
    enum: GROUP
    ctypedef struct Decoders:
        void (*class_peaks)(
            const float* scores, Py_ssize_t step, Py_ssize_t count, Py_ssize_t classes, float* highest, int32_t* groups
        ) noexcept nogil
        Py_ssize_t (*next_reaching)(const float* values, Py_ssize_t i, Py_ssize_t end, float limit) noexcept nogil
        float (*peak)(const float* scores, Py_ssize_t count) noexcept nogil
        Py_ssize_t (*first_with)(const float* scores, Py_ssize_t count, float score) noexcept nogil
    Decoders decoders_for(int level)

cdef enum:
    MANY = 16  # classes, beyond which a vector looks at them first

cdef object ARRAY = np.ndarray, CANDIDATES = Candidates
cdef Decoders LEVELLED = decoders_for(NUMBER)


cdef inline bint sized(input_size, float* height, float* width) except -1:
    """A (height, width) of at least one pixel."""
    cdef Py_ssize_t rows, columns
    rows, columns = input_size
    height[0], width[0] = <float>rows, <float>columns
    return rows >= 1 and columns >= 1


cdef inline void ssd_row(
    const float* row, float limit, float height, float width, Survivors* into
) noexcept nogil:
    cdef Box box
    if row[2] >= limit and row[1] >= 0 and row[1] < <float>2147483648.0:
        box = Box(row[3] * width, row[4] * height, row[5] * width, row[6] * height)
        store(into, &box, row[2], <int32_t>row[1])


def decode_ssd(rows, threshold, input_size, into, start=0):
    """Rows of a DetectionOutput layer; the contract is that of kernels.reference.decoders."""
    cdef float limit, height, width
    cdef Lent read
    cdef Survivors found
    cdef Py_ssize_t i
    if not (
        lend(rows, ARRAY, b"f", 2, False, &read) and read.shape[1] == 7 and room(into, CANDIDATES, ARRAY, start, read.shape[0], &found)
        and limited(threshold, &limit) and sized(input_size, &height, &width)
    ):
        raise checks.refusal(heads.ssd, rows, threshold, input_size, into, start)
    cdef const float* row = <const float*>read.data
    with nogil:
        for i in range(read.shape[0]):
            if not row[7 * i] >= 0:
                break
            ssd_row(row + 7 * i, limit, height, width, &found)
    return found.count


cdef inline void yolo_row(
    const float* row, Py_ssize_t classes, bint objectness, float limit, Survivors* into
) noexcept nogil:
    cdef const float* scores = row + (5 if objectness else 4)
    cdef float highest = LEVELLED.peak(scores, classes), score = highest * row[4] if objectness else highest
    cdef Box box
    if score >= limit:
        box = around(row[0], row[1], row[2], row[3])
        store(into, &box, score, <int32_t>LEVELLED.first_with(scores, classes, highest))


cdef inline void yolo_rows(
    const float* output, Py_ssize_t anchors, Py_ssize_t classes, bint objectness, float limit, Survivors* into
) noexcept nogil:
    cdef Py_ssize_t found[FOUND]
    cdef Py_ssize_t i, count, done = 0, values = 4 + objectness + classes
    if not objectness:
        for i in range(anchors):
            yolo_row(output + i * values, classes, False, limit, into)
        return
    while done < anchors:
        count = rows_reaching(output, values, 4, &done, anchors, limit, found)
        for i in range(count):
            yolo_row(output + found[i] * values, classes, True, limit, into)


cdef inline void yolo_block(
    const float* column, Py_ssize_t anchors, Py_ssize_t block, Py_ssize_t classes, bint objectness, float limit,
    float* highest, int32_t* groups, Survivors* into,
) noexcept nogil:
    """`block` neighbouring anchors of a transposed output: the best score of each first, then the survivors' labels."""
    cdef const float* there = column + 4 * anchors
    cdef Py_ssize_t j = 0, skip = anchors if objectness else 0
    LEVELLED.class_peaks(there + skip, anchors, block, classes, highest, groups)
    while True:
        j = LEVELLED.next_reaching(there if objectness else highest, j, block, limit)
        if j == block:
            return
        yolo_survivor(column + j, anchors, groups[j], classes, objectness, highest[j], limit, into)
        j += 1


cdef inline int32_t first_of(float score, const float* scores, Py_ssize_t step, Py_ssize_t classes) noexcept nogil:
    """The first class that has this score, where they lie `step` apart; 0 where none has."""
    cdef Py_ssize_t c
    for c in range(classes):
        if scores[c * step] == score:
            return <int32_t>c
    return 0


cdef inline void yolo_survivor(
    const float* column, Py_ssize_t anchors, Py_ssize_t first, Py_ssize_t classes, bint objectness, float highest,
    float limit, Survivors* into,
) noexcept nogil:
    """One anchor whose objectness, or where there is none whose score, reaches the limit."""
    cdef float score = highest * column[4 * anchors] if objectness else highest
    cdef const float* scores = column + (first + 4 + objectness) * anchors
    cdef Box box
    if score >= limit:
        box = around(column[0], column[anchors], column[2 * anchors], column[3 * anchors])
        store(into, &box, score,
              <int32_t>first + first_of(highest, scores, anchors, min(<Py_ssize_t>GROUP, classes - first)))


cdef inline void yolo_columns(
    const float* output, Py_ssize_t anchors, Py_ssize_t classes, bint objectness, float limit, Survivors* into
) noexcept nogil:
    cdef float highest[BLOCK]
    cdef int32_t groups[BLOCK]
    cdef Py_ssize_t i = 0
    while i < anchors:
        yolo_block(output + i, anchors, min(<Py_ssize_t>BLOCK, anchors - i), classes, objectness, limit, highest, groups,
                   into)
        i += BLOCK


def decode_yolo(output, threshold, into, start=0, *, transposed, objectness):
    """YOLOv5-style and v8-style; the contract is that of kernels.reference.decoders."""
    cdef float limit
    cdef bint there = objectness, columns = transposed
    cdef Lent read
    cdef Survivors found
    cdef Py_ssize_t anchors, classes
    if lend(output, ARRAY, b"f", 2, False, &read):
        anchors, classes = read.shape[columns], read.shape[not columns] - 4 - there
        if classes >= 1 and room(into, CANDIDATES, ARRAY, start, anchors, &found) and limited(threshold, &limit):
            with nogil:
                (yolo_columns if columns else yolo_rows)(
                    <const float*>read.data, anchors, classes, there, limit, &found
                )
            return found.count
    raise checks.refusal(heads.yolo, output, threshold, into, start, transposed=columns, objectness=there)


cdef inline float best_but(
    const float* scores, Py_ssize_t classes, Py_ssize_t background, int32_t* label
) noexcept nogil:
    """The best class beside the background, numbered as if there were none; below 0 there is no background."""
    cdef float highest = -INFINITY
    cdef Py_ssize_t c
    label[0] = 0
    for c in range(classes):
        if scores[c] > highest and c != background:
            highest = scores[c]
            label[0] = <int32_t>(c - (c > background >= 0))
    return highest


cdef inline void scored_row(
    const float* scores, Py_ssize_t classes, Py_ssize_t background, const float* place, float limit, float height,
    float width, Survivors* into,
) noexcept nogil:
    cdef int32_t label
    cdef float score
    cdef Box box
    if classes > MANY and not (  # many classes are looked at one by one only where one of them reaches the limit
        LEVELLED.peak(scores, background) >= limit
        or LEVELLED.peak(scores + background + 1, classes - background - 1) >= limit
    ):
        return
    score = best_but(scores, classes, background, &label)
    if score >= limit:
        box = Box(place[0] * width, place[1] * height, place[2] * width, place[3] * height)
        store(into, &box, score, label)


def decode_scored(scores, boxes, input_size, threshold, into, start=0, *, background=0):
    """Class scores beside normalised boxes; the contract is that of kernels.reference.decoders."""
    cdef float limit, height, width
    cdef Py_ssize_t i, left_out = -1 if background is None else background
    cdef Lent read, places
    cdef Survivors found
    if not (
        lend(scores, ARRAY, b"f", 2, False, &read) and table(boxes, ARRAY, read.shape[0], 4, &places)
        and read.shape[1] >= (1 if background is None else 2) and (background is None or left_out >= 0)
        and left_out < read.shape[1] and room(into, CANDIDATES, ARRAY, start, read.shape[0], &found) and limited(threshold, &limit)
        and sized(input_size, &height, &width)
    ):
        raise checks.refusal(heads.scored, scores, boxes, input_size, threshold, into, start, background)
    with nogil:
        for i in range(read.shape[0]):
            scored_row(<const float*>read.data + i * read.shape[1], read.shape[1], left_out,
                       <const float*>places.data + 4 * i, limit, height, width, &found)
    return found.count
