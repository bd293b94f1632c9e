"""How the connection to the broker has fared: what a transport tells its listeners, counted."""

import threading
from collections.abc import Callable
from typing import Any

from streams.transports import Transport


class Connection:
    """Listens to a transport that has not started. From any thread. clock: monotonic seconds.

    made: how often it came about.
    """

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport, self._clock = transport, clock
        self._lock = threading.Lock()
        self.made = 0
        self._since = clock()
        transport.listen(self._hear)

    def _hear(self, connected: bool, reason: str) -> None:
        with self._lock:
            self.made += connected
            self._since = self._clock()

    @property
    def connected(self) -> bool:
        return self._transport.connected

    @property
    def reconnects(self) -> int:
        """How often it came back."""
        return max(0, self.made - 1)

    def figures(self) -> dict[str, Any]:
        """connected, since_s (seconds that this has been so), reconnects, and the sentence of why (not)."""
        with self._lock:
            return {
                "connected": self.connected,
                "since_s": round(max(0.0, self._clock() - self._since), 1),
                "reconnects": self.reconnects,
                "reason": self._transport.reason,
            }
