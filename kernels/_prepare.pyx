"""A picture into a model's input tensor; what it does is told in kernels/reference/prepare.py, its twin.

Source rows are interpolated across into rows of floats, one for each channel, and two of those are blended into every
output row. An upscaled picture finds both rows already there most of the time; nothing else is held in between.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t
from libc.stdlib cimport free, malloc

from kernels._convert import convert
from kernels.formats import PixelFormat
from kernels.plan import plan

cdef extern from "level.h":
    const char* KERNEL_LEVEL

cdef extern from "half.h":
    uint16_t half_from_float(float value) noexcept nogil

LEVEL = KERNEL_LEVEL.decode()
CAMERA = (PixelFormat.YUYV, PixelFormat.NV12)

cdef enum:
    MOST = 3  # channels of the source, of the rows between, and of the output


cdef struct Down:  # which source rows each output row is made of
    const int32_t* first
    const float* weight
    Py_ssize_t begin, end  # output rows that show the picture
    Py_ssize_t source  # rows of the source
    Py_ssize_t pitch  # bytes from one of them to the next


cdef struct Across:  # which source pixels each output pixel of a row is made of
    const int32_t* first  # from output pixel `begin` on
    const float* weight
    Py_ssize_t begin, length  # output pixels that show the picture
    Py_ssize_t channels  # of the source, which is also the bytes of a pixel
    Py_ssize_t beside  # bytes to the second neighbour; 0 in a source of one pixel
    const float* luma  # NULL unless three channels become one


cdef struct Target:
    uint8_t* items
    Py_ssize_t size  # bytes of one item: 1 uint8, 2 float16, 4 float32
    Py_ssize_t row  # items from one row to the next
    Py_ssize_t step  # items from one pixel to the next
    Py_ssize_t plane  # items from one channel to the next
    Py_ssize_t channels, height, width
    const int32_t* source  # (channels,): which row of floats each channel is made of
    const float* multiply
    const float* add
    const float* border


cdef inline void across_three(const uint8_t* row, const Across* how, float* out) noexcept nogil:
    """One source row of three channels into three rows of floats, how.length apart."""
    cdef const uint8_t* left
    cdef const uint8_t* right
    cdef float weight
    cdef Py_ssize_t i, length = how.length
    for i in range(length):
        left = row + <Py_ssize_t>how.first[i] * 3
        right = left + how.beside
        weight = how.weight[i]
        out[i] = left[0] + (<float>right[0] - <float>left[0]) * weight
        out[length + i] = left[1] + (<float>right[1] - <float>left[1]) * weight
        out[2 * length + i] = left[2] + (<float>right[2] - <float>left[2]) * weight


cdef inline void across_luma(const uint8_t* row, const Across* how, float* out) noexcept nogil:
    """One source row of three channels into one gray row of floats."""
    cdef const uint8_t* left
    cdef const uint8_t* right
    cdef float a, b
    cdef Py_ssize_t i
    for i in range(how.length):
        left = row + <Py_ssize_t>how.first[i] * 3
        right = left + how.beside
        a = left[0] * how.luma[0] + left[1] * how.luma[1] + left[2] * how.luma[2]
        b = right[0] * how.luma[0] + right[1] * how.luma[1] + right[2] * how.luma[2]
        out[i] = a + (b - a) * how.weight[i]


cdef inline void across_one(const uint8_t* row, const Across* how, float* out) noexcept nogil:
    """One gray source row into one row of floats."""
    cdef const uint8_t* left
    cdef Py_ssize_t i
    for i in range(how.length):
        left = row + how.first[i]
        out[i] = left[0] + (<float>left[how.beside] - <float>left[0]) * how.weight[i]


cdef inline void across(const uint8_t* row, const Across* how, float* out) noexcept nogil:
    if how.channels == 1:
        across_one(row, how, out)
    elif how.luma != NULL:
        across_luma(row, how, out)
    else:
        across_three(row, how, out)


cdef inline void blend_bytes(
    const float* upper, const float* lower, float weight, uint8_t* out, Py_ssize_t step, Py_ssize_t length
) noexcept nogil:
    """Two rows of 0..255 into bytes, to the nearest."""
    cdef Py_ssize_t i
    for i in range(length):
        out[i * step] = <uint8_t><int32_t>(upper[i] + (lower[i] - upper[i]) * weight + <float>0.5)


cdef inline void blend_halves(
    const float* upper, const float* lower, float weight, float multiply, float add,
    uint16_t* out, Py_ssize_t step, Py_ssize_t length,
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(length):
        out[i * step] = half_from_float((upper[i] + (lower[i] - upper[i]) * weight) * multiply + add)


cdef inline void blend_floats(
    const float* upper, const float* lower, float weight, float multiply, float add,
    float* out, Py_ssize_t step, Py_ssize_t length,
) noexcept nogil:
    cdef Py_ssize_t i
    if step == 1:  # told apart so that the compiler makes vectors of it
        for i in range(length):
            out[i] = (upper[i] + (lower[i] - upper[i]) * weight) * multiply + add
    else:
        for i in range(length):
            out[i * step] = (upper[i] + (lower[i] - upper[i]) * weight) * multiply + add


cdef inline void blend(
    const Target* target, const float* upper, const float* lower, float weight,
    Py_ssize_t y, Py_ssize_t x, Py_ssize_t length,
) noexcept nogil:
    """Every channel of one output row, `length` pixels from x on, out of two rows of floats."""
    cdef Py_ssize_t c, row
    cdef uint8_t* out
    for c in range(target.channels):
        out = target.items + (c * target.plane + y * target.row + x * target.step) * target.size
        row = target.source[c] * length
        if target.size == 1:
            blend_bytes(upper + row, lower + row, weight, out, target.step, length)
        elif target.size == 2:
            blend_halves(upper + row, lower + row, weight, target.multiply[c], target.add[c],
                         <uint16_t*>out, target.step, length)
        else:
            blend_floats(upper + row, lower + row, weight, target.multiply[c], target.add[c],
                         <float*>out, target.step, length)


cdef inline void border(const Target* target, Py_ssize_t y, Py_ssize_t x, Py_ssize_t end) noexcept nogil:
    """What stands outside the picture, in every channel of pixels x..end - 1 of row y."""
    cdef Py_ssize_t c, i, at
    for c in range(target.channels):
        at = c * target.plane + y * target.row
        for i in range(x, end):
            if target.size == 1:
                target.items[at + i * target.step] = <uint8_t><int32_t>target.border[c]
            elif target.size == 2:
                (<uint16_t*>target.items)[at + i * target.step] = half_from_float(target.border[c])
            else:
                (<float*>target.items)[at + i * target.step] = target.border[c]


cdef inline void inside(
    const uint8_t* pixels, const Down* down, const Across* how, float* rows, const Target* target
) noexcept nogil:
    """The output rows that show the picture; `rows` has room for twice the rows of floats of one source row."""
    cdef float* upper = rows
    cdef float* lower = rows + MOST * how.length
    cdef float* other
    cdef Py_ssize_t y, above, below, in_upper = -1, in_lower = -1
    for y in range(down.begin, down.end):
        above = down.first[y]
        below = above + 1 if above + 1 < down.source else above
        if in_upper != above and in_lower == above:
            other, upper, lower = upper, lower, upper
            in_upper, in_lower = in_lower, in_upper
        if in_upper != above:
            across(pixels + above * down.pitch, how, upper)
            in_upper = above
        if in_lower != below:
            across(pixels + below * down.pitch, how, lower)
            in_lower = below
        border(target, y, 0, how.begin)
        blend(target, upper, lower, down.weight[y], y, how.begin, how.length)
        border(target, y, how.begin + how.length, target.width)


# The next three hand out pointers into arrays that the plan, the picture and out hold; `prepare` holds those.
cdef Down down_of(pixels, todo):
    cdef const int32_t[::1] first = todo.rows.first
    cdef const float[::1] weight = todo.rows.weight
    cdef Down how
    how.first, how.weight, how.begin, how.end = &first[0], &weight[0], todo.rows.begin, todo.rows.end
    how.source, how.pitch = pixels.shape[0], pixels.size // pixels.shape[0]
    return how


cdef Across across_of(pixels, todo):
    cdef const int32_t[::1] first = todo.columns.first
    cdef const float[::1] weight = todo.columns.weight, luma
    cdef Across how
    how.begin, how.length = todo.columns.begin, todo.columns.end - todo.columns.begin
    how.first, how.weight = &first[0] + how.begin, &weight[0] + how.begin
    how.channels = 1 if pixels.ndim == 2 else 3
    how.beside = how.channels if pixels.shape[1] > 1 else 0
    how.luma = NULL
    if todo.luma is not None:
        luma = todo.luma
        how.luma = &luma[0]
    return how


cdef Target target_of(out, todo, bint planar):
    cdef uint8_t[::1] items = out.reshape(-1).view("u1")
    cdef const int32_t[::1] source = todo.channels
    cdef const float[::1] multiply = todo.multiply, add = todo.add, outside = todo.border
    cdef Target target
    target.items, target.size, target.channels = &items[0], out.itemsize, source.shape[0]
    target.height, target.width = out.shape[1:] if planar else out.shape[:2]
    target.step = 1 if planar else target.channels
    target.plane = target.height * target.width if planar else 1
    target.row = target.width * target.step
    target.source, target.multiply, target.add, target.border = &source[0], &multiply[0], &add[0], &outside[0]
    return target


def prepare(
    pixels, out, *, format=PixelFormat.BGR, color=PixelFormat.RGB, resize="stretch", anchor="centre", pad=114,
    mean=None, scale=None, layout="NCHW",
):
    """Scale a picture into a model's input tensor; the contract is that of kernels.reference.prepare."""
    if format in CAMERA:
        pixels, format = convert(pixels, format), PixelFormat.BGR
    todo = plan(pixels, out, format=format, color=color, resize=resize, anchor=anchor, pad=pad, mean=mean,
                scale=scale, layout=layout)
    cdef const uint8_t[::1] source = pixels.reshape(-1)
    cdef Down down = down_of(pixels, todo)
    cdef Across how = across_of(pixels, todo)
    cdef Target target = target_of(out, todo, layout == "NCHW")
    cdef Py_ssize_t y
    cdef float* rows = <float*>malloc(2 * MOST * how.length * sizeof(float))
    if rows == NULL:
        raise MemoryError("no memory for two rows of floats")
    with nogil:
        for y in range(down.begin):
            border(&target, y, 0, target.width)
        inside(&source[0], &down, &how, rows, &target)
        for y in range(down.end, target.height):
            border(&target, y, 0, target.width)
        free(rows)
    return todo.placement
