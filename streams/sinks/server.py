"""The HTTP server behind the pictures: a thread for each question, which is short; streams go to the audience."""

import contextlib
import http.server
import json
import logging
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from streams.sinks import login, page
from streams.sinks.album import Album, Side
from streams.sinks.answer import Routes
from streams.sinks.audience import BOUNDARY, Audience
from streams.sinks.gate import Gate, Refusal

log = logging.getLogger(__name__)

REQUEST_PATIENCE_S = 10.0  # for a whole request, however slowly it drips
MOST_REQUESTS = 128  # connections at once that are no viewers of a stream


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
        connection, address = super().get_request()
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
        with self._lock:
            crowded = len(self._open) >= MOST_REQUESTS
            if not crowded:
                self._open[request] = None
        if crowded:
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            with self._lock:
                self._open.pop(request, None)
            raise

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


class PictureHandler(http.server.BaseHTTPRequestHandler):
    """One connection of one viewer."""

    server: PictureServer
    protocol_version = "HTTP/1.1"
    server_version = "lensracer"
    sys_version = ""
    timeout = REQUEST_PATIENCE_S

    def handle_one_request(self) -> None:
        """Reads a request and answers it."""
        self.server.await_request(self.connection)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Reads the rest of a request's head. A body, which nobody wants, must not pass for the next request."""
        understood = super().parse_request()
        if understood and ("Content-Length" in self.headers or "Transfer-Encoding" in self.headers):
            self.close_connection = True
        if not (understood and self.command == "POST"):
            self.server.has_asked(self.connection)
        return understood

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        refused = self.server.gate.refusal(self.headers, self._peer)
        if path == "/healthz" and (refused is None or self.server.gate.stranger(self.headers) is None):
            self._send(HTTPStatus.OK, "application/json", b'{"status": "ok"}')
        elif refused is not None:
            self._refuse(refused)
        elif path in self.server.routes:
            self._told(path)
        else:
            self._route(path)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        """The form with the token, and nothing else."""
        if self.path != login.PATH:
            self.server.has_asked(self.connection)
            self._say(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        word = self._posted()
        self.server.has_asked(self.connection)
        entry = self.server.gate.entry(self.headers, word, self._peer)
        if isinstance(entry, Refusal):
            self._refuse(entry)
        else:
            self._send(HTTPStatus.SEE_OTHER, "text/plain", b"", ("Set-Cookie", entry), ("Location", "/"))

    def do_OPTIONS(self) -> None:
        """A browser asks first when a page of this machine sends its token along."""
        self.send_response(HTTPStatus.NO_CONTENT)
        grants = self.server.gate.grants(self.headers)
        if "Access-Control-Allow-Origin" in grants:
            grants |= {
                "Access-Control-Allow-Methods": "GET, HEAD",
                "Access-Control-Allow-Headers": "Authorization",
            }
        for name, value in grants.items():
            self.send_header(name, value)
        self.end_headers()

    @property
    def _peer(self) -> str:
        return str(self.client_address[0])

    def _posted(self) -> str | None:
        """The word in the form that was posted; None where there is none."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > login.LONGEST_BODY:
            return None
        return login.word_in(self.rfile.read(int(length)), self.headers.get("Content-Type", ""))

    def _route(self, path: str) -> None:
        if path == "/":
            self._page(None)
            return
        first, *rest = path.strip("/").split("/")
        album = self.server.albums.get(first)
        match rest:
            case [] if album and path.endswith("/"):
                self._page(first)
            case ["latest.json"] if album:
                self._latest(album)
            case ["device.mjpeg"] if album:
                self._stream(album, "device")
            case ["project.mjpeg"] if album:
                self._stream(album, "project")
            case [("device" | "project") as side, name] if album:
                self._picture(album, "device" if side == "device" else "project", name)
            case _:
                self._say(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _page(self, source: str | None) -> None:
        body = page.page(list(self.server.albums), source)
        self._send(HTTPStatus.OK, login.HTML, body, *login.SAFETY.items())

    def _told(self, path: str) -> None:
        """What a route says. One that breaks is told as such: the others go on."""
        try:
            answer = self.server.routes[path]()
        except Exception:
            log.exception("What %s tells could not be found out", path)
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, "this could not be found out; the log says why")
            return
        self._send(HTTPStatus(answer.status), answer.content_type, answer.body)

    def _latest(self, album: Album) -> None:
        album.begin()
        newest = album.newest()
        body = json.dumps({"id": newest.id if newest else None}).encode()
        self._send(HTTPStatus.OK, "application/json", body)

    def _picture(self, album: Album, side: Side, name: str) -> None:
        album.ask()
        number = name.removesuffix(".jpg")
        known = number.isascii() and number.isdigit() and len(number) < 20 and name.endswith(".jpg")
        pair = album.find(int(number)) if known else None
        picture = pair.side(side) if pair is not None else None
        if picture is None:
            self._say(HTTPStatus.NOT_FOUND, "this picture is not among the last ones")
        else:
            self._send(HTTPStatus.OK, "image/jpeg", picture)

    def _stream(self, album: Album, side: Side) -> None:
        """The head; the pictures come from the audience, which has the connection then."""
        audience = self.server.audience
        if not audience.reserve():
            self._say(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{audience.most} viewers watch already, and more are too many",
            )
            return
        try:
            self._head(HTTPStatus.OK, f"multipart/x-mixed-replace; boundary={BOUNDARY}", None)
            self.wfile.flush()
        except BaseException:
            audience.release()
            raise
        self.close_connection = True
        if self.command == "HEAD":
            audience.release()
        else:
            self.server.show_in(self.connection)
            audience.admit(self.connection, album, side)

    def _refuse(self, refused: Refusal) -> None:
        """In a sentence; for a person at a browser who lacks the token in a form."""
        body, kind, headers = login.answer(refused, self.headers, posted=self.command == "POST")
        self._send(refused.status, kind, body, *refused.headers, *headers)

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{sentence}\n".encode())

    def _send(self, status: HTTPStatus, content_type: str, body: bytes, *headers: tuple[str, str]) -> None:
        self._head(status, content_type, len(body), *headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(
        self, status: HTTPStatus, content_type: str, length: int | None, *headers: tuple[str, str]
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in headers:
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        for name, value in self.server.gate.grants(self.headers).items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses (an unknown method, a line too long), in our own plain words."""
        self.close_connection = True
        status = HTTPStatus(code)
        body = f"{message or status.phrase}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are no news."""
        log.debug(format, *args)
