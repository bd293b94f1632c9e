from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hand_clock import HandClock
from pictures import animation, clip, cut, picture, wiped
from source_contract import check_reader, shots_of

from streams import sources
from streams.errors import BadFrame, SourceInvalid, SourceNotFound
from streams.sources import Shot


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
def test_it_keeps_the_promises_of_every_reader(tmp_path: Path, name: str) -> None:
    codec = "mp4v" if name.endswith("mkv") else None
    path = clip(tmp_path / name, 20, codec=codec)
    check_reader(partial(sources.reader, str(path)), pictures=20)


def test_every_picture_comes_in_order(tmp_path: Path) -> None:
    reader = sources.reader(str(clip(tmp_path / "clip.mp4", 20)))
    assert not reader.live
    reader.open()
    shots, bad = shots_of(reader, 99)
    assert (len(shots), bad, reader.notice) == (20, 0, None)
    for step, shot in enumerate(shots):
        assert np.abs(shot.pixels.astype(int) - picture(step)).mean() < 8


def test_an_mjpeg_video_gives_its_own_jpegs(tmp_path: Path) -> None:
    reader = sources.reader(str(clip(tmp_path / "clip.avi", 5)))
    reader.open()
    shots, _ = shots_of(reader, 99)
    written = (tmp_path / "clip.avi").read_bytes()
    assert len(shots) == 5
    assert all(shot.jpeg is not None and shot.jpeg in written for shot in shots)


def test_an_animation_is_a_video(tmp_path: Path) -> None:
    reader = sources.reader(str(animation(tmp_path / "moving.gif", 5)))
    reader.open()
    shots, _ = shots_of(reader, 99)
    assert [shot.pixels.shape for shot in shots] == [(48, 64, 3)] * 5
    assert [int(shot.pixels.mean()) for shot in shots] == [0, 20, 40, 60, 80]
    assert reader.notice is None


def test_at_pace_fast_nothing_is_due(tmp_path: Path) -> None:
    reader = sources.reader(str(clip(tmp_path / "clip.mp4", 5)), pace="fast")
    reader.open()
    assert {shot.due for shot in shots_of(reader, 99)[0]} == {None}


@pytest.mark.parametrize(("rate", "period"), [(None, 0.04), (5.0, 0.2)])
def test_at_pace_realtime_each_picture_is_due_at_its_time(
    tmp_path: Path, rate: float | None, period: float
) -> None:
    path = clip(tmp_path / "clip.mp4", 5, rate=25)
    reader = sources.reader(str(path), pace="realtime", rate=rate, clock=HandClock(100.0))
    reader.open()
    due = [shot.due for shot in shots_of(reader, 99)[0]]
    assert due == pytest.approx([100 + period * place for place in range(5)])


def test_a_looped_video_begins_anew_without_a_gap(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", 5, rate=25)
    reader = sources.reader(str(path), loop=True, pace="realtime", clock=HandClock(100.0))
    reader.open()
    shots, _ = shots_of(reader, 12)
    assert [shot.due for shot in shots] == pytest.approx([100 + 0.04 * place for place in range(12)])
    assert np.array_equal(shots[0].pixels, shots[5].pixels)
    assert np.array_equal(shots[1].pixels, shots[11].pixels)


def test_a_video_cut_short_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    reader = sources.reader(str(cut(clip(tmp_path / "clip.avi", 40))))
    reader.open()
    shots, bad = shots_of(reader, 99)
    assert 15 <= len(shots) <= 25
    assert bad == 1
    assert reader.notice is not None
    assert "clip.avi promises 40 pictures" in reader.notice
    assert f"only {len(shots)} could be read" in reader.notice


def test_a_video_with_a_hole_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    reader = sources.reader(str(wiped(clip(tmp_path / "clip.mp4", 40))))
    reader.open()
    shots, _ = shots_of(reader, 99)
    assert 5 <= len(shots) < 36
    assert reader.notice is not None


def test_a_video_without_its_index_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    reader = sources.reader(str(cut(clip(tmp_path / "clip.mp4", 40))))
    with pytest.raises(SourceInvalid, match=r"clip\.mp4 is no video that can be read; it may be cut short"):
        reader.open()


def test_a_video_whose_first_picture_is_damaged_is_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.avi", 5)
    data = bytearray(path.read_bytes())
    begin = data.find(b"movi")
    for place in range(begin + 200, begin + 400):
        data[place] ^= 0x5A
    start = data.find(b"\xff\xd8", begin)
    data[start : start + 2] = b"\0\0"
    path.write_bytes(data)
    with pytest.raises(SourceInvalid, match="first picture cannot be read"):
        sources.reader(str(path)).open()


def test_a_damaged_picture_is_named_and_the_next_one_comes(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.avi", 5)
    data = bytearray(path.read_bytes())
    third = -1
    for _ in range(3):
        third = data.find(b"\xff\xd8\xff", third + 1)
    data[third + 2000 : third + 2002] = b"\xff\xd9"  # the mark of the end, too early
    path.write_bytes(data)
    reader = sources.reader(str(path))
    reader.open()
    taken: list[Shot | None] = [reader.read(), reader.read()]
    with pytest.raises(BadFrame, match=r"picture 3 of .*clip\.avi: a JPEG of 320x240 is damaged"):
        reader.read()
    taken += [reader.read(), reader.read()]
    assert None not in taken
    assert reader.read() is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"frames per second: 25\n" * 50, "is a text"),
        ("clip.mp4", b"#!/bin/sh\nexit 1\n", "is a text"),
        ("clip.mp4", b"", "is empty"),
    ],
)
def test_what_is_certainly_no_video_is_refused_at_once(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceInvalid, match=f"{name} {said}"):
        sources.reader(str(tmp_path / name))


@pytest.mark.parametrize(
    "content", [np.random.default_rng(3).bytes(5000), "naïve façade\n".encode() * 80, b"\0" * 5000]
)
def test_what_turns_out_to_be_no_video_is_refused_when_it_is_opened(tmp_path: Path, content: bytes) -> None:
    for name in ("data.bin", "clip.mp4", "art.txt"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceInvalid, match=f"{name} is no video"):
            sources.reader(str(tmp_path / name)).open()


def test_a_file_that_does_not_exist_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"gone\.mp4 does not exist"):
        sources.reader(str(tmp_path / "gone.mp4"))


def test_a_name_with_a_colon_and_spaces_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip(tmp_path / "clip.mp4", 3).rename(tmp_path / "take 1: the door.mp4")
    monkeypatch.chdir(tmp_path)
    for uri in (
        "take 1: the door.mp4",
        "file:take 1: the door.mp4",
        f"file://{tmp_path}/take%201:%20the%20door.mp4",
    ):
        reader = sources.reader(uri)
        reader.open()
        assert len(shots_of(reader, 9)[0]) == 3


def test_in_steady_state_it_uses_the_same_memory(tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.avi"):
        reader = sources.reader(str(clip(tmp_path / name, 40)))
        reader.open()
        places = set()
        while (shot := reader.read()) is not None:
            places.add(shot.pixels.ctypes.data)
        assert len(places) <= 3


def test_real_videos_are_read_to_their_end(shared_data: Path) -> None:
    counts = {"head-pose-face-detection-female.gif": 23, "milk.mkv": 51}
    for name, count in counts.items():
        reader = sources.reader(str(shared_data / "videos" / name))
        reader.open()
        shots, bad = shots_of(reader, 200)
        assert (len(shots), bad, reader.notice) == (count, 0, None)
