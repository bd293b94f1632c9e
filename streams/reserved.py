"""Topics that a broker keeps for itself: tried, and given up for others where the broker cuts the connection for them.

AWS IoT Core serves `$aws/...` itself, and closes the connection of a client that publishes where it may not; others
acknowledge first, and close then. Whether `$aws/things/<thing>/infer` is such a topic differs from broker to broker, so
it is tried: after MOST connections running were cut within SOON_S of a publish there, its messages go to the alternate
topic. A connection that outlives its first such publish by more, with one acknowledged, was not cut for it.

This rule comes first. While it has not decided, a message to a reserved topic is not held responsible by the sender
(streams/suspicion.py), which would set it aside after two cuts: it is the topic that is to blame. Once its messages go
to the alternate topic they are as any other.
"""

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from streams.budget import Allowance, Budget
from streams.errors import PayloadTooLarge, TopicInvalid
from streams.transports import Acks, Listener, Receiver, Transport

log = logging.getLogger(__name__)

MOST = 3  # cuts, or refusals, running
SOON_S = 2.0


@dataclasses.dataclass(slots=True)
class _Trial:
    """When a topic was first and last published to on a connection, monotonic seconds, and whether one was accepted."""

    first: float
    newest: float = 0.0
    acknowledged: bool = False

    def is_cut_short(self, now: float) -> bool:
        """Whether the connection, which ends now, ends so soon that the topic may be why."""
        return now - (self.first if self.acknowledged else self.newest) <= SOON_S


class Reserved:
    """A transport whose reserved topics may be given up. alternates: by topic. clock: monotonic seconds."""

    def __init__(
        self, transport: Transport, alternates: Mapping[str, str], *, clock: Callable[[], float]
    ) -> None:
        self._inner, self._alternates, self._clock = transport, alternates, clock
        self._lock = threading.Lock()
        self._tried: dict[str, _Trial] = {}  # on this connection
        self._refused: dict[str, BaseException] = {}  # and the connection may yet turn out to be gone
        self._running: dict[str, int] = dict.fromkeys(alternates, 0)
        self.given_up: dict[str, str] = {}  # why, by topic
        transport.listen(self._on_connection)

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def acks(self) -> Acks:
        return self._inner.acks

    @property
    def budget(self) -> Budget:
        return self._inner.budget

    @property
    def allowance(self) -> Allowance:
        return self._inner.allowance

    @property
    def connected(self) -> bool:
        return self._inner.connected

    @property
    def reason(self) -> str:
        return self._inner.reason

    def start(self) -> None:
        self._inner.start()

    def stop(self, timeout: float) -> None:
        self._inner.stop(timeout)

    def listen(self, listener: Listener) -> None:
        self._inner.listen(listener)

    def subscribe(self, topic_filter: str, receiver: Receiver) -> "Future[None]":
        return self._inner.subscribe(topic_filter, receiver)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        if topic not in self._alternates:
            return self._inner.publish(topic, payload, qos, retain)
        with self._lock:
            if (error := self._refused.pop(topic, None)) is not None:  # and the connection holds
                self._strike(topic, f"refused {MOST} messages to {topic} one after the other ({error})")
            self._tried.setdefault(topic, _Trial(self._clock())).newest = self._clock()
        if topic in self.given_up:
            return self._inner.publish(self._alternates[topic], payload, qos, retain)
        sent = self._inner.publish(topic, payload, 1, retain)  # QoS 0 would leave open whether it was taken
        sent.add_done_callback(lambda done: self._landed(topic, done))
        return sent

    def tries(self, topic: str) -> bool:
        """Whether this is a topic that the broker may yet turn out to keep for itself."""
        return topic in self._alternates and topic not in self.given_up

    def _landed(self, topic: str, done: "Future[None]") -> None:
        error = done.exception()
        with self._lock:
            if error is not None and not isinstance(error, PayloadTooLarge | TopicInvalid):
                self._refused[topic] = error
            elif error is None and topic in self._tried:
                self._tried[topic].acknowledged = True

    def _on_connection(self, connected: bool, reason: str) -> None:
        now = self._clock()
        with self._lock:
            tried, self._tried, self._refused = self._tried, {}, {}
            for topic, trial in () if connected else tried.items():
                if trial.is_cut_short(now):
                    self._strike(
                        topic, f"cut the connection {MOST} times within {SOON_S:g} s of a message to {topic}"
                    )
                else:
                    self._running[topic] = 0

    def _strike(self, topic: str, what: str) -> None:
        self._running[topic] += 1
        if self._running[topic] < MOST or topic in self.given_up:
            return
        other = self._alternates[topic]
        self.given_up[topic] = (
            f"The broker {what}: it keeps that topic for itself. Its messages go to {other} now."
        )
        log.warning("%s", self.given_up[topic])
