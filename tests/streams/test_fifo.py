"""A named pipe of MJPEG: private, ours, and never in anybody's way."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pictures import jpeg_bytes, picture
from witness import wait_until

from streams.frame import Frame
from streams.sinks.fifo import Fifo
from streams.sinks.gallery import Gallery
from streams.sinks.gate import SinkInvalid


class Camera:
    """A gallery with one source, which is given pictures without end."""

    def __init__(self) -> None:
        self.gallery = Gallery(["main"], rate=200.0)
        self.gallery.start()
        self._ended = threading.Event()
        self.offered = 0
        self._thread = threading.Thread(target=self._show)
        self._thread.start()

    def _show(self) -> None:
        seen = [picture(seed, (320, 240)) for seed in range(4)]
        while not self._ended.wait(0.005):
            self.offered += 1
            pixels = seen[self.offered % 4]
            frame = Frame(self.offered, "main", time.monotonic(), pixels, jpeg=jpeg_bytes(pixels))
            self.gallery.offer(frame, lambda pixels=pixels: 255 - pixels)

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(5.0)
        self.gallery.stop()


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.stop()


@pytest.fixture
def fifo(camera: Camera, tmp_path: Path) -> Iterator[Fifo]:
    made = Fifo(tmp_path / "results.mjpeg", camera.gallery.albums["main"], "device")
    made.start()
    yield made
    made.stop()


def read_some(path: Path, size: int) -> bytes:
    """Opens the pipe as any program would, and reads so many bytes."""
    with path.open("rb", buffering=0) as pipe:
        got = b""
        while len(got) < size:
            got += pipe.read(65_536)
        return got


def test_whole_pictures_follow_one_another(fifo: Fifo) -> None:
    got = read_some(fifo.path, 200_000)
    assert got.startswith(b"\xff\xd8")
    pictures = got.split(b"\xff\xd9\xff\xd8")
    assert len(pictures) > 3
    assert len(set(pictures)) == len(pictures)  # each once: their comments differ


@pytest.mark.parametrize("side", ["device", "project"])
def test_a_player_shows_it_as_mjpeg(camera: Camera, tmp_path: Path, side: str) -> None:
    fifo = Fifo(
        tmp_path / "out.mjpeg", camera.gallery.albums["main"], "project" if side == "project" else "device"
    )
    fifo.start()
    with av.open(str(fifo.path), format="mjpeg", options={"probesize": "32"}) as played:
        shown = [
            frame.to_ndarray(format="bgr24")
            for frame, _ in zip(played.decode(video=0), range(8), strict=False)
        ]
    fifo.stop()
    assert {each.shape for each in shown} == {(240, 320, 3)}
    candidates = [picture(seed, (320, 240)) for seed in range(4)]
    if side == "project":
        candidates = [255 - each for each in candidates]
    for each in shown:
        assert min(np.abs(each.astype(int) - one).mean() for one in candidates) < 12


def test_opencv_reads_it_as_a_video(fifo: Fifo) -> None:
    capture = cv2.VideoCapture(str(fifo.path))
    shown = [capture.read() for _ in range(5)]
    capture.release()
    assert all(there for there, _ in shown)
    candidates = [picture(seed, (320, 240)) for seed in range(4)]
    for _, each in shown:
        assert min(np.abs(each.astype(int) - one).mean() for one in candidates) < 12


def test_a_link_put_in_its_place_between_two_runs_is_refused_and_not_written(
    camera: Camera, tmp_path: Path
) -> None:
    album, path, victim = camera.gallery.albums["main"], tmp_path / "out.mjpeg", tmp_path / "victim"
    first = Fifo(path, album, "device")
    first.start()
    assert read_some(path, 1000)
    first.stop()
    victim.write_bytes(b"precious")
    path.symlink_to(victim)
    with pytest.raises(SinkInvalid, match="is there and is a link"):
        Fifo(path, album, "device")
    path.unlink()
    late = Fifo(path, album, "device")
    path.symlink_to(victim)  # after the check, before the start
    with pytest.raises(SinkInvalid, match="is there and is a link"):
        late.start()
    assert victim.read_bytes() == b"precious"
    assert path.is_symlink()


def test_the_pipe_is_private_and_goes_with_its_maker(fifo: Fifo) -> None:
    there = os.lstat(fifo.path)
    assert stat.S_ISFIFO(there.st_mode)
    assert stat.S_IMODE(there.st_mode) == 0o600
    fifo.stop()
    assert not fifo.path.exists()


def test_nothing_is_encoded_until_somebody_reads(fifo: Fifo, camera: Camera) -> None:
    time.sleep(0.3)
    assert camera.gallery.albums["main"].encoded == 0
    assert not camera.gallery.watched("main")


def test_readers_come_and_go(fifo: Fifo, camera: Camera) -> None:
    for _ in range(5):
        assert b"\xff\xd9\xff\xd8" in read_some(fifo.path, 100_000)
    assert fifo.readers >= 1
    wait_until(lambda: not camera.gallery.watched("main"))


def test_a_reader_that_stops_reading_holds_up_nobody(fifo: Fifo, camera: Camera) -> None:
    pipe = os.open(fifo.path, os.O_RDONLY)
    wait_until(lambda: fifo.readers == 1)
    before, encoded = camera.offered, camera.gallery.albums["main"].encoded
    wait_until(lambda: camera.offered > before + 100)
    assert (
        camera.gallery.albums["main"].encoded < encoded + 60
    )  # what the pipe holds, and not one for each frame
    began = time.monotonic()
    fifo.stop(2.0)
    assert time.monotonic() - began < 1.5
    os.close(pipe)


def test_a_pipe_that_somebody_removed_is_made_again(fifo: Fifo) -> None:
    fifo.path.unlink()
    wait_until(fifo.path.exists)
    assert read_some(fifo.path, 10_000).startswith(b"\xff\xd8")


def test_what_takes_its_place_while_it_runs_is_not_written(fifo: Fifo, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    fifo.path.unlink()
    fifo.path.symlink_to(victim)
    time.sleep(0.5)
    assert victim.read_bytes() == b"precious"
    fifo.path.unlink()
    fifo.path.write_bytes(b"a file")
    time.sleep(0.5)
    fifo.stop()
    assert fifo.path.read_bytes() == b"a file"


def test_an_old_pipe_of_ours_is_used_and_left(camera: Camera, tmp_path: Path) -> None:
    path = tmp_path / "old.mjpeg"
    os.mkfifo(path, 0o666)
    fifo = Fifo(path, camera.gallery.albums["main"], "device")
    fifo.start()
    assert read_some(path, 5000)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fifo.stop()
    assert path.exists()


def test_foreign_things_at_the_path_are_refused(camera: Camera, tmp_path: Path) -> None:
    album = camera.gallery.albums["main"]
    file, pipe, link, dangling = (tmp_path / name for name in ("file", "pipe", "link", "dangling"))
    file.write_text("mine")
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    dangling.symlink_to(tmp_path / "nothing")
    for path in (file, link, dangling, tmp_path):
        with pytest.raises(SinkInvalid, match=r"streams\.fifo\.device: .* is there and is"):
            Fifo(path, album, "device")
    with pytest.raises(SinkInvalid, match="cannot be used: No such file"):
        Fifo(tmp_path / "no" / "where", album, "device")
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_pipe_of_another_user_is_refused(camera: Camera, tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    os.mkfifo(path)
    os.chown(path, 12345, 12345)
    with pytest.raises(SinkInvalid, match="of another user"):
        Fifo(path, camera.gallery.albums["main"], "device")
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    os.chown(open_to_all, 12345, 12345)
    with pytest.raises(SinkInvalid, match="anybody could put"):
        Fifo(open_to_all / "pipe", camera.gallery.albums["main"], "device")


def test_nothing_is_left_open(camera: Camera, tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(5):
        fifo = Fifo(tmp_path / f"{number}.mjpeg", camera.gallery.albums["main"], "device")
        fifo.start()
        assert read_some(fifo.path, 1000)
        fifo.stop()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
