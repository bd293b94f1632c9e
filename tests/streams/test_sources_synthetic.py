import itertools
import time
from functools import partial

import numpy as np
import pytest
from hand_clock import HandClock
from source_contract import check_reader, shots_of

from streams import encode, sources
from streams.errors import SourceInvalid
from streams.sources import Reader
from streams.sources.synthetic import number_in


def opened(uri: str, clock: HandClock | None = None, **asked: object) -> Reader:
    reader = sources.reader(uri, clock=clock or HandClock(), **asked)
    reader.open()
    return reader


@pytest.mark.parametrize(
    ("uri", "pictures"),
    [
        ("synthetic:", None),
        ("synthetic:?size=320x240&rate=0&frames=20", 20),
        ("synthetic://?size=64x32&rate=5&seed=3&frames=7", 7),
    ],
)
def test_it_keeps_the_promises_of_every_reader(uri: str, pictures: int | None) -> None:
    check_reader(partial(sources.reader, uri), pictures=pictures)


def test_the_same_seed_gives_the_same_pictures_and_another_one_others() -> None:
    one, same, other = (
        [shot.pixels.copy() for shot in shots_of(opened(f"synthetic:?size=320x240&seed={seed}"), 5)[0]]
        for seed in (7, 7, 8)
    )
    assert all(map(np.array_equal, one, same))
    assert not any(map(np.array_equal, one, other))


def test_reused_buffers_show_what_fresh_ones_would() -> None:
    held, _ = shots_of(opened("synthetic:?size=320x240&seed=2&rate=0"), 20)
    reader = opened("synthetic:?size=320x240&seed=2&rate=0")
    for shot in held:
        again = reader.read()
        assert again is not None
        assert np.array_equal(again.pixels, shot.pixels)


def test_every_picture_differs_from_the_one_before() -> None:
    shots, _ = shots_of(opened("synthetic:?size=320x240"), 20)
    rows = [shot.pixels[40:].tobytes() for shot in shots]
    assert all(one != other for one, other in itertools.pairwise(rows))


@pytest.mark.parametrize("size", ["64x32", "97x61", "640x480", "1280x720"])
def test_a_picture_says_its_number_also_as_jpeg(size: str) -> None:
    shots, _ = shots_of(opened(f"synthetic:?size={size}&rate=0"), 12)
    assert [number_in(shot.pixels) for shot in shots] == list(range(1, 13))
    if size.startswith(("640", "1280")):
        received = encode.simplejpeg.decode_jpeg(encode.jpeg(shots[-1].pixels, quality=30), colorspace="BGR")
        assert number_in(received) == 12


def test_with_a_rate_it_is_live_and_due_at_absolute_times() -> None:
    clock = HandClock(100.0)
    reader = opened("synthetic:?size=64x32&rate=10", clock)
    assert reader.live
    due = []
    for _ in range(5):
        shot = reader.read()
        assert shot is not None
        due.append(shot.due)
        clock.now += 0.09
    assert due == pytest.approx([100.0, 100.1, 100.2, 100.3, 100.4])


def test_periods_missed_are_left_out_as_by_a_camera() -> None:
    clock = HandClock(100.0)
    reader = opened("synthetic:?size=64x32&rate=10", clock)
    shots_of(reader, 2)
    clock.now = 105.0
    due = [shot.due for shot in shots_of(reader, 2)[0]]
    assert due == pytest.approx([105.0, 105.1])


def test_without_a_rate_it_is_neither_live_nor_paced() -> None:
    reader = opened("synthetic:?size=64x32&rate=0")
    assert not reader.live
    assert {shot.due for shot in shots_of(reader, 5)[0]} == {None}


def test_what_the_address_says_wins_over_what_is_asked_beside_it() -> None:
    assert "320x240 at 5 a second" in sources.reader("synthetic:", size=(320, 240), rate=5).describe()
    text = sources.reader("synthetic:?size=64x32&rate=7", size=(320, 240), rate=5).describe()
    assert "64x32 at 7 a second" in text


def test_it_freezes_where_it_is_told_to() -> None:
    shots, _ = shots_of(opened("synthetic:?size=64x32&freeze=3"), 6)
    assert [number_in(shot.pixels) for shot in shots] == [1, 2, 3, 3, 3, 3]


@pytest.mark.parametrize(
    "uri",
    [
        "synthetic:oval",
        "synthetic:?speed=3",
        "synthetic:?size=12",
        "synthetic:?size=10x10",
        "synthetic:?size=99999x10",
        "synthetic:?rate=fast",
        "synthetic:?rate=-1",
        "synthetic:?rate=nan",
        "synthetic:?rate=inf",
        "synthetic:?seed=x",
        "synthetic:?frames=-2",
    ],
)
def test_a_setting_that_it_does_not_understand_is_refused(uri: str) -> None:
    with pytest.raises(SourceInvalid, match="synthetic"):
        sources.reader(uri)


def test_a_picture_of_720p_costs_a_small_part_of_a_millisecond() -> None:
    reader = opened("synthetic:?size=1280x720&rate=0")
    for _ in range(5):
        reader.read()
    best = min(timed(reader, 50) for _ in range(5))
    assert best < 0.0002, f"{best * 1000:.3f} ms"


def timed(reader: Reader, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        reader.read()
    return (time.perf_counter() - began) / count


def test_in_steady_state_it_uses_the_same_memory() -> None:
    reader = opened("synthetic:?size=320x240&rate=0")
    places = set()
    for _ in range(200):
        shot = reader.read()
        assert shot is not None
        places.add(shot.pixels.ctypes.data)
    assert len(places) <= 2
