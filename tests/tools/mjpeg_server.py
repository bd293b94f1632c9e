"""A small MJPEG camera on the network, for tests: it may ask for a password, break off, hang, and come back."""

import base64
import http.server
import threading
import time
from collections.abc import Sequence
from types import TracebackType


class MjpegServer:
    """Serves `pictures` round and round on a loopback port until closed; use it in a `with`.

    each: how many pictures a connection gets before it breaks off, None: without end. hang: then it says nothing more
    but stays open. password: user:password that it asks for, by HTTP's basic scheme.
    """

    def __init__(
        self,
        pictures: Sequence[bytes],
        *,
        port: int = 0,
        each: int | None = None,
        hang: bool = False,
        password: str | None = None,
        rate: float = 100.0,
    ) -> None:
        self.pictures = pictures
        self.each = each
        self.hang = hang
        self.password = password
        self.rate = rate
        self.connections = 0
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def url(self, login: str = "") -> str:
        return f"http://{login}{'@' if login else ''}127.0.0.1:{self.port}/video"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> "MjpegServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


def _handler(camera: MjpegServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            if not self._may():
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            camera.connections += 1
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self._stream()

        def _may(self) -> bool:
            if camera.password is None:
                return True
            wanted = "Basic " + base64.b64encode(camera.password.encode()).decode()
            return self.headers.get("Authorization") == wanted

        def _stream(self) -> None:
            sent = 0
            while not camera.closing.is_set() and (camera.each is None or sent < camera.each):
                picture = camera.pictures[sent % len(camera.pictures)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                sent += 1
                time.sleep(1 / camera.rate)
            if camera.hang:
                camera.closing.wait()

    return Handler
