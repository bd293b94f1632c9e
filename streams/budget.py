"""What a broker takes from one connection, as data, and the allowance that keeps within it."""

import threading
from dataclasses import dataclass

_KIB = 1024
UNIT = 5 * _KIB  # bytes: AWS IoT Core bills each message in such units, begun ones as whole
_BURST_OF_PUBLISHES = 0.1  # of a second's quota; the rest flows evenly
_BURST_OF_BYTES = 0.25  # one whole payload of 128 KiB out of 512 KiB/s


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one connection; None is "no limit".

    max_payload: bytes of one message. publishes_per_s, bytes_per_s: over any one second, all topics together.
    in_flight, in_flight_bytes: QoS 1 messages sent and not yet acknowledged.
    """

    name: str
    max_payload: int | None = None
    publishes_per_s: int | None = None
    bytes_per_s: int | None = None
    in_flight: int | None = None
    in_flight_bytes: int | None = None


BUDGETS: dict[str, Budget] = {
    budget.name: budget
    for budget in (
        Budget("aws-iot", 128 * _KIB, 100, 512 * _KIB, 100),
        Budget("classic", 128 * _KIB, 100, 512 * _KIB, 100),
        Budget("lite", 4 * _KIB, 100, 512 * _KIB, 10, 15_000),
        Budget("none"),
    )
}


def for_endpoint(endpoint: str | None) -> Budget:
    """The budget of a broker by its host name: AWS IoT Core's for Amazon's hosts, else none."""
    host = (endpoint or "").rstrip(".").lower()
    amazon = host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return BUDGETS["aws-iot" if amazon else "none"]


def units(size: int) -> int:
    """Billable units of a message of `size` bytes, 1 at least."""
    return max(1, -(-size // UNIT))


class Allowance:
    """How much may be published now, over every stream of one connection. Safe to share among threads.

    Two buckets, of publishes and of bytes. A bucket and what flows into it within a second make up the quota
    together, so that no second whatever sees more than the budget says.
    """

    def __init__(self, budget: Budget) -> None:
        self._lock = threading.Lock()
        self._publishes = _Bucket(budget.publishes_per_s, _BURST_OF_PUBLISHES)
        self._bytes = _Bucket(budget.bytes_per_s, _BURST_OF_BYTES)

    def take(self, size: int, now: float, *, leave: float = 0.0) -> float:
        """0.0 if a message of `size` bytes may go now (it is then counted), else seconds to wait.

        now: monotonic seconds. leave: the share (0..1) of the burst that must remain for others, so that
        pictures, which may be withheld, do not hold up messages, which may not.
        """
        with self._lock:
            wait = max(self._publishes.wait(1, now, leave), self._bytes.wait(size, now, leave))
            if wait <= 0.0:
                self._publishes.level -= 1
                self._bytes.level -= size
            return max(wait, 0.0)

    def owe(self, size: int, now: float) -> None:
        """A message of `size` bytes goes unasked; whatever comes next waits for longer."""
        with self._lock:
            for bucket, amount in ((self._publishes, 1), (self._bytes, size)):
                bucket.wait(0, now, 0.0)
                bucket.level -= amount


class _Bucket:
    def __init__(self, quota: int | None, burst: float) -> None:
        self.limited = quota is not None
        self.room = (quota or 0) * burst
        self.flow = (quota or 0) * (1.0 - burst)  # a second
        self.level = self.room
        self._filled_at: float | None = None

    def wait(self, amount: float, now: float, leave: float) -> float:
        """Seconds until `amount` fits; more than the bucket holds is let go when it is full, and owed."""
        if not self.limited:
            self.level = 0.0
            return 0.0
        if self._filled_at is not None:
            self.level = min(self.room, self.level + max(0.0, now - self._filled_at) * self.flow)
        self._filled_at = now
        needed = min(amount + leave * self.room, self.room)
        return (needed - self.level) / self.flow
