"""A topic that the broker keeps for itself is given up after three cuts, for good, and never on a mere suspicion."""

from concurrent.futures import Future

import pytest

from streams.errors import PayloadTooLarge, TransportError
from streams.reserved import MOST, SOON_S, Reserved
from streams.spool import Item, MemorySpool
from streams.transports.local import Local

KEPT, OTHER = "$aws/things/cam-1/infer", "deeplens/cam-1/infer"


class Cable(Local):
    """A transport whose acknowledgements come when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, Future[None]]] = []

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        future: Future[None] = Future()
        self.sent.append((topic, future))
        return future


class Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.cable = Cable()
        self.reserved = Reserved(self.cable, {KEPT: OTHER}, clock=lambda: self.now)
        self.cable.start()

    def visit(self, *, seconds: float = 0.1, early: bool = False, topic: str = KEPT) -> None:
        """A connection on which one message goes out and that is cut after so many seconds."""
        self.reserved.publish(topic, b"{}", 1)
        self.now += seconds
        _, future = self.cable.sent[-1]
        if early:  # the library fails what is on the wire before it says that the connection is gone
            future.set_exception(TransportError("gone"))
        self.cable.interrupt()
        if not early:
            future.set_exception(TransportError("gone"))
        self.now += 1.0
        self.cable.resume()

    @property
    def where(self) -> str:
        self.reserved.publish(KEPT, b"{}", 1)
        return self.cable.sent[-1][0]


@pytest.mark.parametrize("early", [False, True])
def test_three_cuts_running_give_it_up_with_a_sentence(early: bool, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    for _ in range(MOST - 1):
        rig.visit(early=early)
    assert rig.reserved.tries(KEPT)
    rig.visit(early=early)
    assert rig.where == OTHER
    assert not rig.reserved.tries(KEPT)
    assert "3 times within 2 s" in rig.reserved.given_up[KEPT]
    assert OTHER in caplog.text
    assert len(caplog.records) == 1


def test_several_messages_on_one_connection_are_one_cut() -> None:
    rig = Rig()
    for _ in range(5):
        rig.reserved.publish(KEPT, b"{}", 1)
    rig.visit()
    rig.visit()
    assert rig.where == KEPT


def test_a_cut_long_after_the_message_begins_anew() -> None:
    rig = Rig()
    for seconds in (0.1, 0.1, SOON_S + 1, 0.1, 0.1):
        rig.visit(seconds=seconds)
    assert rig.where == KEPT


def test_a_connection_that_took_such_messages_for_a_while_was_not_cut_for_them() -> None:
    rig = Rig()
    for _ in range(10):
        rig.reserved.publish(KEPT, b"{}", 1)
        rig.cable.sent[-1][1].set_result(None)
        rig.now += SOON_S
        rig.visit()
    assert rig.where == KEPT


def test_a_broker_that_acknowledges_and_then_cuts_cuts_all_the_same() -> None:
    rig = Rig()
    for _ in range(MOST):
        rig.reserved.publish(KEPT, b"{}", 1)
        rig.cable.sent[-1][1].set_result(None)
        rig.visit()
    assert rig.where == OTHER


def test_messages_that_a_slow_network_holds_back_are_cut_for_the_newest_of_them() -> None:
    rig = Rig()
    for _ in range(MOST):
        for _ in range(10):
            rig.reserved.publish(KEPT, b"{}", 1)
            rig.now += 1.0
        rig.visit()
    assert rig.where == OTHER


def test_cuts_without_such_a_message_say_nothing_of_the_topic() -> None:
    rig = Rig()
    for _ in range(10):
        rig.visit(topic="dt/lensracer/cam-1/main/infer")
    assert rig.where == KEPT


def test_refusals_on_a_connection_that_holds_count_too() -> None:
    rig = Rig()
    for _ in range(MOST):
        rig.reserved.publish(KEPT, b"{}", 1)
        rig.cable.sent[-1][1].set_exception(TransportError("not authorised"))
    assert rig.where == OTHER
    assert "refused 3 messages" in rig.reserved.given_up[KEPT]


def test_a_message_that_is_too_large_says_nothing_of_the_topic() -> None:
    rig = Rig()
    for _ in range(2 * MOST):
        rig.reserved.publish(KEPT, b"{}", 1)
        rig.cable.sent[-1][1].set_exception(PayloadTooLarge("too large"))
    assert rig.where == KEPT


def test_a_message_of_a_reserved_topic_is_asked_to_be_acknowledged() -> None:
    hub, spool = Local(), MemorySpool(1 << 16)
    reserved = Reserved(hub, {KEPT: OTHER}, clock=lambda: 0.0)
    reserved.start()
    spool.put(Item(KEPT, b"{}", qos=0))
    assert reserved.publish(KEPT, b"{}", 0).result(1) is None
    assert reserved.connected
    assert reserved.name == "local"
    assert reserved.acks == "local"
    assert reserved.budget is hub.budget
    assert reserved.allowance is hub.allowance
    reserved.stop(1)
    assert not reserved.connected
    assert reserved.reason == hub.reason
