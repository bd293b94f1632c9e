"""The register knows which numbers should wait, and never calls lost what was not."""

from pathlib import Path
from typing import NamedTuple

import pytest

from streams.register import FILE, SLOT, Register, number_in, without

TOPIC, OTHER = "dt/l/c/m/infer", "dt/l/c/n/infer"


class Told(NamedTuple):
    topic: str
    payload: bytes


def messages(*numbers: int, topic: str = TOPIC) -> list[Told]:
    return [Told(topic, b'{"schema":"x","seq":%d,"results":[]}' % number) for number in numbers]


def written(folder: Path, *numbers: int, boot: str = "one") -> Register:
    register = Register(folder, boot)
    register.missing([])
    register.add(messages(*numbers))
    register.write()
    return register


def test_what_is_all_there_is_not_missing(tmp_path: Path) -> None:
    written(tmp_path, *range(1, 50)).close()
    assert Register(tmp_path, "one").missing(messages(*range(1, 50))) == {}


def test_what_is_gone_is_told_by_topic_and_once(tmp_path: Path) -> None:
    register = written(tmp_path, *range(1, 50))
    register.add(messages(*range(7, 10), topic=OTHER))
    register.write()
    again = Register(tmp_path, "one")
    there = messages(*range(1, 20), *range(30, 40))
    assert again.missing(there) == {
        (TOPIC, "damaged"): [[20, 29], [40, 49]],
        (OTHER, "damaged"): [[7, 9]],
    }
    again.write()
    assert Register(tmp_path, "one").missing(there) == {}


def test_what_left_is_not_missing_and_the_order_does_not_matter(tmp_path: Path) -> None:
    register = written(tmp_path, 5, 1, 3, 2, 4, 9)
    register.remove(messages(3, 1, 7))
    register.write()
    assert Register(tmp_path, "one").missing([]) == {(TOPIC, "damaged"): [[2, 2], [4, 5], [9, 9]]}


def test_after_a_power_cut_it_is_the_power(tmp_path: Path) -> None:
    written(tmp_path, 1, 2)
    assert Register(tmp_path, "two").missing(messages(1)) == {(TOPIC, "power"): [[2, 2]]}


def test_a_run_that_ended_in_good_order_knows_no_power_cut(tmp_path: Path) -> None:
    written(tmp_path, 1, 2).close()
    assert Register(tmp_path, "two").missing(messages(1)) == {(TOPIC, "damaged"): [[2, 2]]}


def test_what_the_disk_never_took_is_told_at_the_next_start(tmp_path: Path) -> None:
    written(tmp_path, 1).close(messages(2, 3))
    again = Register(tmp_path, "one")
    assert again.missing(messages(1)) == {(TOPIC, "unwritten"): [[2, 3]]}
    again.close()
    assert Register(tmp_path, "one").missing(messages(1)) == {}


@pytest.mark.parametrize("content", [b"", b"x" * 100, bytes(2 * SLOT), b"\xff" * 2 * SLOT])
def test_a_damaged_register_tells_nothing_and_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    written(tmp_path, 1, 2).close()
    (tmp_path / FILE).write_bytes(content)
    again = Register(tmp_path, "one")
    assert again.missing(messages(1)) == {}
    again.close()
    assert Register(tmp_path, "one").missing([]) == {(TOPIC, "damaged"): [[1, 1]]}


def test_a_write_cut_in_half_leaves_what_was_synchronised(tmp_path: Path) -> None:
    register = written(tmp_path, 1, 2)
    register.sync()
    register.add(messages(3))
    register.write()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(SLOT + 20)
        file.write(b"\xff")
    assert Register(tmp_path, "one").missing([]) == {(TOPIC, "damaged"): [[1, 2]]}


def test_very_many_holes_keep_within_their_slot(tmp_path: Path) -> None:
    register = written(tmp_path, *range(10**12, 10**12 + 20_000, 2))
    register.add(messages(*range(1, 1000)))
    register.write()
    told = Register(tmp_path, "one").missing([])
    assert [1, 999] in told[TOPIC, "damaged"]


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b'{"seq":5}', 5),
        (b'{"a":1,"seq": 17,"b":2}', 17),
        (b'{"seq":0.5}', None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_numbers_are_found(payload: bytes, number: int | None) -> None:
    assert number_in(payload) == number


def test_ranges_without_others() -> None:
    every = [[1, 10], [20, 30], [40, 50]]
    assert without(every, [[1, 50]]) == []
    assert without(every, []) == every
    assert without(every, [[60, 70]]) == every
    assert without(every, [[5, 5], [7, 22], [45, 60]]) == [[1, 4], [6, 6], [23, 30], [40, 44]]
    assert without(every, [[0, 0], [15, 16], [30, 30]]) == [[1, 10], [20, 29], [40, 50]]
