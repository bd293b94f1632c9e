"""Everybody who watches a stream over HTTP, on one thread: one encoded picture, sent to each as fast as it takes it.

A viewer costs a socket and a place in a table, no thread. Whoever is slow is given the newest picture when it has
taken the one before, so it sees fewer; nobody waits for it.
"""

import contextlib
import logging
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterable

from streams.sinks.album import Album, Side, Still

log = logging.getLogger(__name__)

BOUNDARY = "lensracer-frame"
PICTURE_PATIENCE_S = 30.0  # for one picture; a slow viewer sees fewer, a stuck one is let go
LOOK_ROUND_S = 1.0  # how often it is looked whether somebody is stuck
SEND_BUFFER = 64 * 1024  # what is in it is old when it arrives
MOST_HEARD = 64 * 1024  # bytes that a viewer may say while it watches, all of which are for nobody

_BLOCKED = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_LOOK, _SEND = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE


class Seat:
    """One viewer: where it is with its pictures."""

    def __init__(self, connection: socket.socket, album: Album, side: Side, seen: int) -> None:
        self.connection, self.album, self.side, self.seen = connection, album, side, seen
        self.rest: memoryview | None = None
        self.until = 0.0
        self.mode = _LOOK
        self.heard = 0


class Audience:
    """The viewers of some albums. `admit` belongs to any thread. most: so many at once."""

    def __init__(self, albums: Iterable[Album], most: int) -> None:
        self.most = most
        self._albums = list(albums)
        self._lock = threading.RLock()
        self._coming: list[Seat] = []
        self._taken = 0
        self._seats: set[Seat] = set()
        self._idle: set[Seat] = set()
        self._parts: dict[tuple[str, Side], tuple[int, bytes]] = {}
        self._ended = False
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = _pipe()
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="viewers", daemon=True)

    def start(self) -> None:
        for album in self._albums:
            album.heard = self._ring
        self._thread.start()

    @property
    def size(self) -> int:
        """How many watch."""
        return self._taken

    def reserve(self) -> bool:
        """Takes a seat for somebody who will be admitted or `release` it; False if there is none."""
        with self._lock:
            if self._taken >= self.most or self._ended:
                return False
            self._taken += 1
            return True

    def release(self) -> None:
        """A seat is free again."""
        with self._lock:
            self._taken -= 1

    def admit(self, connection: socket.socket, album: Album, side: Side) -> None:
        """Shows the stream to a connection with a seat, which is ours from now on, head already sent."""
        connection.settimeout(0.0)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        seat = Seat(connection, album, side, album.come(side))
        with self._lock:
            if not self._ended:
                self._coming.append(seat)
                self._ring()
                return
        self._close(seat)

    def stop(self, timeout: float) -> None:
        """Closes every connection."""
        with self._lock:
            self._ended = True
            self._ring()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        else:
            self._let_all_go()

    def _ring(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):  # full: it will be heard
            if self._bell >= 0:
                os.write(self._bell, b"!")

    def _run(self) -> None:
        looked = time.monotonic()
        try:
            while not self._ended:
                for key, events in self._selector.select(LOOK_ROUND_S):
                    if key.data is None:
                        self._hear()
                    else:
                        self._attend(key.data, events)
                if time.monotonic() - looked >= LOOK_ROUND_S:
                    looked = time.monotonic()
                    self._let_stuck_go(looked)
        finally:
            self._let_all_go()

    def _hear(self) -> None:
        """Somebody came, or there is a picture: whoever waits gets it."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._ear, 4096)
        with self._lock:
            coming, self._coming = self._coming, []
        for seat in coming:
            self._seats.add(seat)
            self._selector.register(seat.connection, _LOOK, seat)
            self._idle.add(seat)
            seat.album.want(seat.side)
        for seat in list(self._idle):
            self._begin(seat)

    def _attend(self, seat: Seat, events: int) -> None:
        if events & selectors.EVENT_READ and self._vanished(seat):
            self._leave(seat)
        elif events & selectors.EVENT_WRITE and seat.rest is not None:
            self._push(seat)

    def _begin(self, seat: Seat) -> None:
        """The newest picture, for a viewer that has taken the one before; never the same one twice."""
        seat.seen, picture = seat.album.since(seat.seen, seat.side)
        if picture is None:
            return
        self._idle.discard(seat)
        seat.rest = memoryview(self._part(seat, picture))
        seat.until = time.monotonic() + PICTURE_PATIENCE_S
        self._push(seat)

    def _push(self, seat: Seat) -> None:
        """As much as fits now; the rest when the connection can take more."""
        assert seat.rest is not None
        try:
            seat.rest = seat.rest[seat.connection.send(seat.rest) :]
        except _BLOCKED:
            pass
        except (OSError, ValueError):
            self._leave(seat)
            return
        if seat.rest:
            self._watch_for(seat, _SEND)
            return
        seat.rest = None
        self._watch_for(seat, _LOOK)
        self._idle.add(seat)
        seat.album.want(seat.side)

    def _watch_for(self, seat: Seat, mode: int) -> None:
        if seat.mode != mode:
            seat.mode = mode
            self._selector.modify(seat.connection, mode, seat)

    def _part(self, seat: Seat, picture: Still) -> bytes:
        """The picture with its head, made once for all."""
        name = (seat.album.source, seat.side)
        made, part = self._parts.get(name, (-1, b""))
        if made != seat.seen:
            part = multipart(picture)
            self._parts[name] = (seat.seen, part)
        return part

    def _vanished(self, seat: Seat) -> bool:
        """Whether it closed its side, or talks without end. What a viewer says while it watches is not listened to."""
        try:
            said = len(seat.connection.recv(4096))
        except _BLOCKED:
            return False
        except (OSError, ValueError):
            return True
        seat.heard += said
        return not said or seat.heard > MOST_HEARD

    def _let_stuck_go(self, now: float) -> None:
        for seat in [seat for seat in self._seats if seat.rest is not None and seat.until < now]:
            self._leave(seat)

    def _leave(self, seat: Seat) -> None:
        if seat not in self._seats:  # it left a moment ago, and its event was under way
            return
        self._seats.remove(seat)
        self._idle.discard(seat)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(seat.connection)
        self._close(seat)

    def _close(self, seat: Seat) -> None:
        seat.album.go()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(seat.connection, socket.SHUT_RDWR)
        seat.connection.close()
        self.release()

    def _let_all_go(self) -> None:
        with self._lock:
            coming, self._coming = self._coming, []
        self._seats.update(coming)
        for seat in list(self._seats):
            self._leave(seat)
        self._selector.close()
        for album in self._albums:
            album.heard = lambda: None
        with self._lock:
            os.close(self._ear)
            os.close(self._bell)
            self._bell = -1


def multipart(picture: Still) -> bytes:
    """A picture as a part of the stream, which names its frame."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\nX-Frame-Id: {picture.id}"
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + picture.jpeg + b"\r\n"


def _pipe() -> tuple[int, int]:
    """Two ends that never block."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
