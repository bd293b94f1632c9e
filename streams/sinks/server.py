"""The HTTP server behind the pictures: a thread for each question, which is short; streams go to the audience."""

import contextlib
import errno
import http.server
import logging
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any

from streams.sinks.album import Album
from streams.sinks.answer import Routes
from streams.sinks.audience import Audience
from streams.sinks.gate import Gate
from streams.sinks.handler import PictureHandler
from streams.sinks.head import REQUEST_PATIENCE_S

log = logging.getLogger(__name__)

MOST_REQUESTS = 128  # connections at once that are no viewers; beyond it whoever asks slowest is ended
BREATHER_S = 0.1  # before the next try where the system has no descriptor left


class PictureServer(http.server.ThreadingHTTPServer):
    """Knows its open connections, and closes every one of them at the end.

    Raises OSError when it cannot bind.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self,
        address: tuple[str, int],
        gate: Gate,
        albums: Mapping[str, Album],
        routes: Routes,
        viewers: int,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.gate, self.albums, self.routes = gate, albums, routes
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread | None] = {}
        self._asking: dict[socket.socket, float] = {}  # monotonic seconds at which it should have asked
        self._shown_in: set[socket.socket] = set()
        super().__init__(address, PictureHandler)
        self.audience = Audience(albums.values(), viewers)

    def server_bind(self) -> None:
        """Binds, without asking a name server for our own name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[Any, Any]:
        try:
            connection, address = super().get_request()
        except OSError as error:
            if error.errno in (
                errno.EMFILE,
                errno.ENFILE,
            ):  # it stays at the door, and would be tried without end
                time.sleep(BREATHER_S)
            raise
        if self.gate.tls is not None:
            try:  # the handshake waits for the other side, so it belongs to the connection's own thread
                connection = self.gate.tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except (OSError, ValueError) as error:
                connection.close()
                raise OSError(f"no TLS with a connection: {error}") from error
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._has_room():
            self.shutdown_request(request)
            return
        with self._lock:
            self._open[request] = None
        try:
            super().process_request(request, client_address)
        except BaseException:
            with self._lock:
                self._open.pop(request, None)
            raise

    def _has_room(self) -> bool:
        """Whether one more may ask. Where many are there, whoever has been asking longest makes room: a request takes
        milliseconds, so that is somebody who drips, or has nothing to ask."""
        with self._lock:
            if len(self._open) < MOST_REQUESTS:
                return True
            slowest = min(self._asking, key=self._asking.__getitem__, default=None)
            if slowest is None or len(self._open) >= 2 * MOST_REQUESTS:
                return False
            self._asking.pop(slowest)
        hang_up(slowest)
        return True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)
                self._asking.pop(request, None)

    def finish_request(self, request: Any, client_address: Any) -> None:
        if isinstance(request, ssl.SSLSocket):
            self.await_request(request)
            request.settimeout(REQUEST_PATIENCE_S)
            request.do_handshake()
        super().finish_request(request, client_address)

    def show_in(self, connection: socket.socket) -> None:
        """The audience has the connection now: it is not ours to close."""
        self._shown_in.add(connection)

    def shutdown_request(self, request: Any) -> None:
        if request in self._shown_in:
            self._shown_in.discard(request)
            return
        with contextlib.suppress(OSError):
            socket.socket.shutdown(request, socket.SHUT_WR)
        self.close_request(request)

    def await_request(self, connection: socket.socket) -> None:
        """From now on the connection has REQUEST_PATIENCE_S to ask for something."""
        with self._lock:
            self._asking[connection] = time.monotonic() + REQUEST_PATIENCE_S

    def has_asked(self, connection: socket.socket) -> None:
        """It has, and may take its time with the answer."""
        with self._lock:
            self._asking.pop(connection, None)

    def service_actions(self) -> None:
        """Ends those that took too long to ask. The standard library calls this ten times a second."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, until in self._asking.items() if until < now]
        for connection in late:
            hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A viewer that vanishes is no error of ours."""
        log.debug("A connection ended", exc_info=True)

    def clear(self, deadline: float) -> None:
        """Closes the port and every connection, and waits for their threads until `deadline` (monotonic)."""
        self.server_close()
        self.audience.stop(max(0.0, deadline - time.monotonic()))
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            hang_up(connection)
        for thread in still_open.values():
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))


def hang_up(connection: socket.socket) -> None:
    """Ends a connection that another thread waits for; of TLS, too, whose own `shutdown` would be a race."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
