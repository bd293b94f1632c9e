"""The health message, every thirty seconds, from a thread of its own."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from streams import clock as wall
from streams.health import INTERVAL_S, health_message
from streams.spool import Item, Kind, Spool

log = logging.getLogger(__name__)


class Pulse:
    """Puts a health message into the spool at once and then at each interval, until stopped.

    figures: asked each time; project, http, sources and messages of `streams.health.health_message`.
    """

    def __init__(
        self,
        thing: str,
        topic: str,
        spool: Spool,
        figures: Callable[[], Mapping[str, Any]],
        *,
        clock: Callable[[], float],
        interval: float = INTERVAL_S,
    ) -> None:
        self._thing = thing
        self._topic = topic
        self._spool = spool
        self._figures = figures
        self._clock = clock
        self._interval = interval
        self._began = clock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _beat(self) -> None:
        while True:
            self._send()
            if self._stopped.wait(self._interval):
                return

    def _send(self) -> None:
        now = self._clock()
        try:
            message = health_message(
                thing=self._thing,
                now=now,
                wall_ms=wall.wall_ms(),
                uptime_s=now - self._began,
                **self._figures(),
            )
            self._spool.put(Item(self._topic, message, Kind.TELEMETRY))
        except Exception:  # the health of a device must not end with a fault in telling it
            log.exception("the health message could not be made")
