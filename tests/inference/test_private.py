import os
from pathlib import Path

import pytest

from inference import private
from inference.private import NotPrivate


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = private.folder(tmp_path / "above" / "kept")
    assert made.stat().st_mode & 0o777 == 0o700
    assert private.folder(made) == made


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777, 0o720])
def test_a_folder_open_to_others_is_refused_with_its_mode(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(NotPrivate, match=rf"kept is open to others \(mode {mode:04o}, not 0700\)"):
        private.folder(folder)


def test_a_link_is_no_folder_even_to_a_private_one(tmp_path: Path) -> None:
    private.folder(tmp_path / "real")
    (tmp_path / "kept").symlink_to(tmp_path / "real")
    with pytest.raises(NotPrivate, match="kept is not a folder of its own"):
        private.folder(tmp_path / "kept")


def test_another_user_s_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = private.folder(tmp_path / "kept")
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(NotPrivate, match="belongs to another user"):
        private.folder(folder)


def test_a_file_where_a_folder_belongs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("")
    with pytest.raises(NotPrivate, match="is not a folder"):
        private.folder(tmp_path / "kept")


def private_file(path: Path) -> Path:
    path.write_text("content")
    path.chmod(0o600)
    return path


def test_a_private_file_is_opened(tmp_path: Path) -> None:
    with os.fdopen(private.opened(private_file(tmp_path / "f"))) as file:
        assert file.read() == "content"


def test_links_pipes_and_open_files_are_refused(tmp_path: Path) -> None:
    real = private_file(tmp_path / "real")
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "pipe", 0o600)
    private_file(tmp_path / "open").chmod(0o644)
    for name in ("link", "pipe", "open"):
        with pytest.raises(NotPrivate, match=name):
            private.opened(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        private.opened(tmp_path / "nothing")
