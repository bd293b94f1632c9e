"""The one thread between the spool and the transport: paced, bounded, and asked again until acknowledged."""

import collections
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal, NamedTuple

from streams import envelope
from streams.backoff import Backoff
from streams.errors import PayloadTooLarge, TopicInvalid
from streams.sender_status import SenderStatus
from streams.spool import Entry, Kind, Spool
from streams.suspicion import Suspicion
from streams.transports import Transport

log = logging.getLogger(__name__)

Replay = Literal["mixed", "ordered"]

MOST_IN_FLIGHT = 1000  # where the budget sets no limit
MOST_BYTES_IN_FLIGHT = 8 * 1024 * 1024
BACKLOG_S = (
    1.0  # what the quota lets go in less is no backlog: it goes in order, and nothing has to wait for long
)
BACKLOG_LEAVES = (
    0.6  # of the burst: for pictures, which leave a quarter, and for live messages, which leave nothing
)
BACKLOG_WINDOW = 0.75  # of what may be on the wire
LIVE_IN_A_ROW = 3  # before one of the backlog: also where there are more live ones than may go
SUSPECT = 2  # cuts after which a message goes alone
MOST_WITH_DOUBTS = (
    100  # on the wire while it is open why the connection was cut: the fewer there are to be tried
)
WAKE_AFTER = 8  # the eighth part of what is on the wire has to be acknowledged before the sender wakes
TOGETHER = 32  # acknowledgements that are looked at together while it is awake
_NEVER = 1 << 62
GRACE_S = 0.25  # a failed message may be the first sign that the connection is gone


class Flight(NamedTuple):
    """A message on the wire, and since when, in monotonic seconds."""

    entry: Entry
    at: float


class Sender:
    """Publishes what the spool holds, while the transport is connected and within its budget.

    A message leaves the spool when the transport acknowledges it. What was on the wire when the connection
    was lost goes back to its old place and is sent first after the reconnect, so that order is kept but for
    redelivery; a message that has the connection cut is sent alone, later, and set aside when it does so again.

    replay: what happens to live messages while a backlog is sent after a reconnect, where the budget sets a rate:
    `mixed`, they overtake it, or `ordered`, they wait for it. spares: the topics that are to blame themselves where the
    connection is cut after a message to one, so that no message is suspected: the rule of streams/reserved.py, which
    comes before the one of streams/suspicion.py. clock: monotonic seconds. on_sent: gets the seconds from a picture's
    capture to the first sending of its message, on this thread.
    """

    def __init__(
        self,
        spool: Spool,
        transport: Transport,
        *,
        replay: Replay = "mixed",
        spares: Callable[[str], bool] = lambda topic: False,
        on_sent: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        self._on_sent = on_sent
        self._spool = spool
        self._transport = transport
        self._replay = replay
        self._spares = spares
        self._clock = clock
        self._backoff = backoff or Backoff(0.5, 30.0)
        budget = transport.budget
        self._most = budget.in_flight or MOST_IN_FLIGHT
        self._most_bytes = budget.in_flight_bytes or MOST_BYTES_IN_FLIGHT
        self._changed = threading.Condition()
        self._flying = 0
        self._flying_bytes = 0
        self._fallen: list[tuple[Flight, BaseException]] = []
        self._was_up = False
        self._came = self._went = False  # the connection, since the sender's thread looked last
        self._sign_at = 0.0  # when the first of that was noticed
        self._suspicion = Suspicion()
        self._bench: list[Entry] = []  # to be sent alone, when others have shown that the connection holds
        self._alone = False  # a suspect is on the wire
        self._acks: collections.deque[Entry] = collections.deque()  # acknowledged, and not looked at yet
        self._wakes_at = _NEVER  # so many of them wake the sender, while it waits
        self._proved = False  # something was acknowledged on this connection
        self._live_in_a_row = 0
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
        self._collect()

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
        with self._changed:
            if connected:
                self._came = True
            elif self._was_up:  # a listener is told once at the beginning, too
                self._note_sign()
                self._went = True
            self._was_up = connected
        self._spool.wake()

    def _run(self) -> None:
        while not self._ended:
            try:
                pause = self._pump()
            except Exception:  # a thread that dies here would fill the spool in silence
                log.exception("Sending failed; it is tried again.")
                pause = self._backoff.next()
            if self._collect():
                continue
            with self._changed:
                self._changed.notify_all()
            self._wakes_at = max(1, self._flying // WAKE_AFTER)
            if not self._ended and len(self._acks) < self._wakes_at:
                self._spool.wait(pause)
            self._wakes_at = _NEVER

    def _pump(self) -> float | None:
        """Sends what may be sent now; seconds until more may be, None when something has to happen first."""
        while not self._ended:
            if len(self._acks) >= TOGETHER:
                self._collect()
            pause = self._settle()
            if pause is not None or not self._transport.connected:
                return pause
            now = self._clock()
            if now < self._rest_until:
                return self._rest_until - now
            entry = self._choose()
            if entry is None:
                return None
            if not self._fits(entry):
                continue
            pause = self._may_go(entry, now)
            if pause != 0.0:
                self._put_back(entry)
                return pause
            self._send(entry, now)
        return None

    # What the transport told since the last turn.

    def _settle(self) -> float | None:
        """Judge what failed and greet a new connection; seconds to wait where it is not clear yet what happened."""
        if not (self._fallen or self._came or self._went):
            return None
        with self._changed:
            now, gone = self._clock(), self._went
            unclear = self._flying > 0 if gone else bool(self._fallen)
            if unclear and now - self._sign_at < GRACE_S:
                return GRACE_S / 5
            fallen, self._fallen = self._fallen, []
            came, self._came, self._went = self._came, False, False
        if gone:
            self._proved = False
            self._cut([flight for flight, _ in fallen], now)
        else:
            for flight, error in fallen:
                self._try_again(flight.entry, error)
        if came and self._transport.connected:
            self._begin()
        return None

    def _begin(self) -> None:
        """On a new connection: what waits now is a backlog if sending it takes a while."""
        budget, status = self._transport.budget, self._spool.status()
        seconds = max(
            status.left / (budget.publishes_per_s or float("inf")),
            status.bytes / (budget.bytes_per_s or float("inf")),
        )
        if seconds > BACKLOG_S:
            self._spool.split(ordered=self._replay == "ordered")

    def _cut(self, lost: list[Flight], now: float) -> None:
        """The connection is gone, and whoever was on the wire is suspected of it."""
        entries = [flight.entry for flight in lost]
        if any(self._spares(entry.topic) for entry in entries):  # streams/reserved.py decides first
            self._resent += len(lost)
            for entry in entries:
                self._spool.give_back(entry)
            return
        self._suspicion.cut(entries, [flight.at for flight in lost], now)
        self._resent += len(lost)
        for entry in entries:
            if self._suspicion.is_proved(entry, now):
                self._set_aside(entry)
            elif _goes_last(entry):
                self._bench.append(entry)
            else:
                self._spool.give_back(entry)

    def _set_aside(self, entry: Entry) -> None:
        told = f"the connection ended {entry.cuts} times after it was sent, {entry.alone} of them while it was alone"
        log.error("A message of %d bytes for %s was set aside: %s.", len(entry.payload), entry.topic, told)
        self._suspicion.convict(entry)
        self._spool.set_aside(entry, told)

    def _try_again(self, entry: Entry, error: BaseException) -> None:
        self._resent += 1
        if self._transport.connected and not self._refused:  # then it is not the connection: do not hammer
            self._refused = True
            self._rest_until = self._clock() + self._backoff.next()
            log.warning("A message for %s was not taken, and is sent again: %s", entry.topic, error)
        self._spool.give_back(entry)

    # What goes next.

    def _choose(self) -> Entry | None:
        """The next message, if there is one that may go beside what is on the wire."""
        if (self._alone or (self._bench and self._proved)) and self._is_busy():
            return None
        if self._bench and self._proved:
            return self._bench.pop(0)
        entry = self._spool.take(older=self._live_in_a_row >= LIVE_IN_A_ROW)
        if entry is None:
            return self._bench.pop(0) if self._bench and not self._flying else None
        if entry.cuts >= SUSPECT and self._is_busy():
            self._put_back(entry)
            return None
        return entry

    def _is_busy(self) -> bool:
        """Whether something is on the wire; the last of it wakes the sender when it lands."""
        self._collect()
        return self._flying > 0

    def _put_back(self, entry: Entry) -> None:
        if _goes_last(entry):
            self._bench.insert(0, entry)
        else:
            self._spool.give_back(entry, quietly=True)

    def _may_go(self, entry: Entry, now: float) -> float | None:
        """0.0 if it may go now, else seconds until then, or None: not before something was acknowledged."""
        size = len(entry.payload)
        most, most_bytes = self._most, self._most_bytes
        leave = 0.0
        if self._suspicion.open:
            most = min(most, MOST_WITH_DOUBTS)
        if entry.backlog:
            most, most_bytes = int(most * BACKLOG_WINDOW), int(most_bytes * BACKLOG_WINDOW)
            leave = BACKLOG_LEAVES if self._live_in_a_row < LIVE_IN_A_ROW else 0.0
        if self._flying and (self._flying >= most or self._flying_bytes + size > most_bytes):
            return None
        return self._transport.allowance.take(size, now, leave=leave)

    def _fits(self, entry: Entry) -> bool:
        """Cuts a message to the transport's size; False when that cannot be, and it was given up."""
        limit = self._transport.budget.max_payload
        return limit is None or len(entry.payload) <= limit or self._cut_to(limit, entry)

    def _cut_to(self, limit: int, entry: Entry) -> bool:
        try:
            entry.payload = envelope.encode(json.loads(entry.payload), limit)
        except (ValueError, AttributeError, RecursionError):  # no JSON object, or too large however it is cut
            size = len(entry.payload)
            log.warning(
                "A message of %d bytes for %s was given up: %d are allowed.", size, entry.topic, limit
            )
            self._spool.drop(entry, "too_large")
            return False
        return True

    # On its way.

    def _send(self, entry: Entry, now: float) -> None:
        self._alone = entry.cuts >= SUSPECT
        self._live_in_a_row = 0 if entry.backlog else self._live_in_a_row + 1
        with self._changed:
            self._flying += 1
            self._flying_bytes += len(entry.payload)
        flight = Flight(entry, now)
        self._time(entry)
        sent = self._transport.publish(entry.topic, entry.payload, entry.qos, entry.retain)
        on_the_wire = not sent.done()
        sent.add_done_callback(lambda done: self._landed(flight, done, on_the_wire=on_the_wire))

    def _time(self, entry: Entry) -> None:
        """Tells the listener once how long the message took; what is sent again is not counted again."""
        captured_at, entry.captured_at = entry.captured_at, None
        if captured_at is not None and self._on_sent is not None:
            try:
                self._on_sent(self._clock() - captured_at)
            except Exception:  # the message goes all the same
                log.exception("Timing the messages failed; it is left out from now on.")
                self._on_sent = None

    def _landed(self, flight: Flight, done: "Future[None]", *, on_the_wire: bool) -> None:
        """Runs on a thread of the transport."""
        error, entry = done.exception(), flight.entry
        if error is None:
            self._acks.append(entry)
            if self._ended:
                self._collect()
            elif len(self._acks) >= self._wakes_at:
                self._spool.wake()
            return
        with self._changed:  # before the spool stirs: who is woken must see the room
            self._flying -= 1
            self._flying_bytes -= len(entry.payload)
            self._alone = False
        if isinstance(error, PayloadTooLarge):
            if self._cut_to(len(entry.payload) * 3 // 4, entry):  # the broker has a limit of its own
                self._spool.give_back(entry)
        elif isinstance(error, TopicInvalid):
            log.warning("A message for %s was given up: %s", entry.topic, error)
            self._spool.drop(entry, "refused")
        elif on_the_wire:
            with self._changed:
                self._note_sign()
                self._fallen.append((flight, error))
        else:
            self._try_again(entry, error)
        self._spool.wake()

    def _collect(self) -> bool:
        """What was acknowledged leaves the spool, many messages at once; whether there were any."""
        landed = []
        while self._acks:
            try:
                landed.append(self._acks.popleft())
            except IndexError:  # another thread came first, at the end
                break
        if not landed:
            return False
        with self._changed:
            self._flying -= len(landed)
            self._alone = False
            self._proved = True
            self._refused = False
            self._backoff.reset()
            for entry in landed:
                self._flying_bytes -= len(entry.payload)
                self._acked_bytes += len(entry.payload)
                self._acked[entry.kind] += 1
            if self._suspicion.open:
                now = self._clock()
                for entry in landed:
                    self._suspicion.clear(entry, now)
        self._spool.done(*landed)
        return True

    def _note_sign(self) -> None:
        if not (self._fallen or self._went):
            self._sign_at = self._clock()


def _goes_last(entry: Entry) -> bool:
    """Whether it waits until others have got through: only a network that cuts by itself speaks for it still."""
    return bool(entry.alone) and entry.cuts > SUSPECT
