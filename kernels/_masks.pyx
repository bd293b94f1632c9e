"""Masks and zones of pictures; what each does is told in kernels/reference/masks.py, its twin."""

from libc.stdint cimport int16_t, int32_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from kernels import checks, painting
from kernels._lend cimport Lent, lend
from kernels._levels import NUMBER

cdef extern from "masks.h":
    enum: BLOCK
    ctypedef struct Masks:
        void (*argmax_floats)(const float*, Py_ssize_t, Py_ssize_t, Py_ssize_t, uint8_t*) noexcept nogil
        void (*argmax_halves)(const int16_t*, Py_ssize_t, Py_ssize_t, Py_ssize_t, uint8_t*) noexcept nogil
    ctypedef struct Overlay:
        Py_ssize_t height, width, mask_height, mask_width
        double scale_y, scale_x, top, left
    ctypedef struct Zone:
        uint8_t* corner
        Py_ssize_t pitch, height, width
    Masks masks_for(int level)
    void overlay_palette(Overlay* how, const uint8_t* palette, Py_ssize_t columns, unsigned int alpha) noexcept nogil
    size_t overlay_memory(Py_ssize_t width) noexcept nogil
    void overlay(
        const Overlay* how, const uint8_t* pixels, const uint8_t* mask, uint8_t* out, void* memory, const Masks* bodies
    ) noexcept nogil
    void zone_mosaic(const Zone* zone, Py_ssize_t cell, void* memory, const Masks* bodies) noexcept nogil
    void zone_fill(const Zone* zone, const uint8_t* colour, uint8_t* memory) noexcept nogil

cdef object ARRAY = np.ndarray
cdef Masks LEVELLED = masks_for(NUMBER)


def argmax_planes(scores, out):
    """The class of the highest score of each pixel; the contract is that of kernels.reference.masks."""
    cdef Lent read, written
    if not (
        lend(scores, ARRAY, b"fe", 3, False, &read) and 1 <= read.shape[0] <= 256
        and lend(out, ARRAY, b"B", 2, True, &written)
        and written.shape[0] == read.shape[1] and written.shape[1] == read.shape[2]
    ):
        raise checks.refusal(painting.planes, scores, out)
    cdef Py_ssize_t pixels = read.shape[1] * read.shape[2], i = 0, block
    cdef uint8_t* labels = <uint8_t*>written.data
    with nogil:
        while i < pixels:
            block = min(<Py_ssize_t>BLOCK, pixels - i)
            if read.code == c"f":
                LEVELLED.argmax_floats(<const float*>read.data + i, pixels, read.shape[0], block, labels + i)
            else:
                LEVELLED.argmax_halves(<const int16_t*>read.data + i, pixels, read.shape[0], block, labels + i)
            i += block
    return out


def overlay_mask(pixels, mask, palette, out=None, *, alpha=128, placement=None):
    """A mask's colours over a picture; the contract is that of kernels.reference.masks."""
    cdef Overlay how
    cdef Lent read, labels, colours, written
    cdef unsigned int opacity
    cdef void* memory
    how.scale_y, how.scale_x, how.top, how.left = painting.overlay(pixels, mask, palette, out, alpha, placement)
    out = np.empty(pixels.shape, checks.UINT8) if out is None else out
    if not (
        lend(pixels, ARRAY, b"B", 3, False, &read) and lend(mask, ARRAY, b"B", 2, False, &labels)
        and lend(palette, ARRAY, b"B", 2, False, &colours) and lend(out, ARRAY, b"B", 3, True, &written)
    ):
        raise checks.refusal(painting.overlay, pixels, mask, palette, out, alpha, placement)
    how.height, how.width, how.mask_height, how.mask_width = read.shape[0], read.shape[1], labels.shape[0], labels.shape[1]
    opacity = alpha
    memory = malloc(overlay_memory(how.width))
    if memory == NULL:
        raise MemoryError("no memory for a row of the mask")
    with nogil:
        overlay_palette(&how, <const uint8_t*>colours.data, colours.shape[1], opacity)
        overlay(&how, <const uint8_t*>read.data, <const uint8_t*>labels.data, <uint8_t*>written.data, memory, &LEVELLED)
        free(memory)
    return out


cdef bint zone_in(work, sides, Zone* zone) except -1:
    """The memory of a zone that lies within the picture; false where it has no pixel."""
    cdef Lent lent
    cdef Py_ssize_t x1, y1, x2, y2
    x1, y1, x2, y2 = sides
    if not lend(work, ARRAY, b"B", 3, True, &lent):
        raise checks.refusal(painting.picture, work, "out", writable=True)
    zone.pitch, zone.height, zone.width = 3 * lent.shape[1], y2 - y1, x2 - x1
    zone.corner = <uint8_t*>lent.data + y1 * zone.pitch + 3 * x1
    return zone.height > 0 and zone.width > 0


def blur_zone(pixels, x1, y1, x2, y2, strength=None, out=None):
    """A zone that nobody recognises; the contract is that of kernels.reference.masks."""
    cdef Zone zone
    cdef Py_ssize_t side
    cdef void* memory
    work, sides = painting.zone(pixels, x1, y1, x2, y2, out)
    side = min(painting.cell(strength, *sides), max(work.shape))
    if zone_in(work, sides, &zone):
        memory = malloc(7 * 3 * zone.width)
        if memory == NULL:
            raise MemoryError("no memory for a row of the zone")
        with nogil:
            zone_mosaic(&zone, side, memory, &LEVELLED)
            free(memory)
    return work


def fill_zone(pixels, x1, y1, x2, y2, color=(0, 0, 0), out=None):
    """A zone in one colour; the contract is that of kernels.reference.masks."""
    cdef Zone zone
    cdef uint8_t levels[3]
    cdef uint8_t* memory
    levels[0], levels[1], levels[2] = painting.colour(color)
    work, sides = painting.zone(pixels, x1, y1, x2, y2, out)
    if zone_in(work, sides, &zone):
        memory = <uint8_t*>malloc(3 * zone.width)
        if memory == NULL:
            raise MemoryError("no memory for a row of the zone")
        with nogil:
            zone_fill(&zone, levels, memory)
            free(memory)
    return work
