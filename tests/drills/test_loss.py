"""Short forms of the drills that look for a lost message, and proof that they would find one."""

import json
import random
from pathlib import Path

import bad_network
import disk
import kills
import power_cut
import pytest
from powercut import SECTOR, Disk, Op
from telling import digest


def heard(*numbers: int) -> list[bytes]:
    return [json.dumps({"seq": number}).encode() for number in numbers]


def told(*numbers: int) -> list[tuple[int, int]]:
    return [(number, digest(payload)) for number, payload in zip(numbers, heard(*numbers), strict=True)]


def test_what_was_committed_and_never_came_is_lost() -> None:
    assert kills.judged(told(1, 2, 3), heard(1, 3), [])["lost"] == 1
    assert kills.judged(told(1, 2, 3), heard(1, 2, 3, 4), [])["lost"] == 0


def test_another_payload_under_an_old_number_is_lost_and_twice() -> None:
    found = kills.judged(told(1, 2), [*heard(1), b'{"seq": 2, "other": true}'], [])
    assert (found["lost"], found["numbers_twice"]) == (1, 1)


def test_what_comes_late_is_out_of_order_unless_it_was_on_the_wire_at_a_kill() -> None:
    numbers = [5000, 1, 5001]
    assert kills.judged(told(1, 5000, 5001), heard(*numbers), [])["out_of_order"] == 1
    assert kills.judged(told(1, 2, 3), heard(2, 1, 3), [1])["out_of_order"] == 0
    assert kills.judged(told(1), heard(1, 1, 1), [])["duplicates"] == 2


def test_a_number_that_is_neither_received_nor_told_is_unexplained() -> None:
    messages = [{"schema": "lensracer.infer/1", "seq": number} for number in (1, 2, 6)]
    gap = {"schema": "lensracer.gap/1", "ranges": [[3, 4]]}
    payloads = [json.dumps(each).encode() for each in [*messages, gap]]
    assert disk.judged(payloads) == {"received": 3, "told_lost": 2, "unexplained": 1}


def test_a_cut_leaves_what_was_synchronised_and_any_sectors_of_the_rest() -> None:
    rebuilt = Disk()
    for op in (Op("W", "a", 0, b"x" * 1024), Op("S", "a", 0, b""), Op("W", "a", 512, b"y" * 1024)):
        rebuilt.take(op)
    assert rebuilt.left("nothing", random.Random(1))["a"] == b"x" * 1024
    assert rebuilt.left("everything", random.Random(1))["a"] == b"x" * 512 + b"y" * 1024
    seen = {rebuilt.left("sectors", random.Random(seed))["a"] for seed in range(50)}
    assert seen == {
        b"x" * 1024,
        b"x" * SECTOR + b"y" * SECTOR,
        b"x" * 1024 + b"y" * SECTOR,
        b"x" * SECTOR + b"y" * 1024,
    }


def test_a_removal_that_nothing_followed_may_not_have_happened() -> None:
    rebuilt = Disk()
    for op in (Op("W", "a", 0, b"x"), Op("S", "a", 0, b""), Op("U", "a", 0, b"")):
        rebuilt.take(op)
    assert rebuilt.left("nothing", random.Random(1)) == {"a": b"x"}
    assert rebuilt.left("everything", random.Random(1)) == {}
    rebuilt.take(Op("S", "b", 0, b""))
    assert "a" not in rebuilt.left("nothing", random.Random(1))


@pytest.mark.slow
def test_kills_of_broker_and_runtime_lose_nothing(tmp_path: Path) -> None:
    held, figures = kills.trial(tmp_path, 3000, 2)
    assert held, str(figures)


@pytest.mark.slow
def test_a_power_cut_at_any_moment_leaves_what_was_synchronised(tmp_path: Path) -> None:
    held, figures = power_cut.trial(tmp_path, 3000, 60)
    assert held, str(figures)


@pytest.mark.slow
def test_a_bad_network_loses_nothing(tmp_path: Path) -> None:
    """Whether the loop keeps its pace is for `make drill` to say."""
    _, figures = bad_network.trial(tmp_path, 1, 0.7)
    assert figures["held"]["none_lost"], figures


@pytest.mark.slow
@pytest.mark.parametrize("part", [disk.full, disk.read_only])
def test_a_disk_that_takes_nothing_for_a_while_stops_nothing(tmp_path: Path, part: disk.Part) -> None:
    held, figures = part(tmp_path, 1.0)
    assert held, str(figures)


@pytest.mark.slow
def test_a_damaged_spool_never_stops_the_next_run(tmp_path: Path) -> None:
    held, figures = disk.damaged(tmp_path, 4)
    assert held, str(figures)
