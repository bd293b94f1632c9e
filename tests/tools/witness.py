"""A second MQTT client, by another hand (paho), that sees what really passes through a broker."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from brokers import HOST, Certificates
from paho.mqtt.enums import CallbackAPIVersion


class Heard(NamedTuple):
    """A message as it arrived."""

    topic: str
    payload: bytes
    qos: int
    retained: bool


class Witness:
    """Subscribed to a filter, and keeping all it hears."""

    def __init__(self, port: int, topic_filter: str = "#", certificates: Certificates | None = None) -> None:
        self.heard: list[Heard] = []
        self.deaf_to: frozenset[str] = frozenset()  # topics of a flood that would only cost time
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._filter = topic_filter
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        if certificates is not None:
            self._client.tls_set(
                str(certificates.ca), str(certificates.client_cert), str(certificates.client_key)
            )
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.05, 0.2)
        self._client.connect(HOST, port, keepalive=30)
        self._client.loop_start()
        assert self._ready.wait(10.0), "the witness was not let in"

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos, retain).wait_for_publish(10.0)

    def wait_for(self, enough: Callable[[list[Heard]], bool], timeout: float = 10.0) -> list[Heard]:
        """What was heard, as soon as it is enough. Fails after `timeout` seconds."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self.heard), timeout), f"heard only {self.heard[-5:]}"
            return list(self.heard)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, *_rest: Any) -> None:
        client.subscribe(self._filter, 1)

    def _on_subscribe(self, *_rest: Any) -> None:
        self._ready.set()

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        if message.topic in self.deaf_to:
            return
        with self._news:
            self.heard.append(Heard(message.topic, message.payload, message.qos, message.retain))
            self._news.notify_all()


@contextlib.contextmanager
def witness(
    port: int, topic_filter: str = "#", certificates: Certificates | None = None
) -> Iterator[Witness]:
    """A witness that leaves at the end."""
    present = Witness(port, topic_filter, certificates)
    try:
        yield present
    finally:
        present.close()


def wait_until(holds: Callable[[], bool], timeout: float = 10.0) -> None:
    """Returns as soon as `holds`. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
