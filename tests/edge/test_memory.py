"""Growth of memory is a slope over the settled part of a run."""

import pytest

from edge import memory
from edge.memory import MOST_SAMPLES, Growth, least_squares_slope


def test_the_slope_leaves_the_settling_quarter_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter(
        [9_000_000 if frames < 2_500 else 50_000_000 + 10 * frames for frames in range(0, 10_000, 100)]
    )
    monkeypatch.setattr(memory, "resident_bytes", lambda: next(sizes))
    growth = Growth()
    for frames in range(0, 10_000, 100):
        growth.sample(frames)
    assert growth.slope() == pytest.approx(10.0, abs=0.5)


def test_samples_never_outgrow_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "resident_bytes", lambda: 1)
    growth = Growth()
    for frames in range(50 * MOST_SAMPLES):
        growth.sample(frames)
    frames = [each for each, _ in growth.samples]
    assert MOST_SAMPLES // 2 <= len(frames) <= MOST_SAMPLES
    assert frames == sorted(set(frames))
    assert frames[-1] > 49 * MOST_SAMPLES


def test_too_few_samples_have_no_slope() -> None:
    growth = Growth()
    growth.sample(1)
    assert growth.slope() is None
    assert least_squares_slope([(1, 5), (1, 6), (1, 7)]) is None


def test_this_process_has_a_size() -> None:
    assert memory.peak_bytes() > 1_000_000
