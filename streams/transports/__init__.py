"""Ways out of the device: what every transport does, and the door to the built-in ones."""

import importlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from streams.budget import Allowance, Budget
from streams.errors import StreamError, TransportError

if TYPE_CHECKING:
    from streams.transports.iot_core import IotCore
    from streams.transports.local import Hub, Local

__all__ = [
    "Acks",
    "Hub",
    "IotCore",
    "Listener",
    "Local",
    "Message",
    "Receiver",
    "SubscriptionRefused",
    "Transport",
    "TransportInvalid",
]

_MODULES = {
    "Hub": "streams.transports.local",
    "IotCore": "streams.transports.iot_core",
    "Local": "streams.transports.local",
}

Acks = Literal["broker", "nucleus", "local"]
Receiver = Callable[[str, bytes, bool], None]  # topic, payload, whether it had been retained
Listener = Callable[[bool, str], None]  # connected, and the sentence that says why (not)


class TransportInvalid(StreamError, ValueError):
    """A setting with which a transport can never work; the sentence names the key."""


class SubscriptionRefused(TransportError):
    """The broker does not let this client subscribe to that filter."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that the transport itself publishes: a last will, a birth, a farewell."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Transport(Protocol):
    """A connection that keeps itself up. Callbacks run on its threads, must be quick, and must not call
    `stop`.

    name: for people ("iot_core", "local"). acks: who acknowledges. budget: the limits of the connection;
    allowance: what they leave for now, shared by all who publish.
    """

    @property
    def name(self) -> str: ...
    @property
    def acks(self) -> Acks: ...
    @property
    def budget(self) -> Budget: ...
    @property
    def allowance(self) -> Allowance: ...
    @property
    def connected(self) -> bool: ...
    @property
    def reason(self) -> str:
        """The newest sentence about the connection; why it is down, while it is."""
        ...

    def start(self) -> None:
        """Returns at once; connects, and reconnects for ever, by itself."""
        ...

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        """The future is done on acknowledgement (QoS 1) or when sent (QoS 0). Never blocks, never raises.

        It fails with TopicInvalid, PayloadTooLarge (over the budget), or TransportError: at once when not
        connected, and as soon as the connection is lost. Nothing is queued for a later connection.
        """
        ...

    def subscribe(self, topic_filter: str, receiver: Receiver) -> "Future[None]":
        """Calls `receiver` for each message, on this and every later connection. Raises TopicInvalid.

        Filters of one transport may be equal, but must not overlap: brokers differ in what they do then.
        The future is done when the broker granted the subscription for the first time, and fails with
        SubscriptionRefused when it refused.
        """
        ...

    def listen(self, listener: Listener) -> None:
        """Calls `listener` whenever the connection comes or goes, and once now."""
        ...

    def stop(self, timeout: float) -> None:
        """Says farewell, disconnects, and ends every thread, within `timeout` seconds."""
        ...


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
