"""Lengths of time as people write them."""

import pytest

from edge import durations


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1s", 1),
        ("500ms", 0.5),
        ("2m", 120),
        ("1h", 3600),
        ("1.5s", 1.5),
        (".5 s", 0.5),
        ("3", 3),
        (3, 3),
        (0, 0),
        (0.25, 0.25),
    ],
)
def test_a_length_of_time_is_seconds(written: object, seconds: float) -> None:
    assert durations.seconds(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    ["", "s", "1 d", "-1s", "1s2", "forever", -1, True, None, [1], float("nan"), float("inf"), "١s", "1e3"],
)
def test_what_is_no_length_of_time_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="500ms, 1s, 2m"):
        durations.seconds(written)
