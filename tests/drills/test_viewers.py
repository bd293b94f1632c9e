"""The drill of the viewers, once: whoever comes is served and leaves nothing; the rate is the drill's to judge."""

from pathlib import Path

import pytest
import viewers


@pytest.mark.slow
def test_two_hundred_slow_viewers_and_fifty_that_vanish_leave_nothing_open(tmp_path: Path) -> None:
    _, figures = viewers.viewers(tmp_path, rounds=1)
    assert figures["refused"] == 0
    assert figures["bytes_taken"] > 0
    assert figures["descriptors_left"] <= 0
    assert figures["exit_code"] == 0
