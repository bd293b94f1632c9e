"""Camera formats to BGR; what it does is told in kernels/reference/convert.py, its twin."""

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcpy

from kernels import checks
from kernels.formats import PixelFormat

cdef enum:  # BT.601, limited range, in units of 2^-20, rounded as cv2 does
    SHIFT = 20
    LUMA = 1220542
    BLUE_U = 2116026
    GREEN_U = -409993
    GREEN_V = -852492
    RED_V = 1673527

cdef enum Kind:
    AS_IT_IS
    SWAPPED
    GRAY
    YUYV
    NV12

KINDS = {
    PixelFormat.BGR: AS_IT_IS,
    PixelFormat.RGB: SWAPPED,
    PixelFormat.GRAY: GRAY,
    PixelFormat.YUYV: YUYV,
    PixelFormat.NV12: NV12,
}
BGR = PixelFormat.BGR


cdef inline uint8_t byte(int32_t value) noexcept nogil:
    value >>= SHIFT
    return <uint8_t>(0 if value < 0 else 255 if value > 255 else value)


cdef inline void yuv_pixel(int32_t y, int32_t u, int32_t v, uint8_t* out) noexcept nogil:
    """One pixel; u and v are less their middle of 128. int32 holds every sum."""
    y = (y - 16 if y > 16 else 0) * LUMA + (1 << (SHIFT - 1))
    out[0] = byte(y + BLUE_U * u)
    out[1] = byte(y + GREEN_U * u + GREEN_V * v)
    out[2] = byte(y + RED_V * v)


cdef inline void yuyv_row(const uint8_t* row, uint8_t* out, Py_ssize_t pairs) noexcept nogil:
    cdef int32_t u, v
    cdef Py_ssize_t i
    for i in range(pairs):
        u, v = <int32_t>row[4 * i + 1] - 128, <int32_t>row[4 * i + 3] - 128
        yuv_pixel(row[4 * i], u, v, out + 6 * i)
        yuv_pixel(row[4 * i + 2], u, v, out + 6 * i + 3)


cdef inline void nv12_row(const uint8_t* luma, const uint8_t* chroma, uint8_t* out, Py_ssize_t pairs) noexcept nogil:
    cdef int32_t u, v
    cdef Py_ssize_t i
    for i in range(pairs):
        u, v = <int32_t>chroma[2 * i] - 128, <int32_t>chroma[2 * i + 1] - 128
        yuv_pixel(luma[2 * i], u, v, out + 6 * i)
        yuv_pixel(luma[2 * i + 1], u, v, out + 6 * i + 3)


cdef inline void swapped_row(const uint8_t* row, uint8_t* out, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(width):
        out[3 * i], out[3 * i + 1], out[3 * i + 2] = row[3 * i + 2], row[3 * i + 1], row[3 * i]


cdef inline void gray_row(const uint8_t* row, uint8_t* out, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(width):
        out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = row[i]


cdef inline void convert_row(
    Kind kind, const uint8_t* pixels, uint8_t* out, Py_ssize_t y, Py_ssize_t height, Py_ssize_t width
) noexcept nogil:
    out += y * width * 3
    if kind == AS_IT_IS:
        memcpy(out, pixels + y * width * 3, width * 3)
    elif kind == SWAPPED:
        swapped_row(pixels + y * width * 3, out, width)
    elif kind == GRAY:
        gray_row(pixels + y * width, out, width)
    elif kind == YUYV:
        yuyv_row(pixels + y * width * 2, out, width // 2)
    else:
        nv12_row(pixels + y * width, pixels + (height + y // 2) * width, out, width // 2)


def convert(pixels, format, out=None):
    """Convert a picture of any PixelFormat to BGR; the contract is that of kernels.reference.convert."""
    size = checks.picture(pixels, format)
    if format is BGR and out is None:
        return pixels
    out = checks.room(out, "out", checks.UINT8, (*size, 3))
    cdef const uint8_t[::1] source = pixels.reshape(-1)
    cdef uint8_t[::1] target = out.reshape(-1)
    cdef Py_ssize_t y, height = size[0], width = size[1]
    cdef Kind kind = KINDS[format]
    with nogil:
        for y in range(height):
            convert_row(kind, &source[0], &target[0], y, height, width)
    return out
