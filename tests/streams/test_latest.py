import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from witness import wait_until

from streams.frame import Frame
from streams.latest import MOST_WAITING, Latest


def frame(number: int) -> Frame:
    return Frame(id=number, source="main", captured_at=0.0, pixels=np.zeros((2, 2, 3), np.uint8))


def in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_newer_frame_replaces_an_unread_one() -> None:
    latest = Latest()
    assert latest.put(frame(1))
    assert latest.put(frame(2))
    taken = latest.take()
    assert taken is not None
    assert taken.id == 2
    assert latest.take() is None


def test_what_was_replaced_is_counted() -> None:
    latest = Latest()
    for number in range(5):
        latest.put(frame(number))
    assert latest.dropped == 4


def test_a_lossless_place_makes_its_writer_wait_for_room() -> None:
    latest = Latest(lossless=True)
    latest.put(frame(1))
    done = threading.Event()
    writer = in_background(lambda: (latest.put(frame(2)), done.set()))
    assert not done.wait(0.05)
    first = latest.take()
    assert done.wait(2)
    second = latest.take()
    writer.join(2)
    assert first is not None
    assert second is not None
    assert (first.id, second.id, latest.dropped) == (1, 2, 0)


def test_a_closed_place_takes_nothing_but_gives_what_waits() -> None:
    latest = Latest()
    latest.put(frame(1))
    latest.close()
    assert not latest.put(frame(2))
    assert not latest.ended
    taken = latest.take()
    assert taken is not None
    assert taken.id == 1
    assert latest.ended
    assert latest.take(timeout=None) is None


def test_closing_frees_a_writer_that_waits_for_room() -> None:
    latest = Latest(lossless=True)
    latest.put(frame(1))
    answers: list[bool] = []
    writer = in_background(lambda: answers.append(latest.put(frame(2))))
    time.sleep(0.02)
    latest.close()
    writer.join(2)
    assert answers == [False]


def test_closing_frees_a_reader_that_waits_for_ever() -> None:
    latest = Latest()
    answers: list[Frame | None] = []
    reader = in_background(lambda: answers.append(latest.take(timeout=None)))
    time.sleep(0.02)
    latest.close()
    reader.join(2)
    assert answers == [None]


def test_a_reader_waits_no_longer_than_it_asked() -> None:
    began = time.monotonic()
    assert Latest().take(timeout=0.05) is None
    assert 0.04 <= time.monotonic() - began < 1


def test_a_writer_that_waits_goes_on_when_half_was_taken() -> None:
    latest, put = Latest(lossless=True, room=4), []
    writer = in_background(lambda: [put.append(latest.put(frame(number))) for number in range(5)])
    wait_until(lambda: len(put) == 4)
    assert [taken.id for _ in range(1) if (taken := latest.take()) is not None] == [0]
    writer.join(0.05)
    assert len(put) == 4
    latest.take()
    writer.join(2)
    assert put == [True] * 5
    latest.close()
    assert [taken.id for _ in range(3) if (taken := latest.take()) is not None] == [2, 3, 4]
    assert latest.ended


@pytest.mark.parametrize(("parts", "wait"), [(1, 1), (2, 2), (3, 3), (100, 4)])
def test_of_large_pictures_fewer_wait(parts: int, wait: int) -> None:
    """So many at most as MOST_WAITING bytes hold, but one always."""
    large = np.zeros(MOST_WAITING // parts, np.uint8)
    latest, put = Latest(lossless=True, room=4), []

    def write() -> None:
        for number in range(8):
            latest.put(Frame(id=number, source="main", captured_at=0.0, pixels=large))
            put.append(number)

    writer = in_background(write)
    wait_until(lambda: len(put) == wait)
    writer.join(0.05)
    assert len(put) == wait
    seen = []
    while len(seen) < 8:
        taken = latest.take(timeout=5)
        assert taken is not None
        seen.append(taken.id)
    writer.join(2)
    assert seen == list(range(8))


@pytest.mark.parametrize("slow", ["nobody", "reader", "writer"])
def test_a_lossless_ring_keeps_order_whoever_is_slower(slow: str) -> None:
    latest, count = Latest(lossless=True, room=4), 400

    def write() -> None:
        for number in range(count):
            latest.put(frame(number))
            if slow == "writer" and not number % 3:
                time.sleep(0.0005)
        latest.close()

    writer, seen = in_background(write), []
    while (taken := latest.take(timeout=5)) is not None:
        seen.append(taken.id)
        if slow == "reader" and not taken.id % 3:
            time.sleep(0.0005)
    writer.join(2)
    assert seen == list(range(count))
    assert latest.ended
    assert latest.dropped == 0


@pytest.mark.parametrize("lossless", [True, False])
def test_frames_arrive_in_order_and_each_is_read_or_counted(lossless: bool) -> None:
    latest = Latest(lossless)
    count = 3000

    def write() -> None:
        for number in range(count):
            latest.put(frame(number))
        latest.close()

    writer = in_background(write)
    seen: list[int] = []
    while not latest.ended:
        taken = latest.take(timeout=5)
        if taken is not None:
            seen.append(taken.id)
    writer.join(5)
    assert seen == sorted(set(seen))
    assert seen[-1] == count - 1
    assert len(seen) + latest.dropped == count
    assert not (lossless and latest.dropped)
