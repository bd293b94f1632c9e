"""Whoever means harm to the pictures over HTTP: drips, crowds, heads of two meanings, guesses, paths that climb."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from studio import Studio, handlers, viewer
from witness import wait_until

from streams.sinks import audience, server
from streams.sinks.head import LONGEST_HEAD


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.sink.stop()


@pytest.fixture
def locked() -> Iterator[Studio]:
    made = Studio(token="s3cret")
    yield made
    made.sink.stop()


def answer_to(studio: Studio, said: bytes) -> bytes:
    """All that comes back for these very bytes, until the other side ends."""
    answered = b""
    with socket.create_connection(("127.0.0.1", studio.port), 5.0) as asking, contextlib.suppress(OSError):
        asking.sendall(said)
        while piece := asking.recv(65_536):
            answered += piece
    return answered


def statuses(answered: bytes) -> list[bytes]:
    return [line.split()[1] for line in answered.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


INNER = b"GET /main/latest.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 0\r\nContent-Length: %d" % len(INNER), b"400"),
        (b"Content-Length: %d\r\nTransfer-Encoding: chunked" % len(INNER), b"400"),
        (b"Transfer-Encoding: chunked", b"404"),
        (b"Transfer-Encoding: xchunked\r\nTransfer-Encoding: chunked", b"404"),
        (b"Content-Length: +%d" % len(INNER), b"404"),
        (b"Content-Length: -1", b"404"),
        (b"Host: evil.example", b"400"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_no_body_passes_for_a_request_of_its_own(
    studio: Studio, method: bytes, head: bytes, status: bytes
) -> None:
    said = method + b" /nowhere HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n0\r\n\r\n" + INNER
    assert statuses(answer_to(studio, said)) == [status]


@pytest.mark.parametrize(
    "head", [b"Content-Length: 12\r\nContent-Length: 4000", b"Transfer-Encoding: chunked"]
)
def test_a_form_of_two_meanings_lets_nobody_in(locked: Studio, head: bytes) -> None:
    form = b"Content-Type: application/x-www-form-urlencoded"
    said = b"POST /login HTTP/1.1\r\nHost: localhost\r\n" + form + b"\r\n" + head + b"\r\n\r\ntoken=s3cret"
    answered = answer_to(locked, said)
    assert statuses(answered)[0] in (b"400", b"401")
    assert b"Set-Cookie" not in answered


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 2 * LONGEST_HEAD + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 2 * LONGEST_HEAD + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(90)) + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n",
    ],
)
def test_a_head_without_end_is_refused(studio: Studio, head: bytes) -> None:
    answered = statuses(answer_to(studio, head))
    assert answered in ([b"414"], [b"431"], [])  # none where the rest of it met a closed door
    assert studio.ask("/healthz")[0] == 200
    wait_until(lambda: not handlers(studio))


def test_a_thousand_connections_that_say_nothing_lock_nobody_out(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_REQUESTS", 16)
    with contextlib.ExitStack() as stack:
        for number in range(1000):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", studio.port), 5.0))
            with contextlib.suppress(OSError):
                idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
            if number % 100 == 99:
                assert any(studio.answers() for _ in range(20))
            assert len(studio.sink._server._open) <= 32
    wait_until(lambda: not handlers(studio))
    assert studio.ask("/healthz")[0] == 200


def test_watching_goes_on_while_many_drip(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_REQUESTS", 8)
    with viewer(studio) as watching, contextlib.ExitStack() as stack:
        wait_until(lambda: not handlers(studio))
        for _ in range(50):
            stack.enter_context(socket.create_connection(("127.0.0.1", studio.port), 5.0))
        studio.show(1)
        assert watching.next()[0] == 1


def test_a_viewer_may_say_something_but_not_talk_without_end(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "MOST_HEARD", 10_000)
    with viewer(studio) as polite, viewer(studio) as rude:
        polite.socket.sendall(b"\x00\xffGET / HTTP/1.1\r\n\r\n" * 10)
        studio.show(1)
        assert polite.next()[0] == rude.next()[0] == 1
        with contextlib.suppress(OSError):
            for _ in range(100):
                rude.socket.sendall(bytes(10_000))
        wait_until(lambda: studio.sink._server.audience.size == 1)
        studio.show(2)
        assert polite.next()[0] == 2


def test_guesses_from_many_ports_are_guesses_of_one_machine(locked: Studio) -> None:
    told = [locked.ask("/main/latest.json", Authorization=f"Bearer {n}")[0] for n in range(60)]
    assert told[:20] == [401] * 20
    assert told.count(429) > 30
    assert locked.ask("/main/latest.json", Authorization="Bearer s3cret")[0] == 429
    assert locked.ask("/healthz")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../main/latest.json",
        "/main/../../etc/passwd",
        "/main/device/..%2f..%2fetc%2fpasswd.jpg",
        "/%2e%2e/main/latest.json",
        "/main%2flatest.json",
        "/main/device/../1.jpg",
        "/main//latest.json",
        "/main/latest.json/",
        "/main\\latest.json",
        "http://localhost/main/latest.json",
        "*",
        "/main/latest.json%00",
    ],
)
def test_no_path_climbs_or_hides(studio: Studio, path: str) -> None:
    studio.ask("/main/latest.json")
    studio.show(1)
    said = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    status = statuses(answer_to(studio, said))
    assert status == [b"404"] or (path == "/main/latest.json/" and status == [b"200"])
