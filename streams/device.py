"""The device stream: untouched pictures, as many as the rate and the broker allow."""

import collections
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Literal

from streams import clock as wall
from streams.budget import units
from streams.errors import PayloadTooLarge, StreamError
from streams.frame import Frame
from streams.pace import Rate
from streams.topics import Topics
from streams.transports import Transport

log = logging.getLogger(__name__)

Reason = Literal["offline", "budget", "encode", "busy"]

SEND_PATIENCE_S = 10.0
LEFT_FOR_MESSAGES = 0.25  # of the burst: a picture may be withheld, a result may not
DEFAULT_MAX_BYTES = 1024 * 1024  # where the budget sets no limit
SMALLEST_SHARE = 8 * 1024


Fit = Callable[[Frame, int | None, int, int], bytes | None]  # see streams.encode.Encoder.fit


class DeviceStream:
    """The pictures of one source over the transport, QoS 0, encoded on a thread of its own, the newest only.

    rate: pictures a second at most. quality: JPEG quality (1..100) to begin with; a picture is made coarser,
    then smaller, to fit. share: the part of the broker's bytes a second that this stream may plan for.
    `published` counts pictures sent, `units` their billable units (streams.budget);
    `withheld` counts those that were due and did not go, by reason:
    "offline", "budget" (too large for the broker, or too much for this second), "encode" (it failed), "busy"
    (a newer one came before its turn). Raises TopicInvalid for a thing or source that no topic can hold.
    """

    def __init__(
        self,
        thing: str,
        source: str,
        transport: Transport,
        *,
        rate: float,
        quality: int = 80,
        share: float = 0.5,
        fit: Fit | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = wall.wall_ms,
    ) -> None:
        self.topic = Topics(thing).frame(source)
        self._name = source
        self.max_bytes = _max_bytes(transport, rate, share)
        self.published = self.units = 0
        self._transport = transport
        self._rate = Rate(rate)
        self._quality = quality
        self._fit = fit
        self._clock, self._wall_ms = clock, wall_ms
        self._withheld: collections.Counter[str] = collections.Counter()
        self._arrived = threading.Condition()
        self._waiting: Frame | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"device-stream-{source}", daemon=True)

    @property
    def withheld(self) -> dict[str, int]:
        """Pictures that were due and did not go, by reason."""
        with self._arrived:
            return dict(self._withheld)

    def start(self) -> None:
        """Begins to send what is offered."""
        self._thread.start()

    def offer(self, frame: Frame, now: float) -> None:
        """Sends this picture if one is due. Never blocks. now: monotonic seconds."""
        if not self._rate.due(now):
            return
        with self._arrived:
            if not self._transport.connected:
                self._withheld["offline"] += 1
                return
            if self._waiting is not None:
                self._withheld["busy"] += 1
            self._waiting = frame
            self._arrived.notify()

    def stop(self, timeout: float = 2.0) -> None:
        """Ends the thread; a picture that still waits is let go."""
        with self._arrived:
            self._ended = True
            self._arrived.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while (frame := self._next()) is not None:
            reason = self._send(frame)
            with self._arrived:
                if reason is None:
                    self.published += 1
                else:
                    self._withheld[reason] += 1

    def _next(self) -> Frame | None:
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting is not None or self._ended)
            frame, self._waiting = self._waiting, None
            return None if self._ended else frame

    def _send(self, frame: Frame) -> Reason | None:
        """Why it did not go; None if it went."""
        if not self._transport.connected:
            return "offline"
        try:
            jpeg = self._encoded(frame)
        except Exception as error:
            if not self._withheld["encode"]:
                log.warning("A picture of %s was not encoded: %s. More are only counted.", self._name, error)
            return "encode"
        if jpeg is None or self._transport.allowance.take(len(jpeg), self._clock(), leave=LEFT_FOR_MESSAGES):
            return "budget"
        return self._published(jpeg)

    def _published(self, jpeg: bytes) -> Reason | None:
        """Waits until it is on the wire, so that never more than one is on its way and the next is the
        newest.
        """
        try:
            self._transport.publish(self.topic, jpeg, 0).result(SEND_PATIENCE_S)
        except PayloadTooLarge:
            return "budget"
        except (StreamError, FutureTimeout):
            return "offline"
        self.units += units(len(jpeg))
        return None

    def _encoded(self, frame: Frame) -> bytes | None:
        fit = self._fit
        if fit is None:
            from streams.encode import Encoder  # cv2 is loaded by the first picture, not by the import

            self._fit = fit = Encoder(self._quality).fit
        age_ms = (self._clock() - frame.captured_at) * 1000.0
        return fit(frame, self.max_bytes, frame.id, self._wall_ms() - round(age_ms))


def _max_bytes(transport: Transport, rate: float, share: float) -> int:
    """What one picture may take, so that `rate` of them a second stay within the stream's share."""
    budget = transport.budget
    limit = budget.max_payload or DEFAULT_MAX_BYTES
    if budget.bytes_per_s is None:
        return limit
    return min(limit, max(SMALLEST_SHARE, int(budget.bytes_per_s * share / rate)))
