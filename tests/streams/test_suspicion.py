"""A message that has the broker hang up is set aside, and none of those that were merely on the wire beside it."""

import json
from pathlib import Path

import brokers
import pytest
from picky import picky
from transport_contract import INFER
from witness import wait_until, witness

from streams.backoff import Backoff
from streams.durable import DurableSpool
from streams.ledger import Ledger, look
from streams.sender import Sender
from streams.spool import Entry, Item, Kind
from streams.suspicion import MOST_ASKED, Suspicion
from streams.transports.iot_core import IotCore

POISON = b"hang up!"


def entry(number: int) -> Entry:
    return Entry(number, INFER, b"{}", Kind.INFER, qos=1, retain=False, size=258)


def cut(suspicion: Suspicion, *entries: Entry, now: float, sent: float | None = None) -> None:
    suspicion.cut(entries, [now - 0.1 if sent is None else sent] * len(entries), now)


def test_whoever_was_alone_twice_is_proved_to_have_done_it() -> None:
    suspicion, one = Suspicion(), entry(1)
    cut(suspicion, one, now=1.0)
    assert not suspicion.is_proved(one, 1.0)
    cut(suspicion, one, now=2.0)
    assert suspicion.is_proved(one, 2.0)


def test_being_beside_others_proves_nothing_however_often() -> None:
    suspicion, both = Suspicion(), [entry(1), entry(2)]
    for second in range(20):
        cut(suspicion, *both, now=float(second))
    assert not any(suspicion.is_proved(each, 20.0) for each in both)
    cut(suspicion, both[0], now=21.0)
    assert suspicion.is_proved(both[0], 21.0)
    assert not suspicion.is_proved(both[1], 21.0)


def test_a_cut_long_after_the_sending_is_not_the_messages_doing() -> None:
    suspicion, one = Suspicion(), entry(1)
    for second in range(1, 4):
        cut(suspicion, one, now=100.0 * second, sent=100.0 * second - 50.0)
    assert not suspicion.is_proved(one, 300.0)


def test_where_the_network_cuts_by_itself_more_proof_is_asked_for() -> None:
    suspicion, one, other = Suspicion(), entry(1), entry(2)
    cut(suspicion, other, now=1.0)
    suspicion.clear(other, 2.0)
    suspicion.cut([], [], 3.0)  # with nothing on the wire
    cut(suspicion, one, now=4.0)
    cut(suspicion, one, now=5.0)
    cut(suspicion, one, now=6.0)
    assert not suspicion.is_proved(one, 6.0)
    cut(suspicion, one, now=7.0)
    assert suspicion.is_proved(one, 7.0)
    assert suspicion.is_proved(one, 7.0 + 3600.0)


def test_the_worst_network_does_not_ask_for_endless_proof() -> None:
    suspicion, one = Suspicion(), entry(1)
    for second in range(1000):
        suspicion.cut([], [], float(second))
    for second in range(MOST_ASKED // 2):
        assert not suspicion.is_proved(one, 1000.0)
        cut(suspicion, one, now=1000.0 + second)
    assert suspicion.is_proved(one, 1000.0 + MOST_ASKED // 2)
    assert not suspicion.open or len(suspicion._unexplained) <= 64


def put(spool: DurableSpool, *seqs: int, poison: bool = False) -> None:
    for seq in seqs:
        spool.put(Item(INFER, {"seq": seq, "text": POISON.decode() if poison else ""}))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_message_that_has_the_broker_hang_up_is_set_aside_and_the_others_arrive(
    tmp_path: Path, protocol: str
) -> None:
    spool = DurableSpool(tmp_path / "state", 10_000_000)
    put(spool, *range(30))
    put(spool, 30, poison=True)
    put(spool, *range(31, 60))
    put(spool, 60, poison=True)
    put(spool, *range(61, 80))
    with (
        brokers.running(brokers.mosquitto(tmp_path)) as broker,
        witness(broker.port, "dt/#") as observer,
        picky(broker.port, POISON) as way,
    ):
        transport = IotCore(
            "localhost", way.port, client_id="cam-1", protocol=protocol, backoff=Backoff(0.05, 0.1)
        )
        sender = Sender(spool, transport, backoff=Backoff(0.05, 0.1))
        sender.start()
        transport.start()
        assert sender.drain(20.0), (sender.status(), way.cuts)
        heard = observer.wait_for(  # the broker acknowledges before it passes on
            lambda heard: (
                any(each.topic.endswith("gap") for each in heard)
                and len({each.payload for each in heard if each.topic == INFER}) >= 78
            )
        )
        sender.stop()
        transport.stop(2.0)
    spool.close()
    numbers = [json.loads(each.payload)["seq"] for each in heard if each.topic == INFER]
    assert set(numbers) == set(range(80)) - {30, 60}
    assert sender.status().dropped == {"set_aside": 2}
    assert way.cuts <= 8
    seen = look(tmp_path / "state")
    assert [kept.number for kept in seen.aside] == [31, 61]
    assert {kept.topic for kept in seen.aside} == {INFER}
    assert all("alone" in kept.reason for kept in seen.aside)
    told = [json.loads(each.payload) for each in heard if each.topic.endswith("gap")]
    assert {each["reason"] for each in told} == {"set_aside"}


def test_a_lone_message_is_set_aside_after_two_cuts(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path / "state", 10_000_000)
    with brokers.running(brokers.mosquitto(tmp_path)) as broker, picky(broker.port, POISON) as way:
        transport = IotCore("localhost", way.port, client_id="cam-1", backoff=Backoff(0.05, 0.1))
        sender = Sender(spool, transport)
        sender.start()
        transport.start()
        wait_until(lambda: transport.connected)
        put(spool, 1, poison=True)
        wait_until(lambda: spool.status().dropped == {"set_aside": 1})
        assert way.cuts == 2
        put(spool, 2)
        assert sender.drain(10.0)
        sender.stop()
        transport.stop(2.0)
    spool.close()


def test_what_was_set_aside_can_be_sent_all_the_same(tmp_path: Path) -> None:
    spool = DurableSpool(tmp_path, 10_000_000)
    put(spool, 1, 2)
    while (first := spool.take()) is None:
        spool.wait(0.1)
    spool.set_aside(first, "because.")
    spool.close()
    (kept,) = look(tmp_path).aside
    assert (kept.number, kept.reason) == (first.number, "because.")
    ledger = Ledger(tmp_path)
    assert ledger.release() == 1
    ledger.close()
    assert look(tmp_path).aside == []
    again = DurableSpool(tmp_path, 10_000_000)
    seqs: set[object] = set()
    while not {1, 2} <= seqs:
        if (entry := again.take()) is None:
            again.wait(0.1)
        else:
            seqs.add(json.loads(entry.payload).get("seq"))
            again.done(entry)
    again.close()
