"""The rows of a tensor that `prepare` fills, out of rows of a picture: simd/prepare.h, row by row, without the GIL.

Two source rows are interpolated across into planes of 16-bit numbers, and blended into an output row. An upscaled
picture finds both rows already there most of the time; nothing else is held in between. Of a picture made so small that
no two output rows share a source row, both are read at once and nothing is held. Of a camera's YUYV or NV12, only the
pixels that are needed become colours.
"""

from libc.stdint cimport int16_t, int32_t, uint8_t, uint16_t
from libc.string cimport memcpy, memset

cdef extern from "prepare.h":
    enum: NEAR, WIDE_1
    ctypedef struct Across:
        const int32_t* first
        const int32_t* offset
        const int32_t* beside
        const uint8_t* mask
        const int16_t* weight
        Py_ssize_t padded
        Py_ssize_t step
        const int32_t* at
        const int32_t* at_beside
        const uint8_t* order
        int reads
        int plain
    ctypedef struct Numbers:
        float multiply, add
    ctypedef struct Planes:
        uint8_t* rows[3]
        Numbers numbers[3]
        Py_ssize_t length
        int floats
    ctypedef void (*AcrossRow)(const uint8_t*, const uint8_t*, const Across*, int16_t*) noexcept nogil
    ctypedef struct PrepareRows:
        AcrossRow three, yuyv, nv12, one
        void (*fused)(const uint8_t*, const uint8_t*, const Across*, int, const Planes*) noexcept nogil
        void (*luma)(const int16_t*, const int16_t*, int16_t*, Py_ssize_t) noexcept nogil
        void (*split)(const uint8_t*, uint8_t*, uint8_t*, uint8_t*, Py_ssize_t) noexcept nogil
        void (*spread)(const uint8_t*, const Numbers*, float*, Py_ssize_t) noexcept nogil
        void (*bytes)(const int16_t*, const int16_t*, int, uint8_t*, Py_ssize_t) noexcept nogil
        void (*halves)(const int16_t*, const int16_t*, int, const Numbers*, int, uint16_t*, Py_ssize_t) noexcept nogil
        void (*floats)(const int16_t*, const int16_t*, int, const Numbers*, int, float*, Py_ssize_t) noexcept nogil
        int wide
    PrepareRows prepare_rows(int level)
    void fill_halves(uint16_t* out, uint16_t value, Py_ssize_t length, Py_ssize_t step) noexcept nogil
    void fill_floats(float* out, float value, Py_ssize_t length, Py_ssize_t step) noexcept nogil

cdef extern from "half.h":
    uint16_t half_from_float(float value) noexcept nogil

cdef enum:
    MOST = 3  # channels of the source, of the rows between, and of the output


cdef struct Source:
    const uint8_t* pixels
    const uint8_t* end
    Py_ssize_t height
    Py_ssize_t pitch  # bytes from one row to the next
    Py_ssize_t reach  # bytes from the beginning of a row to the end of the furthest read
    Py_ssize_t reach_beside  # the same in the second plane of NV12
    bint planes  # there is a second plane


cdef struct Down:  # which source rows each output row is made of
    const int32_t* first
    const int16_t* weight
    Py_ssize_t begin, end  # output rows that show the picture


cdef struct Target:
    uint8_t* items
    Py_ssize_t size  # bytes of one item: 1 uint8, 2 float16, 4 float32
    Py_ssize_t row  # items from one row to the next
    Py_ssize_t step  # items from one pixel to the next
    Py_ssize_t plane  # items from one channel to the next
    Py_ssize_t channels, height, width
    Py_ssize_t begin, length  # output pixels of a row that show the picture
    int32_t[MOST] source  # which plane between each channel is made of
    Numbers[MOST] numbers  # for each item that a unit is blended to
    float[MOST] border
    int16_t[MOST] luma  # what three channels become one gray by
    bint gray  # they do
    bint apart  # three channels of bytes or floats in planes, of a source that has three
    bint straight  # three channels that are neither scaled nor mixed across, of bytes or floats


cdef inline void border(const Target* target, Py_ssize_t y, Py_ssize_t x, Py_ssize_t end) noexcept nogil:
    """What stands outside the picture, in every channel of pixels x..end - 1 of row y."""
    cdef Py_ssize_t c, at, length = end - x
    if length == 0:
        return
    for c in range(target.channels):
        at = c * target.plane + y * target.row + x * target.step
        if target.size == 1:  # the same in every channel
            memset(target.items + at, <int32_t>target.border[c], length * target.step)
        elif target.size == 2:
            fill_halves(<uint16_t*>target.items + at, half_from_float(target.border[c]), length, target.step)
        else:
            fill_floats(<float*>target.items + at, target.border[c], length, target.step)
        if target.size == 1 and target.step > 1:
            return


cdef inline const uint8_t* whole_row(
    const Source* source, const uint8_t* row, Py_ssize_t reach, uint8_t* room
) noexcept nogil:
    """The row itself, or a copy where vectors read past the end of the picture."""
    if row + reach <= source.end:
        return row
    memcpy(room, row, source.end - row if source.end - row < source.pitch else source.pitch)
    return room


cdef inline void interleave(const Target* target, const int16_t* planes, int16_t* out, Py_ssize_t padded) noexcept nogil:
    cdef const int16_t* first = planes + target.source[0] * padded
    cdef const int16_t* second = planes + target.source[1] * padded
    cdef const int16_t* third = planes + target.source[2] * padded
    cdef Py_ssize_t i
    for i in range(target.length):
        out[3 * i], out[3 * i + 1], out[3 * i + 2] = first[i], second[i], third[i]


cdef struct Room:  # what a call works with
    const PrepareRows* run  # the bodies of one level
    int16_t* upper
    int16_t* lower
    int16_t* planes  # before they become gray or interleaved
    uint8_t* tail  # a copy of the last row


cdef inline void row_across(
    AcrossRow across, const Source* source, const Across* how, const Target* target, Py_ssize_t y, int16_t* out,
    const Room* room,
) noexcept nogil:
    """One source row, as the planes or the interleaved row that is blended."""
    cdef const uint8_t* row = source.pixels + y * source.pitch
    cdef const uint8_t* colours = row
    cdef bint apart = target.gray or target.step > 1
    if source.planes:
        colours = source.pixels + (source.height + y // 2) * source.pitch
        colours = whole_row(source, colours, source.reach_beside, room.tail)
    else:
        row = whole_row(source, row, source.reach, room.tail)
    across(row, colours, how, room.planes if apart else out)
    if target.gray:
        room.run.luma(room.planes, target.luma, out, how.padded)
    elif apart:
        interleave(target, room.planes, out, how.padded)


cdef inline void blend(
    const PrepareRows* run, const Target* target, const int16_t* upper, const int16_t* lower, int weight,
    Py_ssize_t padded, Py_ssize_t y,
) noexcept nogil:
    """Every channel of one output row, out of two rows between."""
    cdef bint apart = target.step == 1
    cdef Py_ssize_t c, at, plane, length = target.length * target.step
    cdef int period = <int>target.step
    cdef uint8_t* out
    for c in range(target.channels if apart else 1):
        at = c * target.plane + y * target.row + target.begin * target.step
        out = target.items + at * target.size
        plane = target.source[c] * padded if apart and not target.gray else 0
        if target.size == 1:
            run.bytes(upper + plane, lower + plane, weight, out, length)
        elif target.size == 2:
            run.halves(upper + plane, lower + plane, weight, &target.numbers[c], period, <uint16_t*>out, length)
        else:
            run.floats(upper + plane, lower + plane, weight, &target.numbers[c], period, <float*>out, length)


cdef inline void split(
    const Source* source, const Across* how, const Target* target, Py_ssize_t y, Py_ssize_t from_y, const Room* room
) noexcept nogil:
    """A source row straight into the planes of output row y; to floats by way of planes of bytes."""
    cdef Py_ssize_t c, at = y * target.row + target.begin
    cdef const uint8_t* row = source.pixels + from_y * source.pitch + how.first[0] * MOST
    cdef uint8_t* between = <uint8_t*>room.planes
    cdef uint8_t* planes[MOST]
    for c in range(MOST):
        planes[target.source[c]] = target.items + at + c * target.plane if target.size == 1 else between + c * how.padded
    room.run.split(row, planes[0], planes[1], planes[2], target.length)
    if target.size == 4:
        for c in range(MOST):
            room.run.spread(between + c * how.padded, &target.numbers[c], <float*>target.items + at + c * target.plane,
                            target.length)


cdef inline bint fused(
    const Source* source, const Down* down, const Across* how, const Target* target, Py_ssize_t y, const Room* room
) noexcept nogil:
    """Output row y straight from two source rows; false where they are not there whole, or two steps are as fast."""
    cdef const uint8_t* upper = source.pixels + down.first[y] * source.pitch
    cdef Planes planes
    cdef Py_ssize_t c, at = y * target.row + target.begin
    if room.run.fused == NULL or (how.reads == NEAR and target.size == 4) or upper + source.reach > source.end:
        return False
    planes.length, planes.floats = target.length, target.size == 4
    for c in range(MOST):
        planes.rows[target.source[c]] = target.items + (at + c * target.plane) * target.size
        planes.numbers[target.source[c]] = target.numbers[c]
    room.run.fused(upper, whole_row(source, upper + source.pitch, source.reach, room.tail), how, down.weight[y], &planes)
    return True


cdef inline void inside(
    AcrossRow across, const Source* source, const Down* down, const Across* how, const Target* target, Room* room
) noexcept nogil:
    """The output rows that show the picture."""
    cdef int16_t* other
    cdef Py_ssize_t y, above, below, in_upper = -1, in_lower = -1
    for y in range(down.begin, down.end):
        above = down.first[y]
        below = above + 1 if down.weight[y] != 0 else above
        if target.straight and below == above:
            border(target, y, 0, target.begin)
            split(source, how, target, y, above, room)
            border(target, y, target.begin + target.length, target.width)
            continue
        if target.apart and below != above and in_lower < above and (
            y + 1 == down.end or down.first[y + 1] > below
        ) and fused(source, down, how, target, y, room):
            border(target, y, 0, target.begin)
            border(target, y, target.begin + target.length, target.width)
            continue
        if in_upper != above and in_lower == above:
            other, room.upper, room.lower = room.upper, room.lower, room.upper
            in_upper, in_lower = in_lower, in_upper
        if in_upper != above:
            row_across(across, source, how, target, above, room.upper, room)
            in_upper = above
        if below != above and in_lower != below:
            row_across(across, source, how, target, below, room.lower, room)
            in_lower = below
        border(target, y, 0, target.begin)
        blend(room.run, target, room.upper, room.lower if below != above else room.upper, down.weight[y], how.padded, y)
        border(target, y, target.begin + target.length, target.width)
