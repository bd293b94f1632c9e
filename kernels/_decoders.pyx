"""What detectors say, read as boxes; what each does is told in kernels/reference/decoders.py, its twin."""

from libc.math cimport INFINITY, expf, isfinite, sqrtf
from libc.stdint cimport int32_t

from kernels import heads

cdef enum:
    BLOCK = 64  # anchors of a transposed output that are looked at together, class by class
    POINTS = 10  # numbers of five landmarks


cdef struct Survivors:
    float* boxes
    float* scores
    int32_t* labels
    float* landmarks  # NULL where there is no column for them
    Py_ssize_t count


cdef struct Box:
    float x1, y1, x2, y2


cdef Survivors survivors(into, Py_ssize_t start):
    """The columns of a Candidates, which have been checked and are not empty."""
    cdef float[:, ::1] boxes = into.boxes
    cdef float[::1] scores = into.scores
    cdef int32_t[::1] labels = into.labels
    cdef float[:, :, ::1] landmarks
    cdef Survivors columns
    columns.boxes, columns.scores, columns.labels = &boxes[0, 0], &scores[0], &labels[0]
    columns.landmarks, columns.count = NULL, start
    if into.landmarks is not None:
        landmarks = into.landmarks
        columns.landmarks = &landmarks[0, 0, 0]
    return columns


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


cdef inline float best(const float* scores, Py_ssize_t classes, int32_t* label) noexcept nogil:
    """The highest of the class scores and the first class that has it; minus infinity where all are NaN."""
    cdef float highest = -INFINITY
    cdef Py_ssize_t c
    label[0] = 0
    for c in range(classes):
        if scores[c] > highest:
            highest = scores[c]
            label[0] = <int32_t>c
    return highest


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
    limit, height, width = heads.ssd(rows, threshold, input_size, into, start)
    cdef const float[:, ::1] read = rows
    cdef Py_ssize_t i, count = read.shape[0]
    if count == 0:
        return start
    cdef Survivors found = survivors(into, start)
    cdef const float* row = &read[0, 0]
    with nogil:
        for i in range(count):
            if not row[7 * i] >= 0:
                break
            ssd_row(row + 7 * i, limit, height, width, &found)
    return found.count


cdef inline void yolo_row(
    const float* row, Py_ssize_t classes, bint objectness, float limit, Survivors* into
) noexcept nogil:
    cdef Box box
    cdef int32_t label
    cdef float score
    if objectness and not row[4] >= limit:
        return
    score = best(row + (5 if objectness else 4), classes, &label)
    if objectness:
        score = score * row[4]
    if score >= limit:
        box = around(row[0], row[1], row[2], row[3])
        store(into, &box, score, label)


cdef inline void higher(float* highest, const float* scores, Py_ssize_t length) noexcept nogil:
    """Raise each of `highest` to its score where that is higher; a NaN never is."""
    cdef Py_ssize_t i
    for i in range(length):
        highest[i] = scores[i] if scores[i] > highest[i] else highest[i]


cdef inline int32_t first_with(float score, const float* scores, Py_ssize_t step, Py_ssize_t classes) noexcept nogil:
    """The first class that has this score; 0 where none has, which a finite score excludes."""
    cdef Py_ssize_t c
    for c in range(classes):
        if scores[c * step] == score:
            return <int32_t>c
    return 0


cdef inline void yolo_block(
    const float* column, Py_ssize_t anchors, Py_ssize_t block, Py_ssize_t classes, bint objectness, float limit,
    Survivors* into,
) noexcept nogil:
    """`block` neighbouring anchors of a transposed output: the best score of each first, then the survivors' labels."""
    cdef float highest[BLOCK]
    cdef const float* scores = column + (5 if objectness else 4) * anchors
    cdef const float* there = column + 4 * anchors
    cdef Py_ssize_t c, j
    cdef float score
    cdef Box box
    for j in range(block):
        highest[j] = -INFINITY
    for c in range(classes):
        higher(highest, scores + c * anchors, block)
    for j in range(block):
        if objectness and not there[j] >= limit:
            continue
        score = highest[j] * there[j] if objectness else highest[j]
        if score >= limit:
            box = around(column[j], column[anchors + j], column[2 * anchors + j], column[3 * anchors + j])
            store(into, &box, score, first_with(highest[j], scores + j, anchors, classes))


def decode_yolo(output, threshold, into, start=0, *, transposed, objectness):
    """YOLOv5-style and v8-style; the contract is that of kernels.reference.decoders."""
    cdef float limit
    cdef Py_ssize_t anchors, classes, i
    cdef bint there = objectness, columns = transposed
    limit, anchors, classes = heads.yolo(output, threshold, into, start, transposed=columns, objectness=there)
    if anchors == 0:
        return start
    cdef const float[:, ::1] read = output
    cdef Py_ssize_t values = 4 + there + classes
    cdef Survivors found = survivors(into, start)
    cdef const float* first = &read[0, 0]
    with nogil:
        if columns:
            i = 0
            while i < anchors:
                yolo_block(first + i, anchors, min(<Py_ssize_t>BLOCK, anchors - i), classes, there, limit, &found)
                i += BLOCK
        else:
            for i in range(anchors):
                yolo_row(first + i * values, classes, there, limit, &found)
    return found.count


cdef inline void yolox_cell(
    const float* row, Py_ssize_t classes, float column, float line, float stride, float limit, Survivors* into
) noexcept nogil:
    cdef Box box
    cdef int32_t label
    cdef float score
    if not row[4] >= limit:
        return
    score = best(row + 5, classes, &label) * row[4]
    if score >= limit:
        box = around((row[0] + column) * stride, (row[1] + line) * stride, expf(row[2]) * stride, expf(row[3]) * stride)
        store(into, &box, score, label)


def decode_yolox(output, input_size, strides, threshold, into, start=0):
    """YOLOX; the contract is that of kernels.reference.decoders."""
    cdef float limit, step
    cdef Py_ssize_t classes, x, y, rows, columns, values
    limit, classes, grids = heads.yolox(output, input_size, strides, threshold, into, start)
    cdef const float[:, ::1] read = output
    cdef Survivors found = survivors(into, start)
    cdef const float* row = &read[0, 0]
    values = 5 + classes
    for (rows, columns), step in zip(grids, strides):
        with nogil:
            for y in range(rows):
                for x in range(columns):
                    yolox_cell(row, classes, <float>x, <float>y, step, limit, &found)
                    row += values
    return found.count


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


cdef inline void nanodet_cell(
    const float* bins, Py_ssize_t length, float column, float line, float stride, float score, int32_t label,
    Survivors* into,
) noexcept nogil:
    cdef float middle = (stride - 1) / 2, x = column * stride + middle, y = line * stride + middle
    cdef Box box = Box(
        x - expectation(bins, length) * stride,
        y - expectation(bins + length, length) * stride,
        x + expectation(bins + 2 * length, length) * stride,
        y + expectation(bins + 3 * length, length) * stride,
    )
    store(into, &box, score, label)


def decode_nanodet(scores, distances, input_size, stride, threshold, into, start=0):
    """One level of NanoDet; the contract is that of kernels.reference.decoders."""
    cdef float limit, step = stride, score
    cdef Py_ssize_t bins, columns, i
    cdef int32_t label
    limit, bins, columns = heads.nanodet(scores, distances, input_size, stride, threshold, into, start)
    cdef const float[:, ::1] read = scores, sides = distances
    cdef Py_ssize_t cells = read.shape[0], classes = read.shape[1]
    cdef Survivors found = survivors(into, start)
    cdef const float* row = &read[0, 0]
    cdef const float* side = &sides[0, 0]
    with nogil:
        for i in range(cells):
            score = best(row + i * classes, classes, &label)
            if score >= limit:
                nanodet_cell(side + i * 4 * bins, bins, <float>(i % columns), <float>(i // columns), step, score,
                             label, &found)
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


def decode_yunet(cls, obj, boxes, landmarks, input_size, stride, threshold, into, start=0):
    """One level of YuNet; the contract is that of kernels.reference.decoders."""
    cdef float limit, step = stride, score
    cdef Py_ssize_t columns, i
    limit, columns = heads.yunet(cls, obj, boxes, landmarks, input_size, stride, threshold, into, start)
    cdef const float[:, ::1] faces = cls, there = obj, places = boxes, points = landmarks
    cdef Py_ssize_t cells = faces.shape[0]
    cdef Survivors found = survivors(into, start)
    cdef const float* face = &faces[0, 0]
    cdef const float* thing = &there[0, 0]
    cdef const float* place = &places[0, 0]
    cdef const float* point = &points[0, 0]
    with nogil:
        for i in range(cells):
            score = sqrtf(probability(face[i]) * probability(thing[i]))
            if score >= limit:
                yunet_cell(place + 4 * i, point + POINTS * i, <float>(i % columns), <float>(i // columns), step,
                           score, &found)
    return found.count


cdef inline float best_but(
    const float* scores, Py_ssize_t classes, Py_ssize_t background, int32_t* label
) noexcept nogil:
    """The best class beside the background, numbered as if there were none; below 0 there is no background."""
    cdef float before, after
    cdef int32_t later
    if background < 0:
        return best(scores, classes, label)
    before = best(scores, background, label)
    after = best(scores + background + 1, classes - background - 1, &later)
    if after > before:
        label[0] = <int32_t>background + later
        return after
    return before


def decode_scored(scores, boxes, input_size, threshold, into, start=0, *, background=0):
    """Class scores beside normalised boxes; the contract is that of kernels.reference.decoders."""
    cdef float limit, height, width, score
    cdef Py_ssize_t i, left_out = -1 if background is None else background
    cdef int32_t label
    cdef Box box
    limit, height, width = heads.scored(scores, boxes, input_size, threshold, into, start, background)
    cdef const float[:, ::1] read = scores, places = boxes
    cdef Py_ssize_t count = read.shape[0], classes = read.shape[1]
    if count == 0:
        return start
    cdef Survivors found = survivors(into, start)
    cdef const float* row = &read[0, 0]
    cdef const float* place = &places[0, 0]
    with nogil:
        for i in range(count):
            score = best_but(row + i * classes, classes, left_out, &label)
            if score >= limit:
                box = Box(place[4 * i] * width, place[4 * i + 1] * height, place[4 * i + 2] * width,
                          place[4 * i + 3] * height)
                store(&found, &box, score, label)
    return found.count
