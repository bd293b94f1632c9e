"""What the rooms of decoders share: the columns that survivors are written to, and what they are made of."""

from libc.math cimport isfinite
from libc.stdint cimport int32_t

from kernels._lend cimport Columns, Lent, lend, lend_columns

cdef extern from "search.h":
    enum: FOUND
    Py_ssize_t rows_reaching(
        const float* rows, Py_ssize_t step, Py_ssize_t column, Py_ssize_t* start, Py_ssize_t end, float limit,
        Py_ssize_t* found,
    ) noexcept nogil


cdef struct Survivors:
    float* boxes
    float* scores
    int32_t* labels
    float* landmarks  # NULL where there is no column for them
    Py_ssize_t count


cdef struct Box:
    float x1, y1, x2, y2


cdef inline bint room(into, type, array, start, Py_ssize_t anchors, Survivors* found) except -1:
    """The columns of a Candidates, which is the `type`, from `start` on; false where they do not hold as many rows more."""
    cdef Columns columns
    cdef Py_ssize_t first = start
    if not lend_columns(into, type, array, &columns):
        return False
    found.boxes, found.scores, found.labels = columns.boxes, columns.scores, columns.labels
    found.landmarks, found.count = columns.landmarks, first
    return 0 <= first <= columns.held - anchors


cdef inline bint table(values, type, Py_ssize_t rows, Py_ssize_t columns, Lent* lent) noexcept:
    """The memory of an array of float32 of just this shape; false for any other."""
    return lend(values, type, b"f", 2, False, lent) and lent.shape[0] == rows and lent.shape[1] == columns


cdef inline bint limited(threshold, float* limit) except -1:
    """A finite threshold as the float32 that scores are compared with."""
    cdef double wide = threshold
    limit[0] = <float>wide
    return isfinite(wide)


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
