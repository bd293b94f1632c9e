"""Pictures over HTTP: made only for whoever watches, the same for all, and for nobody who should not."""

import contextlib
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator

import pytest
from hand_clock import HandClock
from pictures import jpeg_bytes, picture
from studio import NumberedPlates, Studio, Viewer, handlers, viewer
from witness import wait_until

from streams.encode import read_comment
from streams.frame import Frame
from streams.sinks import audience, server
from streams.sinks.gate import SinkInvalid
from streams.sinks.http import HttpSink


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.sink.stop()


def test_it_says_that_it_is_well(studio: Studio) -> None:
    status, headers, body = studio.ask("/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["Cache-Control"] == "no-store"
    assert studio.sink.url == f"http://127.0.0.1:{studio.port}"


def test_nothing_is_encoded_or_painted_while_nobody_watches(studio: Studio) -> None:
    for number in range(100):
        studio.offer(number)
    assert not studio.sink.watched("main")
    time.sleep(0.05)
    assert (studio.painted, studio.sink.albums["main"].encoded) == (0, 0)


def test_both_streams_show_the_frames_of_a_source(studio: Studio) -> None:
    with viewer(studio) as device, viewer(studio, "/main/project.mjpeg") as project:
        assert device.headers["content-type"] == f"multipart/x-mixed-replace; boundary={audience.BOUNDARY}"
        wait_until(lambda: studio.sink.watched("main"))
        assert not studio.sink.watched("door")
        for number in (1, 2, 3):
            studio.show(number)
            assert device.next() == (number, b"device %d" % number)
            assert project.next() == (number, b"project %d" % number)


def test_a_frame_is_encoded_once_for_all_viewers(studio: Studio) -> None:
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(viewer(studio)) for _ in range(5)]
        for number in (1, 2, 3):
            studio.show(number)
            assert [each.next()[0] for each in viewers] == [number] * 5
    assert (studio.sink.albums["main"].encoded, studio.painted) == (3, 0)  # nobody sees what the model saw


def test_pairs_are_found_by_their_frame(studio: Studio) -> None:
    assert json.loads(studio.ask("/main/latest.json")[2]) == {"id": None}
    studio.show(41, 42)
    assert json.loads(studio.ask("/main/latest.json")[2]) == {"id": 42}
    for which in ("device", "project"):
        status, headers, body = studio.ask(f"/main/{which}/41.jpg")
        assert (status, headers["Content-Type"], body) == (200, "image/jpeg", f"{which} 41".encode())


def test_the_last_sixteen_pairs_are_kept(studio: Studio) -> None:
    studio.ask("/main/latest.json")
    studio.show(*range(1, 31))
    assert [studio.ask(f"/main/device/{number}.jpg")[0] for number in (14, 15, 30)] == [404, 200, 200]
    assert len(studio.sink.albums["main"]._pairs) == 16


def test_sources_have_pictures_of_their_own(studio: Studio) -> None:
    studio.ask("/main/latest.json")
    studio.ask("/door/latest.json")
    studio.show(1, source="main")
    studio.show(7, source="door")
    assert json.loads(studio.ask("/door/latest.json")[2]) == {"id": 7}
    assert json.loads(studio.ask("/main/latest.json")[2]) == {"id": 1}
    studio.offer(1, source="unknown")


def test_watching_ends_ten_seconds_after_the_last_question() -> None:
    clock = HandClock()
    studio = Studio(clock=clock)
    studio.ask("/main/latest.json")
    clock.sleep(9.9)
    assert studio.sink.watched("main")
    clock.sleep(0.2)
    assert not studio.sink.watched("main")
    studio.sink.stop()


def test_an_old_picture_is_not_shown_as_a_new_one() -> None:
    clock = HandClock()
    studio = Studio(clock=clock)
    studio.ask("/main/latest.json")
    studio.show(1)
    clock.sleep(60.0)
    assert json.loads(studio.ask("/main/latest.json")[2]) == {"id": None}
    with viewer(studio) as late:
        studio.show(2)
        assert late.next()[0] == 2
    studio.sink.stop()


def test_a_new_viewer_sees_at_once_what_others_see(studio: Studio) -> None:
    with viewer(studio) as first:
        studio.show(1)
        assert first.next()[0] == 1
        with viewer(studio) as second:
            assert second.next()[0] == 1


def test_no_viewer_sees_a_frame_twice(studio: Studio) -> None:
    seen = []
    with viewer(studio) as watching:
        for number in range(1, 50):
            studio.offer(number)
            time.sleep(0.002)
        studio.show(50, ready=1)
        while not seen or seen[-1] != 50:
            seen.append(watching.next()[0])
    assert seen == sorted(set(seen))


def test_a_slow_viewer_holds_up_nobody_and_skips_to_the_newest() -> None:
    class BigPlates(NumberedPlates):
        def device(self, frame: Frame) -> bytes:
            return bytes(200_000)

    studio = Studio(darkroom=BigPlates)
    with viewer(studio) as slow, viewer(studio, "/main/project.mjpeg") as quick:
        for number in range(1, 101):
            wait_until(lambda: any(seat.side == "project" for seat in studio.sink._server.audience._idle))
            studio.offer(number)
            assert quick.next()[0] == number

        def last_one_comes() -> bool:
            if studio.is_ready(2):
                studio.offer(101)
            return slow.has_more()

        seen = []
        while not seen or seen[-1] != 101:
            wait_until(last_one_comes)
            seen.append(slow.next()[0])
    assert seen == sorted(set(seen))
    assert len(seen) < 60
    studio.sink.stop()


def test_viewers_that_vanish_are_cleaned_up(studio: Studio) -> None:
    for _ in range(20):
        with viewer(studio):
            pass
    wait_until(lambda: not studio.sink.albums["main"]._viewers)
    wait_until(lambda: not handlers(studio))
    assert not studio.sink._server._open
    wait_until(lambda: not studio.sink._server.audience.size)


def test_too_many_viewers_are_refused_and_the_rest_goes_on() -> None:
    studio = Studio(viewers=3)
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(viewer(studio)) for _ in range(5)]
        assert sorted(each.status for each in viewers) == [200, 200, 200, 503, 503]
        assert studio.ask("/healthz")[0] == 200
        studio.show(1)
        assert [each.next()[0] for each in viewers if each.status == 200] == [1, 1, 1]
    studio.sink.stop()


def test_twenty_thousand_frames_leave_nothing_growing(studio: Studio) -> None:
    with viewer(studio) as watching:
        reader = threading.Thread(target=read_until_closed, args=(watching,))
        reader.start()
        for number in range(20_000):
            studio.offer(number)
        album = studio.sink.albums["main"]
        wait_until(lambda: album._waiting is None)
        assert len(album._pairs) <= 16
        assert album.encoded <= 20_000
        wait_until(lambda: not handlers(studio))
        studio.sink.stop()
        reader.join(5.0)
        assert not reader.is_alive()


def read_until_closed(watching: Viewer) -> None:
    with contextlib.suppress(OSError, ValueError, AssertionError, KeyError):
        while True:
            watching.next()


def test_it_ends_within_a_second_with_viewers_open() -> None:
    before = set(threading.enumerate())
    studio = Studio()
    with contextlib.ExitStack() as stack:
        for path in ("/main/device.mjpeg", "/main/project.mjpeg", "/door/device.mjpeg"):
            stack.enter_context(viewer(studio, path))
        idle = socket.create_connection(("127.0.0.1", studio.port), 5.0)
        stack.enter_context(contextlib.closing(idle))
        studio.show(1)
        started = time.monotonic()
        studio.sink.stop()
        assert time.monotonic() - started < 1.0
    wait_until(lambda: not set(threading.enumerate()) - before, 2.0)
    studio.sink.stop()  # again


def test_a_picture_that_cannot_be_made_is_counted_and_the_next_one_comes() -> None:
    class TornPlates(NumberedPlates):
        def device(self, frame: Frame) -> bytes:
            if frame.id == 1:
                raise RuntimeError("torn")
            return super().device(frame)

    studio = Studio(darkroom=TornPlates)
    studio.ask("/main/latest.json")
    studio.offer(1)
    wait_until(lambda: studio.sink.albums["main"].failed == 1)
    studio.show(2)
    studio.sink.stop()


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/main",
        "/other/latest.json",
        "/main/device/1.png",
        "/main/device/x.jpg",
        "/main/device/99999999999999999999999.jpg",
        "/main/../healthz",
        "/main/device/-1.jpg",
        "/main/both/1.jpg",
    ],
)
def test_an_unknown_path_is_not_found(studio: Studio, path: str) -> None:
    assert studio.ask(path)[0] == 404


def test_asking_for_the_head_alone_gives_no_body(studio: Studio) -> None:
    for path in ("/healthz", "/nowhere", "/main/latest.json", "/main/device.mjpeg"):
        status, headers, body = studio.ask(path, "HEAD")
        assert (status, body) == (404 if path == "/nowhere" else 200, b"")
        assert "Content-Length" in headers or path.endswith("mjpeg")
    wait_until(lambda: not studio.sink.albums["main"]._viewers)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
def test_other_methods_are_refused(studio: Studio, method: str) -> None:
    assert studio.ask("/healthz", method)[0] == (404 if method == "POST" else 501)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "localhost:1234", "[::1]:80", "127.5.5.5", "LOCALHOST."]
)
def test_this_machines_own_names_are_let_in(studio: Studio, host: str) -> None:
    assert studio.ask("/healthz", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5", "", "[::1", "a@b:x"]
)
def test_a_name_rebound_to_this_machine_is_refused(studio: Studio, host: str) -> None:
    assert studio.ask("/healthz", Host=host)[0] == 403
    assert studio.ask("/main/latest.json", Host=host)[0] == 403


def test_a_request_without_a_host_is_refused(studio: Studio) -> None:
    with socket.create_connection(("127.0.0.1", studio.port), 5.0) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 400 " in connection.recv(1000)


@pytest.mark.parametrize("origin", ["http://localhost:8081", "http://127.0.0.1:8081", "https://[::1]:1"])
def test_pages_of_this_machine_may_read_the_pictures(studio: Studio, origin: str) -> None:
    status, headers, _ = studio.ask("/main/latest.json", Origin=origin)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert headers["Vary"] == "Origin"
    status, headers, _ = studio.ask("/main/latest.json", "OPTIONS", Origin=origin)
    assert (status, headers["Access-Control-Allow-Headers"]) == (204, "Authorization")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "[::1"]
)
def test_pages_of_other_sites_are_refused(studio: Studio, origin: str) -> None:
    status, headers, _ = studio.ask("/main/latest.json", Origin=origin)
    assert status == 403
    assert "Access-Control-Allow-Origin" not in headers
    assert "Access-Control-Allow-Origin" not in studio.ask("/main/latest.json", "OPTIONS", Origin=origin)[1]


def test_pictures_are_not_shown_inside_pages_of_other_sites(studio: Studio) -> None:
    def asked_by(page: str | None, site: str, dest: str) -> int:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest} | ({"Referer": page} if page else {})
        return studio.ask("/main/latest.json", **headers)[0]

    assert asked_by("https://evil.example/", "cross-site", "image") == 403
    assert asked_by(None, "cross-site", "image") == 403
    assert asked_by(None, "cross-site", "iframe") == 403
    assert asked_by("http://localhost:8081/", "cross-site", "image") == 200
    assert asked_by("http://localhost:8081/", "same-site", "image") == 200
    assert asked_by("https://evil.example/", "cross-site", "document") == 200
    assert asked_by(None, "none", "document") == 200
    assert asked_by(None, "same-origin", "image") == 200


@pytest.fixture
def locked() -> Iterator[Studio]:
    made = Studio(token="s3cret ü")
    yield made
    made.sink.stop()


def test_a_token_is_taken_from_header_or_cookie_and_never_from_the_address(locked: Studio) -> None:
    token = "s3cret ü".encode().decode("latin-1")
    assert locked.ask("/main/latest.json")[0] == 401
    assert locked.ask("/main/latest.json")[1]["WWW-Authenticate"] == "Bearer"
    assert locked.ask("/main/latest.json?token=s3cret")[0] == 401
    assert locked.ask("/main/latest.json", Authorization="Bearer wrong")[0] == 401
    assert locked.ask("/main/latest.json", Authorization=f"Basic {token}")[0] == 401
    assert locked.ask("/main/latest.json", Authorization=f"Bearer {token}")[0] == 200
    cookie = cookie_of(locked, token)
    assert locked.ask("/main/latest.json", Cookie=f"other=1; {cookie}")[0] == 200
    assert locked.ask("/main/latest.json", Cookie="lensracer_http=wrong")[0] == 401
    assert locked.ask("/main/latest.json", Cookie=f"lensracer_http={token}")[0] == 401
    assert locked.ask("/main/latest.json", Cookie="\x80=;;=")[0] == 401
    assert locked.ask("/healthz")[0] == 200


def cookie_of(studio: Studio, word: str) -> str:
    """What the browser keeps of somebody who typed the word into the form."""
    body = urllib.parse.urlencode({"token": word.encode("latin-1").decode()}).encode()
    status, headers, _ = studio.post("/login", body)
    assert (status, headers["Location"]) == (303, "/")
    return headers["Set-Cookie"].partition(";")[0]


def test_a_locked_sink_lets_pages_of_this_machine_send_their_cookie(locked: Studio) -> None:
    headers = locked.ask("/main/latest.json", Origin="http://localhost:8081", Authorization="Bearer x")[1]
    assert headers["Access-Control-Allow-Credentials"] == "true"


def test_a_port_that_is_taken_is_a_sentence(studio: Studio) -> None:
    with pytest.raises(
        SinkInvalid,
        match=rf"http\.port {studio.port} cannot be served: Address already in use; http.port 0 takes",
    ):
        HttpSink("127.0.0.1", studio.port).start()


def test_real_pictures_know_their_frame() -> None:
    studio = Studio(darkroom=None)
    studio.ask("/main/latest.json")
    own = jpeg_bytes(picture())
    painted = picture(3)
    for number, jpeg in ((1, None), (2, own)):
        frame = Frame(number, "main", time.monotonic(), picture(), jpeg=jpeg)
        studio.sink.offer(frame, lambda: painted)
        wait_until(lambda number=number: studio.ask(f"/main/device/{number}.jpg")[0] == 200)
    shown = studio.ask("/main/device/2.jpg")[2]
    assert read_comment(shown)["id"] == 2
    assert shown.endswith(own[-1000:])
    assert studio.ask("/main/project/1.jpg")[2].startswith(b"\xff\xd8")
    studio.sink.stop()


def test_a_request_that_drips_is_ended_and_its_place_is_free_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_PATIENCE_S", 0.4)
    before = len(handlers(studio))
    with socket.create_connection(("127.0.0.1", studio.port), 5.0) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        wait_until(lambda: len(handlers(studio)) > before)
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 5.0:
                slow.sendall(b"a")
                time.sleep(0.05)
        assert time.monotonic() - began < 3.0
    wait_until(lambda: len(handlers(studio)) == before)


def test_a_body_that_nobody_wants_is_not_taken_for_a_request(studio: Studio) -> None:
    inner = b"GET /main/latest.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(inner)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", studio.port), 5.0) as asking:
        asking.sendall(head + inner)
        answered = b""
        with contextlib.suppress(ConnectionError):
            while piece := asking.recv(4096):
                answered += piece
    assert answered.count(b"HTTP/1.1 ") == 1
