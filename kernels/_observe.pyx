"""What a racer's policy is shown; the contract is told in kernels/reference/observe.py, its twin."""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from kernels import checks, observation, painting
from kernels._lend cimport Lent, lend
from kernels._levels import NUMBER

cdef extern from "observe.h":
    ctypedef struct Observer:
        int at_once
    ctypedef struct Side:
        const int32_t* first
        const int32_t* count
        const int32_t* weights
        Py_ssize_t length, taps, source
    ctypedef struct View:
        const uint8_t* pixels
        Side rows, columns
        Py_ssize_t room
    ctypedef enum Way:
        STOCK
        LUMA
        PILLOW_LUMA
    Observer observer_for(int level)
    size_t view_memory(const View* view) noexcept nogil
    void view_observe(
        View* view, Way way, void* out, bint floats, Py_ssize_t at, Py_ssize_t row, Py_ssize_t step, void* memory,
        const Observer* bodies,
    ) noexcept nogil

cdef object ARRAY = np.ndarray
cdef Observer LEVELLED = observer_for(NUMBER)

cdef enum:
    MORE = 4  # rows of the ring beside those that are summed: as many as are scaled at once


cdef Side side_of(planned, Py_ssize_t source) except *:
    """Pointers into the arrays of a plan, which the caller holds."""
    cdef Lent first, count, weights
    cdef Side side
    if not (
        lend(planned.first, ARRAY, b"i", 1, False, &first) and lend(planned.taps, ARRAY, b"i", 1, False, &count)
        and lend(planned.weights, ARRAY, b"i", 2, False, &weights)
    ):
        raise checks.refusal(checks.contiguous, planned.weights, "weights")
    side.first, side.count = <const int32_t*>first.data, <const int32_t*>count.data
    side.weights, side.taps = <const int32_t*>weights.data, weights.shape[1]
    side.length, side.source = first.shape[0], source
    return side


cdef _observe_one(picture, planner, Way way, const Lent* out, Py_ssize_t at, Py_ssize_t row, Py_ssize_t step,
                  size):
    cdef Lent read
    cdef View view
    cdef void* memory
    cdef bint floats = out.code == c"f"
    if not lend(picture, ARRAY, b"B", 3, False, &read):
        raise checks.refusal(painting.picture, picture)
    rows, columns = planner(read.shape[0], size[0]), planner(read.shape[1], size[1])
    view.pixels = <const uint8_t*>read.data
    view.rows, view.columns = side_of(rows, read.shape[0]), side_of(columns, read.shape[1])
    view.room = view.rows.taps + MORE
    memory = malloc(view_memory(&view))
    if memory == NULL:
        raise MemoryError("no memory for the rows of an observation")
    with nogil:
        view_observe(&view, way, out.data, floats, at, row, step, memory, &LEVELLED)
        free(memory)


def observe(pixels, out, *, mode="training"):
    """A racer's observation; the contract is that of kernels.reference.observe."""
    cdef Lent written
    cdef Way way = STOCK
    cdef Py_ssize_t number
    views, target = observation.target(pixels, out, mode)
    if not (lend(out, ARRAY, b"Bf", 1 + len(out.shape[1:]), True, &written)):
        raise checks.refusal(observation.target, pixels, out, mode)
    if mode == "training":
        way = LUMA if len(views) == 1 else PILLOW_LUMA
    planner = observation.antialiased if mode == "training" else observation.linear
    for number in range(len(views)):
        _observe_one(views[number], planner, way, &written, number * target.view, target.row, target.step,
                     (target.height, target.width))
    return out
