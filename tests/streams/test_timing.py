import pytest
from hand_clock import HandClock

from streams.sources.timing import Timing


def test_without_a_pace_nothing_is_ever_due() -> None:
    timing = Timing(realtime=False, rate=25.0, clock=HandClock())
    assert [timing.due(place) for place in range(3)] == [None] * 3


def test_pictures_are_due_at_their_recorded_times_however_late_they_are_asked_for() -> None:
    clock = HandClock(100.0)
    timing = Timing(realtime=True, rate=None, clock=clock)
    due = []
    for position in (0.0, 0.04, 0.1, 0.12):
        due.append(timing.due(position))
        clock.now += 3.0
    assert due == pytest.approx([100.0, 100.04, 100.1, 100.12])


def test_a_rate_of_its_own_replaces_the_recorded_times() -> None:
    timing = Timing(realtime=True, rate=10.0, clock=HandClock(100.0))
    assert [timing.due(0.0) for _ in range(4)] == pytest.approx([100.0, 100.1, 100.2, 100.3])


def test_a_second_round_follows_the_first_one_without_a_gap() -> None:
    timing = Timing(realtime=True, rate=None, clock=HandClock(100.0))
    for position in (0.0, 0.5, 1.0):
        timing.due(position)
    timing.again(0.5)
    assert [timing.due(position) for position in (0.0, 0.5)] == pytest.approx([101.5, 102.0])
    paced = Timing(realtime=True, rate=10.0, clock=HandClock(100.0))
    paced.due(0.0)
    paced.again(0.5)
    assert paced.due(0.0) == pytest.approx(100.1)


def test_recorded_times_that_run_backwards_are_not_followed() -> None:
    timing = Timing(realtime=True, rate=None, clock=HandClock(100.0))
    due = [timing.due(position) for position in (0.0, 0.2, 0.1, 0.3)]
    assert due == pytest.approx([100, 100.2, 100.2, 100.3])
