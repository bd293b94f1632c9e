"""What a connection may ask the picture server, and what it is told; its thread ends with it."""

import http.client
import http.server
import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from streams.sinks import login, page
from streams.sinks.album import Album, Side
from streams.sinks.audience import BOUNDARY
from streams.sinks.gate import Refusal
from streams.sinks.head import REQUEST_PATIENCE_S, Head

if TYPE_CHECKING:
    from streams.sinks.server import PictureServer

log = logging.getLogger(__name__)


class PictureHandler(http.server.BaseHTTPRequestHandler):
    """One connection of one viewer."""

    server: "PictureServer"
    protocol_version = "HTTP/1.1"
    server_version = "lensracer"
    sys_version = ""
    timeout = REQUEST_PATIENCE_S

    def setup(self) -> None:
        super().setup()
        self._said = Head(cast(BinaryIO, self.rfile))
        self.rfile = cast(Any, self._said)

    def handle_one_request(self) -> None:
        """Reads a request and answers it."""
        self.server.await_request(self.connection)
        self._said.begin()
        try:
            super().handle_one_request()
        except http.client.LineTooLong:  # its very first line
            self.requestline = self.request_version = self.command = ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)

    def parse_request(self) -> bool:
        """Reads the rest of a request's head. A body, which nobody wants, must not pass for the next request."""
        understood = super().parse_request()
        if understood and self._is_ambiguous():
            self.send_error(
                HTTPStatus.BAD_REQUEST, "a Host or a length that is told twice can be read in two ways"
            )
            return False
        if understood and ("Content-Length" in self.headers or "Transfer-Encoding" in self.headers):
            self.close_connection = True
        if not (understood and self.command == "POST"):
            self.server.has_asked(self.connection)
        return understood

    def _is_ambiguous(self) -> bool:
        """Whether somebody between us and the viewer could read another host, or another end, out of the head."""
        once = all(len(self.headers.get_all(name, [])) < 2 for name in ("Host", "Content-Length"))
        return not once or ("Transfer-Encoding" in self.headers and "Content-Length" in self.headers)

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
