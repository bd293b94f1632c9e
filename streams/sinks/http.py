"""Pictures over HTTP, for whoever watches: both streams as MJPEG, and the last pairs one by one.

| path | what |
|---|---|
| `/healthz` | `{"status": "ok"}`, for whoever may reach the port, without a token |
| `/<source>/device.mjpeg`, `/<source>/project.mjpeg` | the streams; each part names its frame in X-Frame-Id |
| `/<source>/latest.json` | `{"id": 4711}`, the newest pair's frame, or `null` before the first |
| `/<source>/device/<id>.jpg`, `/<source>/project/<id>.jpg` | the two pictures of one of the last 16 frames |
"""

import errno
import functools
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kernels.formats import Picture, PixelFormat
from streams import clock as wall
from streams.errors import BadFrame
from streams.frame import Frame
from streams.sinks.album import Album, Darkroom, Paint
from streams.sinks.gate import Gate, SinkInvalid
from streams.sinks.server import PictureServer

if TYPE_CHECKING:
    from streams.encode import Encoder

MOST_VIEWERS = 64


class HttpSink:
    """Serves the pictures of some sources: for next to nothing while nobody watches, and waiting for nobody.

    port: 0 takes a free one. token: asked of everybody, needed where other machines can reach `host`.
    quality: of the JPEGs, 1..100; darkroom: makes them, one for each source. viewers: open streams at most,
    later ones are refused. clock: monotonic seconds. Raises SinkInvalid for a host that others can reach
    without a token.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        sources: Iterable[str] = (),
        *,
        quality: int = 80,
        darkroom: Callable[[], Darkroom] | None = None,
        viewers: int = MOST_VIEWERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._port, self._viewers = host, port, viewers
        self._gate = Gate(host, token)
        develop = darkroom or (lambda: _Darkroom(quality, clock))
        self.albums = {name: Album(name, develop(), clock) for name in sources}
        self._server: PictureServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the pictures are; the port is known after `start`."""
        host = socket.gethostname() if self._host in ("0.0.0.0", "::") else self._host
        port = self._server.server_address[1] if self._server else self._port
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Opens the port. Raises SinkInvalid when that cannot be."""
        try:
            self._server = PictureServer((self._host, self._port), self._gate, self.albums, self._viewers)
        except OSError as error:
            where = f"http.host {self._host} and http.port {self._port}"
            more = "; http.port 0 takes any free one" if error.errno == errno.EADDRINUSE else ""
            raise SinkInvalid(f"{where} cannot be served: {error.strerror or error}{more}") from None
        for album in self.albums.values():
            album.start()
        serve = functools.partial(self._server.serve_forever, poll_interval=0.1)
        self._thread = threading.Thread(target=serve, name="http", daemon=True)
        self._thread.start()

    def watched(self, source: str) -> bool:
        """Whether anybody looks at this source now, so that it is worth painting."""
        album = self.albums.get(source)
        return album is not None and album.watched

    def offer(self, frame: Frame, paint: Paint) -> None:
        """Takes a frame, if somebody watches its source. Never blocks: `paint` runs later, on another thread.

        paint: gives the frame's pixels with its results painted in, BGR (height, width, 3). It must not read
        what the loop changes meanwhile.
        """
        album = self.albums.get(frame.source)
        if album is not None:
            album.offer(frame, paint)

    def stop(self, timeout: float = 1.0) -> None:
        """Shows everybody out, and ends every thread, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        for album in self.albums.values():
            album.stop(0.0)
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(max(0.0, deadline - time.monotonic()))
            self._server.clear(deadline)
            self._server = None
        for album in self.albums.values():
            album.stop(max(0.05, deadline - time.monotonic()))


class _Darkroom:
    """JPEGs by streams.encode, which is loaded for the first viewer, not by the import: it needs cv2."""

    def __init__(self, quality: int, clock: Callable[[], float]) -> None:
        self._quality, self._clock = quality, clock
        self._encoder: Encoder | None = None

    def device(self, frame: Frame) -> bytes:
        """The camera's own JPEG where there is one, with the frame's id and time in a comment segment."""
        from streams.encode import Encoder

        self._encoder = self._encoder or Encoder(self._quality)
        ts_ms = wall.wall_ms() - round((self._clock() - frame.captured_at) * 1000.0)
        made = self._encoder.fit(frame, None, frame.id, ts_ms)
        if made is None:
            raise BadFrame(f"a picture of {frame.source} is too small to be shown")
        return made

    def project(self, painted: Picture) -> bytes:
        from streams.encode import jpeg

        return jpeg(painted, PixelFormat.BGR, self._quality)
