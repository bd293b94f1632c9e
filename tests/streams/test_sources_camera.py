import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import jpeg_bytes, noise, picture, without_tables
from pytest_mock import MockerFixture
from source_contract import check_reader, shots_of
from webcam import Machine, Webcam

from kernels.formats import PixelFormat
from streams import sources
from streams.errors import BadFrame, SourceInvalid, SourceUnavailable
from streams.sources import capture
from streams.sources.camera import Camera

JPEGS = [jpeg_bytes(picture(step)) for step in range(20)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.add_camera(0, "HD Webcam")
    return machine


def camera(machine: Machine, webcam: Webcam | None, **asked: object) -> Camera:
    path = str(machine.roots.dev / "video0")
    return Camera(path, **asked, opener=lambda _: webcam, roots=machine.roots)


@pytest.mark.parametrize("formats", [("MJPG", "YUYV"), ("YUYV",), ("NV12",), ("RGB3",)])
def test_it_keeps_the_promises_of_every_reader(machine: Machine, formats: tuple[str, ...]) -> None:
    pictures = {
        "MJPG": [without_tables(jpeg) for jpeg in JPEGS],
        "YUYV": [noise(seed=step)[:, :, :2].copy() for step in range(20)],
        "NV12": [noise(seed=step)[:, :, 0].copy() for step in range(20)],
        "RGB3": [picture(step) for step in range(20)],
    }[formats[0]]
    path = str(machine.roots.dev / "video0")
    check_reader(
        lambda: Camera(path, opener=lambda _: Webcam(pictures, formats=formats), roots=machine.roots)
    )


def test_it_asks_for_mjpg_the_size_the_rate_and_the_smallest_buffer(machine: Machine) -> None:
    webcam = Webcam(JPEGS)
    reader = camera(machine, webcam, size=(1280, 720), rate=15.0)
    assert reader.live
    reader.open()
    asked = webcam.settings
    assert asked[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert (asked[cv2.CAP_PROP_FRAME_WIDTH], asked[cv2.CAP_PROP_FRAME_HEIGHT]) == (1280, 720)
    assert asked[cv2.CAP_PROP_FPS] == 15
    assert capture.fourcc(webcam) == "MJPG"
    assert reader.describe() == f"camera {machine.roots.dev}/video0 (HD Webcam), MJPG 1280x720 at 15 a second"


def test_the_camera_s_own_jpeg_comes_with_its_picture(machine: Machine) -> None:
    reader = camera(machine, Webcam(JPEGS))
    reader.open()
    shots, _ = shots_of(reader, 5)
    assert [shot.jpeg for shot in shots] == JPEGS[:5]
    for step, shot in enumerate(shots):
        assert shot.format is PixelFormat.BGR
        assert np.abs(shot.pixels.astype(int) - picture(step)).mean() < 5


def test_a_webcam_that_leaves_tables_out_is_read_the_same(machine: Machine) -> None:
    whole, bare = (
        camera(machine, Webcam(pictures)) for pictures in (JPEGS, [without_tables(jpeg) for jpeg in JPEGS])
    )
    whole.open()
    bare.open()
    for one, other in zip(shots_of(whole, 5)[0], shots_of(bare, 5)[0], strict=True):
        assert np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12])
def test_yuyv_and_nv12_are_handed_on_as_they_came(machine: Machine, layout: PixelFormat) -> None:
    channels = slice(2) if layout is PixelFormat.YUYV else 0
    raw = [noise(seed=step)[:, :, channels].copy() for step in range(5)]
    reader = camera(machine, Webcam(raw, formats=(layout.name,)))
    reader.open()
    shots, _ = shots_of(reader, 5)
    assert all(shot.format is layout for shot in shots)
    assert all(np.array_equal(shot.pixels, each) for shot, each in zip(shots, raw, strict=True))


def test_a_picture_of_an_impossible_shape_is_bad(machine: Machine) -> None:
    reader = camera(machine, Webcam([np.zeros((7, 9), np.uint8)], formats=("NV12",)))
    reader.open()
    with pytest.raises(BadFrame, match="cannot be read"):
        reader.read()


def test_any_other_format_comes_converted(machine: Machine) -> None:
    webcam = Webcam([picture(step) for step in range(3)], formats=("UYVY",))
    reader = camera(machine, webcam)
    reader.open()
    assert webcam.settings[cv2.CAP_PROP_CONVERT_RGB] == 1
    shots, _ = shots_of(reader, 3)
    assert [(shot.format, shot.jpeg) for shot in shots] == [(PixelFormat.BGR, None)] * 3


def test_a_driver_that_converts_in_spite_of_all_is_read(machine: Machine) -> None:
    reader = camera(machine, Webcam(JPEGS, stubborn=True))
    reader.open()
    shots, bad = shots_of(reader, 5)
    assert (len(shots), bad) == (5, 0)
    assert {shot.jpeg for shot in shots} == {None}


def test_a_camera_whose_bytes_are_never_a_jpeg_is_asked_for_converted_pictures(machine: Machine) -> None:
    webcam = Webcam([b"odd" * 100] * 3 + JPEGS)
    reader = camera(machine, webcam)
    reader.open()
    shots, bad = shots_of(reader, 5)
    assert (len(shots), bad) == (5, 3)
    assert webcam.settings[cv2.CAP_PROP_CONVERT_RGB] == 1


def test_a_few_odd_pictures_later_on_change_nothing(machine: Machine) -> None:
    reader = camera(machine, Webcam([JPEGS[0], *[b"odd"] * 6, *JPEGS[1:]]))
    reader.open()
    shots, bad = shots_of(reader, 5)
    assert bad == 6
    assert [shot.jpeg for shot in shots] == JPEGS[:5]


def test_a_picture_cut_short_on_the_wire_is_bad_and_the_next_one_comes(machine: Machine) -> None:
    reader = camera(machine, Webcam([JPEGS[0], JPEGS[1][:2000], JPEGS[2]]))
    reader.open()
    reader.read()
    with pytest.raises(BadFrame, match="damaged"):
        reader.read()
    shot = reader.read()
    assert shot is not None
    assert shot.jpeg == JPEGS[2]


def test_pictures_bear_the_driver_s_time_where_it_gives_one(machine: Machine) -> None:
    reader = camera(machine, Webcam(JPEGS, stamps=[0.0, 1234.5, 1267.8]))
    reader.open()
    assert [shot.stamp for shot in shots_of(reader, 3)[0]] == [
        None,
        pytest.approx(1.2345),
        pytest.approx(1.2678),
    ]


def test_a_camera_that_gives_nothing_more_is_lost(machine: Machine) -> None:
    webcam = Webcam(JPEGS[:1])
    reader = camera(machine, webcam)
    reader.open()
    reader.read()
    with pytest.raises(SourceUnavailable, match=r"HD Webcam.*delivers nothing any more"):
        reader.read()
    reader.close()
    assert webcam.released == 1


def test_a_refused_camera_says_why(machine: Machine) -> None:
    machine.add_process(77, "cheese", machine.roots.dev / "video0")
    with pytest.raises(SourceUnavailable, match=r"video0 is busy: held by cheese \(process 77\)"):
        camera(machine, None).open()


@pytest.mark.skipif(sys.platform != "linux", reason="paths of cameras are Linux's")
@pytest.mark.parametrize("uri", ["camera:7", "camera:/dev/video7", "/dev/video7"])
def test_a_camera_that_is_not_there_is_no_error_until_it_is_opened(uri: str) -> None:
    reader = sources.reader(uri)
    assert reader.live
    assert reader.describe() == "camera /dev/video7"
    with pytest.raises(SourceUnavailable, match="/dev/video7 is not there: is the camera plugged in"):
        reader.open()


@pytest.mark.parametrize("uri", ["camera:", "camera:front", "camera:-1"])
def test_what_names_no_camera_is_refused(uri: str) -> None:
    with pytest.raises(SourceInvalid, match="names no camera"):
        sources.reader(uri)


def test_a_path_of_something_else_than_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match="is no device"):
        sources.reader(f"camera:{tmp_path}")


def test_opencv_is_asked_for_v4l2_and_its_refusal_is_no_camera(mocker: MockerFixture) -> None:
    opened = mocker.patch.object(capture.cv2, "VideoCapture")
    opened.return_value.isOpened.return_value = False
    assert capture.open_device("/dev/video0") is None
    assert opened.call_args.args[:2] == (
        "/dev/video0",
        cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY,
    )
    opened.return_value.release.assert_called_once()
    opened.side_effect = cv2.error("no")
    assert capture.open_device(0) is None


def test_in_steady_state_it_uses_the_same_memory(machine: Machine) -> None:
    reader = camera(machine, Webcam(JPEGS * 3))
    reader.open()
    places = set()
    for _ in range(50):
        shot = reader.read()
        assert shot is not None
        places.add(shot.pixels.ctypes.data)
    assert len(places) <= 2
