"""What was commanded is remembered: across a restart, within its bounds, and whatever the disk does."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge.remote import ids as memory
from edge.remote.ids import FILE, MOST, MOST_BYTES, Ids


class Wall:
    now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now


def answer(number: int, size: int = 10) -> dict[str, Any]:
    return {"verb": "snapshot", "id": str(number), "result": {"picture": "x" * size}}


def test_a_killed_process_knows_what_it_began_and_what_it_answered(tmp_path: Path) -> None:
    first = Ids(tmp_path, wall_ms=Wall())
    first.begin("swap", "1")
    first.begin("snapshot", "2")
    first.answered(answer(2))
    first.begin("snapshot", "3")
    first.answered(answer(3))
    first.told("snapshot", "3")
    second = Ids(tmp_path, wall_ms=Wall())  # the first one was never closed
    assert second.open_ends() == ([("swap", "1")], [answer(2)])
    assert second.answer_of("snapshot", "3") == answer(3)
    assert second.known("swap", "1")
    assert not second.known("pause", "1")
    first.close()
    second.close()


@pytest.mark.parametrize("size", [10, 100_000])
def test_its_memory_is_bounded_by_number_and_by_bytes(tmp_path: Path, size: int) -> None:
    ids = Ids(tmp_path, wall_ms=Wall())
    count = MOST + 20 if size == 10 else 60
    for number in range(count):
        ids.answered(answer(number, size))
    assert ids.known("snapshot", str(count - 1))
    assert not ids.known("snapshot", "0")
    ids.close()
    with sqlite3.connect(tmp_path / FILE) as database:
        rows, held = database.execute("SELECT count(*), sum(length(answer)) FROM command").fetchone()
    database.close()
    assert rows <= MOST
    assert held <= MOST_BYTES


def test_what_is_a_day_old_is_forgotten(tmp_path: Path) -> None:
    wall = Wall()
    ids = Ids(tmp_path, wall_ms=wall)
    ids.answered(answer(1))
    wall.now += memory.AGE_MS + 1
    ids.answered(answer(2))
    assert not ids.known("snapshot", "1")
    ids.close()


@pytest.mark.parametrize("damage", [b"not a database at all, but long enough to look at" * 30, b""])
def test_a_damaged_file_is_set_aside_and_nothing_ends(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)
    ids = Ids(tmp_path, wall_ms=Wall())
    ids.answered(answer(1))
    ids.close()
    again = Ids(tmp_path, wall_ms=Wall())
    assert again.known("snapshot", "1")
    again.close()
    assert (tmp_path / "commands.damaged").exists() == bool(damage)


def test_a_disk_that_refuses_leaves_the_memory_of_this_run(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    ids = Ids(tmp_path, wall_ms=Wall())
    ids.begin("snapshot", "1")
    ids.answered(answer(1))
    assert ids.answer_of("snapshot", "1") == answer(1)
    ids.close()
