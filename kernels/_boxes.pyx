"""Choosing among boxes, and mapping them back; what it does is told in kernels/reference/boxes.py, its twin."""

from libc.math cimport isnan
from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

from kernels import checks


cdef struct Kept:  # a box that stays, packed so that every later one runs past them in one stretch of memory
    float x1, y1, x2, y2, area
    int32_t label


cdef inline bint better(const float* scores, int32_t a, int32_t b) noexcept nogil:
    """Whether score a comes before score b for certain; a NaN comes after everything."""
    return scores[a] > scores[b] or (isnan(scores[b]) and not isnan(scores[a]))


cdef inline void merge(
    const float* scores, const int32_t* left, const int32_t* middle, const int32_t* end, int32_t* out
) noexcept nogil:
    """Two neighbouring runs, each in order, into one; of equal scores the left one comes first."""
    cdef const int32_t* right = middle
    while left < middle or right < end:
        if right == end or (left < middle and not better(scores, right[0], left[0])):
            out[0] = left[0]
            left += 1
        else:
            out[0] = right[0]
            right += 1
        out += 1


cdef inline int32_t* by_score(const float* scores, int32_t* order, int32_t* other, Py_ssize_t count) noexcept nogil:
    """0..count - 1 by descending score, stable; returned in one of the two arrays given."""
    cdef Py_ssize_t i, middle, end, run = 1
    for i in range(count):
        order[i] = <int32_t>i
    while run < count:
        i = 0
        while i < count:
            middle, end = min(i + run, count), min(i + 2 * run, count)
            merge(scores, order + i, order + middle, order + end, other + i)
            i = end
        order, other = other, order
        run *= 2
    return order


cdef inline float side(float low, float high) noexcept nogil:
    """The length from low to high, none below 0; a NaN stays."""
    cdef float length = high - low
    return 0 if length < 0 else length


cdef inline bint overlaps(const Kept* a, const Kept* b, float iou) noexcept nogil:
    """Whether the intersection over union is above iou; without a division."""
    cdef float width = side(a.x1 if a.x1 > b.x1 else b.x1, a.x2 if a.x2 < b.x2 else b.x2)
    cdef float height = side(a.y1 if a.y1 > b.y1 else b.y1, a.y2 if a.y2 < b.y2 else b.y2)
    cdef float shared = width * height
    return shared > 0 and shared > iou * (a.area + b.area - shared)


cdef inline bint suppressed(
    const Kept* kept, Py_ssize_t count, const Kept* box, float iou, bint by_class
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        if (kept[i].label == box.label or not by_class) and overlaps(&kept[i], box, iou):
            return True
    return False


cdef inline Py_ssize_t greedy(
    const float* boxes, const int32_t* labels, const int32_t* order, Py_ssize_t count, float iou, bint by_class,
    Py_ssize_t limit, Kept* kept, int32_t* keep,
) noexcept nogil:
    """Write the indices that stay into `keep`; how many they are. `kept` has room for `limit` boxes."""
    cdef Py_ssize_t i, found = 0
    cdef const float* box
    cdef Kept* new
    for i in range(count):
        if found == limit:
            break
        box = boxes + 4 * <Py_ssize_t>order[i]
        new = kept + found
        new.x1, new.y1, new.x2, new.y2 = box[0], box[1], box[2], box[3]
        new.area = side(box[0], box[2]) * side(box[1], box[3])
        new.label = labels[order[i]]
        if not suppressed(kept, found, new, iou, by_class):
            keep[found] = order[i]
            found += 1
    return found


def nms(into, count, iou, *, limit=None, by_class=True, keep=None):
    """Greedy non-maximum suppression; the contract is that of kernels.reference.boxes."""
    keep, limit = checks.suppression(into, count, iou, limit, keep)
    cdef Py_ssize_t most = limit, length = count, found
    if most == 0:
        return keep[:0]
    cdef const float[:, ::1] boxes = into.boxes
    cdef const float[::1] scores = into.scores
    cdef const int32_t[::1] labels = into.labels
    cdef int32_t[::1] chosen = keep
    cdef float threshold = iou
    cdef bint per_class = by_class
    cdef int32_t* order = <int32_t*>malloc(2 * length * sizeof(int32_t))
    cdef Kept* kept = <Kept*>malloc(most * sizeof(Kept))
    if order == NULL or kept == NULL:
        free(order)
        free(kept)
        raise MemoryError(f"no memory to order {length} boxes")
    with nogil:
        found = greedy(&boxes[0, 0], &labels[0], by_score(&scores[0], order, order + length, length), length,
                       threshold, per_class, most, kept, &chosen[0])
        free(order)
        free(kept)
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
    checks.array(boxes, "boxes", checks.FLOAT32, ("K", 4))
    return _mapped(boxes, placement, out, True)


def points_to_frame(points, placement, out=None):
    """Points from input pixels to the frame, not clipped; the contract is that of kernels.reference.boxes."""
    checks.array(points, "points", checks.FLOAT32, ("K", "P", 2))
    return _mapped(points, placement, out, False)


cdef object _mapped(points, placement, out, bint clipped):
    out = checks.room(out, "out", checks.FLOAT32, points.shape)
    (left, top), (across, down) = checks.frame_of(placement)
    cdef Py_ssize_t length = points.size
    if length == 0:
        return out
    cdef const float[::1] read = points.reshape(-1)
    cdef float[::1] written = out.reshape(-1)
    cdef double x = left, y = top, step_x = across, step_y = down
    with nogil:
        to_frame(&read[0], &written[0], length // 2, x, y, step_x, step_y)
        if clipped:
            clip(&written[0], length)
    return out
