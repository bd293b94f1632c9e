"""Video files: playable whatever happens, with true times, and no more of them than fit."""

import itertools
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from hand_clock import HandClock
from pictures import jpeg_bytes, picture
from witness import wait_until

from kernels.formats import Picture
from streams.frame import Frame
from streams.sinks import record
from streams.sinks.filming import Filming
from streams.sinks.gallery import Gallery
from streams.sinks.gate import SinkInvalid
from streams.sinks.record import Bounds, VideoRecording

RATE = Bounds(rate=1000.0)


class Film:
    """A recording that is given pictures one by one."""

    def __init__(self, folder: Path, bounds: Bounds = RATE, source: str = "main") -> None:
        self.clock = HandClock()
        self.recording = VideoRecording(
            source,
            "device",
            folder,
            bounds,
            clock=self.clock,
            wall_ms=lambda: 1_795_000_000_000 + round(self.clock() * 1000),
        )
        self.recording.start()
        self.folder = folder
        self.began = self.clock()

    def show(self, at: float, size: tuple[int, int] = (64, 48), seed: int = 1) -> None:
        """A picture captured `at` seconds after the beginning; returns when it is written."""
        self.give(picture(seed, size), at)

    def give(self, pixels: Picture, at: float) -> None:
        self.clock.sleep(1.0)
        done = self.recording.written + self.recording.failures
        self.recording.take(Frame(1, "main", self.began + at, pixels), None)
        wait_until(lambda: self.recording.written + self.recording.failures > done)

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


def times(path: Path) -> list[float]:
    with av.open(str(path)) as played:
        return [float(frame.time or 0.0) for frame in played.decode(video=0)]


def test_pictures_come_back_with_their_own_times(tmp_path: Path) -> None:
    film = Film(tmp_path)
    moments = [0.0, 0.1, 0.15, 0.9, 2.5]
    for number, moment in enumerate(moments):
        film.show(moment, (320, 240), number)
    film.recording.stop()
    assert times(film.files[0]) == pytest.approx(moments, abs=0.001)
    with av.open(str(film.files[0])) as played:
        assert played.streams.video[0].codec_context.name == (
            "h264" if record.encoder_name() == "libx264" else "mpeg4"
        )
        first = next(iter(played.decode(video=0))).to_ndarray(format="bgr24")
    assert np.abs(first.astype(int) - picture(0, (320, 240))).mean() < 12


def test_files_are_private_and_named_by_their_beginning(tmp_path: Path) -> None:
    film = Film(tmp_path / "video")
    film.show(0.0)
    film.recording.stop()
    assert film.files[0].name.startswith("main-device-20")
    assert film.files[0].suffix == ".mp4"
    assert stat.S_IMODE(film.files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(film.folder.stat().st_mode) == 0o700


def test_a_new_file_begins_when_one_is_long_enough_or_the_size_changes(tmp_path: Path) -> None:
    film = Film(tmp_path, Bounds(rate=1000.0, segment=2.0))
    for moment in (0.0, 1.0, 1.9, 2.0, 3.0, 4.1):
        film.show(moment)
    film.show(4.2, (32, 32))
    film.recording.stop()
    assert [len(times(path)) for path in film.files] == [3, 2, 1, 1]


def test_the_oldest_files_go_when_the_bounds_are_reached(tmp_path: Path) -> None:
    (tmp_path / "main-device-holiday.mp4").write_bytes(b"x")
    (tmp_path / "door-device-20200101T000000.000Z.mp4").write_bytes(b"x")
    old = tmp_path / "main-device-20200101T000000.000Z.mp4"
    old.write_bytes(bytes(1000))
    film = Film(tmp_path, Bounds(rate=1000.0, segment=1.0, max_seconds=3.0))
    for moment in range(10):
        film.show(float(moment))
    film.recording.stop()
    left = [path for path in film.files if path.name.startswith("main-device-2")]
    assert len(left) == 3
    assert old not in left
    assert len(film.files) == 5  # those of others stay


def test_all_files_together_stay_within_max_bytes(tmp_path: Path) -> None:
    most = 400_000
    film = Film(tmp_path, Bounds(rate=1000.0, max_bytes=most))
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    for number in range(40):
        film.give(np.roll(noise, number * 7, 1), number / 30)
        assert sum(path.stat().st_size for path in film.files) <= most
    film.recording.stop()
    assert len(film.files) > 1


def test_odd_sizes_and_other_formats_are_filmed(tmp_path: Path) -> None:
    film = Film(tmp_path)
    film.show(0.0, (65, 49))
    film.recording.stop()
    with av.open(str(film.files[0])) as played:
        stream = played.streams.video[0]
        assert (stream.width, stream.height) == (64, 48)


@pytest.mark.slow
def test_a_program_that_is_killed_leaves_a_file_that_plays(tmp_path: Path) -> None:
    program = """
import sys, time
import numpy as np
from pathlib import Path
from streams.frame import Frame
from streams.sinks.record import Bounds, VideoRecording
film = VideoRecording("main", "device", Path(sys.argv[1]), Bounds(rate=100.0))
film.start()
number = 0
while True:
    number += 1
    film.take(Frame(number, "main", time.monotonic(), np.full((240, 320, 3), number % 250, np.uint8)), None)
    time.sleep(0.01)
    if film.written == 700:
        print("enough", flush=True)
"""
    running = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "enough\n"
    running.send_signal(signal.SIGKILL)
    running.wait(10)
    running.stdout.close()
    shown = times(next(tmp_path.iterdir()))
    assert len(shown) >= 700 - 2 * 100 * record.KEY_EVERY_S
    assert all(later > earlier for earlier, later in itertools.pairwise(shown))


def test_a_full_disk_is_told_once_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(record, "TRY_AGAIN_S", 0.0)
    full = True
    truly = os.write

    def write(descriptor: int, data: bytes) -> int:
        if full and Path(f"/proc/self/fd/{descriptor}").readlink().suffix == ".mp4":
            raise OSError(28, "No space left on device")
        return truly(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    film = Film(tmp_path)
    for moment in range(3):
        film.show(float(moment))
    assert film.recording.failures == 3
    assert [r.getMessage() for r in caplog.records if "No space left" in r.getMessage()] != []
    assert len([r for r in caplog.records if "cannot be written" in r.getMessage()]) == 1
    assert "No space left" in str(film.recording.figures()["error"])
    assert film.files == []
    full = False
    film.show(4.0)
    film.show(5.0)
    assert film.recording.trouble is None
    film.recording.stop()
    assert len(times(film.files[0])) == 2


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        SinkInvalid, match=r"streams\.record\.path: .*video cannot be made or written: .*file is no folder"
    ):
        VideoRecording("main", "device", tmp_path / "file" / "video")


def test_filming_begins_and_ends_on_demand(tmp_path: Path) -> None:
    gallery = Gallery(["main"])
    filming = Filming(gallery, tmp_path, rate=100.0)
    filming.start()
    assert not gallery.watched("main")
    assert filming.record("main", "project") == tmp_path
    assert gallery.watched("main")
    with pytest.raises(SinkInvalid, match="filmed already"):
        filming.record("main", "project")
    with pytest.raises(KeyError):
        filming.record("nowhere", "device")
    pixels = picture(1, (64, 48))

    def shown() -> bool:
        gallery.untouched(Frame(1, "main", time.monotonic(), pixels))
        gallery.offer(
            Frame(1, "main", time.monotonic(), pixels, jpeg=jpeg_bytes(pixels)), lambda: 255 - pixels
        )
        return bool(filming.figures()[0]["pictures"])

    wait_until(shown)
    told = filming.finish("main", "project")
    assert told is not None
    assert told["pictures"] >= 1
    assert filming.finish("main", "project") is None
    assert not gallery.watched("main")
    with av.open(str(tmp_path / told["files"][0])) as played:
        seen = next(iter(played.decode(video=0))).to_ndarray(format="bgr24")
    assert np.abs(seen.astype(int) - (255 - pixels)).mean() < 20


def test_filming_for_a_time_ends_by_itself(tmp_path: Path) -> None:
    filming = Filming(Gallery(["main"]), tmp_path)
    filming.record("main", "device", seconds=0.1)
    wait_until(lambda: not filming.figures())
    filming.record("main", "device")
    filming.stop()
    assert not filming.figures()
