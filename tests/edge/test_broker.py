"""The embedded broker, as an ordinary client meets it."""

import contextlib
import queue
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.errors import RunFailed
from edge.supervise import Child

PATIENCE = 5.0  # seconds


class Client:
    """A paho client that remembers what it received."""

    def __init__(self, port: int, *filters: str, will: tuple[str, bytes] | None = None, qos: int = 1) -> None:
        self.inbox: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self.subscribed: queue.Queue[int] = queue.Queue()
        self.paho = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self.paho.on_message = lambda client, data, message: self.inbox.put(message)
        self.paho.on_subscribe = lambda client, data, mid, codes, properties: self.subscribed.put(mid)
        if will:
            self.paho.will_set(will[0], will[1], qos=1, retain=True)
        self.paho.connect("127.0.0.1", port, keepalive=30)
        self.paho.loop_start()
        for name in filters:
            self.paho.subscribe(name, qos=qos)
            self.subscribed.get(timeout=PATIENCE)

    def send(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        self.paho.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(PATIENCE)

    def receive(self) -> mqtt.MQTTMessage:
        return self.inbox.get(timeout=PATIENCE)

    def vanish(self) -> None:
        """Break the connection as a crash does: without a word to the broker."""
        held = self.paho.socket()
        assert held is not None
        held.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    child = Child("edge.broker", ["--port", "0"], name="the broker")
    port = urlsplit(child.start()).port
    assert port
    yield port
    child.stop()


@pytest.fixture
def client(broker: int) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(*filters: str, **options: object) -> Client:
        made.append(Client(broker, *filters, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_message_comes_round_with_quality_one(client: Callable[..., Client]) -> None:
    reader, writer = client("dt/+/cam-1/#"), client()
    writer.send("dt/lensracer/cam-1/main/infer", b"{}")
    message = reader.receive()
    assert (message.topic, message.payload, message.qos) == ("dt/lensracer/cam-1/main/infer", b"{}", 1)


def test_messages_keep_their_order(client: Callable[..., Client]) -> None:
    reader, writer = client("order"), client()
    for number in range(200):
        writer.paho.publish("order", str(number), qos=1)
    assert [int(reader.receive().payload) for _ in range(200)] == list(range(200))


def test_a_retained_message_waits_for_those_who_come_later(client: Callable[..., Client]) -> None:
    client().send("status", b"online", retain=True)
    message = client("status").receive()
    assert (message.payload, message.retain) == (b"online", True)


def test_the_last_will_is_published_when_a_client_vanishes(client: Callable[..., Client]) -> None:
    reader = client("will/status")
    client(will=("will/status", b"offline")).vanish()
    assert reader.receive().payload == b"offline"


def test_a_client_that_says_goodbye_leaves_no_will(client: Callable[..., Client]) -> None:
    reader = client("goodbye/status")
    client(will=("goodbye/status", b"offline")).close()
    client().send("goodbye/status", b"the next word")
    assert reader.receive().payload == b"the next word"


@pytest.mark.parametrize("size", [200_000, 1_000_000])
def test_a_picture_passes_unharmed(client: Callable[..., Client], size: int) -> None:
    reader, writer = client("frame"), client()
    payload = bytes(range(256)) * (size // 256)
    writer.send("frame", payload, qos=0)
    assert reader.receive().payload == payload


def test_a_client_that_stopped_reading_is_cut_off_and_others_are_served(
    client: Callable[..., Client],
) -> None:
    lazy, reader, writer = client("flood", qos=0), client("flood", qos=0), client()
    lazy.paho.loop_stop()  # connected, and never reads again
    payload = bytes(1_000_000)
    for _ in range(45):
        writer.send("flood", payload, qos=0)
        assert len(reader.receive().payload) == len(payload)
    held = lazy.paho.socket()
    assert held is not None
    held.settimeout(PATIENCE)
    with contextlib.suppress(ConnectionError):  # a reset says the same as the end of the stream
        while held.recv(1 << 20):
            pass


def test_a_taken_port_is_said(broker: int) -> None:
    with pytest.raises(RunFailed, match=rf"No broker at 127.0.0.1:{broker}: .*in use"):
        Child("edge.broker", ["--port", str(broker)], name="the broker").start()


def test_a_free_port_is_taken_where_the_wanted_one_is_not_free(broker: int) -> None:
    child = Child("edge.broker", ["--port", str(broker), "--or-free"], name="the broker")
    assert urlsplit(child.start()).port not in (broker, None)
    child.stop()


def test_an_address_that_others_reach_is_refused() -> None:
    with pytest.raises(RunFailed, match=r"stays on loopback, not on 0.0.0.0"):
        Child("edge.broker", ["--host", "0.0.0.0"], name="the broker").start()
