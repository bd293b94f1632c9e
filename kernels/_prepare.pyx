"""A picture into a model's input tensor; what it does is told in kernels/reference/prepare.py, its twin.

What a call needs beside the pixels is worked out once for each size and setting, and held as a Job; how the rows of the
tensor are made is told in _rows.pxd.
"""

from cpython.buffer cimport (
    Py_buffer, PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int16_t, int32_t, uint8_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

from kernels._levels import NUMBER
from kernels._rows cimport (
    MOST, WIDE_1, Across, AcrossRow, Down, PrepareRows, Room, Source, Target, border, inside, prepare_rows,
)
from kernels.formats import PixelFormat
from kernels.gather import gather, neighbours
from kernels.plan import numbers, plan

cdef enum:
    REMEMBERED = 16  # jobs

cdef PrepareRows run = prepare_rows(NUMBER)
NDARRAY = np.ndarray
BGR, RGB = PixelFormat.BGR, PixelFormat.RGB
YUYV, NV12, GRAY = PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.GRAY


cdef class Job:
    """One preparation: what it was made for, and pointers into arrays that `held` keeps alive."""
    cdef object format, color, resize, anchor, pad, mean, scale, layout, held, placement
    cdef int dimensions
    cdef Py_ssize_t[3] source_shape, target_shape
    cdef char kind  # of the items of out, as a buffer tells it
    cdef AcrossRow across
    cdef Source source
    cdef Down down
    cdef Across how
    cdef Target target

    cdef bint fits(self, Py_buffer* pixels, Py_buffer* out) noexcept:
        cdef int i
        if pixels.ndim != self.dimensions or out.ndim != 3:
            return False
        for i in range(self.dimensions):
            if pixels.shape[i] != self.source_shape[i]:
                return False
        for i in range(3):
            if out.shape[i] != self.target_shape[i]:
                return False
        if pixels.format[0] != c"B" or pixels.format[1] != 0:
            return False
        return out.format[0] == self.kind and out.format[1] == 0 and <uintptr_t>out.buf % out.itemsize == 0

    cdef bint wants(self, format, color, resize, anchor, pad, mean, scale, layout):
        return (
            self.format is format and self.color is color and self.mean == mean and self.scale == scale
            and self.resize == resize and self.layout == layout and self.anchor == anchor and self.pad == pad
        )

    cdef int work(self, const uint8_t* pixels, Py_ssize_t length, uint8_t* out) except -1 nogil:
        cdef Source source = self.source
        cdef Target target = self.target
        cdef Room room
        cdef Py_ssize_t y, row = MOST * self.how.padded
        cdef Py_ssize_t tail = max(source.pitch, source.reach, source.reach_beside)
        room.upper = <int16_t*>malloc(3 * row * sizeof(int16_t) + tail)
        if room.upper == NULL:
            with gil:
                raise MemoryError("no memory for the rows between a picture and its tensor")
        cdef void* held = room.upper
        room.run = &run
        room.lower, room.planes = room.upper + row, room.upper + 2 * row
        room.tail = <uint8_t*>(room.upper + 3 * row)
        memset(room.tail, 0, tail)
        source.pixels, source.end, target.items = pixels, pixels + length, out
        for y in range(self.down.begin):
            border(&target, y, 0, target.width)
        inside(self.across, &source, &self.down, &self.how, &target, &room)
        for y in range(self.down.end, target.height):
            border(&target, y, 0, target.width)
        free(held)
        return 0


cdef void lay_rows(Job job, todo):
    laid = neighbours(todo.rows)
    cdef const int32_t[::1] first = laid[0]
    cdef const int16_t[::1] weight = laid[1]
    job.down.first, job.down.weight = &first[0], &weight[0]
    job.down.begin, job.down.end = todo.rows.begin, todo.rows.end
    job.held += (first, weight)


cdef void lay_columns(Job job, todo, pixels, format):
    cdef Py_ssize_t width = todo.placement.source_width
    laid = gather(todo.columns, width, format, wide=run.wide != 0)
    cdef const int32_t[::1] first = laid.first, offset = laid.offset, beside = laid.beside
    cdef const uint8_t[:, ::1] mask = laid.mask
    cdef const int16_t[::1] weight = laid.weight
    job.how.first, job.how.offset, job.how.beside = &first[0], &offset[0], &beside[0]
    job.how.mask, job.how.weight, job.how.padded = &mask[0, 0], &weight[0], weight.shape[0]
    job.how.reads, job.how.plain, job.how.step = laid.near, laid.plain, 1 if width > 1 else 0
    job.source.reach, job.source.reach_beside = laid.reach, laid.reach_beside
    job.source.height, job.source.planes = todo.placement.source_height, format is NV12
    job.source.pitch = width if format is NV12 else pixels.size // pixels.shape[0]
    job.across = run.one if format is GRAY else run.yuyv if format is YUYV else run.nv12 if format is NV12 else run.three
    job.held += (first, offset, beside, mask, weight)
    if laid.wide is not None:
        lay_chunks(job, laid.wide)


cdef void lay_chunks(Job job, wide):
    cdef const int32_t[::1] at = wide.at, beside = wide.beside
    cdef const uint8_t[:, ::1] order = wide.order
    job.how.at, job.how.at_beside, job.how.order = &at[0], &beside[0], &order[0, 0]
    job.how.reads = WIDE_1 + wide.reads - 1
    job.held += (at, beside, order)


cdef void lay_target(Job job, todo, out, bint planar):
    cdef Target* target = &job.target
    cdef int c
    target.size, target.channels = out.itemsize, len(todo.channels)
    target.height, target.width = out.shape[1:] if planar else out.shape[:2]
    target.step = 1 if planar else target.channels
    target.plane = target.height * target.width if planar else 1
    target.row = target.width * target.step
    target.begin, target.length = todo.columns.begin, todo.columns.end - todo.columns.begin
    target.gray = todo.luma is not None
    for c in range(target.channels):
        target.source[c], target.border[c] = todo.channels[c], todo.border[c]
        target.numbers[c].multiply, target.numbers[c].add = todo.multiply[c] / 64, todo.add[c]
    target.apart = planar and target.size != 2 and target.channels == MOST and job.across == run.three
    first = neighbours(todo.columns)[0][target.begin : target.begin + target.length]
    target.straight = target.apart and job.how.plain and (np.diff(first) == 1).all()
    if target.gray:
        shares = np.rint(todo.luma * 32768)
        for c in range(MOST):
            target.luma[c] = shares[c]


cdef Job new_job(pixels, out, format, color, resize, anchor, pad, mean, scale, layout):
    """Check everything and work it out; raises as `prepare` says."""
    todo = plan(pixels, out, format=format, color=color, resize=resize, anchor=anchor, pad=pad, mean=mean,
                scale=scale, layout=layout)
    cdef Job job = Job()
    cdef int i
    job.format, job.color, job.resize, job.anchor, job.pad = format, color, resize, anchor, pad
    job.mean, job.scale, job.layout, job.placement, job.held = mean, scale, layout, todo.placement, ()
    job.dimensions, job.kind = pixels.ndim, ord(out.dtype.char)
    for i in range(pixels.ndim):
        job.source_shape[i] = pixels.shape[i]
    for i in range(3):
        job.target_shape[i] = out.shape[i]
    lay_rows(job, todo)
    lay_columns(job, todo, pixels, format)
    lay_target(job, todo, out, layout == "NCHW")
    return job


cdef tuple jobs = ()  # replaced whole, never changed: threads may read it at any time


cdef bint work_known(pixels, out, format, color, resize, anchor, pad, mean, scale, layout, list placed) except *:
    """Do what has been done before: checks are comparisons with what was checked then. False where it is new."""
    global jobs
    cdef Py_buffer source, target
    cdef Job job
    if not isinstance(pixels, NDARRAY) or not isinstance(out, NDARRAY):
        return False
    try:
        PyObject_GetBuffer(pixels, &source, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
    except (ValueError, BufferError):
        return False
    try:
        PyObject_GetBuffer(out, &target, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE)
    except (ValueError, BufferError):
        PyBuffer_Release(&source)
        return False
    try:
        for job in jobs:
            if job.fits(&source, &target) and job.wants(format, color, resize, anchor, pad, mean, scale, layout):
                with nogil:
                    job.work(<const uint8_t*>source.buf, source.len, <uint8_t*>target.buf)
                placed.append(job.placement)
                return True
    finally:
        PyBuffer_Release(&target)
        PyBuffer_Release(&source)
    return False


def prepare(
    pixels, out, *, format=PixelFormat.BGR, color=PixelFormat.RGB, resize="stretch", anchor="centre", pad=114,
    mean=None, scale=None, layout="NCHW",
):
    """Scale a picture into a model's input tensor; the contract is that of kernels.reference.prepare."""
    global jobs
    cdef list placed = []
    if type(mean) is not tuple:
        mean = numbers(mean)
    if type(scale) is not tuple:
        scale = numbers(scale)
    if not work_known(pixels, out, format, color, resize, anchor, pad, mean, scale, layout, placed):
        job = new_job(pixels, out, format, color, resize, anchor, pad, mean, scale, layout)
        jobs = (job, *jobs[: REMEMBERED - 1])
        if not work_known(pixels, out, format, color, resize, anchor, pad, mean, scale, layout, placed):
            raise BufferError("the arrays changed while they were looked at")
    return placed[0]
