"""A delivered folder has all of its new files or none; what was there stays unless it is to be replaced."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.delivery import Delivery
from edge.errors import AlreadyThere, EdgeError


def everything(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def deliver(folder: Path, *, force: bool = False) -> None:
    delivery = Delivery(folder, force=force)
    with delivery as made:
        (made / "a").mkdir()
        (made / "a" / "model.xml").write_text("new")
        (made / "project.yaml").write_text("new")
        delivery.finish()


def test_a_new_folder_appears_at_the_end(tmp_path: Path) -> None:
    deliver(tmp_path / "deep" / "new")
    assert everything(tmp_path) == {"deep/new/a/model.xml": "new", "deep/new/project.yaml": "new"}
    assert (tmp_path / "deep" / "new").stat().st_mode & 0o050 == 0o050


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    deliver(tmp_path / "new")
    assert len(everything(tmp_path / "new")) == 2


def test_what_fails_in_between_leaves_nothing(tmp_path: Path) -> None:
    with Delivery(tmp_path / "new") as made:
        (made / "x").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(AlreadyThere, match=r"is not empty; --force replaces files"):
        Delivery(tmp_path)


def test_force_replaces_files_of_the_same_names_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "mine").write_text("mine")
    (tmp_path / "f" / "project.yaml").write_text("old")
    deliver(tmp_path / "f", force=True)
    assert everything(tmp_path) == {"f/a/model.xml": "new", "f/mine": "mine", "f/project.yaml": "new"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    with pytest.raises(AlreadyThere, match="is a file"):
        Delivery(tmp_path / "f", force=True)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    with pytest.raises(EdgeError, match="cannot be written"):
        Delivery(tmp_path / "f" / "below")


def test_what_a_killed_process_left_behind_is_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (
        f".new.unfinished-{ended.pid}-x",
        f".new.unfinished-{os.getppid()}-y",
        f".newer.unfinished-{ended.pid}-x",
    ):
        (tmp_path / name).mkdir()
    deliver(tmp_path / "new")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([f".new.unfinished-{os.getppid()}-y", f".newer.unfinished-{ended.pid}-x", "new"])
