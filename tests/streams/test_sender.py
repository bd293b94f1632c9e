"""What is in the spool arrives, in order and within the budget, and what is lost on the way is sent again."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import brokers
import pytest
from slow_broker import SlowBroker
from transport_contract import INFER
from witness import wait_until, witness

from streams.backoff import Backoff
from streams.budget import Budget
from streams.errors import TransportError
from streams.sender import MOST_IN_FLIGHT, Sender
from streams.spool import Item, Kind, MemorySpool
from streams.transports.iot_core import IotCore
from streams.transports.local import Local


def put(spool: MemorySpool, *seqs: int, kind: Kind = Kind.INFER, **more: object) -> None:
    for seq in seqs:
        spool.put(Item(INFER, {"seq": seq, **more}, kind))


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool(10_000_000)


@pytest.fixture
def slow(spool: MemorySpool) -> Iterator[SlowBroker]:
    transport = SlowBroker(Budget("ten", in_flight=10))
    sender = Sender(spool, transport, backoff=Backoff(0.05, 0.1))
    sender.start()
    transport.sender = sender
    yield transport
    sender.stop()


def settle() -> None:
    time.sleep(0.05)


def test_what_is_put_arrives_in_order(spool: MemorySpool) -> None:
    transport, heard = Local(), []
    transport.subscribe("#", lambda _topic, payload, _retained: heard.append(json.loads(payload)["seq"]))
    transport.start()
    sender = Sender(spool, transport)
    put(spool, 1, 2)
    sender.start()
    put(spool, *range(3, 1001))
    assert sender.drain(5.0)
    sender.stop()
    assert heard == list(range(1, 1001))
    status = sender.status()
    assert (status.acked, status.spooled, status.dropped, status.resent) == (1000, 0, {}, 0)
    assert status.bytes == sum(len(f'{{"seq":{seq}}}') for seq in range(1, 1001))


def test_acknowledgements_are_counted_by_kind(spool: MemorySpool) -> None:
    transport = Local()
    transport.start()
    sender = Sender(spool, transport)
    put(spool, 1, 2)
    put(spool, 3, kind=Kind.TELEMETRY)
    sender.start()
    assert sender.drain(5.0)
    sender.stop()
    assert sender.status().acked_of == {Kind.ANSWER: 0, Kind.INFER: 2, Kind.TELEMETRY: 1}


def test_no_more_is_on_the_wire_than_the_budget_says(spool: MemorySpool, slow: SlowBroker) -> None:
    put(spool, *range(50))
    wait_until(lambda: len(slow.sent) == 10)
    settle()
    assert slow.numbers() == list(range(10))
    for _, future in slow.sent[:4]:
        future.set_result(None)
    wait_until(lambda: len(slow.sent) == 14)
    settle()
    assert slow.numbers() == list(range(14))
    assert slow.sender.status()[:3] == (4, 4 * len('{"seq":0}'), 46)


def test_bytes_on_the_wire_are_bounded_too(spool: MemorySpool) -> None:
    transport = SlowBroker(Budget("tight", in_flight=10, in_flight_bytes=100))
    sender = Sender(spool, transport)
    sender.start()
    put(spool, *range(5), more="x" * 30)
    wait_until(lambda: len(transport.sent) == 2)
    settle()
    assert len(transport.sent) == 2
    sender.stop()


def test_without_a_budget_the_wire_is_bounded_all_the_same(spool: MemorySpool) -> None:
    transport = SlowBroker()
    sender = Sender(spool, transport)
    sender.start()
    put(spool, *range(3 * MOST_IN_FLIGHT))
    wait_until(lambda: len(transport.sent) == MOST_IN_FLIGHT)
    settle()
    assert len(transport.sent) == MOST_IN_FLIGHT
    sender.stop()


def test_what_was_on_the_wire_is_sent_again_first(spool: MemorySpool, slow: SlowBroker) -> None:
    put(spool, *range(20))
    wait_until(lambda: len(slow.sent) == 10)
    slow.sent[0][1].set_result(None)
    slow.sent[2][1].set_result(None)
    wait_until(lambda: len(slow.sent) == 12)
    slow.turn(connected=False)
    settle()
    before = len(slow.sent)
    put(spool, 20)
    settle()
    assert len(slow.sent) == before
    slow.turn(connected=True)
    wait_until(lambda: len(slow.sent) == before + 10)
    assert slow.numbers()[before:] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert slow.sender.status().resent == 10


def test_a_refusal_while_connected_is_tried_again_after_a_rest(spool: MemorySpool, slow: SlowBroker) -> None:
    put(spool, 1)
    wait_until(lambda: len(slow.sent) == 1)
    slow.sent[0][1].set_exception(TransportError("not now"))
    wait_until(lambda: len(slow.sent) == 2)
    slow.sent[1][1].set_result(None)
    assert slow.sender.drain(2.0)


def test_the_more_important_overtakes(spool: MemorySpool, slow: SlowBroker) -> None:
    put(spool, *range(20))
    wait_until(lambda: len(slow.sent) == 10)
    put(spool, 100, kind=Kind.ANSWER)
    slow.sent[0][1].set_result(None)
    wait_until(lambda: len(slow.sent) == 11)
    assert slow.numbers()[-1] == 100


def test_what_is_too_large_is_cut_to_fit(spool: MemorySpool) -> None:
    transport, heard = Local(budget=Budget("small", max_payload=300)), []
    transport.subscribe("#", lambda _topic, payload, _retained: heard.append(payload))
    transport.start()
    sender = Sender(spool, transport)
    put(spool, 1, results=[{"label": "cat", "score": number / 100} for number in range(100)])
    put(spool, 2, more="x" * 1000)
    spool.put(Item(INFER, bytes(1000)))
    put(spool, 3)
    sender.start()
    assert sender.drain(5.0)
    sender.stop()
    assert [json.loads(payload)["seq"] for payload in heard] == [1, 3]
    assert json.loads(heard[0])["truncated"] is True
    assert len(heard[0]) <= 300
    assert sender.status().dropped == {"too_large": 2}
    assert spool.status()[:2] == (0, 0)


def test_the_pace_keeps_within_the_budget(spool: MemorySpool) -> None:
    transport, at = Local(budget=Budget("slow", publishes_per_s=50)), []
    transport.subscribe("#", lambda *_told: at.append(time.monotonic()))
    transport.start()
    sender = Sender(spool, transport)
    put(spool, *range(60))
    sender.start()
    assert sender.drain(10.0)
    sender.stop()
    assert 1.0 < at[-1] - at[0] < 3.0
    assert max(sum(begin <= other < begin + 1.0 for other in at) for begin in at) <= 50


def test_draining_waits_no_longer_than_told(spool: MemorySpool, slow: SlowBroker) -> None:
    slow.turn(connected=False)
    put(spool, 1)
    started = time.monotonic()
    assert not slow.sender.drain(0.2)
    assert 0.15 < time.monotonic() - started < 1.0
    assert slow.sender.status().spooled == 1


def test_draining_an_empty_spool_returns_at_once(slow: SlowBroker) -> None:
    started = time.monotonic()
    assert slow.sender.drain(5.0)
    assert time.monotonic() - started < 0.5


def test_twenty_thousand_messages_offline_leave_nothing_growing() -> None:
    spool, transport = MemorySpool(300_000), Local()
    sender = Sender(spool, transport)
    sender.start()
    put(spool, *range(20_000))
    status = spool.status()
    assert status.bytes <= 300_000
    assert status.left + status.dropped["full"] == 20_000
    transport.start()
    assert sender.drain(10.0)
    assert sum(map(len, spool._shelves.values())) == 0
    assert sender._flying == sender._flying_bytes == 0
    sender.stop()


def test_stopping_ends_the_thread(spool: MemorySpool) -> None:
    sender = Sender(spool, Local())
    sender.start()
    started = time.monotonic()
    sender.stop()
    assert time.monotonic() - started < 1.0
    assert not any(thread.name == "sender" for thread in threading.enumerate())
    Sender(spool, Local()).stop()  # never started


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_dies_and_returns_gets_every_message_in_order(tmp_path: Path, protocol: str) -> None:
    spool = MemorySpool(10_000_000)
    with brokers.running(brokers.mosquitto(tmp_path)) as broker, witness(broker.port, "dt/#") as observer:
        # the transport returns later than the observer, which would else miss what the broker acknowledged
        slowly = Backoff(2.0, 2.0)
        transport = IotCore("localhost", broker.port, client_id="cam-1", protocol=protocol, backoff=slowly)
        sender = Sender(spool, transport)
        transport.start()
        sender.start()
        put(spool, *range(200))
        assert sender.drain(10.0)
        observer.wait_for(lambda heard: len(heard) == 200)
        broker.freeze()
        put(spool, *range(200, 500))
        wait_until(lambda: sender._flying > 0)
        broker.kill()
        wait_until(lambda: not transport.connected)
        broker.start()
        put(spool, *range(500, 600))
        assert sender.drain(10.0)
        heard = observer.wait_for(lambda heard: len(heard) >= 600)
        sender.stop()
        transport.stop(2.0)
    assert [json.loads(each.payload)["seq"] for each in heard] == list(range(600))
    assert (sender.status().acked, sender.status().spooled) == (600, 0)
    assert sender.status().resent > 0


def test_a_listener_that_fails_costs_no_message(spool: MemorySpool) -> None:
    def on_sent(_: float) -> None:
        raise ValueError("no such bucket")

    transport = Local()
    transport.start()
    sender = Sender(spool, transport, on_sent=on_sent)
    sender.start()
    for seq in (1, 2):
        spool.put(Item(INFER, {"seq": seq}, captured_at=0.0))
    assert sender.drain(5.0)
    sender.stop()
    assert sender.status().acked == 2


def test_a_broker_with_a_limit_of_its_own_gets_messages_cut_to_it(spool: MemorySpool, tmp_path: Path) -> None:
    settings = ("allow_anonymous true", "max_packet_size 1500")
    with (
        brokers.running(brokers.mosquitto(tmp_path, *settings)) as broker,
        witness(broker.port, "dt/#") as observer,
    ):
        transport = IotCore("localhost", broker.port, client_id="cam-1")
        sender = Sender(spool, transport)
        transport.start()
        sender.start()
        put(spool, 1, results=[{"label": "cat", "score": number / 100} for number in range(100)])
        put(spool, 2, more="x" * 5000)
        put(spool, 3, more="x" * 1000)
        assert sender.drain(10.0)
        heard = observer.wait_for(lambda heard: len(heard) == 2)
        sender.stop()
        transport.stop(2.0)
    contents = {content["seq"]: content for each in heard if (content := json.loads(each.payload))}
    assert set(contents) == {1, 3}
    assert contents[1]["truncated"] is True
    assert "truncated" not in contents[3]
    assert sender.status().dropped == {"too_large": 1}


def test_acknowledgements_in_any_order_and_a_storm_of_reconnects_lose_nothing(spool: MemorySpool) -> None:
    transport = SlowBroker(Budget("ten", in_flight=10))
    sender = Sender(spool, transport, backoff=Backoff(0.01, 0.02))
    sender.start()
    put(spool, *range(300))
    arrived: set[int] = set()
    for turn in range(2000):
        flying = [(message, future) for message, future in transport.sent if not future.done()]
        if turn % 7 == 6:
            transport.turn(connected=False)
            transport.turn(connected=True)
        elif flying:
            message, future = flying[turn % len(flying)]
            arrived.add(json.loads(message.payload)["seq"])
            future.set_result(None)
        else:
            time.sleep(0.005)
        if spool.status().left == 0:
            break
    sender.stop()
    gone = spool.status().dropped.get("set_aside", 0)
    assert len(arrived) + gone == 300
    assert (sender._flying, sender._flying_bytes) == (0, 0)
