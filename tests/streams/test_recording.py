"""Recordings: whole after a kill, bounded, and every damage is found and placed."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.formats import PixelFormat
from streams import picture_packing
from streams.detail import Detail
from streams.encode import jpeg
from streams.errors import RecordingInvalid, SourceInvalid, SourceNotFound
from streams.frame import Frame
from streams.recording import DONE, MAGIC, SCHEMA, SHOT, Recording, Writer
from streams.sources import reader
from streams.sources.pool import Pool

MB = 1 << 20
SHAPES = {
    PixelFormat.BGR: (6, 8, 3),
    PixelFormat.RGB: (5, 7, 3),
    PixelFormat.GRAY: (5, 7),
    PixelFormat.YUYV: (5, 8, 2),
    PixelFormat.NV12: (6, 8),
}


def noise(shape: tuple[int, ...], seed: int = 7) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def frame(number: int, source: str = "main", layout: PixelFormat = PixelFormat.BGR) -> Frame:
    return Frame(number, source, float(number), noise(SHAPES[layout], number), layout)


def made(path: Path, frames: list[Frame], *, done: bool = True, sources: tuple[str, ...] = ("main",)) -> Path:
    writer = Writer(path, {"sources": {name: {} for name in sources}}, MB)
    for number, each in enumerate(frames, start=1):
        meta, blob = picture_packing.packed(each)
        assert writer.append(SHOT, {"n": number, **meta}, blob)
    writer.close({"ended": "end"} if done else None)
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    with Recording(made(tmp_path / "a.recording", [frame(1), frame(2), frame(3)])) as found:
        yield found


def damaged(path: Path, at: int, flip: int = 1) -> Path:
    data = bytearray(path.read_bytes())
    data[at] ^= flip
    path.write_bytes(data)
    return path


def read(path: Path) -> Recording:
    with Recording(path) as found:
        for record in found.shots():
            picture_packing.unpacked(record)
        return found


def test_what_is_written_is_read(recording: Recording) -> None:
    assert recording.header["schema"] == SCHEMA
    frames = [picture_packing.unpacked(record) for record in recording.shots()]
    assert [each.id for each in frames] == [1, 2, 3]
    assert recording.summary == {"ended": "end"}
    assert recording.cut_at is None


@pytest.mark.parametrize("layout", PixelFormat, ids=lambda layout: layout.name)
def test_a_picture_of_any_format_comes_back_to_the_last_bit(layout: PixelFormat, tmp_path: Path) -> None:
    kept = frame(5, layout=layout)
    with Recording(made(tmp_path / "a.recording", [kept])) as found:
        [record] = found.shots()
    back = picture_packing.unpacked(record)
    assert back.format is layout
    assert np.array_equal(back.pixels, kept.pixels)
    assert picture_packing.digest(back.pixels) == record.meta["pixels"]


@pytest.mark.parametrize("needed", [None, (8, 8), (64, 64)], ids=["all of it", "a part of it", "no part"])
def test_a_cameras_jpeg_is_kept_as_it_came_and_decoded_as_it_was(
    needed: tuple[int, int] | None, tmp_path: Path
) -> None:
    from streams.sources.mjpeg import decode_for

    data = jpeg(noise((64, 80, 3)))
    detail = Detail(None if needed is None else lambda _size: needed)
    pixels, whole = decode_for(data, detail, Pool())
    kept = Frame(1, "main", 1.0, pixels, PixelFormat.BGR, data, whole)
    with Recording(made(tmp_path / "a.recording", [kept])) as found:
        [record] = found.shots()
    back = picture_packing.unpacked(record, detail)
    assert record.blob == back.jpeg == data
    assert back.whole == whole
    assert np.array_equal(back.pixels, pixels)


def test_only_its_owner_reads_the_file(recording: Recording) -> None:
    assert stat.S_IMODE(recording.path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        Writer(path, {}, MB)
    assert path.read_text() == "mine"


def test_a_file_never_grows_over_its_bound(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a", {}, 64 << 10)
    assert writer.append(SHOT, {"n": 1}, os.urandom(40 << 10))
    assert not writer.append(SHOT, {"n": 2}, os.urandom(40 << 10))
    writer.close({"ended": "bytes"})
    assert (tmp_path / "a").stat().st_size <= 64 << 10
    with Recording(tmp_path / "a") as found:
        assert [record.meta["n"] for record in found.shots()] == [1]
        assert found.summary == {"ended": "bytes"}


def test_a_file_cut_anywhere_gives_its_whole_frames_and_says_where_it_ends(tmp_path: Path) -> None:
    whole = made(tmp_path / "a.recording", [frame(1), frame(2)]).read_bytes()
    with Recording(tmp_path / "a.recording") as found:
        starts = [record.at for record in found.shots()]
    cut = tmp_path / "cut"
    for length in range(starts[0], len(whole)):
        cut.write_bytes(whole[:length])
        with Recording(cut) as found:
            seen = [record.meta["id"] for record in found.shots()]
        assert seen == [1, 2][: sum(length > end for end in (starts[1] - 1, whole.index(DONE) - 1))]
        assert found.cut_at is not None
        assert found.cut_at <= length
        assert found.summary is None


def test_a_tail_of_zeros_that_a_lost_power_leaves_is_a_cut(tmp_path: Path) -> None:
    path = made(tmp_path / "a.recording", [frame(1)], done=False)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(bytes(5000))
    with Recording(path) as found:
        assert len(list(found.shots())) == 1
    assert found.cut_at == size


def test_a_flip_of_any_bit_is_found(tmp_path: Path) -> None:
    path = made(tmp_path / "a.recording", [frame(1), frame(2)])
    whole = path.read_bytes()
    for at in range(len(whole)):
        damaged(path, at, 1 << (at % 8))
        with pytest.raises(RecordingInvalid, match=r"no recording|damaged|cut off"):
            read(path)
        path.write_bytes(whole)


def test_a_damage_is_told_with_its_byte(tmp_path: Path) -> None:
    path = made(tmp_path / "a.recording", [frame(1), frame(2)])
    with Recording(path) as found:
        at = [record.at for record in found.shots()][1]
    damaged(path, at + 30)
    with pytest.raises(
        RecordingInvalid, match=f"{path} is damaged: the record at byte {at} of .* another checksum"
    ):
        read(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no recording: it begins with b''"),
        (b"\x89PNG\r\n\x1a\n and more", "is no recording"),
        (MAGIC, "is cut off at byte 14, in its header"),
        (MAGIC + b"x" * 100, "is damaged: the record at byte 14"),
    ],
    ids=["empty", "a picture", "no header", "no record"],
)
def test_a_foreign_file_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(RecordingInvalid, match="foreign " + sentence):
        Recording(path)


def test_a_later_version_is_refused_by_its_name(tmp_path: Path) -> None:
    Writer(tmp_path / "a", {"schema": "lensracer.recording/2"}, MB).close()
    with pytest.raises(
        RecordingInvalid, match=r"schema lensracer.recording/2; this version reads lensracer.recording/1"
    ):
        Recording(tmp_path / "a")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="does not exist"):
        Recording(tmp_path / "none")
    with pytest.raises(RecordingInvalid, match="it is no file"):
        Recording(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1 << 20, 1 << 20, 3]},
        {"shape": [6, 8]},
        {"shape": "large"},
        {"format": "cmyk"},
        {"packing": "jpeg"},
        {"id": None},
    ],
    ids=str,
)
def test_a_frame_that_tells_nonsense_of_itself_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a", {}, MB)
    meta, blob = picture_packing.packed(frame(1))
    writer.append(SHOT, {**meta, **change}, blob)
    writer.close()
    with pytest.raises(RecordingInvalid, match="the record at byte"):
        read(tmp_path / "a")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a", {}, MB)
    meta, _ = picture_packing.packed(frame(1))
    writer.append(SHOT, meta, picture_packing.deflated(np.zeros((9000, 9000), np.uint8)))
    writer.close()
    with pytest.raises(RecordingInvalid, match="145 bytes came for 144"):
        read(tmp_path / "a")


def test_its_frames_are_a_source_as_any_other(tmp_path: Path) -> None:
    path = made(tmp_path / "a.recording", [frame(1), frame(4, "front"), frame(5)], sources=("main", "front"))
    for name, count in (("main", 2), ("front", 1)):
        source = reader(f"recording:{path}?source={name}")
        source.open()
        pixels = [shot.pixels for shot in iter(source.read, None)]
        source.close()
        assert len(pixels) == count
    assert np.array_equal(pixels[0], frame(4).pixels)


def test_of_several_sources_one_must_be_named(tmp_path: Path) -> None:
    path = made(tmp_path / "a.recording", [frame(1)], sources=("main", "front"))
    with pytest.raises(SourceInvalid, match=r"several sources; .* front, main"):
        reader(f"recording:{path}").open()
    with pytest.raises(SourceInvalid, match="no source back: there are front, main"):
        reader(f"recording:{path}?source=back").open()
    with pytest.raises(SourceNotFound, match="does not exist"):
        reader("recording:none")


def test_a_recording_as_a_source_keeps_its_pace_and_begins_anew(tmp_path: Path) -> None:
    path = made(tmp_path / "a.recording", [frame(3), frame(5)])
    source = reader(f"recording:{path}", pace="realtime", loop=True, clock=lambda: 100.0)
    source.open()
    shots = [source.read() for _ in range(4)]
    source.close()
    assert [shot and shot.due for shot in shots] == [100.0, 102.0, 100.0, 102.0]
