"""A sink with pictures that say which they are, and viewers that read them part by part."""

import contextlib
import http.client
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from witness import wait_until

from streams.frame import Frame
from streams.sinks import audience
from streams.sinks.http import HttpSink

TINY = np.zeros((4, 4, 3), np.uint8)


class NumberedPlates:
    """A darkroom whose pictures say which they are."""

    def device(self, frame: Frame) -> bytes:
        return b"device %d" % frame.id

    def project(self, painted: NDArray[np.uint8]) -> bytes:
        return b"project %d" % int(painted[0, 0, 0])


class Studio:
    """A sink with sources main and door, and somebody who asks."""

    def __init__(self, **settings: Any) -> None:
        settings = {"darkroom": NumberedPlates, "sources": ["main", "door"], "rate": 1000.0} | settings
        self.sink = HttpSink("127.0.0.1", 0, **settings)
        self.sink.start()
        self.port = int(self.sink.url.rpartition(":")[2])
        self.painted = 0

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5.0)
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, headers=names)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    def answers(self) -> bool:
        """Whether somebody who asks is told that it is well, and not shut out."""
        try:
            return self.ask("/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        told = {"Content-Type": "application/x-www-form-urlencoded"} | headers
        return self.ask(path, "POST", body, **told)

    def offer(self, number: int, source: str = "main") -> None:
        def paint() -> NDArray[np.uint8]:
            self.painted += 1
            return np.full((4, 4, 3), number, np.uint8)

        self.sink.offer(Frame(number, source, time.monotonic(), TINY), paint)

    def show(self, *numbers: int, source: str = "main", ready: int | None = None) -> None:
        """Offers frames one by one, each when `ready` viewers (None: all) can take it, and waits until it is made."""
        album = self.sink.albums[source]
        for number in numbers:
            wait_until(lambda: self.is_ready(ready))
            self.offer(number, source)
            wait_until(lambda number=number: album.find(number) is not None)

    def is_ready(self, viewers: int | None) -> bool:
        audience = self.sink._server.audience
        return len(audience._idle) == (audience.size if viewers is None else viewers)


class Viewer:
    """An open MJPEG stream, read part by part."""

    def __init__(self, port: int, path: str, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 5.0)
        asked = {"Host": "localhost"} | headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = self._headers()

    def next(self) -> tuple[int, bytes]:
        assert self._file.readline().strip() == f"--{audience.BOUNDARY}".encode()
        headers = self._headers()
        body = self._file.read(int(headers["content-length"]))
        assert self._file.readline() == b"\r\n"
        return int(headers["x-frame-id"]), body

    def has_more(self) -> bool:
        """Whether something came that was not read yet."""
        return bool(select.select([self.socket], [], [], 0.0)[0])

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def _headers(self) -> dict[str, str]:
        headers = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        return headers


@contextlib.contextmanager
def viewer(studio: Studio, path: str = "/main/device.mjpeg") -> Iterator[Viewer]:
    present = Viewer(studio.port, path)
    try:
        yield present
    finally:
        present.close()


def handlers(studio: Studio) -> list[threading.Thread]:
    """The threads of this sink's requests; other servers of the process, such as stand-ins of tests, have theirs."""
    return [thread for thread in threading.enumerate() if _server_of(thread) is studio.sink._server]


def _server_of(thread: threading.Thread) -> object:
    return getattr(getattr(thread, "_target", None), "__self__", None)
