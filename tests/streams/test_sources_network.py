import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from mjpeg_server import MjpegServer
from pictures import clip, jpeg_bytes, picture
from source_contract import check_reader, shots_of

from streams import sources
from streams.errors import SourceInvalid, SourceUnavailable
from streams.sources.network import NetworkCamera

JPEGS = [jpeg_bytes(picture(step)) for step in range(12)]
CANARY = "c4nary"


@pytest.fixture
def silent_host() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener.getsockname()[1]
    listener.close()


def test_an_mjpeg_stream_keeps_the_promises_of_every_reader() -> None:
    with MjpegServer(JPEGS) as camera:
        check_reader(partial(sources.reader, camera.url()))


def test_an_mjpeg_stream_gives_the_camera_s_own_jpegs() -> None:
    with MjpegServer(JPEGS) as camera:
        reader = sources.reader(camera.url())
        assert reader.live
        reader.open()
        shots, bad = shots_of(reader, 6)
        reader.close()
    assert bad == 0
    assert {shot.jpeg for shot in shots} <= set(JPEGS)
    assert "MJPG 320x240" in reader.describe()
    assert all(shot.pixels.shape == (240, 320, 3) for shot in shots)


def test_a_stream_that_asks_for_a_password_gets_it_and_nobody_else_does() -> None:
    with MjpegServer(JPEGS, password=f"admin:{CANARY}") as camera:
        reader = sources.reader(camera.url(f"admin:{CANARY}"))
        reader.open()
        assert reader.read() is not None
        reader.close()
        assert CANARY not in reader.describe()
        assert "***@127.0.0.1" in reader.describe()
        with pytest.raises(SourceUnavailable, match="cannot be opened"):
            sources.reader(camera.url()).open()


def test_a_stream_that_breaks_off_is_lost_and_can_be_opened_again() -> None:
    with MjpegServer(JPEGS, each=4) as camera:
        reader = sources.reader(camera.url())
        for _ in range(2):
            reader.open()
            with pytest.raises(SourceUnavailable, match="broke off"):
                shots_of(reader, 99)
            reader.close()


def test_a_host_that_is_away_is_unavailable_without_its_secrets() -> None:
    reader = sources.reader(f"rtsp://admin:{CANARY}@127.0.0.1:1/stream?token={CANARY}")
    with pytest.raises(
        SourceUnavailable, match=r"rtsp://\*\*\*@127\.0\.0\.1:1/stream\?token=\*\*\*"
    ) as caught:
        reader.open()
    assert CANARY not in repr(caught.getrepr())


def test_a_host_that_never_answers_is_given_up(silent_host: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.sources.capture.OPEN_TIMEOUT_S", 0.3)
    for scheme in ("http", "rtsp"):
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            sources.reader(f"{scheme}://127.0.0.1:{silent_host}/x").open()
        assert time.monotonic() - began < 5


def test_a_stream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.sources.capture.READ_TIMEOUT_S", 0.3)
    with MjpegServer(JPEGS, each=6, hang=True) as camera:
        reader = sources.reader(camera.url())
        reader.open()
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            shots_of(reader, 99)
        assert time.monotonic() - began < 5
        reader.close()


def test_a_video_on_a_server_is_played_to_its_end(tmp_path: Path) -> None:
    import functools
    import http.server

    clip(tmp_path / "clip.mp4", 10)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        reader = sources.reader(f"http://127.0.0.1:{server.server_address[1]}/clip.mp4?x=1")
        assert not reader.live
        reader.open()
        shots, _ = shots_of(reader, 99)
        assert len(shots) == 10
        assert np.abs(shots[3].pixels.astype(int) - picture(3)).mean() < 8
        missing = sources.reader(f"http://127.0.0.1:{server.server_address[1]}/gone.mp4")
        with pytest.raises(SourceUnavailable, match="server is away"):
            missing.open()
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://",
        "http:///x",
        f"rtsp://admin:{CANARY}@/x",
        f"rtsp://admin:{CANARY}@cam:port/x",
        f"rtsp://admin:[{CANARY}@cam/x",
        f"http://admin:{CANARY}/x@cam/y",
    ],
)
def test_an_address_that_can_never_work_is_refused_at_once_without_its_secrets(uri: str) -> None:
    with pytest.raises(SourceInvalid) as caught:
        sources.reader(uri)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_label_without_secrets_is_all_that_is_told() -> None:
    reader = NetworkCamera(f"rtsp://{CANARY}@x", "rtsp://***@x", opener=lambda _: None)
    with pytest.raises(SourceUnavailable) as caught:
        reader.open()
    assert CANARY not in str(caught.value) + reader.describe()


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https"])
def test_neither_opencv_nor_ffmpeg_prints_an_address(scheme: str) -> None:
    code = (
        "from streams import sources\n"
        f"reader = sources.reader('{scheme}://admin:{CANARY}@127.0.0.1:1/x?token={CANARY}')\n"
        "try:\n    reader.open()\nexcept ConnectionError as error:\n    print(error)\n"
    )
    chatty = {"OPENCV_FFMPEG_DEBUG": "1", "OPENCV_FFMPEG_LOGLEVEL": "56", "OPENCV_LOG_LEVEL": "VERBOSE"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ | chatty
    )
    assert done.returncode == 0
    assert "***@127.0.0.1" in done.stdout
    assert CANARY not in done.stdout + done.stderr
    assert done.stderr == ""
