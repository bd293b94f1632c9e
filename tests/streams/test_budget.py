"""A budget is data, and the allowance keeps every single second within it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.budget import BUDGETS, Allowance, Budget, for_endpoint


def test_the_table_says_what_brokers_take() -> None:
    assert BUDGETS["aws-iot"] == Budget("aws-iot", 131072, 100, 524288, 100)
    assert BUDGETS["lite"].max_payload == 4096
    assert (BUDGETS["lite"].in_flight, BUDGETS["lite"].in_flight_bytes) == (10, 15_000)
    assert BUDGETS["none"] == Budget("none", None, None, None, None)
    assert set(BUDGETS) == {"aws-iot", "classic", "lite", "none"}


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("abc-ats.iot.eu-west-1.amazonaws.com", "aws-iot"),
        ("ABC.iot.cn-north-1.AMAZONAWS.com.cn.", "aws-iot"),
        ("localhost", "none"),
        ("amazonaws.com.example.org", "none"),
        ("notamazonaws.com", "none"),
        (None, "none"),
    ],
)
def test_the_budget_follows_from_the_endpoint(endpoint: str | None, name: str) -> None:
    assert for_endpoint(endpoint).name == name


def test_no_limit_means_no_wait() -> None:
    allowance = Allowance(BUDGETS["none"])
    assert all(allowance.take(10**9, 0.0) == 0.0 for _ in range(1000))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.0, 0.3), st.integers(1, 131072)), min_size=50, max_size=400),
)
def test_no_second_sees_more_than_the_budget(wishes: list[tuple[float, int]]) -> None:
    budget = BUDGETS["aws-iot"]
    allowance, now, sent = Allowance(budget), 0.0, []
    for pause, size in wishes:
        now += pause
        if allowance.take(size, now) == 0.0:
            sent.append((now, size))
    for begin, _ in sent:
        within = [size for at, size in sent if begin <= at < begin + 1.0]
        assert len(within) <= 100
        assert sum(within) <= 524288 + 1e-6


def test_whoever_waits_as_told_may_go_then() -> None:
    allowance, now = Allowance(BUDGETS["aws-iot"]), 0.0
    for _ in range(200):
        wait = allowance.take(100_000, now)
        if wait:
            assert 0.0 < wait < 1.0
            now += wait + 1e-6
            assert allowance.take(100_000, now) == 0.0


def test_small_messages_flow_at_nearly_the_full_rate() -> None:
    allowance, sent = Allowance(BUDGETS["aws-iot"]), 0
    for tick in range(10_000):
        sent += allowance.take(500, tick / 1000) == 0.0
    assert 880 <= sent <= 1000


def test_pictures_leave_something_for_messages() -> None:
    allowance = Allowance(BUDGETS["aws-iot"])
    while allowance.take(20_000, 0.0, leave=0.25) == 0.0:
        pass
    assert allowance.take(1000, 0.0) == 0.0
