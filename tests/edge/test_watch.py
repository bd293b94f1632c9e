"""A change of a project's files is told once it is over, and once."""

from pathlib import Path

import swap_models
from hand_clock import HandClock

from edge import project
from edge.watch import QUIET, Watch, files_of


def watched(path: Path) -> tuple[Watch, list[int], HandClock]:
    told: list[int] = []
    clock = HandClock()
    return Watch(lambda: [path], lambda: told.append(1), clock=clock), told, clock


def test_a_change_is_told_when_nothing_has_followed_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    watch, told, clock = watched(path)
    assert not watch.look()
    for size in range(5):  # somebody writes a large file, piece by piece
        path.write_bytes(b"new" * (size + 2))
        clock.sleep(QUIET / 2)
        assert not watch.look()
    clock.sleep(QUIET)
    assert watch.look()
    clock.sleep(QUIET)
    assert not watch.look()
    assert told == [1]


def test_a_writer_that_pauses_is_heard_again_when_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    watch, told, clock = watched(path)
    for size in (1, 2):
        path.write_bytes(b"x" * size)
        watch.look()
        clock.sleep(QUIET)
        assert watch.look()
    assert told == [1, 1]


def test_a_file_that_is_replaced_by_another_of_the_same_size_and_time_is_a_change(tmp_path: Path) -> None:
    import os

    path, fresh = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"one")
    watch, _, clock = watched(path)
    fresh.write_bytes(b"two")
    times = path.stat()
    os.utime(fresh, ns=(times.st_atime_ns, times.st_mtime_ns))
    fresh.replace(path)
    watch.look()
    clock.sleep(QUIET)
    assert watch.look()


def test_a_file_that_vanishes_and_comes_back_as_it_was_is_no_change(tmp_path: Path) -> None:
    path, aside = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"one")
    watch, told, clock = watched(path)
    path.rename(aside)
    watch.look()
    aside.rename(path)
    clock.sleep(QUIET)
    assert not watch.look()
    assert told == []


def test_all_that_a_project_is_made_of_is_looked_at(tmp_path: Path) -> None:
    place = swap_models.project(tmp_path / "x", swap_models.good, labels="names.txt", more="hook: hook.py\n")
    (place / "names.txt").write_text("a\nb\nc\n")
    for name in ("hook.py", "beside.py"):
        (place / name).write_text("class Hook:\n    def on_result(self, f, r): pass\n")
    (place / "golden").mkdir()
    (place / "golden" / "one.png").write_bytes(b"")
    seen = {path.name for path in files_of(project.load(place))}
    assert seen == {"project.yaml", "model.onnx", "names.txt", "hook.py", "beside.py", "one.png"}
