"""The tables by which `prepare` finds its bytes: followed one by one, on every machine, whatever its CPU can do."""

import pytest

from kernels import PixelFormat
from kernels.chunks import CHUNK, EIGHT, FOUR_HALVES, Wide
from kernels.gather import gather, neighbours
from kernels.sampling import axis

SOURCES = (22, 32, 44, 64, 66, 98, 640, 1280, 1920)
LENGTHS = (1, 7, 16, 40, 224, 300, 640)
BYTES = {PixelFormat.BGR: 3, PixelFormat.YUYV: 2, PixelFormat.NV12: 1}


def places(pixel_format: PixelFormat, x: int) -> list[tuple[int, int]]:
    """(plane, byte) of each of a pixel's three channels."""
    if pixel_format is PixelFormat.BGR:
        return [(0, 3 * x + channel) for channel in range(3)]
    if pixel_format is PixelFormat.YUYV:
        return [(0, 2 * x), (0, x // 2 * 4 + 1), (0, x // 2 * 4 + 3)]
    return [(0, x), (1, x // 2 * 2), (1, x // 2 * 2 + 1)]


def read(wide: Wide, pixel_format: PixelFormat, group: int, order: int) -> tuple[int, int]:
    """(plane, byte) that a number of the order stands for."""
    if pixel_format is PixelFormat.NV12:
        return (0, wide.at[group] + order) if order < CHUNK else (1, wide.beside[group] + order - CHUNK)
    if wide.reads == FOUR_HALVES:
        half = CHUNK // 2
        return 0, wide.at[4 * group + order // half] + order % half
    assert order < CHUNK * wide.reads
    return 0, wide.at[group] + order


@pytest.mark.parametrize("pixel_format", BYTES)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_byte_comes_from_the_neighbour_that_it_should(pixel_format, source, length):
    columns = axis(source, length, 0, length)
    wide = gather(columns, source, pixel_format, wide=True).wide
    if wide is None:
        assert source * BYTES[pixel_format] < CHUNK or source > 7 * length
        return
    first, _ = neighbours(columns)
    order = wide.order.reshape(-1, 4, EIGHT, 2)
    for x in range(length):
        group, pixel = divmod(x, EIGHT)
        for side, neighbour in enumerate((first[x], min(first[x] + 1, source - 1))):
            for channel, place in enumerate(places(pixel_format, int(neighbour))):
                assert read(wide, pixel_format, group, int(order[group, channel, pixel, side])) == place


@pytest.mark.parametrize("pixel_format", BYTES)
def test_no_chunk_reaches_past_the_row(pixel_format):
    for source in SOURCES:
        for length in LENGTHS:
            wide = gather(axis(source, length, 0, length), source, pixel_format, wide=True).wide
            if wide is not None:
                reads = CHUNK // 2 if wide.reads == FOUR_HALVES else CHUNK * wide.reads
                reads = CHUNK if pixel_format is PixelFormat.NV12 else reads
                furthest = max(int(wide.at.max()), int(wide.beside.max()))
                assert wide.at.min() >= 0
                assert furthest + reads <= source * BYTES[pixel_format]
