"""A small web server of one file, for tests: it may cut off, forget ranges, redirect, hang, never end."""

import dataclasses
import http.server
import ssl
import threading
from types import TracebackType

FOREVER = 60.0  # seconds after which even an endless answer ends


@dataclasses.dataclass
class Behaviour:
    """What the server does. All may be changed between two requests.

    cut_after: bytes of each answer after which the connection ends, for so many answers as `cuts` says. etag: of the
    file, "" none. ranges: whether Range is heard. length: whether Content-Length is sent; wrong_length: the number to
    send in its place. endless: zeros follow the file for ever. pause: seconds between two blocks. hang: nothing is
    answered at all. status: to answer with, for so many answers as `failures` says. location: answers redirect there.
    """

    content: bytes = b""
    cut_after: int | None = None
    cuts: int = 1_000_000
    etag: str = '"one"'
    ranges: bool = True
    length: bool = True
    wrong_length: int | None = None
    chunked: bool = False
    endless: bool = False
    pause: float = 0.0
    block: int = 1 << 14
    hang: bool = False
    status: int = 200
    failures: int = 1_000_000
    location: str | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


class FileServer:
    """Serves on a loopback port until closed; use it in a `with`. requests: what was asked, (path, Range, If-Range)."""

    def __init__(self, content: bytes, *, tls: ssl.SSLContext | None = None, **behaviour: object) -> None:
        self.behaviour = Behaviour(content, **behaviour)  # type: ignore[arg-type]
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.sent = 0
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "http" if tls is None else "https"
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def url(self, path: str = "/model.onnx") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> "FileServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


def _handler(server: FileServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            wanted = server.behaviour
            server.requests.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
            if wanted.hang:
                server.closing.wait(FOREVER)
            elif wanted.location is not None and self.path != "/there":
                self._head(302, {"Location": wanted.location, "Content-Length": "0"})
            elif wanted.status != 200 and wanted.failures > 0:
                wanted.failures -= 1
                self._head(wanted.status, {"Content-Length": "0"})
            else:
                self._file(wanted)

        def _file(self, wanted: Behaviour) -> None:
            start = self._start(wanted)
            whole = len(wanted.content)
            if start > 0 and start >= whole:
                self._head(416, {"Content-Range": f"bytes */{whole}", "Content-Length": "0"})
                return
            headers = dict(wanted.headers)
            if start:
                headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
            if wanted.etag:
                headers["ETag"] = wanted.etag
            if wanted.chunked:
                headers["Transfer-Encoding"] = "chunked"
            elif wanted.length:
                headers["Content-Length"] = str(wanted.wrong_length or whole - start)
            self._head(206 if start else 200, headers)
            self._body(wanted, wanted.content[start:])

        def _start(self, wanted: Behaviour) -> int:
            asked, version = self.headers.get("Range"), self.headers.get("If-Range")
            if asked is None or not wanted.ranges or (version is not None and version != wanted.etag):
                return 0
            return int(asked.removeprefix("bytes=").partition("-")[0])

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()

        def _body(self, wanted: Behaviour, content: bytes) -> None:
            cut = wanted.cut_after is not None and wanted.cuts > 0
            if cut:
                wanted.cuts -= 1
                content = content[: wanted.cut_after]
            for place in range(0, len(content), wanted.block):
                self._send(wanted, content[place : place + wanted.block])
            while wanted.endless and not server.closing.is_set():
                self._send(wanted, bytes(wanted.block))
            if wanted.chunked and not cut:
                self.wfile.write(b"0\r\n\r\n")

        def _send(self, wanted: Behaviour, block: bytes) -> None:
            self.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n" if wanted.chunked else block)
            self.wfile.flush()
            server.sent += len(block)
            if wanted.pause:
                server.closing.wait(wanted.pause)

    return Handler
