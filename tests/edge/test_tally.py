"""Distributions answer percentiles to one per cent and never grow."""

import numpy as np
import pytest

from edge.tally import Distribution, Tally


def test_percentiles_are_right_to_one_per_cent() -> None:
    seconds = np.random.default_rng(7).lognormal(-6, 1, 20_000)
    stage = Distribution()
    for value in seconds:
        stage.add(float(value))
    for percent in (50, 95, 99):
        assert stage.percentile(percent) == pytest.approx(np.percentile(seconds, percent), rel=0.012)
    assert stage.largest == pytest.approx(seconds.max())


def test_a_percentile_never_exceeds_the_largest_value() -> None:
    stage = Distribution()
    stage.add(0.123456)
    assert stage.percentile(50) <= 0.123456
    assert stage.summary_ms()["max"] == pytest.approx(123.456)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9, 1e9])
def test_values_outside_the_range_fall_into_the_outermost_buckets(seconds: float) -> None:
    stage = Distribution()
    stage.add(seconds)
    assert stage.count == 1


def test_an_empty_distribution_answers_zero() -> None:
    assert Distribution().summary_ms() == {"p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}


def test_a_tally_counts_all_sources_together() -> None:
    tally = Tally()
    tally.inferred["left"] += 2
    tally.inferred["right"] += 3
    assert tally.frames == 5
