"""Where the loop waits for the frames of all its sources at once."""

import threading

from streams.frame import Frame
from streams.latest import Latest

ROOM = 4  # frames of a source that loses none; more would be of no use to the loop, and cost memory


class Inbox:
    """One slot for each source, read in turn, so that no source starves another. One thread reads."""

    def __init__(self) -> None:
        # Reentrant: a signal handler runs on the reader's own thread, perhaps while that holds the lock.
        self._lock = threading.RLock()
        self._arrival = threading.Condition(self._lock)
        self._slots: dict[str, Latest] = {}
        self._order: list[str] = []
        self._woken = False

    def slot(self, name: str, lossless: bool = False) -> Latest:
        """Make the place for the frames of the source `name`. Raises ValueError for a name that has one."""
        with self._lock:
            if name in self._slots:
                raise ValueError(f"the source {name!r} has a slot already")
            slot = self._slots[name] = Latest(
                lossless, room=ROOM if lossless else 1, lock=self._lock, arrival=self._arrival
            )
            self._order.append(name)
            return slot

    @property
    def ended(self) -> bool:
        """Every source has closed its slot, and no frame waits. An inbox without slots has ended."""
        with self._lock:
            return all(slot.ended for slot in self._slots.values())

    def next(self, timeout: float) -> Frame | None:
        """The next frame, the sources in turn; None after `timeout` seconds, at the end, or when woken."""
        with self._arrival:
            frame = self._take()
            if frame is None and timeout > 0:
                self._arrival.wait_for(self._has_news, timeout)
                frame = self._take()
            self._woken = False
            return frame

    def wake(self) -> None:
        """Make a waiting `next`, or else the following one, look again at once. Safe in a signal handler."""
        with self._arrival:
            self._woken = True
            self._arrival.notify_all()

    def _has_news(self) -> bool:
        return self._woken or self.ended or any(slot.waiting for slot in self._slots.values())

    def _take(self) -> Frame | None:
        for place, name in enumerate(self._order):
            frame = self._slots[name].take()
            if frame is not None:
                self._order.append(self._order.pop(place))
                return frame
        return None
