import numpy as np
from pictures import jpeg_bytes, picture

from streams.sources import Shot
from streams.stall import StallWatch

PERIOD = 0.1


def still(stamp: float | None = None) -> Shot:
    return Shot(picture(), stamp=stamp)


def watched(watch: StallWatch, shots: list[Shot], begin: float = 0.0) -> list[str | None]:
    return [watch.see(shot, begin + place * PERIOD) for place, shot in enumerate(shots)]


def test_moving_pictures_are_news() -> None:
    assert not any(watched(StallWatch(), [Shot(picture(step)) for step in range(100)]))


def test_one_picture_again_and_again_is_a_stall_after_a_while() -> None:
    verdicts = watched(StallWatch(after=5.0, repeats=10), [still() for _ in range(60)])
    assert verdicts[:50] == [None] * 50
    assert verdicts[50:] == ["repeats one picture"] * 10


def test_a_slow_source_needs_as_many_repeats() -> None:
    watch = StallWatch(after=5.0, repeats=10)
    verdicts = [watch.see(still(), 2.0 * place) for place in range(12)]
    assert verdicts[:10] == [None] * 10
    assert verdicts[10] is not None


def test_a_change_anywhere_in_the_picture_is_news() -> None:
    watch = StallWatch(after=1.0, repeats=3)
    for place in range(40):
        pixels = picture()
        pixels[7, 11, 1] = place
        assert watch.see(Shot(pixels), place * PERIOD) is None


def test_a_camera_s_equal_jpegs_are_one_picture_and_others_are_not() -> None:
    watch = StallWatch(after=1.0, repeats=3)
    one, other = (jpeg_bytes(picture(), quality) for quality in (90, 91))
    equal = [Shot(picture(), jpeg=bytes(bytearray(one))) for _ in range(20)]
    assert watched(watch, equal)[-1] is not None
    assert watch.see(Shot(picture(), jpeg=other), 2.1) is None


def test_a_driver_s_clock_that_stops_is_a_stall() -> None:
    watch = StallWatch(after=1.0, repeats=3)
    moving = [Shot(picture(step), stamp=step * PERIOD) for step in range(5)]
    standing = [Shot(picture(step), stamp=0.4) for step in range(5, 30)]
    verdicts = watched(watch, moving + standing)
    assert verdicts[-1] == "gives pictures whose time stands still"
    assert verdicts[:10] == [None] * 10


def test_a_driver_without_a_clock_is_not_blamed() -> None:
    shots = [Shot(picture(step), stamp=77.0) for step in range(100)]
    assert not any(watched(StallWatch(after=1.0, repeats=3), shots))


def test_opening_anew_is_worth_it_less_and_less_often() -> None:
    watch = StallWatch(after=1.0, repeats=3, reopen=30.0)
    asked = []
    for second in range(400):
        watch.see(still(), float(second))
        if watch.wants_reopening(float(second)):
            asked.append(second)
            watch.reopened()
    assert asked == [30, 60, 120, 240]


def test_after_news_it_is_worth_it_soon_again() -> None:
    watch = StallWatch(after=1.0, repeats=3, reopen=30.0)
    for second in range(100):
        watch.see(still(), float(second))
        watch.wants_reopening(float(second))
    watch.see(Shot(picture(5)), 100.0)
    assert not watch.wants_reopening(100.0)
    for second in range(101, 131):
        watch.see(Shot(picture(5)), float(second))
    assert watch.wants_reopening(131.0)


def test_a_source_that_shows_the_same_after_opening_anew_stays_stalled() -> None:
    watch = StallWatch(after=1.0, repeats=3)
    watched(watch, [still() for _ in range(20)])
    watch.reopened()
    assert watch.see(still(), 3.0) is not None


def test_another_size_is_news() -> None:
    watch = StallWatch(after=0.0, repeats=1)
    watch.see(Shot(np.zeros((4, 4, 3), np.uint8)), 0.0)
    assert watch.see(Shot(np.zeros((4, 6, 3), np.uint8)), 1.0) is None
