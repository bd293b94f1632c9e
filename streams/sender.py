"""The one thread between the spool and the transport: paced, bounded, and asked again until acknowledged."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from streams import envelope
from streams.backoff import Backoff
from streams.errors import PayloadTooLarge, TopicInvalid
from streams.spool import Entry, Kind, Spool
from streams.transports import Transport

log = logging.getLogger(__name__)

MOST_IN_FLIGHT = 1000  # where the budget sets no limit
MOST_BYTES_IN_FLIGHT = 8 * 1024 * 1024


class SenderStatus(NamedTuple):
    """What became of the messages.

    acked: messages acknowledged (QoS 1) or sent (QoS 0), and the bytes of their payloads; spooled: left in
    the store, those on the wire included; dropped: given up, by reason; resent: publishes that had to be
    repeated; acked_of: the acknowledged ones by kind, since health messages are among them.
    """

    acked: int
    bytes: int
    spooled: int
    dropped: dict[str, int]
    resent: int
    acked_of: dict[Kind, int]


class Sender:
    """Publishes what the spool holds, while the transport is connected and within its budget.

    A message leaves the spool when the transport acknowledges it. What was on the wire when the connection
    was lost goes back to its old place and is sent first after the reconnect, so that order is kept but for
    redelivery. clock: monotonic seconds. on_sent: gets the seconds from a picture's capture to the first
    sending of its message, on this thread.
    """

    def __init__(
        self,
        spool: Spool,
        transport: Transport,
        *,
        on_sent: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        self._on_sent = on_sent
        self._spool = spool
        self._transport = transport
        self._clock = clock
        self._backoff = backoff or Backoff(0.5, 30.0)
        budget = transport.budget
        self._most = budget.in_flight or MOST_IN_FLIGHT
        self._most_bytes = budget.in_flight_bytes or MOST_BYTES_IN_FLIGHT
        self._changed = threading.Condition()
        self._flying = 0
        self._flying_bytes = 0
        self._rest_until = 0.0
        self._refused = False  # since the last acknowledgement
        self._acked = dict.fromkeys(Kind, 0)
        self._acked_bytes = self._resent = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def start(self) -> None:
        """Begins to send. Messages put before are sent, too."""
        self._transport.listen(self._on_connection)
        self._thread.start()

    def drain(self, timeout: float) -> bool:
        """Waits until nothing is left in the spool, or `timeout` seconds; whether nothing is left."""
        with self._changed:
            return self._changed.wait_for(self._empty, timeout)

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread. What is left stays in the spool."""
        self._ended = True
        self._spool.wake()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def status(self) -> SenderStatus:
        """The counts of this moment."""
        spool = self._spool.status()
        acked = dict(self._acked)
        return SenderStatus(
            sum(acked.values()), self._acked_bytes, spool.left, spool.dropped, self._resent, acked
        )

    def _empty(self) -> bool:
        return self._spool.status().left == 0

    def _on_connection(self, connected: bool, reason: str) -> None:
        self._backoff.reset()
        self._rest_until = 0.0
        self._spool.wake()

    def _run(self) -> None:
        while not self._ended:
            try:
                pause = self._pump()
            except Exception:  # a thread that dies here would fill the spool in silence
                log.exception("Sending failed; it is tried again.")
                pause = self._backoff.next()
            with self._changed:
                self._changed.notify_all()
            if not self._ended:
                self._spool.wait(pause)

    def _pump(self) -> float | None:
        """Sends what may be sent now; seconds until more may be, None when something has to happen first."""
        while self._transport.connected and not self._ended:
            now = self._clock()
            if now < self._rest_until:
                return self._rest_until - now
            entry = self._spool.take()
            if entry is None:
                return None
            if not self._fits(entry):
                continue
            pause = self._may_go(entry, now)
            if pause != 0.0:
                self._spool.give_back(entry, quietly=True)
                return pause
            self._send(entry)
        return None

    def _may_go(self, entry: Entry, now: float) -> float | None:
        """0.0 if it may go now, else seconds until then, or None: not before something was acknowledged."""
        size = len(entry.payload)
        with self._changed:
            full = self._flying >= self._most or self._flying_bytes + size > self._most_bytes
            if self._flying and full:
                return None
        return self._transport.allowance.take(size, now)

    def _fits(self, entry: Entry) -> bool:
        """Cuts a message to the transport's size; False when that cannot be, and it was given up."""
        limit = self._transport.budget.max_payload
        if limit is None or len(entry.payload) <= limit:
            return True
        try:
            entry.payload = envelope.encode(json.loads(entry.payload), limit)
        except (ValueError, AttributeError):  # not JSON, not an object, or too large however it is cut
            size = len(entry.payload)
            log.warning(
                "A message of %d bytes for %s was given up: %d are allowed.", size, entry.topic, limit
            )
            self._spool.drop(entry, "too_large")
            return False
        return True

    def _send(self, entry: Entry) -> None:
        with self._changed:
            self._flying += 1
            self._flying_bytes += len(entry.payload)
        self._time(entry)
        sent = self._transport.publish(entry.topic, entry.payload, entry.qos, entry.retain)
        sent.add_done_callback(lambda done: self._landed(entry, done))

    def _time(self, entry: Entry) -> None:
        """Tells the listener once how long the message took; what is sent again is not counted again."""
        captured_at, entry.captured_at = entry.captured_at, None
        if captured_at is not None and self._on_sent is not None:
            try:
                self._on_sent(self._clock() - captured_at)
            except Exception:  # the message goes all the same
                log.exception("Timing the messages failed; it is left out from now on.")
                self._on_sent = None

    def _landed(self, entry: Entry, done: "Future[None]") -> None:
        error = done.exception()
        with self._changed:  # before the spool stirs: who is woken must see the room
            self._flying -= 1
            self._flying_bytes -= len(entry.payload)
            if error is None:
                self._acked[entry.kind] += 1
                self._acked_bytes += len(entry.payload)
        if error is None:
            self._refused = False
            self._backoff.reset()
            self._spool.done(entry)
        elif isinstance(error, PayloadTooLarge | TopicInvalid):
            log.warning("A message for %s was given up: %s", entry.topic, error)
            self._spool.drop(entry, "refused")
        else:
            self._try_again(entry, error)
        with self._changed:
            self._changed.notify_all()

    def _try_again(self, entry: Entry, error: BaseException) -> None:
        self._resent += 1
        if self._transport.connected and not self._refused:  # then it is not the connection: do not hammer
            self._refused = True
            self._rest_until = self._clock() + self._backoff.next()
            log.warning("A message for %s was not taken, and is sent again: %s", entry.topic, error)
        self._spool.give_back(entry)
