"""The spool never blocks, never outgrows its bound, and gives the least important up first."""

import json
import threading
import time

import pytest

from streams.spool import OVERHEAD, Entry, Item, Kind, MemorySpool, weigh

TOPIC = "dt/lensracer/cam-1/main/infer"


def item(number: int, kind: Kind = Kind.INFER, size: int = 100) -> Item:
    return Item(TOPIC, str(number).encode().ljust(size), kind)


def taken(spool: MemorySpool) -> list[Entry]:
    entries = []
    while (entry := spool.take()) is not None:
        entries.append(entry)
    return entries


def numbers(entries: list[Entry]) -> list[int]:
    return [int(entry.payload) for entry in entries]


def test_the_oldest_leaves_first() -> None:
    spool = MemorySpool(100_000)
    for number in range(5):
        spool.put(item(number))
    assert numbers(taken(spool)) == [0, 1, 2, 3, 4]


def test_the_more_important_leaves_first() -> None:
    spool = MemorySpool(100_000)
    for number, kind in enumerate([Kind.TELEMETRY, Kind.INFER, Kind.ANSWER, Kind.INFER, Kind.ANSWER]):
        spool.put(item(number, kind))
    assert numbers(taken(spool)) == [2, 4, 1, 3, 0]


def test_a_mapping_becomes_json_on_the_thread_that_takes() -> None:
    threads: list[threading.Thread] = []

    def encode(message: object) -> bytes:
        threads.append(threading.current_thread())
        return json.dumps(message).encode()

    spool = MemorySpool(100_000, encode=encode)
    spool.put(Item(TOPIC, {"seq": 1}, retain=True, qos=0))
    assert not threads
    entry = spool.take()
    assert entry is not None
    assert (entry.topic, entry.payload, entry.qos, entry.retain) == (TOPIC, b'{"seq": 1}', 0, True)
    assert threads == [threading.current_thread()]


def test_what_is_not_json_is_given_up_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    spool = MemorySpool(100_000)
    for number in (float("nan"), 1.0, float("nan")):
        spool.put(Item(TOPIC, {"score": number}))
    assert [entry.payload for entry in taken(spool)] == [b'{"score":1.0}']
    assert spool.status().dropped == {"invalid": 2}
    assert [record.getMessage() for record in caplog.records] == [
        f"A message for {TOPIC} was given up: a message must be plain JSON: score is nan. Later ones are counted only."
    ]


def test_a_message_stays_until_it_is_acknowledged() -> None:
    spool = MemorySpool(100_000)
    spool.put(item(1))
    entry = spool.take()
    assert entry is not None
    assert spool.take() is None
    assert spool.status().left == 1
    spool.done(entry)
    assert spool.status()[:4] == (0, 0, 1, {})


def test_what_comes_back_takes_its_old_place() -> None:
    spool = MemorySpool(100_000)
    for number in range(6):
        spool.put(item(number))
    on_the_wire = [spool.take() for _ in range(4)]
    for entry in (on_the_wire[2], on_the_wire[0], on_the_wire[3], on_the_wire[1]):
        assert entry is not None
        spool.give_back(entry)
    assert numbers(taken(spool)) == [0, 1, 2, 3, 4, 5]


def test_the_oldest_of_the_least_important_is_given_up_when_it_is_full() -> None:
    spool = MemorySpool(10 * (100 + OVERHEAD))
    for number in range(4):
        spool.put(item(number, Kind.TELEMETRY))
    for number in range(4, 10):
        spool.put(item(number, Kind.INFER))
    for number in range(10, 13):
        spool.put(item(number, Kind.ANSWER))
    assert numbers(taken(spool)) == [10, 11, 12, 4, 5, 6, 7, 8, 9, 3]
    assert spool.status().dropped == {"full": 3}


def test_results_give_way_only_when_no_telemetry_is_left() -> None:
    spool = MemorySpool(3 * (100 + OVERHEAD))
    for number, kind in enumerate(
        [Kind.INFER, Kind.INFER, Kind.TELEMETRY, Kind.INFER, Kind.INFER, Kind.TELEMETRY]
    ):
        spool.put(item(number, kind))
    assert numbers(taken(spool)) == [1, 3, 4]


def test_what_is_on_the_wire_is_not_given_up() -> None:
    spool = MemorySpool(2 * (100 + OVERHEAD))
    spool.put(item(0))
    on_the_wire = spool.take()
    assert on_the_wire is not None
    for number in range(1, 5):
        spool.put(item(number))
    assert numbers(taken(spool)) == [4]
    spool.give_back(on_the_wire)
    assert spool.status().left == 2


def test_a_message_larger_than_the_whole_spool_is_given_up() -> None:
    spool = MemorySpool(500)
    spool.put(item(0, size=1000))
    assert spool.take() is None
    assert spool.status()[:4] == (0, 0, 1, {"full": 1})


def test_twenty_thousand_messages_stay_within_the_bound() -> None:
    bound = 200_000
    spool = MemorySpool(bound)
    message = {"schema": "lensracer.infer/1", "results": [{"label": "cat", "score": 0.5}] * 3}
    for number in range(20_000):
        spool.put(Item(TOPIC, {**message, "seq": number}))
        if number == 10_000:
            spool.wait(0.0)  # what waited so far is bytes from here on
        assert spool.status().bytes <= bound
    status = spool.status()
    assert status.left < bound / OVERHEAD
    assert status.left + status.dropped["full"] == status.put == 20_000
    assert json.loads(taken(spool)[-1].payload)["seq"] == 19_999


def test_the_counts_add_up_after_any_story() -> None:
    spool = MemorySpool(5_000)
    for number in range(100):
        spool.put(Item(TOPIC, {"seq": number}) if number % 3 else item(number, Kind(number % 3)))
        if number % 4 == 0 and (entry := spool.take()) is not None:
            (spool.done if number % 8 else spool.give_back)(entry)
    for entry in taken(spool):
        spool.drop(entry, "too_large")
    status = spool.status()
    assert (status.left, status.bytes) == (0, 0)
    assert status.dropped["too_large"] > 0


def test_putting_is_quick_however_full_it_is() -> None:
    spool = MemorySpool(1_000_000)
    row = {"label": "cat", "label_id": 1, "score": 0.5, "box": [0.1, 0.2, 0.3, 0.4]}
    message = {"results": [row] * 20, "more": {"a": 1}}
    took = []
    for number in range(3000):
        started = time.perf_counter()
        spool.put(Item(TOPIC, message, Kind(number % 3)))
        took.append(time.perf_counter() - started)
    assert sorted(took)[len(took) // 2] < 200e-6


def test_a_waiting_sender_is_woken_by_a_message() -> None:
    spool = MemorySpool(10_000)
    spool.wait(0.0)
    threading.Timer(0.05, spool.put, [item(1)]).start()
    started = time.monotonic()
    spool.wait(5.0)
    assert time.monotonic() - started < 2.0
    assert spool.take() is not None


def test_a_message_put_before_waiting_is_not_slept_through() -> None:
    spool = MemorySpool(10_000)
    spool.put(item(1))
    started = time.monotonic()
    spool.wait(5.0)
    assert time.monotonic() - started < 1.0


def test_giving_back_quietly_wakes_nobody() -> None:
    spool = MemorySpool(10_000)
    spool.put(item(1))
    entry = spool.take()
    spool.wait(0.0)
    assert entry is not None
    spool.give_back(entry, quietly=True)
    started = time.monotonic()
    spool.wait(0.1)
    assert time.monotonic() - started >= 0.09


def test_the_estimate_of_a_message_is_not_far_from_the_truth() -> None:
    row = {"label": "bottle", "label_id": 4, "score": 0.97, "box": [0.1, 0.2, 0.3, 0.4]}
    few, many = weigh({"results": [dict(row)] * 5}), weigh({"results": [dict(row)] * 500})
    assert 1_000 < few < 10_000
    assert 80 < many / few < 120
    assert weigh(b"12345") == 5


def test_a_bound_of_nothing_is_refused_with_its_key() -> None:
    with pytest.raises(ValueError, match=r"spool\.max_bytes"):
        MemorySpool(0)


def test_what_is_nested_without_end_is_given_up_and_nothing_else() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    spool = MemorySpool(10_000_000)
    spool.put(Item(TOPIC, endless))
    spool.put(item(1))
    assert numbers(taken(spool)) == [1]
    assert spool.status().left == 1
    assert spool.status().dropped == {"invalid": 1}


def test_an_encoder_that_breaks_loses_its_own_message_only() -> None:
    def encode(message: object) -> bytes:
        raise RuntimeError("dictionary changed size during iteration")

    spool = MemorySpool(100_000, encode=encode)
    spool.put(Item(TOPIC, {}))
    assert spool.take() is None
    assert spool.status().left == 0
