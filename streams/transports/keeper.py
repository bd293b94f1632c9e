"""Keeps one connection to a broker up for ever, whatever speaks the protocol below.

A `Link` is one connection and is used once. The keeper dials, waits for the end, waits a jittered while, and
dials again; at every connect it subscribes anew (a new link has no session), publishes the birth, and tells
its listeners. Nothing of an old link survives: what was not acknowledged fails at once, and whoever sent it
decides.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Protocol

from streams.backoff import Backoff
from streams.budget import Allowance, Budget
from streams.errors import PayloadTooLarge, StreamError, TransportError
from streams.topics import check_filter, check_topic, matches
from streams.transports import Acks, Listener, Message, Receiver, SubscriptionRefused

log = logging.getLogger(__name__)

MOST_PENDING = 4096  # operations that a link may hold at once; a stalled network must not fill the memory
MOST_PENDING_BYTES = 64 * 1024 * 1024
DIAL_PATIENCE_S = 45.0  # a TLS library may sit on a failure for 30 seconds, lest its timing tell secrets
SETTLED_S = 10.0  # a connection that lasted so long was a good one
SAY_AGAIN_S = 60.0

Spoken = Message | Callable[[], Message] | None


class Link(Protocol):
    """One connection, used once. It tells its `Visit` when it is up, when it is over, and what arrives."""

    def open(self) -> None:
        """Begins to connect. Raises TransportError when it cannot even begin."""
        ...

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> "Future[Any]": ...

    def subscribe(self, topic_filter: str) -> "Future[Any]": ...

    def failure(self, done: "Future[Any]") -> StreamError | None:
        """What a future of this link, which is done, says that went wrong, as one of our errors."""
        ...

    def close(self, timeout: float) -> None:
        """Disconnects, in whatever state it is."""
        ...


class Visit:
    """What one link reports, on any thread. Only the first end counts."""

    def __init__(self, keeper: "Keeper") -> None:
        self._keeper = keeper
        self.link: Link | None = None
        self.came_at: float | None = None
        self.over = threading.Event()

    def up(self) -> None:
        """The broker accepted the connection."""
        if not self.over.is_set():
            self._keeper._came(self)

    def down(self, reason: str) -> None:
        """The connection ended, or never came about. reason: a sentence."""
        if not self.over.is_set():
            self.over.set()
            self._keeper._went(self, reason)

    def message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Something arrived."""
        self._keeper._arrived(topic, payload, retained)


class _Subscription:
    def __init__(self, topic_filter: str, receiver: Receiver) -> None:
        self.topic_filter = topic_filter
        self.receiver = receiver
        self.granted: Future[None] = Future()


class Keeper:
    """A transport over links. Subclasses say how to dial, and what their errors mean.

    birth: published at every connect; farewell: published before a stop in good order (a broker forgets the
    last will of a client that takes its leave). Either may be a callable, so that it can tell the time of its
    saying.
    """

    name = "keeper"
    acks: Acks = "broker"

    def __init__(
        self,
        address: str,
        budget: Budget,
        *,
        birth: Spoken = None,
        farewell: Spoken = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = address
        self.budget = budget
        self.allowance = Allowance(budget)
        self._birth, self._farewell = birth, farewell
        self._backoff = backoff or Backoff(1.0, 60.0)
        self._clock = clock
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._visit: Visit | None = None
        self._pending: dict[Future[None], int] = {}
        self._pending_bytes = 0
        self._subscriptions: list[_Subscription] = []
        self._listeners: list[Listener] = []
        self._reason = f"{address} has not been called yet."
        self._said: tuple[str, float] | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def dial(self, visit: Visit) -> Link:
        """A new link that reports to `visit`, not yet open."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def reason(self) -> str:
        return self._reason

    def start(self) -> None:
        if self._thread is None:
            self._reason = f"{self.address} has not answered yet."
            self._thread = threading.Thread(target=self._run, name=f"transport-{self.name}", daemon=True)
            self._thread.start()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        future: Future[None] = Future()
        try:
            self._check(topic, payload)
            self._hand_over(future, topic, payload, qos, retain)
        except StreamError as error:
            _settle(future, error)
        return future

    def subscribe(self, topic_filter: str, receiver: Receiver) -> "Future[None]":
        subscription = _Subscription(check_filter(topic_filter), receiver)
        with self._lock:
            self._subscriptions.append(subscription)
            link = self._link
        if link is not None:
            self._ask_for(link, subscription)
        return subscription.granted

    def listen(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.append(listener)
        listener(self.connected, self._reason)

    def stop(self, timeout: float) -> None:
        deadline = self._clock() + timeout
        self._take_leave(timeout / 2.0)
        self._ending.set()
        if (visit := self._visit) is not None:
            visit.down(f"The connection to {self.address} was closed.")
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - self._clock()))

    # The keeper's own thread.

    def _run(self) -> None:
        while not self._ending.is_set():
            visit = self._visit = Visit(self)
            try:
                visit.link = self.dial(visit)
                visit.link.open()
            except StreamError as error:
                visit.down(str(error))
            except Exception as error:  # no file left to open, say: a thread that dies here never calls again
                log.exception("Calling %s failed.", self.address)
                visit.down(f"{self.address} cannot be called: {error}")
            self._attend(visit)
            if visit.link is not None:
                visit.link.close(2.0 if visit.came_at is not None else 0.3)
            if visit.came_at is not None and self._clock() - visit.came_at >= SETTLED_S:
                self._backoff.reset()
            self._ending.wait(self._backoff.next())

    def _attend(self, visit: Visit) -> None:
        """Waits for the visit's end, which a stop brings about, too."""
        if self._ending.is_set():
            visit.down(f"The connection to {self.address} was closed.")
        if not visit.over.wait(DIAL_PATIENCE_S) and visit.came_at is None:
            visit.down(
                f"{self.address} did not answer within {DIAL_PATIENCE_S:.0f} seconds: check the network."
            )
        visit.over.wait()

    def _take_leave(self, timeout: float) -> None:
        said = spoken(self._farewell)
        if said is not None and self.connected:
            try:
                self.publish(said.topic, said.payload, said.qos, said.retain).result(timeout)
            except (StreamError, FutureTimeout) as error:
                log.info("The farewell to %s was not acknowledged: %s", self.address, error)

    # What links report.

    def _came(self, visit: Visit) -> None:
        link = visit.link
        if link is None or self._ending.is_set():
            return
        visit.came_at = self._clock()
        with self._lock:
            if visit.over.is_set():  # a stop came in between
                return
            self._link = link
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            self._ask_for(link, subscription)
        self._reason = f"Connected to {self.address}."
        self._said = None
        log.info("%s", self._reason)
        if (said := spoken(self._birth)) is not None:
            self.allowance.owe(len(said.payload), visit.came_at)
            self.publish(said.topic, said.payload, said.qos, said.retain)
        self._tell(connected=True)

    def _went(self, visit: Visit, reason: str) -> None:
        with self._lock:
            lost = self._link is not None and self._link is visit.link
            if lost:
                self._link = None
            pending, self._pending, self._pending_bytes = list(self._pending), {}, 0
        self._reason = reason
        for future in pending:
            _settle(future, TransportError(reason))
        if not self._ending.is_set():
            self._say(reason)
        if lost:
            self._tell(connected=False)

    def _arrived(self, topic: str, payload: bytes, retained: bool) -> None:
        with self._lock:
            receivers = [each.receiver for each in self._subscriptions if matches(each.topic_filter, topic)]
        for receiver in receivers:
            deliver(receiver, topic, payload, retained=retained)

    def _tell(self, *, connected: bool) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(connected, self._reason)
            except Exception:
                log.exception("A listener failed on the connection to %s.", self.address)

    def _say(self, reason: str) -> None:
        """Logs a sentence once, and again after a minute of the same."""
        now = self._clock()
        if self._said is None or self._said[0] != reason or now - self._said[1] >= SAY_AGAIN_S:
            self._said = (reason, now)
            log.warning("%s It is tried again by itself.", reason)

    # Publishing and subscribing on the link of the moment.

    def _check(self, topic: str, payload: bytes) -> None:
        check_topic(topic, reserved=True)
        limit = self.budget.max_payload
        if limit is not None and len(payload) > limit:
            raise PayloadTooLarge(
                f"a message of {len(payload)} bytes is over the {limit} that {self.budget.name} allows"
            )

    def _hand_over(self, future: "Future[None]", topic: str, payload: bytes, qos: int, retain: bool) -> None:
        with self._lock:
            link = self._link
            if link is None:
                raise TransportError(self._reason)
            if len(self._pending) >= MOST_PENDING or self._pending_bytes >= MOST_PENDING_BYTES:
                raise TransportError(f"{self.address} is behind: {len(self._pending)} messages wait for it.")
            self._pending[future] = len(payload)
            self._pending_bytes += len(payload)
        sent = _attempt(lambda: link.publish(topic, payload, qos, retain))
        sent.add_done_callback(lambda done: self._landed(future, link.failure(done)))

    def _landed(self, future: "Future[None]", error: StreamError | None) -> None:
        with self._lock:
            self._pending_bytes -= self._pending.pop(future, 0)
        _settle(future, error)

    def _ask_for(self, link: Link, subscription: _Subscription) -> None:
        asked = _attempt(lambda: link.subscribe(subscription.topic_filter))
        asked.add_done_callback(lambda done: self._answered(subscription, link.failure(done)))

    def _answered(self, subscription: _Subscription, error: StreamError | None) -> None:
        if error is None:
            _settle(subscription.granted, None)
        elif isinstance(error, SubscriptionRefused):  # else it is asked again at the next connect
            log.warning(
                "%s refused the subscription to %s: %s", self.address, subscription.topic_filter, error
            )
            _settle(subscription.granted, error)


def _attempt(operation: "Callable[[], Future[Any]]") -> "Future[Any]":
    """The future of an operation, also where it fails before there is one: a link may just be closing."""
    try:
        return operation()
    except Exception as error:
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


def _settle(future: "Future[None]", error: StreamError | None) -> None:
    """Completes a future that another thread may just have completed."""
    try:
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
    except InvalidStateError:
        pass


def deliver(receiver: Receiver, topic: str, payload: bytes, *, retained: bool) -> None:
    """Hands a message over; a receiver's fault stays the receiver's."""
    try:
        receiver(topic, payload, retained)
    except Exception:
        log.exception("A receiver failed on a message of %s.", topic)


def spoken(said: Spoken) -> Message | None:
    """A message, made at this moment where it is a callable."""
    return said() if callable(said) else said
