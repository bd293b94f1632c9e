"""Where frames wait for their reader: the newest of a live source, each one of any other."""

import threading
from collections import deque

from streams.frame import Frame

MOST_WAITING = 16 * 1024 * 1024  # bytes of pictures: of large ones fewer wait than there is room for


class Latest:
    """A hand-over between one writer and one reader on different threads.

    lossless: False: there is room for one frame; a newer one replaces one that is unread, which is counted in
    `dropped`. True: `put` waits for room. room: how many frames may wait then; a writer that waits goes on when half
    of them were taken, so that the two threads do not wake one another for each frame. lock, arrival: given by an
    Inbox, whose reader waits for several of these at once.
    """

    def __init__(
        self,
        lossless: bool = False,
        *,
        room: int = 1,
        lock: "threading.RLock | None" = None,
        arrival: threading.Condition | None = None,
    ) -> None:
        self.lossless = lossless
        lock = lock or threading.RLock()
        self._arrival = arrival or threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._room_for = room
        self._waiting: deque[Frame] = deque()
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
            if self.lossless and len(self._waiting) >= (most := self._most(frame)):
                self._room.wait_for(lambda: self._closed or len(self._waiting) <= most // 2)
            if self._closed:
                return False
            if not self.lossless:
                self._dropped += len(self._waiting)
                self._waiting.clear()
            self._waiting.append(frame)
            if len(self._waiting) == 1:
                self._arrival.notify_all()
            return True

    def _most(self, frame: Frame) -> int:
        """How many frames of this size may wait."""
        return max(1, min(self._room_for, MOST_WAITING // (frame.pixels.nbytes or 1)))

    def take(self, timeout: float | None = 0.0) -> Frame | None:
        """The waiting frame; None if none comes in `timeout` seconds (None: for ever) or at the end."""
        with self._arrival:
            if timeout != 0.0:
                self._arrival.wait_for(lambda: self._closed or self._waiting, timeout)
            if not self._waiting:
                return None
            frame = self._waiting.popleft()
            if len(self._waiting) <= self._room_for // 2:
                self._room.notify()
            return frame

    def close(self) -> None:
        """No frame is put any more; one that waits can still be taken. May be called twice, by any thread."""
        with self._arrival:
            self._closed = True
            self._arrival.notify_all()
            self._room.notify_all()
