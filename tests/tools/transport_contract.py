"""What every transport promises, checked the same way on each of them.

A `Stage` gives the transport under test, a witness that sees what others would see, and a way to cut the cable.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Protocol

import pytest
from witness import Heard, wait_until

from streams.budget import Budget
from streams.errors import PayloadTooLarge, TopicInvalid, TransportError
from streams.transports import Message, Transport

STATUS = "dt/lensracer/cam-1/status"
INFER = "dt/lensracer/cam-1/main/infer"
FRAME = "dt/lensracer/cam-1/main/frame"
COMMANDS = "cmd/lensracer/cam-1/+"

WILL = Message(STATUS, b"vanished", retain=True)
BIRTH = Message(STATUS, b"online", retain=True)
FAREWELL = Message(STATUS, b"left", retain=True)
PATIENCE_S = 10.0


class Observer(Protocol):
    """Somebody else at the same broker."""

    heard: list[Heard]

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None: ...
    def wait_for(self, enough: Callable[[list[Heard]], bool], timeout: float = PATIENCE_S) -> list[Heard]: ...


class Stage(Protocol):
    """Where a transport is tried."""

    def transport(self, budget: Budget | None = None) -> Transport:
        """A new transport for thing cam-1 with WILL, BIRTH and FAREWELL, not yet started."""
        ...

    def observer(self, topic_filter: str = "#") -> contextlib.AbstractContextManager[Observer]:
        """Somebody who hears everything from now on."""
        ...

    def cut(self, transport: Transport) -> None:
        """Takes the broker away, or the way to it."""
        ...

    def mend(self, transport: Transport) -> None:
        """Gives it back."""
        ...


class Journal:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[bool, str]] = []

    def __call__(self, connected: bool, reason: str) -> None:
        self.told.append((connected, reason))


@contextlib.contextmanager
def connected(stage: Stage, budget: Budget | None = None) -> Iterator[Transport]:
    """A transport that has connected, and is stopped at the end."""
    transport = stage.transport(budget)
    transport.start()
    try:
        wait_until(lambda: transport.connected, PATIENCE_S)
        yield transport
    finally:
        transport.stop(5.0)


def done(future: "Future[None]") -> None:
    future.result(PATIENCE_S)


def arrived(payload: bytes) -> Callable[[list[Heard]], bool]:
    return lambda heard: any(each.payload == payload for each in heard)


def check_a_message_arrives_and_is_acknowledged(stage: Stage) -> None:
    with stage.observer() as observer, connected(stage) as transport:
        done(transport.publish(INFER, b"result", 1))
        done(transport.publish(FRAME, b"\xff\xd8 picture", 0))
        heard = observer.wait_for(arrived(b"\xff\xd8 picture"))
        assert [each.topic for each in heard if each.payload == b"result"] == [INFER]


def check_messages_arrive_in_their_order(stage: Stage) -> None:
    with stage.observer(INFER) as observer, connected(stage) as transport:
        futures = [transport.publish(INFER, str(number).encode(), 1) for number in range(300)]
        for future in futures:
            done(future)
        heard = observer.wait_for(lambda heard: len(heard) >= 300)
        assert [int(each.payload) for each in heard] == list(range(300))


def check_birth_and_farewell_are_said_and_kept(stage: Stage) -> None:
    with stage.observer(STATUS) as observer:
        with connected(stage):
            observer.wait_for(arrived(BIRTH.payload))
        observer.wait_for(arrived(FAREWELL.payload))
        assert not any(each.payload == WILL.payload for each in observer.heard)
    with stage.observer(STATUS) as late:
        heard = late.wait_for(lambda heard: len(heard) >= 1)
        assert (heard[0].payload, heard[0].retained) == (FAREWELL.payload, True)
        late.publish(STATUS, b"", retain=True)


def check_a_subscription_hears_what_matches_it(stage: Stage) -> None:
    heard: list[tuple[str, bytes, bool]] = []
    with stage.observer() as observer:
        observer.publish("cmd/lensracer/cam-1/kept", b"old", retain=True)
        with connected(stage) as transport:
            done(transport.subscribe(COMMANDS, lambda *told: heard.append(told)))
            wait_until(lambda: len(heard) == 1)
            observer.publish("cmd/lensracer/cam-1/pause", b"now")
            observer.publish("cmd/lensracer/cam-2/pause", b"not ours")
            observer.publish("cmd/lensracer/cam-1/pause/res", b"an answer")
            observer.publish("cmd/lensracer/cam-1/resume", b"then")
            wait_until(lambda: len(heard) >= 3)
        observer.publish("cmd/lensracer/cam-1/kept", b"", retain=True)
    assert heard == [
        ("cmd/lensracer/cam-1/kept", b"old", True),
        ("cmd/lensracer/cam-1/pause", b"now", False),
        ("cmd/lensracer/cam-1/resume", b"then", False),
    ]


def check_a_receiver_that_fails_spoils_nothing(stage: Stage) -> None:
    heard: list[bytes] = []

    def fail(topic: str, payload: bytes, retained: bool) -> None:
        raise RuntimeError("a receiver's own fault")

    with stage.observer() as observer, connected(stage) as transport:
        done(transport.subscribe(COMMANDS, fail))
        done(transport.subscribe(COMMANDS, lambda _topic, payload, _retained: heard.append(payload)))
        observer.publish("cmd/lensracer/cam-1/pause", b"1")
        observer.publish("cmd/lensracer/cam-1/pause", b"2")
        wait_until(lambda: heard == [b"1", b"2"])
        assert transport.connected


def check_a_bad_topic_or_size_is_refused_through_the_future(stage: Stage) -> None:
    with connected(stage, Budget("tiny", max_payload=100)) as transport:
        with pytest.raises(TopicInvalid):
            done(transport.publish("dt/+/infer", b"", 1))
        with pytest.raises(PayloadTooLarge):
            done(transport.publish(INFER, bytes(101), 1))
        done(transport.publish(INFER, bytes(100), 1))
        with pytest.raises(TopicInvalid):
            transport.subscribe("a/#/b", lambda *_told: None)


def check_nothing_is_queued_while_there_is_no_connection(stage: Stage) -> None:
    transport = stage.transport()
    assert not transport.connected
    future = transport.publish(INFER, b"too early", 1)
    assert isinstance(future.exception(0.0), TransportError)
    with stage.observer() as observer:
        transport.start()
        try:
            wait_until(lambda: transport.connected, PATIENCE_S)
            done(transport.publish(INFER, b"in time", 1))
            heard = observer.wait_for(arrived(b"in time"))
        finally:
            transport.stop(5.0)
    assert not any(each.payload == b"too early" for each in heard)


def check_it_comes_back_and_subscribes_anew(stage: Stage) -> None:
    heard: list[bytes] = []
    journal = Journal()
    with connected(stage) as transport:
        transport.listen(journal)
        assert [told for told, _ in journal.told] == [True]
        done(transport.subscribe(COMMANDS, lambda _topic, payload, _retained: heard.append(payload)))
        stage.cut(transport)
        wait_until(lambda: not transport.connected, PATIENCE_S)
        assert isinstance(transport.publish(INFER, b"nobody there", 1).exception(1.0), TransportError)
        assert transport.reason.endswith(".")
        stage.mend(transport)
        wait_until(lambda: transport.connected, PATIENCE_S)
        wait_until(lambda: [told for told, _ in journal.told] == [True, False, True])
        with stage.observer() as observer:
            repeat_until(lambda: observer.publish("cmd/lensracer/cam-1/pause", b"after"), lambda: bool(heard))
            done(transport.publish(INFER, b"there again", 1))
            observer.wait_for(arrived(b"there again"))
            observer.publish(STATUS, b"", retain=True)


def check_it_tries_for_ever_when_nobody_is_there_at_the_start(stage: Stage) -> None:
    transport = stage.transport()
    stage.cut(transport)
    transport.start()
    try:
        time.sleep(0.3)
        assert not transport.connected
        stage.mend(transport)
        wait_until(lambda: transport.connected, PATIENCE_S)
    finally:
        transport.stop(5.0)


def check_stopping_is_quick_and_ends_every_thread(stage: Stage) -> None:
    before = set(threading.enumerate())
    transport = stage.transport()
    transport.start()
    wait_until(lambda: transport.connected, PATIENCE_S)
    started = time.monotonic()
    transport.stop(5.0)
    assert time.monotonic() - started < 2.0
    assert not transport.connected
    assert isinstance(transport.publish(INFER, b"too late", 1).exception(1.0), TransportError)
    left = {each for each in threading.enumerate() if not isinstance(each, threading._DummyThread)} - before
    assert not left, left  # the vendor's own event loop, one for the process, is no thread of Python's


def repeat_until(act: Callable[[], None], holds: Callable[[], bool], timeout: float = PATIENCE_S) -> None:
    """Acts again and again until it has its effect: a new subscription may still be on its way."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it had no effect"
        act()
        time.sleep(0.05)


CHECKS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]
