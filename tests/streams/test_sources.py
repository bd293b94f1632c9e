import subprocess
import sys
from pathlib import Path

import pytest
from pictures import clip, folder

from streams import sources
from streams.errors import SourceInvalid, SourceNotFound
from streams.sources.camera import Camera
from streams.sources.file import VideoFile
from streams.sources.folder import Folder
from streams.sources.network import NetworkCamera
from streams.sources.synthetic import Synthetic


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("camera:0", Camera),
        ("Camera:0", Camera),
        ("camera:/dev/video3", Camera),
        ("/dev/video0", Camera),
        ("/dev/v4l/by-id/usb-cam-video-index0", Camera),
        ("clip.mp4", VideoFile),
        ("./clip.mp4", VideoFile),
        ("file:clip.mp4", VideoFile),
        ("pictures/", Folder),
        ("pictures", Folder),
        ("file:pictures", Folder),
        ("pictures/1.jpg", Folder),
        ("rtsp://cam.local/stream", NetworkCamera),
        ("RTSPS://user:password@cam.local:322/stream", NetworkCamera),
        ("http://cam.local/video.mjpg", NetworkCamera),
        ("https://cam.local/clips/a.MP4?x=1", VideoFile),
        ("synthetic:", Synthetic),
    ],
)
def test_an_address_leads_to_its_reader(
    uri: str, kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip(Path("clip.mp4"), 1)
    folder(Path("pictures"), 1)
    assert type(sources.reader(uri)) is kind


@pytest.mark.parametrize("uri", ["sim:oval", "ftp://cam/x", "stereo:camera:0,camera:1", "udp://:5000"])
def test_a_scheme_that_is_not_known_is_refused_with_those_that_are(uri: str) -> None:
    with pytest.raises(SourceInvalid) as caught:
        sources.reader(uri)
    for scheme in sources.SCHEMES:
        assert scheme in str(caught.value)


def test_an_unknown_scheme_shows_no_password() -> None:
    with pytest.raises(SourceInvalid) as caught:
        sources.reader("ftp://admin:c4nary@cam/x")
    assert "c4nary" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "said"), [("gone.mp4", "gone.mp4 does not exist"), ("0", "a camera's address is camera:0")]
)
def test_a_path_that_is_not_there_is_told_at_once(uri: str, said: str) -> None:
    with pytest.raises(SourceNotFound, match=said):
        sources.reader(uri)


@pytest.mark.parametrize(
    "asked",
    [
        {"size": (0, 10)},
        {"size": (640,)},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"pace": "slow"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(SourceInvalid, match="|".join(asked)):
        sources.reader("synthetic:", **asked)


def test_a_size_asked_of_what_keeps_its_own_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sources.reader(str(clip(tmp_path / "clip.mp4", 1)), size=(640, 480))
    assert "clip.mp4 keeps its own size" in caplog.text
    caplog.clear()
    sources.reader("http://a:c4nary@cam/x", rate=5.0)
    assert "sets its own rate" in caplog.text
    assert "c4nary" not in caplog.text


@pytest.mark.parametrize("uri", ["", "  "])
def test_an_empty_address_is_refused(uri: str) -> None:
    with pytest.raises(SourceInvalid, match="empty"):
        sources.reader(uri)


def test_a_device_that_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceInvalid, match="neither a file nor a folder"):
        sources.reader(str(tmp_path / "pipe"))


def test_the_door_of_the_sources_loads_no_vendor_library() -> None:
    code = "import sys, streams.sources, streams.feed, streams.inbox; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"cv2", "simplejpeg"} & set(done.stdout.split())


def test_a_synthetic_source_needs_no_vendor_library() -> None:
    code = (
        "import sys\nfrom streams import sources\nreader = sources.reader('synthetic:')\n"
        "reader.open(); reader.read(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"cv2", "simplejpeg"} & set(done.stdout.split())
