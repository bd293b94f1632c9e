import random

from streams.backoff import Backoff


def test_waits_grow_to_a_bound_and_are_spread() -> None:
    backoff = Backoff(0.5, 30.0, random.Random(1))
    waits = [backoff.next() for _ in range(10)]
    for wait, whole in zip(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30], strict=True):
        assert whole / 2 <= wait <= whole
    assert len(set(waits[-4:])) == 4


def test_after_a_success_the_first_wait_is_short_again() -> None:
    backoff = Backoff(0.5, 30.0, random.Random(1))
    for _ in range(6):
        backoff.next()
    backoff.reset()
    assert backoff.next() <= 0.5


def test_the_same_chance_gives_the_same_waits() -> None:
    one, other = (Backoff(chance=random.Random(5)) for _ in range(2))
    assert [one.next() for _ in range(5)] == [other.next() for _ in range(5)]
