"""After an outage what waited leaves class by class, oldest first, and leaves room for what is born meanwhile."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hand_clock import HandClock
from slow_broker import SlowBroker
from witness import wait_until

from streams.backoff import Backoff
from streams.budget import BUDGETS, Budget
from streams.durable import DurableSpool
from streams.sender import LIVE_IN_A_ROW, Sender
from streams.spool import Entry, Item, Kind
from streams.stock import READY
from streams.transports.local import Local

TOPIC = "dt/lensracer/cam-1/main/infer"
ROOM = 64 << 20


def put(spool: DurableSpool, *seqs: int, kind: Kind = Kind.INFER) -> None:
    for seq in seqs:
        spool.put(Item(TOPIC, {"seq": seq}, kind))


def seq(entry: Entry) -> int:
    return int(json.loads(entry.payload)["seq"])


def taken(spool: DurableSpool, count: int, *, older: bool = False) -> list[int]:
    """The next messages, acknowledged at once."""
    seqs: list[int] = []
    deadline = time.monotonic() + 10.0
    while len(seqs) < count:
        assert time.monotonic() < deadline, (seqs[-5:], spool.status())
        if (entry := spool.take(older=older)) is None:
            spool.wait(0.02)
        else:
            seqs.append(seq(entry))
            spool.done(entry)
    return seqs


def committed(spool: DurableSpool) -> None:
    wait_until(lambda: not spool._handed and spool._thread.is_alive() and spool.status().bytes > 0)
    time.sleep(0.1)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[DurableSpool]:
    opened = DurableSpool(tmp_path, ROOM)
    yield opened
    opened.close()


def test_what_is_put_after_a_split_need_not_wait(spool: DurableSpool) -> None:
    put(spool, *range(3000))
    committed(spool)
    spool.split(ordered=False)
    put(spool, 10_000, 10_001)
    committed(spool)
    assert taken(spool, 4) == [10_000, 10_001, 0, 1]
    put(spool, 10_002)
    committed(spool)
    assert taken(spool, 2, older=True) == [2, 3]
    assert taken(spool, 2) == [10_002, 4]
    assert taken(spool, 2995) == list(range(5, 3000))
    put(spool, 10_003)
    assert taken(spool, 1) == [10_003]
    assert not spool._stock.backlog


def test_in_order_nothing_overtakes_but_answers(spool: DurableSpool) -> None:
    put(spool, *range(100))
    committed(spool)
    spool.split(ordered=True)
    put(spool, 1000)
    put(spool, 2000, kind=Kind.ANSWER)
    committed(spool)
    assert taken(spool, 102) == [2000, *range(100), 1000]


def test_a_backlog_leaves_class_by_class_and_its_answers_first_of_all(spool: DurableSpool) -> None:
    put(spool, 1, 2, kind=Kind.TELEMETRY)
    put(spool, 11, 12)
    put(spool, 21, kind=Kind.ANSWER)
    committed(spool)
    spool.split(ordered=False)
    put(spool, 91, kind=Kind.TELEMETRY)
    put(spool, 92)
    committed(spool)
    assert taken(spool, 7) == [21, 92, 91, 11, 12, 1, 2]


def test_a_second_outage_makes_one_backlog_of_all(spool: DurableSpool) -> None:
    put(spool, *range(2000))
    committed(spool)
    spool.split(ordered=False)
    put(spool, *range(2000, 4000))
    committed(spool)
    first = taken(spool, 100)
    assert first == list(range(2000, 2100))
    spool.split(ordered=False)
    put(spool, 9000)
    committed(spool)
    assert taken(spool, 1) == [9000]
    assert taken(spool, 3900) == [*range(2000), *range(2100, 4000)]


@pytest.mark.parametrize("backlog", [10, READY - 1, READY, READY + 1, 3 * READY])
def test_nothing_is_forgotten_whenever_the_split_comes(spool: DurableSpool, backlog: int) -> None:
    seen: set[int] = set()
    for begin in range(0, 4 * backlog, backlog):
        put(spool, *range(begin, begin + backlog))
        spool.split(ordered=False)  # while the writer has not seen all of it
        seen.update(taken(spool, backlog // 2))
    seen.update(taken(spool, 4 * backlog - len(seen)))
    assert seen == set(range(4 * backlog))
    assert spool.status().left == 0


def test_what_comes_back_from_a_backlog_keeps_its_place(spool: DurableSpool) -> None:
    put(spool, 1, 2, 3)
    committed(spool)
    spool.split(ordered=False)
    entries = []
    while len(entries) < 3:
        if (entry := spool.take()) is not None:
            entries.append(entry)
    assert all(entry.backlog for entry in entries)
    put(spool, 4)
    committed(spool)
    for entry in reversed(entries):
        spool.give_back(entry)
    assert taken(spool, 4) == [4, 1, 2, 3]


def test_a_short_wait_is_no_backlog_and_goes_in_order(spool: DurableSpool) -> None:
    heard: list[int] = []
    transport = Local(budget=BUDGETS["aws-iot"])
    transport.subscribe("#", lambda _topic, payload, _retained: heard.append(json.loads(payload)["seq"]))
    put(spool, *range(60))
    committed(spool)
    sender = Sender(spool, transport)
    sender.start()
    transport.start()
    put(spool, *range(60, 90))
    assert sender.drain(10.0)
    sender.stop()
    assert heard == list(range(90))


def replayed(
    spool: DurableSpool, budget: Budget, *, live_every: float
) -> tuple[list[tuple[float, int]], list[float]]:
    """What arrived when, while live messages (from 100,000) were put, and how late these were."""
    heard: list[tuple[float, int]] = []
    transport, born, late = Local(budget=budget), {}, []

    def listen(_topic: str, payload: bytes, _retained: bool) -> None:
        now, number = time.monotonic(), json.loads(payload)["seq"]
        heard.append((now, number))
        if number >= 100_000:
            late.append(now - born[number])

    transport.subscribe("#", listen)
    sender = Sender(spool, transport)
    sender.start()
    transport.start()
    number = 100_000
    while spool.status().left > 1:
        born[number] = time.monotonic()
        put(spool, number)
        number += 1
        time.sleep(live_every)
    assert sender.drain(10.0)
    sender.stop()
    return heard, late


def test_live_messages_do_not_wait_for_the_backlog(spool: DurableSpool) -> None:
    budget = Budget("quick", publishes_per_s=500, in_flight=100)
    put(spool, *range(1500))
    committed(spool)
    heard, late = replayed(spool, budget, live_every=0.02)
    assert [number for _, number in heard if number < 100_000] == list(range(1500))
    assert len(late) > 50
    assert heard[0][0] + 2.0 < heard[-1][0], "it was not paced"
    assert sorted(late)[len(late) // 2] < 0.5
    for begin, _ in heard[::50]:
        assert sum(begin <= at < begin + 1.0 for at, _ in heard) <= 500


def test_more_live_messages_than_may_go_do_not_starve_the_backlog(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, ROOM)
    transport = SlowBroker(Budget("narrow", publishes_per_s=1, in_flight=1))
    transport.allowance = type("Free", (), {"take": lambda *_args, **_more: 0.0})()
    transport.connected = False
    put(spool, *range(20))
    committed(spool)
    sender = Sender(spool, transport, backoff=Backoff(0.05, 0.1))
    sender.start()
    transport.turn(connected=True)
    wait_until(lambda: len(transport.sent) == 1)
    put(spool, *range(100, 200))
    committed(spool)
    for count in range(1, 40):
        wait_until(lambda count=count: len(transport.sent) == count)
        transport.sent[-1][1].set_result(None)
    wait_until(lambda: len(transport.sent) == 40)
    numbers = transport.numbers()[1:]
    older = [number for number in numbers if number < 100]
    assert older == list(range(1, len(older) + 1))
    assert abs(len(older) - len(numbers) / (LIVE_IN_A_ROW + 1)) <= 2
    sender.stop()
    spool.close()


def test_a_backlog_leaves_room_for_pictures() -> None:
    from streams.budget import Allowance
    from streams.device import LEFT_FOR_MESSAGES
    from streams.sender import BACKLOG_LEAVES

    allowance, clock = Allowance(BUDGETS["aws-iot"]), HandClock()
    sent = pictures = 0
    for tick in range(10_000):
        clock.now += 0.001
        if allowance.take(800, clock(), leave=BACKLOG_LEAVES) == 0.0:
            sent += 1
        if tick % 1000 == 999:
            pictures += allowance.take(60_000, clock(), leave=LEFT_FOR_MESSAGES) == 0.0
    assert pictures == 10
    assert sent > 800
