"""Numbers count on, whatever ends the process and whatever happened to the file."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pytest_mock import MockerFixture
from witness import wait_until

from streams.errors import StateBusy
from streams.sequence import FILE, JUMP, KEPT_EVERY, Jump, Sequence

REPOSITORY = Path(__file__).resolve().parents[2]


def test_numbers_begin_at_one_and_count_by_stream_and_source(tmp_path: Path) -> None:
    with Sequence(tmp_path) as sequence:
        assert [sequence.next("infer", "main") for _ in range(3)] == [1, 2, 3]
        assert sequence.next("infer", "door") == 1
        assert sequence.next("frame", "main") == 1
        assert (sequence.last("infer", "main"), sequence.last("infer", "never")) == (3, 0)


def test_numbers_count_on_after_a_restart(tmp_path: Path) -> None:
    for begin in (1, 6, 11):
        with Sequence(tmp_path / "new" / "state") as sequence:
            assert [sequence.next("infer", "main") for _ in range(5)] == list(range(begin, begin + 5))


def test_numbers_count_on_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom streams.sequence import Sequence\ns = Sequence(sys.argv[1])\n"
        "while True: print(s.next('infer', 'main'), flush=True)"
    )
    last = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = int(child.stdout.readline())
        time.sleep(0.1)
        os.kill(child.pid, signal.SIGKILL)
        told = [
            first,
            *(int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")),
        ]
        child.wait(5.0)
        child.stdout.close()
        assert told == list(range(told[0], told[0] + len(told)))
        assert last < told[0] <= last + 2  # a number may have been given and not been told any more
        last = told[-1]
    with Sequence(tmp_path) as sequence:
        assert sequence.next("infer", "main") in (last + 1, last + 2)


def test_a_folder_in_use_is_refused_naming_the_process(tmp_path: Path) -> None:
    with (
        Sequence(tmp_path),
        pytest.raises(StateBusy, match=rf"in use by process {os.getpid()}: .* \(thing\)"),
    ):
        Sequence(tmp_path)
    Sequence(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"state folder .* cannot be written"):
        Sequence(tmp_path / "file" / "state")


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    sequence = Sequence(tmp_path)
    sequence.close()
    sequence.close()


@pytest.mark.parametrize("size", [0, 5, 100, 4096, 4096 + 100])
def test_a_short_file_is_made_whole(tmp_path: Path, size: int) -> None:
    with Sequence(tmp_path) as sequence:
        sequence.next("infer", "main")
    os.truncate(tmp_path / FILE, size)
    with Sequence(tmp_path) as sequence:
        assert sequence.next("infer", "main") == 1


def test_what_can_be_read_of_a_damaged_file_is_kept(tmp_path: Path) -> None:
    with Sequence(tmp_path) as sequence:
        for source in ("a", "b", "c"):
            for _ in range(7):
                sequence.next("infer", source)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[0:16] = os.urandom(16)  # the head
    content[4096 + 256 : 4096 + 512] = os.urandom(256)  # the slot of b
    (tmp_path / FILE).write_bytes(content)
    with Sequence(tmp_path) as sequence:
        assert [sequence.next("infer", source) for source in ("a", "b", "c")] == [8, 1, 8]


@pytest.mark.parametrize("given", [1, 2, 3, 255, 256])
def test_a_write_cut_in_half_never_gives_a_number_twice(tmp_path: Path, given: int) -> None:
    """Whatever bytes of the copy being written have arrived: what was given before is not given again."""
    with Sequence(tmp_path) as sequence:
        for _ in range(given):
            sequence.next("infer", "main")
    before = (tmp_path / FILE).read_bytes()
    with Sequence(tmp_path) as sequence:
        sequence.next("infer", "main")
    after = (tmp_path / FILE).read_bytes()
    places = [
        place
        for place, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new and place >= 4096
    ]
    assert places
    for cut in range(len(places)):
        torn = bytearray(before)
        for place in places[:cut]:
            torn[place] = after[place]
        (tmp_path / FILE).write_bytes(torn)
        with Sequence(tmp_path) as sequence:
            assert sequence.next("infer", "main") == given + 1


def test_too_many_counters_are_refused(tmp_path: Path) -> None:
    with Sequence(tmp_path) as sequence:
        for number in range(1024):
            assert sequence.next("infer", f"s{number}") == 1
        with pytest.raises(ValueError, match="1024 counters"):
            sequence.next("infer", "one-more")
        assert sequence.next("infer", "s3") == 2


def test_threads_never_get_the_same_number(tmp_path: Path) -> None:
    given: list[int] = []
    with Sequence(tmp_path) as sequence:

        def count() -> None:
            given.extend([sequence.next("infer", "main") for _ in range(2000)])

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(given) == list(range(1, 8001))


def test_a_number_is_cheap(tmp_path: Path) -> None:
    with Sequence(tmp_path) as sequence:
        took = []
        for _ in range(200):
            started = time.perf_counter()
            for _ in range(50):
                sequence.next("infer", "main")
            took.append((time.perf_counter() - started) / 50)
    assert min(took) < 5e-6


def blocks(file: Path) -> int:
    """Bytes that the file really has on the disk."""
    return file.stat().st_blocks * 512


def test_a_new_file_has_all_of_its_room_on_the_disk(tmp_path: Path) -> None:
    """Or the first write into a hole, on a disk that is full by then, would end the process by a bus error."""
    Sequence(tmp_path).close()
    assert blocks(tmp_path / FILE) >= (tmp_path / FILE).stat().st_size


def test_the_holes_that_a_full_disk_left_are_filled(tmp_path: Path) -> None:
    Sequence(tmp_path).close()
    size = (tmp_path / FILE).stat().st_size
    head = (tmp_path / FILE).read_bytes()[:4096]
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).write_bytes(head)
    os.truncate(tmp_path / FILE, size)
    assert blocks(tmp_path / FILE) < size
    Sequence(tmp_path).close()
    assert blocks(tmp_path / FILE) >= size


def test_after_a_power_cut_numbers_go_on_where_none_can_have_been_given(tmp_path: Path) -> None:
    power_cut_in(tmp_path, "boot 1")
    with Sequence(tmp_path, boot="boot 2") as sequence:
        assert sequence.last("infer", "main") == 3
        assert sequence.jumps == []
        assert sequence.next("infer", "main") == 3 + JUMP + 1
        assert sequence.jumps == [Jump("infer", "main", 4, 3 + JUMP)]
        assert sequence.next("infer", "door") == 1
    with Sequence(tmp_path, boot="boot 3") as sequence:
        assert sequence.next("infer", "main") == 3 + JUMP + 2
        assert sequence.jumps == []


def power_cut_in(folder: Path, boot: str) -> None:
    """A process that gives three numbers and is no more."""
    code = (
        "import os, sys\nfrom streams.sequence import Sequence\ns = Sequence(sys.argv[1], boot=sys.argv[2])\n"
        "print([s.next('infer', 'main') for _ in range(3)], flush=True)\nos._exit(1)"
    )
    words = [sys.executable, "-c", code, str(folder), boot]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert done.stdout == "[1, 2, 3]\n", done.stderr


def test_a_kill_in_the_same_boot_leaves_no_number_out(tmp_path: Path) -> None:
    power_cut_in(tmp_path, "boot 1")
    with Sequence(tmp_path, boot="boot 1") as sequence:
        assert sequence.next("infer", "main") == 4
        assert sequence.jumps == []


def test_who_only_looks_takes_nothing_from_who_gives_numbers_next(tmp_path: Path) -> None:
    power_cut_in(tmp_path, "boot 1")
    with Sequence(tmp_path, boot="boot 2") as looker:
        assert looker.last("infer", "main") == 3
    with Sequence(tmp_path, boot="boot 2") as sequence:
        sequence.prepare("infer", "main")
        assert sequence.jumps == [Jump("infer", "main", 4, 3 + JUMP)]


def test_many_numbers_are_brought_to_the_disk_while_they_are_given(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    with Sequence(tmp_path) as sequence:
        sequence.prepare("infer", "main")
        kept = mocker.spy(os, "fsync")
        for _ in range(KEPT_EVERY + 1):
            sequence.next("infer", "main")
        wait_until(lambda: kept.call_count == 1)
