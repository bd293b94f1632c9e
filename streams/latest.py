"""The one place where a frame waits for its reader: the newest of a live source, each one of any other."""

import threading
from collections import deque

from streams.frame import Frame


class Latest:
    """A hand-over with room for one frame, between one writer and one reader on different threads.

    lossless: False: a newer frame replaces an unread one, which is counted in `dropped`. True: `put` waits
    for room. lock, arrival: given by an Inbox, whose reader waits for several of these at once.
    """

    def __init__(
        self,
        lossless: bool = False,
        *,
        lock: "threading.RLock | None" = None,
        arrival: threading.Condition | None = None,
    ) -> None:
        self.lossless = lossless
        lock = lock or threading.RLock()
        self._arrival = arrival or threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._waiting: deque[Frame] = deque(maxlen=1)
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many frames were replaced before anybody read them."""
        return self._dropped

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def waiting(self) -> bool:
        """Whether a frame waits to be taken."""
        return bool(self._waiting)

    @property
    def ended(self) -> bool:
        """Closed, and the last frame taken."""
        with self._arrival:
            return self._closed and not self._waiting

    def put(self, frame: Frame) -> bool:
        """Hand a frame over; False where the place is closed, or is closed while this waits for room."""
        with self._arrival:
            if self.lossless:
                self._room.wait_for(lambda: self._closed or not self._waiting)
            if self._closed:
                return False
            self._dropped += len(self._waiting)
            self._waiting.append(frame)
            self._arrival.notify_all()
            return True

    def take(self, timeout: float | None = 0.0) -> Frame | None:
        """The waiting frame; None if none comes in `timeout` seconds (None: for ever) or at the end."""
        with self._arrival:
            if timeout != 0.0:
                self._arrival.wait_for(lambda: self._closed or self._waiting, timeout)
            if not self._waiting:
                return None
            self._room.notify()
            return self._waiting.popleft()

    def close(self) -> None:
        """No frame is put any more; one that waits can still be taken. May be called twice, by any thread."""
        with self._arrival:
            self._closed = True
            self._arrival.notify_all()
            self._room.notify_all()
