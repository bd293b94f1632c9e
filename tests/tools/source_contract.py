"""What every reader promises, ours and those of others: one check that all of them run through."""

from collections.abc import Callable

import numpy as np
import pytest

from kernels.formats import picture_size
from streams.errors import BadFrame, SourceUnavailable
from streams.sources import Reader, Shot

ENOUGH = 12


def check_reader(make: Callable[[], Reader], *, pictures: int | None = None) -> None:
    """Run a reader through all promises.

    make: gives a new reader of the same source each time. pictures: how many it gives before its end; None: it has no
    end, or one too far away.
    """
    _says_what_it_is(make())
    _must_be_opened(make())
    _may_be_closed_at_any_time(make())
    _gives_pictures_that_stay(make())
    _can_be_opened_again(make())
    if pictures is not None:
        _ends(make(), pictures)


def shots_of(reader: Reader, most: int) -> tuple[list[Shot], int]:
    """At most `most` shots, and how many pictures were bad on the way."""
    shots: list[Shot] = []
    bad = 0
    while len(shots) < most:
        try:
            shot = reader.read()
        except BadFrame:
            bad += 1
            assert bad <= 1000
            continue
        if shot is None:
            break
        shots.append(shot)
    return shots, bad


def _says_what_it_is(reader: Reader) -> None:
    assert reader.describe().strip()
    assert isinstance(reader.live, bool)
    assert reader.notice is None or reader.notice.strip()


def _must_be_opened(reader: Reader) -> None:
    with pytest.raises(SourceUnavailable):
        reader.read()


def _may_be_closed_at_any_time(reader: Reader) -> None:
    reader.close()
    reader.open()
    reader.close()
    reader.close()


def _gives_pictures_that_stay(reader: Reader) -> None:
    reader.open()
    shots, _ = shots_of(reader, 3)
    assert shots
    copies = [shot.pixels.copy() for shot in shots]
    for shot in shots:
        height, width = picture_size(shot.pixels, shot.format)
        assert min(height, width) > 0
        assert shot.pixels.flags.c_contiguous
        assert shot.jpeg is None or shot.jpeg[:2] == b"\xff\xd8"
    shots_of(reader, ENOUGH)
    for shot, copy in zip(shots, copies, strict=True):
        assert np.array_equal(shot.pixels, copy), "a picture that somebody holds was written into"
    reader.close()


def _can_be_opened_again(reader: Reader) -> None:
    for _ in range(2):
        reader.open()
        shots, _ = shots_of(reader, 1)
        assert len(shots) == 1
        reader.close()


def _ends(reader: Reader, pictures: int) -> None:
    reader.open()
    shots, bad = shots_of(reader, pictures + 1)
    assert len(shots) == pictures, f"{len(shots)} pictures and {bad} bad ones instead of {pictures}"
    assert reader.read() is None
    reader.close()
