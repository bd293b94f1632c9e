"""Policies decide by what they see and by the time they are told."""

import pytest

from streams.pace import Every, OnChange, Rate


def test_every_nth_result_is_published_beginning_with_the_first() -> None:
    policy = Every(3)
    assert [policy.wants("same", 0.0) for _ in range(7)] == [True, False, False, True, False, False, True]


def test_every_one_means_all() -> None:
    policy = Every(1)
    assert all(policy.wants(None, 0.0) for _ in range(5))


def test_a_change_is_published_and_sameness_is_not() -> None:
    policy = OnChange(min_interval=1.0, heartbeat=60.0)
    assert policy.wants(("cat",), 0.0)
    assert not policy.wants(("cat",), 5.0)
    assert policy.wants(("dog",), 6.0)


def test_a_change_too_soon_is_published_later_if_it_still_holds() -> None:
    policy = OnChange(min_interval=1.0, heartbeat=60.0)
    policy.wants("cat", 0.0)
    assert not policy.wants("dog", 0.5)
    assert policy.wants("dog", 1.0)
    assert not policy.wants("cat", 1.9)
    assert not policy.wants("dog", 2.5)


def test_a_heartbeat_is_published_when_nothing_changes() -> None:
    policy = OnChange(min_interval=1.0, heartbeat=60.0)
    wanted = [second for second in range(200) if policy.wants("cat", float(second))]
    assert wanted == [0, 60, 120, 180]


def test_what_flickers_is_no_news_and_what_holds_is() -> None:
    policy = OnChange(min_interval=0.0, heartbeat=60.0, hold=3)
    seen = ["cat", "dog", "cat", "dog", "dog", "bird", "dog", "dog", "dog", "dog", "cat", "cat", "cat"]
    wanted = [place for place, key in enumerate(seen) if policy.wants(key, place / 10)]
    assert wanted == [0, 8, 12]


def test_a_change_that_held_during_the_interval_is_published_when_it_is_over() -> None:
    policy = OnChange(min_interval=1.0, heartbeat=60.0, hold=3)
    policy.wants("cat", 0.0)
    assert [step for step in range(1, 15) if policy.wants("dog", step / 10)] == [10]


def test_a_heartbeat_comes_also_while_everything_flickers() -> None:
    policy = OnChange(min_interval=1.0, heartbeat=10.0, hold=2)
    assert [second for second in range(31) if policy.wants(second % 2, float(second))] == [0, 10, 20, 30]


@pytest.mark.parametrize(
    "make",
    [lambda: Every(0), lambda: OnChange(-1.0), lambda: OnChange(1.0, 0.0), lambda: OnChange(1.0, 60.0, 0)],
)
def test_a_policy_that_makes_no_sense_is_refused_with_its_key(make: object) -> None:
    with pytest.raises(ValueError, match=r"publish\."):
        make()  # type: ignore[operator]


def test_a_rate_lets_as_many_through_as_it_says() -> None:
    rate = Rate(5.0)
    assert sum(rate.due(step / 30.0) for step in range(300)) in (50, 51)


def test_a_source_of_just_the_rate_loses_nothing_to_its_jitter() -> None:
    rate = Rate(10.0)
    jitter = [0.0, 0.008, -0.009, 0.004, -0.002]
    assert all(rate.due(step / 10.0 + jitter[step % 5]) for step in range(100))


def test_missed_pictures_are_not_made_up() -> None:
    rate = Rate(10.0)
    assert rate.due(0.0)
    assert [rate.due(5.0 + step / 100) for step in range(10)].count(True) <= 2


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_a_rate_of_nothing_is_refused(fps: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rate(fps)
