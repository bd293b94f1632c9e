"""Messages within this process: the same promises as a broker's, with no network and no thread."""

import threading
from concurrent.futures import Future

from streams.budget import BUDGETS, Allowance, Budget
from streams.errors import PayloadTooLarge, StreamError, TransportError
from streams.topics import check_filter, check_topic, matches
from streams.transports import Acks, Listener, Message, Receiver
from streams.transports.keeper import Spoken, deliver, spoken

MOST_RETAINED = 1024


class Hub:
    """What would be the broker: passes messages on, and keeps the retained ones (the newest 1,024 topics)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receivers: list[tuple[object, str, Receiver]] = []
        self._retained: dict[str, bytes] = {}

    def publish(self, message: Message) -> None:
        """Calls every receiver whose filter matches, on this thread."""
        with self._lock:
            if message.retain:
                self._retain(message)
            receivers = [each for _, wanted, each in self._receivers if matches(wanted, message.topic)]
        for receiver in receivers:
            deliver(receiver, message.topic, message.payload, retained=False)

    def subscribe(self, owner: object, topic_filter: str, receiver: Receiver) -> None:
        """Passes on what matches from now on, and first what was retained."""
        with self._lock:
            self._receivers.append((owner, topic_filter, receiver))
            kept = [
                (topic, payload) for topic, payload in self._retained.items() if matches(topic_filter, topic)
            ]
        for topic, payload in kept:
            deliver(receiver, topic, payload, retained=True)

    def leave(self, owner: object) -> None:
        """Forgets the subscriptions of `owner`."""
        with self._lock:
            self._receivers = [each for each in self._receivers if each[0] is not owner]

    def _retain(self, message: Message) -> None:
        self._retained.pop(message.topic, None)
        if message.payload:
            self._retained[message.topic] = message.payload
            if len(self._retained) > MOST_RETAINED:
                del self._retained[next(iter(self._retained))]


class Local:
    """A transport within this process. Several of them meet in one Hub; alone, one hears itself.

    `interrupt` and `resume` stand for the cable: a connection that goes and comes, last will included.
    """

    name = "local"
    acks: Acks = "local"

    def __init__(
        self,
        hub: Hub | None = None,
        *,
        will: Message | None = None,
        birth: Spoken = None,
        farewell: Spoken = None,
        budget: Budget | None = None,
    ) -> None:
        self.hub = hub or Hub()
        self.budget = budget or BUDGETS["none"]
        self.allowance = Allowance(self.budget)
        self.connected = False
        self.reason = "The local transport has not been started yet."
        self._will, self._birth = will, birth
        self._farewell = will if farewell is None else farewell
        self._subscriptions: list[tuple[str, Receiver, Future[None]]] = []
        self._listeners: list[Listener] = []

    def start(self) -> None:
        if not self.connected:
            self.resume()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        future: Future[None] = Future()
        try:
            self._check(topic, payload)
            self.hub.publish(Message(topic, payload, qos, retain))
        except StreamError as error:
            future.set_exception(error)
        else:
            future.set_result(None)
        return future

    def subscribe(self, topic_filter: str, receiver: Receiver) -> "Future[None]":
        granted: Future[None] = Future()
        self._subscriptions.append((check_filter(topic_filter), receiver, granted))
        if self.connected:
            self.hub.subscribe(self, topic_filter, receiver)
            granted.set_result(None)
        return granted

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)
        listener(self.connected, self.reason)

    def stop(self, timeout: float) -> None:
        if self.connected:
            if (said := spoken(self._farewell)) is not None:
                self.hub.publish(said)
            self._part("The local transport was stopped.")

    def interrupt(self, reason: str = "The local transport was interrupted.") -> None:
        """The connection goes without a word, and the will is published."""
        if self.connected:
            self._part(reason)
            if self._will is not None:
                self.hub.publish(self._will)

    def resume(self) -> None:
        """The connection comes."""
        self.connected, self.reason = True, "Connected within this process."
        for topic_filter, receiver, granted in self._subscriptions:
            self.hub.subscribe(self, topic_filter, receiver)
            if not granted.done():
                granted.set_result(None)
        if (said := spoken(self._birth)) is not None:
            self.hub.publish(said)
        self._tell()

    def _part(self, reason: str) -> None:
        self.connected, self.reason = False, reason
        self.hub.leave(self)
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener(self.connected, self.reason)

    def _check(self, topic: str, payload: bytes) -> None:
        check_topic(topic, reserved=True)
        if not self.connected:
            raise TransportError(self.reason)
        limit = self.budget.max_payload
        if limit is not None and len(payload) > limit:
            raise PayloadTooLarge(
                f"a message of {len(payload)} bytes is over the {limit} that {self.budget.name} allows"
            )
