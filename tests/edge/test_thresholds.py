"""A threshold that was told to last is there after a restart; what cannot be read or used is told and left out."""

import types
from pathlib import Path
from typing import Any

import pytest

from edge import thresholds


class Model:
    """Takes a threshold, or refuses it as a segmentation does."""

    def __init__(self, name: str, *, refuses: bool = False) -> None:
        self.identity = types.SimpleNamespace(name=name)
        self.threshold: float | None = None
        self._refuses = refuses

    def set_threshold(self, threshold: float) -> None:
        if self._refuses:
            raise ValueError(f"{self.identity.name} has no score")
        self.threshold = threshold


def applied(folder: Path, name: str, *, refuses: bool = False) -> float | None:
    model: Any = Model(name, refuses=refuses)
    thresholds.apply(folder, model)
    threshold: float | None = model.threshold
    return threshold


def test_each_project_has_its_own(tmp_path: Path) -> None:
    thresholds.keep(tmp_path, "finder", 0.25)
    thresholds.keep(tmp_path, "sorter", 1)
    thresholds.keep(tmp_path, "finder", 0.5)
    assert applied(tmp_path, "finder") == 0.5
    assert applied(tmp_path, "sorter") == 1.0
    assert applied(tmp_path, "other") is None
    assert [path.name for path in tmp_path.iterdir()] == [thresholds.FILE]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"finder": 7}', '{"finder": true}', '{"finder": "0.5"}', "\x00"]
)
def test_a_file_of_something_else_ends_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / thresholds.FILE).write_text(text)
    assert applied(tmp_path, "finder") is None
    thresholds.keep(tmp_path, "finder", 0.5)
    assert applied(tmp_path, "finder") == 0.5


def test_a_project_that_has_no_use_for_it_any_more_starts_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    thresholds.keep(tmp_path, "finder", 0.5)
    assert applied(tmp_path, "finder", refuses=True) is None
    assert "of no use" in caplog.text
