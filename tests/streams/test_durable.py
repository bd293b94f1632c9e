"""The durable spool loses nothing that was committed, in order, within its bound, whatever the file goes through."""

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from damage import damage
from edge_process import REPOSITORY
from hand_clock import HandClock
from pytest_mock import MockerFixture

from streams import clock as wall
from streams.durable import DurableSpool
from streams.ledger import FILE, Ledger
from streams.register import FILE as REGISTER
from streams.spool import Entry, Item, Kind
from streams.stock import READY

TOPIC = "dt/lensracer/cam-1/main/infer"
GAP = "dt/lensracer/cam-1/main/gap"
ROOM = 1 << 20


def item(number: int, kind: Kind = Kind.INFER, size: int = 0) -> Item:
    return Item(TOPIC, {"seq": number, "filling": "x" * size}, kind)


def seq(entry: Entry) -> int:
    return int(json.loads(entry.payload)["seq"])


def next_of(spool: DurableSpool, timeout: float = 5.0) -> Entry:
    """The next message; it is committed on another thread, so wait for it."""
    deadline = time.monotonic() + timeout
    while (entry := spool.take()) is None:
        assert time.monotonic() < deadline, f"nothing to take: {spool.status()}"
        spool.wait(0.05)
    return entry


def taken(spool: DurableSpool, count: int) -> list[Entry]:
    return [next_of(spool) for _ in range(count)]


def settled(spool: DurableSpool, wanted: Any, timeout: float = 5.0) -> None:
    """Wait until `wanted(status)` is true."""
    deadline = time.monotonic() + timeout
    while not wanted(spool.status()):
        assert time.monotonic() < deadline, spool.status()
        time.sleep(0.005)


def at_rest(spool: DurableSpool) -> None:
    """Wait until nothing has changed for a while."""
    before, since = None, time.monotonic()
    while time.monotonic() - since < 0.4:
        status = spool.status()
        if status != before:
            before, since = status, time.monotonic()
        time.sleep(0.01)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[DurableSpool]:
    opened = DurableSpool(tmp_path, ROOM)
    yield opened
    opened.close()


def test_the_more_important_leaves_first_and_of_these_the_oldest(spool: DurableSpool) -> None:
    for number, kind in enumerate([Kind.TELEMETRY, Kind.INFER, Kind.ANSWER, Kind.INFER, Kind.ANSWER]):
        spool.put(item(number, kind))
    settled(spool, lambda status: status.bytes > 0)
    first = next_of(spool)
    spool.give_back(first)
    time.sleep(0.05)
    assert [seq(entry) for entry in taken(spool, 5)] == [2, 4, 1, 3, 0]


def test_what_was_not_acknowledged_is_there_again_after_a_restart(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    for number in range(20):
        spool.put(item(number))
    for entry in taken(spool, 7)[:4]:
        spool.done(entry)
    spool.close()
    again = DurableSpool(tmp_path, ROOM)
    assert again.status().left == 16
    assert [seq(entry) for entry in taken(again, 16)] == list(range(4, 20))
    again.close()


def test_everything_of_a_message_survives(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    spool.put(Item("cmd/res", b"\x00raw\xff", Kind.ANSWER, qos=0, retain=True))
    spool.close()
    again = DurableSpool(tmp_path, ROOM)
    entry = next_of(again)
    assert (entry.topic, entry.payload, entry.kind, entry.qos, entry.retain) == (
        "cmd/res",
        b"\x00raw\xff",
        Kind.ANSWER,
        0,
        True,
    )
    again.close()


def test_a_backlog_larger_than_what_stands_ready_leaves_in_order(tmp_path: Path) -> None:
    count = READY * 3 + 17
    spool = DurableSpool(tmp_path, 16 * ROOM)
    for number in range(count // 2):
        spool.put(item(number))
    spool.close()
    again = DurableSpool(tmp_path, 16 * ROOM)
    seen = []
    for number in range(count // 2, count):
        again.put(item(number))
    while len(seen) < count:
        entry = next_of(again)
        seen.append(seq(entry))
        again.done(entry)
    assert seen == list(range(count))
    settled(again, lambda status: status.left == status.bytes == 0)
    again.close()
    assert sum(total.messages for total in Ledger(tmp_path).totals().values()) == 0


def test_what_comes_back_keeps_its_place(spool: DurableSpool) -> None:
    for number in range(6):
        spool.put(item(number))
    first = taken(spool, 3)
    for entry in (first[2], first[0]):
        spool.give_back(entry)
    assert [seq(entry) for entry in taken(spool, 5)] == [0, 2, 3, 4, 5]


def test_beyond_the_bound_the_oldest_of_the_least_important_go_and_their_numbers_are_told(
    tmp_path: Path,
) -> None:
    spool = DurableSpool(tmp_path, 20_000)
    spool.put(item(900, Kind.ANSWER))
    for number in range(1, 41):
        spool.put(item(number, size=1000))
    at_rest(spool)
    entries = []
    while (entry := spool.take()) is not None:
        entries.append(entry)
    told = [json.loads(entry.payload) for entry in entries if entry.topic == GAP]
    kept = [seq(entry) for entry in entries if entry.kind is Kind.INFER]
    assert seq(entries[0]) == 900
    assert told == [
        {"schema": "lensracer.gap/1", "stream": "infer", "reason": "full", "ranges": [[1, kept[0] - 1]]}
    ]
    assert kept == list(range(kept[0], 41))
    assert sum(entry.size for entry in entries) <= 20_000
    spool.close()


def test_of_memory_and_disk_together_it_is_the_oldest_that_goes(tmp_path: Path) -> None:
    """Much more than the bound in one group, while older ones are on the disk already."""
    spool = DurableSpool(tmp_path, 20_000)
    for number in range(1, 6):
        spool.put(item(number, size=1000))
    settled(spool, lambda status: status.bytes > 0)
    at_rest(spool)
    for number in range(6, 400):
        spool.put(item(number, size=1000))
    at_rest(spool)
    entries = []
    while (entry := spool.take()) is not None:
        entries.append(entry)
    told = [json.loads(entry.payload) for entry in entries if entry.topic == GAP]
    kept = [seq(entry) for entry in entries if entry.topic == TOPIC]
    assert kept == list(range(kept[0], 400))
    assert [each["ranges"] for each in told] == [[[1, kept[0] - 1]]]
    spool.close()


def test_a_gap_that_is_on_the_wire_is_not_changed_any_more(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, 20_000)
    for number in range(1, 31):
        spool.put(item(number, size=1000))
    at_rest(spool)
    first = next_of(spool)
    assert first.topic == GAP
    before = first.payload
    for number in range(31, 51):
        spool.put(item(number, size=1000))
    at_rest(spool)
    assert first.payload == before
    entries = [first]
    while (entry := spool.take()) is not None:
        entries.append(entry)
    lost = [
        number
        for entry in entries
        if entry.topic == GAP
        for begin, end in json.loads(entry.payload)["ranges"]
        for number in range(begin, end + 1)
    ]
    kept = [seq(entry) for entry in entries if entry.topic == TOPIC]
    assert sorted(lost + kept) == list(range(1, 51))
    spool.close()


def test_what_is_on_the_wire_is_spared_and_counted_once(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, 20_000)
    for number in range(1, 11):
        spool.put(item(number, size=1000))
    flying = taken(spool, 5)
    for number in range(11, 41):
        spool.put(item(number, size=1000))
    at_rest(spool)
    for entry in flying:
        spool.done(entry)
    left = spool.status().left
    rest = 0
    while (waiting := spool.take()) is not None:
        rest += 1
        spool.done(waiting)
    assert rest == left
    settled(spool, lambda status: status.left == status.bytes == 0)
    spool.close()


def test_what_is_too_old_is_given_up_and_told(tmp_path: Path) -> None:
    clock = HandClock()
    spool = DurableSpool(tmp_path, ROOM, max_age=60.0, clock=clock)
    spool.put(item(1))
    spool.give_back(next_of(spool))
    clock.sleep(61.0)
    spool.put(item(2))
    at_rest(spool)
    assert spool.status().dropped == {"old": 1}
    entries = taken(spool, 2)
    assert json.loads(entries[0].payload)["ranges"] == [[1, 1]]
    assert seq(entries[1]) == 2
    spool.close()


def test_times_told_before_the_clock_was_set_are_put_right_when_it_is(tmp_path: Path) -> None:
    state = {"synced": "unsynced", "wall": 1_000}
    clock = HandClock()
    spool = DurableSpool(
        tmp_path, ROOM, clock=clock, wall_ms=lambda: state["wall"], synced=lambda: state["synced"]
    )
    message = {"seq": 1, "ts": "1970", "ts_ms": 1_000, "clock": "unsynced", "boot_id": wall.boot_id()}
    spool.put(Item(TOPIC, {**message, "mono_ms": clock() * 1000}))
    entry = next_of(spool)
    assert json.loads(entry.payload)["clock"] == "unsynced"
    spool.give_back(entry)
    clock.sleep(10.0)
    state |= {"synced": "synced", "wall": 1_800_000_000_000}
    told = json.loads(next_of(spool).payload)
    assert (told["ts_ms"], told["clock"]) == (1_800_000_000_000 - 10_000, "corrected")
    assert told["ts"].startswith("2027-01-15T")
    spool.close()


def test_a_message_that_is_no_json_costs_only_itself(spool: DurableSpool) -> None:
    spool.put(Item(TOPIC, {"seq": object()}))
    spool.put(item(2))
    assert seq(next_of(spool)) == 2
    assert spool.status().dropped == {"invalid": 1}
    assert spool.status().left == 1


WRITER = """
import sys
from pathlib import Path
from streams.durable import DurableSpool
from streams.spool import Item
spool = DurableSpool(Path(sys.argv[1]), 1 << 26)
for number in range(int(sys.argv[2]), 1 << 30):
    spool.put(Item("dt/l/c/m/infer", {"seq": number, "filling": "x" * 200}))
    entry = spool.take()
    while entry is not None:
        print(entry.number, flush=True)
        entry = spool.take() if number % 7 else None
"""


def test_a_kill_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    first = 0
    for turn in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(first)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        committed = [int(process.stdout.readline()) for _ in range(40 + 30 * turn)]
        process.send_signal(signal.SIGKILL)
        committed += [int(line) for line in process.stdout.read().split()[:-1]]
        process.wait(10)
        process.stdout.close()
        ledger = Ledger(tmp_path)
        numbers = {row.number for row in ledger.read(Kind.INFER, 0, 1 << 30)}
        ledger.close()
        assert ledger.set_aside is None
        assert set(committed) <= numbers
        first += 1_000_000


def test_a_second_start_goes_on_with_higher_numbers_also_when_all_were_delivered(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    spool.put(item(1))
    entry = next_of(spool)
    spool.done(entry)
    spool.close()
    again = DurableSpool(tmp_path, ROOM)
    again.put(item(2))
    assert next_of(again).number > entry.number
    again.close()


@pytest.mark.parametrize("way", range(50))
def test_a_damaged_file_never_stops_the_start_and_what_it_lost_is_told(tmp_path: Path, way: int) -> None:
    spool = DurableSpool(tmp_path / "made", ROOM)
    for number in range(60):
        spool.put(item(number, size=300))
    settled(spool, lambda status: status.bytes > 60 * 500)
    next_of(spool)
    for name in (FILE, f"{FILE}-wal", REGISTER):
        shutil.copy(tmp_path / "made" / name, tmp_path / name)
    spool.close()
    if way % 2:  # folded into one file
        (tmp_path / f"{FILE}-wal").unlink()
        shutil.copy(tmp_path / "made" / FILE, tmp_path / FILE)
    damage(tmp_path / (f"{FILE}-wal" if way % 4 == 0 else FILE), random.Random(way))
    again = DurableSpool(tmp_path, ROOM)
    again.put(item(1000))
    seen, told = [], []
    while not seen or seen[-1] != 1000:
        entry = next_of(again)
        if entry.topic == GAP:
            told.append(json.loads(entry.payload))
        else:
            seen.append(seq(entry))
        again.done(entry)
    assert seen[:-1] == sorted(set(seen[:-1]))
    missing = set(range(60)) - set(seen)
    assert numbers_of(told) == missing
    assert again.status().dropped.get("damaged", 0) >= len(missing)
    settled(again, lambda status: status.left == 0)
    again.close()


def numbers_of(told: list[dict[str, Any]]) -> set[int]:
    """What gap messages tell."""
    assert all(each["reason"] == "damaged" for each in told)
    return {number for each in told for first, last in each["ranges"] for number in range(first, last + 1)}


def test_a_file_damaged_while_it_is_used_is_replaced_and_what_stood_ready_goes_on(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    for number in range(10):
        spool.put(item(number))
    settled(spool, lambda status: status.bytes > 0)
    time.sleep(0.05)
    for name in (FILE, f"{FILE}-wal"):
        with (tmp_path / name).open("r+b") as file:
            file.write(b"\xff" * 4096)
    spool.put(item(10))
    seen = []
    while len(seen) < 11:
        entry = next_of(spool)
        seen.append(seq(entry))
        spool.done(entry)
    assert seen == list(range(11))
    settled(spool, lambda status: status.left == 0)
    spool.close()


FULL = """
import resource, signal, sys, time, json
from pathlib import Path
from streams.durable import DurableSpool
from streams.spool import Item
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = DurableSpool(Path(sys.argv[1]), 1 << 26)
def put(first, count):
    for number in range(first, first + count):
        spool.put(Item("dt/l/c/m/infer", {"seq": number, "filling": "x" * 2000}))
def pull(count):
    seen = []
    end = time.monotonic() + 20
    while len(seen) < count and time.monotonic() < end:
        entry = spool.take()
        if entry is None:
            spool.wait(0.05)
            continue
        seen.append(json.loads(entry.payload)["seq"])
        spool.done(entry)
    return seen
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
put(0, 50)
assert pull(50) == list(range(50))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limit[1]))
put(50, 300)
refused = pull(300)
assert refused == list(range(50, 350)), refused[:5]
put(350, 20)
time.sleep(0.3)
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
time.sleep(1.5)
spool.close()
print(json.dumps(spool.status().dropped))
"""


def test_a_disk_without_room_stops_nothing_and_is_used_again_when_it_has_some(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}
    assert done.stderr.count("cannot be written") == 1
    again = DurableSpool(tmp_path, 1 << 26)
    assert [seq(entry) for entry in taken(again, 20)] == list(range(350, 370))
    again.close()


def test_a_turn_that_breaks_loses_nothing_and_removes_nothing_twice(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    spool.put(item(1))
    first = next_of(spool)
    breaking = mocker.patch.object(Ledger, "write", side_effect=RuntimeError("a surprise"))
    spool.done(first)
    spool.put(item(2))
    settled(spool, lambda status: breaking.call_count > 0)
    mocker.stop(breaking)
    spool.put(item(3))
    assert [seq(entry) for entry in taken(spool, 2)] == [2, 3]
    assert spool.close() == 0
    again = DurableSpool(tmp_path, ROOM)
    assert [seq(entry) for entry in taken(again, 2)] == [2, 3]
    assert again.status().left == 2
    again.close()


def test_many_threads_may_put_while_one_sends(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, 64 * ROOM)

    def put(thread: int) -> None:
        for number in range(200):
            spool.put(Item(TOPIC, {"seq": number, "thread": thread}))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    seen: dict[int, list[int]] = {number: [] for number in range(4)}
    for _ in range(800):
        entry = next_of(spool)
        message = json.loads(entry.payload)
        seen[message["thread"]].append(message["seq"])
        spool.done(entry)
    for thread in threads:
        thread.join()
    assert all(numbers == list(range(200)) for numbers in seen.values())
    spool.close()


def test_the_room_of_a_great_backlog_is_given_back(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, 64 * ROOM)
    for number in range(2000):
        spool.put(item(number, size=3000))
    for _ in range(2000):
        spool.done(next_of(spool))
    settled(spool, lambda status: status.left == 0)
    spool.close()
    assert (tmp_path / FILE).stat().st_size < 200_000


def test_another_process_may_look_at_it_meanwhile(spool: DurableSpool, tmp_path: Path) -> None:
    spool.put(item(1))
    next_of(spool)
    other = sqlite3.connect(f"file:{tmp_path / FILE}?mode=ro", uri=True)
    assert other.execute("SELECT COUNT(*) FROM messages").fetchone() == (1,)
    other.close()


def test_a_bound_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="max_bytes must be more than 0"):
        DurableSpool(tmp_path, 0)
