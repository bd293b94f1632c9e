"""The head of a request: how long it may be, and how long it may take."""

import http.client
from typing import BinaryIO

REQUEST_PATIENCE_S = 10.0  # for a whole request, however slowly it drips
LONGEST_HEAD = 32 * 1024  # bytes of a request's line and headers together


class Head:
    """What a connection says, with a bound on what it may say before it has asked."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = LONGEST_HEAD

    def begin(self) -> None:
        """The next request."""
        self._left = LONGEST_HEAD

    def readline(self, limit: int = -1) -> bytes:
        """Raises http.client.LineTooLong when all lines together become too long."""
        room = self._left + 1
        line = self._stream.readline(room if limit < 0 else min(limit, room))
        self._left -= len(line)
        if self._left < 0:
            raise http.client.LineTooLong("the head of a request")
        return line

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()

    @property
    def closed(self) -> bool:
        return self._stream.closed
