"""What detectors say, read as boxes; what each does is told in kernels/reference/decoders.py, its twin."""

from libc.math cimport INFINITY, NAN, expf, isfinite, sqrtf
from libc.stdint cimport int32_t

import numpy as np

from kernels import checks, heads
from kernels._lend cimport Columns, Lent, lend, lend_columns
from kernels._levels import NUMBER
from kernels.candidates import Candidates

cdef extern from "decoders.h":
    enum: BLOCK
    enum: GROUP
    ctypedef struct Decoders:
        void (*class_peaks)(
            const float* scores, Py_ssize_t step, Py_ssize_t count, Py_ssize_t classes, float* highest, int32_t* groups
        ) noexcept nogil
        Py_ssize_t (*next_reaching)(const float* values, Py_ssize_t i, Py_ssize_t end, float limit) noexcept nogil
        Py_ssize_t (*next_face)(
            const float* cls, const float* obj, Py_ssize_t i, Py_ssize_t end, float limit
        ) noexcept nogil
        float (*peak)(const float* scores, Py_ssize_t count) noexcept nogil
        void (*exponentials)(float* values, Py_ssize_t count) noexcept nogil
    Decoders decoders_for(int level)
    enum: FOUND
    Py_ssize_t rows_reaching(
        const float* values, Py_ssize_t step, Py_ssize_t* start, Py_ssize_t end, float limit, Py_ssize_t* found
    ) noexcept nogil

cdef enum:
    POINTS = 10  # numbers of five landmarks
    BINS = 64  # of a side's distribution, which are looked at together up to here
    SPARE = 16  # numbers behind the last that a vector may touch

cdef object ARRAY = np.ndarray, CANDIDATES = Candidates
cdef Decoders LEVELLED = decoders_for(NUMBER)


cdef struct Survivors:
    float* boxes
    float* scores
    int32_t* labels
    float* landmarks  # NULL where there is no column for them
    Py_ssize_t count


cdef struct Box:
    float x1, y1, x2, y2


cdef inline bint room(into, start, Py_ssize_t anchors, Survivors* found) except -1:
    """The columns of a Candidates from `start` on; false where they do not hold as many rows more."""
    cdef Columns columns
    cdef Py_ssize_t first = start
    if not lend_columns(into, CANDIDATES, ARRAY, &columns):
        return False
    found.boxes, found.scores, found.labels = columns.boxes, columns.scores, columns.labels
    found.landmarks, found.count = columns.landmarks, first
    return 0 <= first <= columns.held - anchors


cdef inline bint limited(threshold, float* limit) except -1:
    """A finite threshold as the float32 that scores are compared with."""
    cdef double wide = threshold
    limit[0] = <float>wide
    return isfinite(wide)


cdef inline bint sized(input_size, float* height, float* width) except -1:
    """A (height, width) of at least one pixel."""
    cdef Py_ssize_t rows, columns
    rows, columns = input_size
    height[0], width[0] = <float>rows, <float>columns
    return rows >= 1 and columns >= 1


cdef inline void store(Survivors* into, const Box* box, float score, int32_t label) noexcept nogil:
    """One more row, when all its numbers are finite."""
    cdef float* row = into.boxes + 4 * into.count
    if not (isfinite(score) and isfinite(box.x1) and isfinite(box.y1) and isfinite(box.x2) and isfinite(box.y2)):
        return
    row[0], row[1], row[2], row[3] = box.x1, box.y1, box.x2, box.y2
    into.scores[into.count] = score
    into.labels[into.count] = label
    into.count += 1


cdef inline Box around(float x, float y, float width, float height) noexcept nogil:
    cdef float half_width = width * <float>0.5, half_height = height * <float>0.5
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


cdef inline int32_t first_with(float score, const float* scores, Py_ssize_t step, Py_ssize_t classes) noexcept nogil:
    """The first class that has this score; 0 where none has, which a finite score excludes."""
    cdef Py_ssize_t c
    for c in range(classes):
        if scores[c * step] == score:
            return <int32_t>c
    return 0


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
        lend(rows, ARRAY, b"f", 2, False, &read) and read.shape[1] == 7 and room(into, start, read.shape[0], &found)
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
        store(into, &box, score, first_with(highest, scores, 1, classes))


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
        count = rows_reaching(output + 4, values, &done, anchors, limit, found)
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
              <int32_t>first + first_with(highest, scores, anchors, min(<Py_ssize_t>GROUP, classes - first)))


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
        if classes >= 1 and room(into, start, anchors, &found) and limited(threshold, &limit):
            with nogil:
                (yolo_columns if columns else yolo_rows)(
                    <const float*>read.data, anchors, classes, there, limit, &found
                )
            return found.count
    raise checks.refusal(heads.yolo, output, threshold, into, start, transposed=columns, objectness=there)


cdef inline void yolox_cell(
    const float* row, Py_ssize_t classes, float column, float line, float stride, float limit, Survivors* into
) noexcept nogil:
    cdef float highest = LEVELLED.peak(row + 5, classes), score = highest * row[4]
    cdef Box box
    if score >= limit:
        box = around((row[0] + column) * stride, (row[1] + line) * stride, expf(row[2]) * stride, expf(row[3]) * stride)
        store(into, &box, score, first_with(highest, row + 5, 1, classes))


cdef inline void yolox_grid(
    const float* output, Py_ssize_t cells, Py_ssize_t columns, Py_ssize_t classes, float stride, float limit,
    Survivors* into,
) noexcept nogil:
    cdef Py_ssize_t found[FOUND]
    cdef Py_ssize_t values = 5 + classes, done = 0, count, i
    while done < cells:
        count = rows_reaching(output + 4, values, &done, cells, limit, found)
        for i in range(count):
            yolox_cell(output + found[i] * values, classes, <float>(found[i] % columns), <float>(found[i] // columns),
                       stride, limit, into)


cdef Py_ssize_t grid_of(height, width, stride, Py_ssize_t* columns) except -1:
    """How many cells a stride's grid has, a part of one counted whole."""
    cdef Py_ssize_t step = stride, rows = height, across = width
    if step < 1 or rows < 1 or across < 1:
        return 0
    columns[0] = (across + step - 1) // step
    return (rows + step - 1) // step * columns[0]


def decode_yolox(output, input_size, strides, threshold, into, start=0):
    """YOLOX; the contract is that of kernels.reference.decoders."""
    cdef float limit
    cdef Lent read
    cdef Survivors found
    cdef Py_ssize_t cells, columns, done = 0
    if not (
        lend(output, ARRAY, b"f", 2, False, &read) and read.shape[1] > 5 and room(into, start, read.shape[0], &found)
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


cdef inline float expectation(const float* bins, Py_ssize_t length) noexcept nogil:
    """The mean bin of a softmax over the bins."""
    cdef float peak = bins[0], total = 0, moment = 0, weight
    cdef Py_ssize_t i
    for i in range(1, length):
        if bins[i] > peak:
            peak = bins[i]
    for i in range(length):
        weight = expf(bins[i] - peak)
        total += weight
        moment += weight * i
    return moment / total


cdef inline void expectations(const float* bins, Py_ssize_t length, float* means) noexcept nogil:
    """The mean bin of each of four sides, all of whose weights are worked out together where they are not too many."""
    cdef float weights[4 * BINS + SPARE]
    cdef float peak, total, moment
    cdef Py_ssize_t side, i
    if length > BINS:
        for side in range(4):
            means[side] = expectation(bins + side * length, length)
        return
    for side in range(4):
        peak = bins[side * length]
        for i in range(1, length):
            peak = bins[side * length + i] if bins[side * length + i] > peak else peak
        for i in range(length):
            weights[side * length + i] = bins[side * length + i] - peak
    for i in range(SPARE):
        weights[4 * length + i] = 0
    LEVELLED.exponentials(weights, 4 * length)
    for side in range(4):
        total = moment = 0
        for i in range(length):
            total += weights[side * length + i]
            moment += weights[side * length + i] * i
        means[side] = moment / total if known(bins + side * length, length) else NAN


cdef inline bint known(const float* bins, Py_ssize_t length) noexcept nogil:
    """Whether the softmax of these is a number: none is NaN or +infinity, and one is above -infinity."""
    cdef Py_ssize_t i
    cdef bint some = False
    for i in range(length):
        if not bins[i] < INFINITY:
            return False
        some |= bins[i] > -INFINITY
    return some


cdef inline void nanodet_cell(
    const float* bins, Py_ssize_t length, float column, float line, float stride, float score, int32_t label,
    Survivors* into,
) noexcept nogil:
    cdef float middle = (stride - 1) / 2, x = column * stride + middle, y = line * stride + middle
    cdef float means[4]
    cdef Box box
    expectations(bins, length, means)
    box = Box(x - means[0] * stride, y - means[1] * stride, x + means[2] * stride, y + means[3] * stride)
    store(into, &box, score, label)


cdef inline void nanodet_cells(
    const float* scores, Py_ssize_t cells, Py_ssize_t classes, const float* bins, Py_ssize_t length,
    Py_ssize_t columns, float stride, float limit, Survivors* into,
) noexcept nogil:
    """All scores are looked through as one row of memory; only the cell of one that reaches the limit is looked at."""
    cdef Py_ssize_t end = cells * classes, cell
    cdef Py_ssize_t at = LEVELLED.next_reaching(scores, 0, end, limit)
    cdef float score
    while at < end:
        cell = at // classes
        score = LEVELLED.peak(scores + cell * classes, classes)
        nanodet_cell(bins + cell * 4 * length, length, <float>(cell % columns), <float>(cell // columns), stride, score,
                     first_with(score, scores + cell * classes, 1, classes), into)
        at = LEVELLED.next_reaching(scores, (cell + 1) * classes, end, limit)


def decode_nanodet(scores, distances, input_size, stride, threshold, into, start=0):
    """One level of NanoDet; the contract is that of kernels.reference.decoders."""
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
        and room(into, start, read.shape[0], &found) and limited(threshold, &limit)
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


cdef inline bint table(array, Py_ssize_t rows, Py_ssize_t columns, Lent* lent) noexcept:
    return lend(array, ARRAY, b"f", 2, False, lent) and lent.shape[0] == rows and lent.shape[1] == columns


def decode_yunet(cls, obj, boxes, landmarks, input_size, stride, threshold, into, start=0):
    """One level of YuNet; the contract is that of kernels.reference.decoders."""
    cdef float limit, step = stride
    cdef Lent faces, there, places, points
    cdef Survivors found
    cdef Py_ssize_t columns, cells
    height, width = input_size
    cells = grid_of(height, width, stride, &columns)
    if not (
        cells > 0 and table(cls, cells, 1, &faces) and table(obj, cells, 1, &there) and table(boxes, cells, 4, &places)
        and table(landmarks, cells, POINTS, &points) and room(into, start, cells, &found) and limited(threshold, &limit)
    ):
        raise checks.refusal(heads.yunet, cls, obj, boxes, landmarks, input_size, stride, threshold, into, start)
    with nogil:
        yunet_cells(<const float*>faces.data, <const float*>there.data, <const float*>places.data,
                    <const float*>points.data, cells, columns, step, limit, &found)
    return found.count


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
    if classes > SPARE and not (  # many classes are looked at one by one only where one of them reaches the limit
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
        lend(scores, ARRAY, b"f", 2, False, &read) and table(boxes, read.shape[0], 4, &places)
        and read.shape[1] >= (1 if background is None else 2) and (background is None or left_out >= 0)
        and left_out < read.shape[1] and room(into, start, read.shape[0], &found) and limited(threshold, &limit)
        and sized(input_size, &height, &width)
    ):
        raise checks.refusal(heads.scored, scores, boxes, input_size, threshold, into, start, background)
    with nogil:
        for i in range(read.shape[0]):
            scored_row(<const float*>read.data + i * read.shape[1], read.shape[1], left_out,
                       <const float*>places.data + 4 * i, limit, height, width, &found)
    return found.count
