from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from hand_clock import HandClock
from pictures import folder, jpeg_bytes, picture
from source_contract import check_reader, shots_of

from streams import sources
from streams.errors import BadFrame, SourceInvalid, SourceNotFound


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".webp"])
def test_it_keeps_the_promises_of_every_reader(tmp_path: Path, ending: str) -> None:
    path = folder(tmp_path / "pictures", 6, ending=ending)
    check_reader(partial(sources.reader, f"{path}/"), pictures=6)


def test_pictures_come_in_the_order_of_their_names_digits_as_numbers(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures", 12, ending=".png")
    (path / "notes.txt").write_text("no picture")
    (path / ".hidden.png").write_bytes(b"")
    reader = sources.reader(str(path))
    reader.open()
    shots, bad = shots_of(reader, 99)
    assert bad == 0
    assert len(shots) == 12
    assert all(np.array_equal(shot.pixels, picture(place)) for place, shot in enumerate(shots, 1))


def test_a_jpeg_comes_with_its_own_bytes_and_others_without(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures", 1)
    cv2.imwrite(str(path / "2.png"), picture())
    reader = sources.reader(str(path))
    reader.open()
    own, other = shots_of(reader, 2)[0]
    assert own.jpeg == (path / "1.jpg").read_bytes()
    assert other.jpeg is None


def test_a_damaged_picture_is_named_and_the_next_one_comes(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures", 5, damaged=(1, 3))
    (path / "4.jpg").write_bytes(b"")
    reader = sources.reader(str(path))
    reader.open()
    with pytest.raises(BadFrame, match=r"1\.jpg: a JPEG of 320x240 is damaged"):
        reader.read()
    shots, bad = shots_of(reader, 99)
    assert (len(shots), bad) == (2, 2)


@pytest.mark.parametrize("loop", [False, True])
def test_a_folder_without_one_good_picture_is_refused_at_its_end(tmp_path: Path, loop: bool) -> None:
    reader = sources.reader(str(folder(tmp_path / "pictures", 2, damaged=(1, 2))), loop=loop)
    reader.open()
    for _ in range(2):
        with pytest.raises(BadFrame):
            reader.read()
    with pytest.raises(SourceInvalid, match=r"none of the 2 pictures in .*pictures can be read"):
        reader.read()


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match="holds no picture"):
        sources.reader(str(tmp_path)).open()
    with pytest.raises(SourceNotFound, match="does not exist"):
        sources.reader(str(tmp_path / "gone/"))


def test_a_looped_folder_begins_anew(tmp_path: Path) -> None:
    reader = sources.reader(str(folder(tmp_path / "pictures", 3, ending=".png")), loop=True)
    reader.open()
    shots, _ = shots_of(reader, 7)
    assert np.array_equal(shots[0].pixels, shots[6].pixels)
    assert not np.array_equal(shots[0].pixels, shots[1].pixels)


def test_at_pace_realtime_its_rate_decides(tmp_path: Path) -> None:
    path = folder(tmp_path / "pictures", 4)
    for rate, period in ((None, 0.1), (4.0, 0.25)):
        reader = sources.reader(str(path), rate=rate, pace="realtime", clock=HandClock(100.0))
        reader.open()
        due = [shot.due for shot in shots_of(reader, 9)[0]]
        assert due == pytest.approx([100 + period * place for place in range(4)])


def test_a_single_picture_is_a_source(tmp_path: Path) -> None:
    folder(tmp_path / "pictures", 1)
    check_reader(partial(sources.reader, str(tmp_path / "pictures" / "1.jpg")), pictures=1)


def test_a_picture_that_its_camera_noted_as_turned_is_turned(tmp_path: Path) -> None:
    jpeg = jpeg_bytes(picture())
    # A TIFF block with one entry: orientation (0x0112), a short, 6: turn by a quarter, clockwise.
    note = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + (len(note) + 2).to_bytes(2, "big") + note + jpeg[2:]
    (tmp_path / "turned.jpg").write_bytes(turned)
    reader = sources.reader(str(tmp_path / "turned.jpg"))
    reader.open()
    shot = reader.read()
    assert shot is not None
    assert shot.pixels.shape == (320, 240, 3)
    assert shot.jpeg is None


def test_real_pictures_are_read(shared_data: Path) -> None:
    reader = sources.reader(str(shared_data / "deepracer" / "frames"))
    reader.open()
    shots, bad = shots_of(reader, 9)
    assert [shot.pixels.shape for shot in shots] == [(480, 640, 3)] * 3
    assert bad == 0
