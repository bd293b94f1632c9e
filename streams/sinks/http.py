"""Pictures over HTTP, for whoever watches: both streams as MJPEG, and the last pairs one by one.

| path | what |
|---|---|
| `/` | a page with both streams of a source; `/<source>/` of another one |
| `/login` | takes the token of the form that `/` shows, and gives a cookie for it |
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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from streams.frame import Frame
from streams.sinks.album import RATE, Album, Darkroom, Paint, Still
from streams.sinks.answer import Answer, Routes
from streams.sinks.gallery import STILL_PATIENCE_S, Gallery
from streams.sinks.gate import Gate, SinkInvalid
from streams.sinks.server import PictureServer

__all__ = ["Answer", "HttpSink", "Routes", "SinkInvalid", "Still"]

MOST_VIEWERS = 256  # each costs a descriptor and what the kernel holds for it, some 128 KiB, but no thread


class HttpSink:
    """Serves the pictures of some sources: for next to nothing while nobody watches, and waiting for nobody.

    port: 0 takes a free one. token: asked of everybody, needed where other machines can reach `host`; so are TLS
    (cert, key: PEM files) or `insecure`. gallery: whose pictures to serve, started and stopped by its owner; else
    one of our own, of `sources`, with its `quality`, `rate` and `darkroom`. viewers: open streams at most, later
    ones are refused. routes: what else is served, by exact path; each is called on its request's thread, behind the
    same gate. clock: monotonic seconds. Raises SinkInvalid for a host that others can reach without a token, or
    without TLS, and for certificates that cannot be used.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        sources: Iterable[str] = (),
        *,
        cert: Path | None = None,
        key: Path | None = None,
        insecure: bool = False,
        gallery: Gallery | None = None,
        quality: int = 80,
        rate: float = RATE,
        darkroom: Callable[[], Darkroom] | None = None,
        viewers: int = MOST_VIEWERS,
        routes: Mapping[str, Callable[[], Answer]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._port, self._viewers = host, port, viewers
        self._gate = Gate(host, token, cert=cert, key=key, insecure=insecure, clock=clock)
        self._own = gallery is None
        self.gallery = gallery or Gallery(sources, quality=quality, rate=rate, darkroom=darkroom, clock=clock)
        self.routes: Routes = dict(routes or {})
        self._server: PictureServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def albums(self) -> Mapping[str, Album]:
        return self.gallery.albums

    @property
    def url(self) -> str:
        """Where the pictures are; the port is known after `start`."""
        scheme = "https" if self._gate.tls else "http"
        host = socket.gethostname() if self._host in ("0.0.0.0", "::") else self._host
        port = self._server.server_address[1] if self._server else self._port
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def start(self) -> None:
        """Opens the port. Raises SinkInvalid when that cannot be."""
        try:
            self._server = PictureServer(
                (self._host, self._port), self._gate, self.albums, self.routes, self._viewers
            )
        except OSError as error:
            where = f"http.host {self._host} and http.port {self._port}"
            more = "; http.port 0 takes any free one" if error.errno == errno.EADDRINUSE else ""
            raise SinkInvalid(f"{where} cannot be served: {error.strerror or error}{more}") from None
        if self._own:
            self.gallery.start()
        self._server.audience.start()
        serve = functools.partial(self._server.serve_forever, poll_interval=0.1)
        self._thread = threading.Thread(target=serve, name="http", daemon=True)
        self._thread.start()

    def watched(self, source: str) -> bool:
        """See Gallery.watched."""
        return self.gallery.watched(source)

    def offer(self, frame: Frame, paint: Paint) -> None:
        """See Gallery.offer."""
        self.gallery.offer(frame, paint)

    def still(self, source: str, *, painted: bool = False, timeout: float = STILL_PATIENCE_S) -> Still | None:
        """See Gallery.still."""
        return self.gallery.still(source, painted=painted, timeout=timeout)

    def stop(self, timeout: float = 1.0) -> None:
        """Shows everybody out, and ends every thread, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        if self._own:
            self.gallery.stop(0.0)
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(max(0.0, deadline - time.monotonic()))
            self._server.clear(deadline)
            self._server = None
        if self._own:
            self.gallery.stop(max(0.05, deadline - time.monotonic()))
