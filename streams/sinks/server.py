"""The HTTP server behind the pictures: a thread for each viewer, so many and no more."""

import contextlib
import http.server
import json
import logging
import select
import socket
import socketserver
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from streams.sinks.album import Album, Pair
from streams.sinks.gate import Gate

log = logging.getLogger(__name__)

BOUNDARY = "lensracer-frame"
REQUEST_PATIENCE_S = 10.0  # for a whole request, however slowly it drips
PICTURE_PATIENCE_S = 30.0  # for one picture; a slow viewer sees fewer, a stuck one is let go
LOOK_ROUND_S = 1.0  # how often a stream without pictures looks whether its viewer is still there
SEND_BUFFER = 128 * 1024  # what is in it is old when it arrives


class PictureServer(http.server.ThreadingHTTPServer):
    """Knows its open connections, and closes every one of them at the end.

    Raises OSError when it cannot bind.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], gate: Gate, albums: Mapping[str, Album], viewers: int
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.gate, self.albums = gate, albums
        self.seats = threading.BoundedSemaphore(viewers)
        self._most_connections = 2 * viewers + 16
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread | None] = {}
        self._asking: dict[socket.socket, float] = {}  # monotonic seconds at which it should have asked
        super().__init__(address, PictureHandler)

    def server_bind(self) -> None:
        """Binds, without asking a name server for our own name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            crowded = len(self._open) >= self._most_connections
            if not crowded:
                self._open[request] = None
        if crowded:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)
                self._asking.pop(request, None)

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
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A viewer that vanishes is no error of ours."""
        log.debug("A connection ended", exc_info=True)

    def clear(self, deadline: float) -> None:
        """Closes the port and every connection, and waits for their threads until `deadline` (monotonic)."""
        self.server_close()
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in still_open.values():
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))


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
        self.server.has_asked(self.connection)
        if understood and ("Content-Length" in self.headers or "Transfer-Encoding" in self.headers):
            self.close_connection = True
        return understood

    def do_GET(self) -> None:
        refused = self.server.gate.refusal(self.headers)
        path = self.path.partition("?")[0]
        if refused is not None and not (path == "/healthz" and refused.status is HTTPStatus.UNAUTHORIZED):
            self._say(refused.status, refused.reason)
        elif path == "/healthz":
            self._send(HTTPStatus.OK, "application/json", b'{"status": "ok"}')
        else:
            self._route(path.strip("/").split("/"))

    def do_HEAD(self) -> None:
        self.do_GET()

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

    def _route(self, path: list[str]) -> None:
        album = self.server.albums.get(path[0])
        match path[1:]:
            case ["latest.json"] if album:
                self._latest(album)
            case [("device.mjpeg" | "project.mjpeg") as name] if album:
                self._stream(album, name.removesuffix(".mjpeg"))
            case [("device" | "project") as which, name] if album:
                self._picture(album, which, name)
            case _:
                self._say(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _latest(self, album: Album) -> None:
        album.begin()
        newest = album.newest()
        body = json.dumps({"id": newest.id if newest else None}).encode()
        self._send(HTTPStatus.OK, "application/json", body)

    def _picture(self, album: Album, which: str, name: str) -> None:
        album.ask()
        number = name.removesuffix(".jpg")
        known = number.isascii() and number.isdigit() and len(number) < 20 and name.endswith(".jpg")
        pair = album.find(int(number)) if known else None
        if pair is None:
            self._say(HTTPStatus.NOT_FOUND, "this picture is not among the last ones")
        else:
            self._send(HTTPStatus.OK, "image/jpeg", _side(pair, which))

    def _stream(self, album: Album, which: str) -> None:
        if not self.server.seats.acquire(blocking=False):
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers are here already")
            return
        seen = album.come()
        try:
            self._head(HTTPStatus.OK, f"multipart/x-mixed-replace; boundary={BOUNDARY}", None)
            if self.command != "HEAD":
                self._show(album, which, seen)
        finally:
            album.go()
            self.server.seats.release()

    def _show(self, album: Album, which: str, seen: int) -> None:
        """The newest picture whenever the viewer has taken the one before; never the same one twice."""
        self.connection.settimeout(PICTURE_PATIENCE_S)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        while not album.ended:
            seen, pair = album.after(seen, LOOK_ROUND_S)
            if pair is not None:
                self.wfile.write(_part(pair, which))
            elif self._vanished():
                return

    def _vanished(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0.0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{sentence}\n".encode())

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self._head(status, content_type, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, content_type: str, length: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
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


def _side(pair: Pair, which: str) -> bytes:
    return pair.device if which == "device" else pair.project


def _part(pair: Pair, which: str) -> bytes:
    picture = _side(pair, which)
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\nX-Frame-Id: {pair.id}"
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + picture + b"\r\n"
