"""Beyond the pictures: the form for the token, the page, routes of others, stills, TLS, and endings."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import make_certificates
from studio import NumberedPlates, Studio, handlers, viewer
from witness import wait_until

from streams.frame import Frame
from streams.sinks import server
from streams.sinks.answer import Answer


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.sink.stop()


@pytest.fixture
def locked() -> Iterator[Studio]:
    made = Studio(token="s3cret ü")
    yield made
    made.sink.stop()


def test_a_browser_without_the_token_gets_a_form_and_others_a_sentence(locked: Studio) -> None:
    status, headers, body = locked.ask("/", Accept="text/html,*/*")
    assert (status, headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert b'<form method="post" action="/login">' in body
    assert b'role="alert"' not in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert locked.ask("/")[1]["Content-Type"].startswith("text/plain")
    status, _, body = locked.post("/login", b"token=wrong", Accept="text/html")
    assert status == 401
    assert b"This is another token." in body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"token=" + b"x" * 5000, {}),
        (b"token=s3cret", {"Content-Type": "multipart/form-data"}),
        (b"token=s3cret", {"Origin": "https://evil.example"}),
        (b"token=s3cret", {"Sec-Fetch-Site": "cross-site"}),
        (b"token=s3cret", {"Host": "evil.example"}),
        (b"", {}),
    ],
)
def test_a_form_that_is_not_ours_lets_nobody_in(body: bytes, told: dict[str, str]) -> None:
    studio = Studio(token="s3cret")
    status, headers, _ = studio.post("/login", body, **told)
    assert status in (401, 403)
    assert "Set-Cookie" not in headers
    assert studio.post("/login", b"token=s3cret")[0] == 303
    studio.sink.stop()


def test_a_form_that_never_ends_is_ended(locked: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_PATIENCE_S", 0.3)
    head = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\ntoken="
    with socket.create_connection(("127.0.0.1", locked.port), 5.0) as dripping:
        dripping.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            while dripping.recv(4096):
                pass
    wait_until(lambda: not handlers(locked))


def test_the_page_shows_both_streams_of_each_source(studio: Studio) -> None:
    status, headers, body = studio.ask("/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for name in ("main", "door"):
        for stream in ("device", "project"):
            assert f'<img src="/{name}/{stream}.mjpeg"'.encode() in body
    assert b"script" not in body
    assert b"/door/" not in studio.ask("/main/")[2]


def test_of_many_sources_the_page_shows_one_and_leads_to_the_others() -> None:
    studio = Studio(sources=["a", "b", "c"])
    assert studio.ask("/")[2].count(b"<img") == 2
    assert b'<a href="/c/">' in studio.ask("/")[2]
    assert b'<img src="/c/device.mjpeg"' in studio.ask("/c/")[2]
    studio.sink.stop()


def test_routes_are_served_behind_the_same_gate() -> None:
    def broken() -> Answer:
        raise RuntimeError("no figures")

    routes = {"/readyz": lambda: Answer(503, "application/json", b"{}"), "/metrics": broken}
    studio = Studio(token="word", routes=routes)
    assert studio.ask("/readyz")[0] == 401
    status, headers, body = studio.ask("/readyz", Authorization="Bearer word")
    assert (status, headers["Content-Type"], body) == (503, "application/json", b"{}")
    assert studio.ask("/metrics", Authorization="Bearer word")[0] == 500
    assert studio.ask("/readyz/", Authorization="Bearer word")[0] == 404
    studio.sink.stop()


def test_a_still_is_of_a_frame_that_comes_after_it_was_asked_for(studio: Studio) -> None:
    assert studio.sink.still("main", timeout=0.05) is None
    stills = []
    for painted in (False, True):
        asking = threading.Thread(
            target=lambda painted=painted: stills.append(studio.sink.still("main", painted=painted))
        )
        asking.start()
        wait_until(lambda: studio.sink.albums["main"]._wanted)
        studio.offer(7 + painted)
        asking.join(5.0)
    assert stills == [(7, b"device 7"), (8, b"project 8")]
    assert not studio.sink.watched("main")
    with pytest.raises(KeyError):
        studio.sink.still("nowhere")


def test_pictures_over_tls_reach_whoever_trusts_the_certificate(tmp_path: Path) -> None:
    pems = make_certificates(tmp_path)
    studio = Studio(cert=pems.server_cert, key=pems.server_key)
    assert studio.sink.url == f"https://127.0.0.1:{studio.port}"
    trusting = ssl.create_default_context(cafile=str(pems.ca))
    with socket.create_connection(("127.0.0.1", studio.port), 5.0) as plain:  # speaks no TLS
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while piece := plain.recv(4096):
                assert b"HTTP" not in piece
    with (
        socket.create_connection(("127.0.0.1", studio.port), 5.0) as bare,
        trusting.wrap_socket(bare, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET /main/device.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        studio.show(3, ready=1)
        got = b""
        while b"device 3" not in got:
            got += secured.recv(4096)
        assert b"X-Frame-Id: 3" in got
    wait_until(lambda: not studio.sink._server.audience.size)
    studio.sink.stop()


def test_a_large_picture_over_tls_arrives_whole_at_a_slow_viewer(tmp_path: Path) -> None:
    class BigPlates(NumberedPlates):
        def device(self, frame: Frame) -> bytes:
            return b"<" + bytes(900_000) + b">"

    pems = make_certificates(tmp_path)
    studio = Studio(cert=pems.server_cert, key=pems.server_key, darkroom=BigPlates)
    trusting = ssl.create_default_context(cafile=str(pems.ca))
    with (
        socket.create_connection(("127.0.0.1", studio.port), 5.0) as bare,
        trusting.wrap_socket(bare, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET /main/device.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        studio.show(3, ready=1)
        time.sleep(0.1)
        got = b""
        while not got.endswith(b">\r\n"):
            got += secured.recv(65_536)
        assert got.count(bytes(900_000)) == 1
    studio.sink.stop()


def test_stopping_while_viewers_come_and_go_leaves_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        studio = Studio()
        with contextlib.ExitStack() as stack:
            viewers = [stack.enter_context(viewer(studio)) for _ in range(20)]
            for leaving in viewers[::2]:
                leaving.close()
            studio.offer(1)
            studio.sink.stop()
    wait_until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)
