from pathlib import Path

import pytest
from pytest_mock import MockerFixture
from webcam import Machine, driver

from streams.errors import SourceUnavailable
from streams.sources import devices, v4l2
from streams.sources.devices import Holder, cameras, holders, why_refused
from streams.sources.v4l2 import Format, Size

C920 = {"MJPG": {(1280, 720): (30, 15), (640, 480): (30,)}, "YUYV": {(640, 480): (30, 10, 5)}}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_numbers_of_the_requests_are_the_kernel_s() -> None:
    assert (v4l2.QUERYCAP, v4l2.ENUM_FMT) == (0x80685600, 0xC0405602)
    assert (v4l2.ENUM_FRAMESIZES, v4l2.ENUM_FRAMEINTERVALS) == (0xC02C564A, 0xC034564B)


def test_a_camera_is_listed_with_its_names_and_all_that_it_delivers(machine: Machine) -> None:
    path = machine.add_camera(0, "HD Webcam", by_id="usb-046d_HD_Webcam-video-index0")
    (camera,) = cameras(machine.roots, driver("HD Pro Webcam C920", C920))
    assert (camera.path, camera.name, camera.driver) == (str(path), "HD Pro Webcam C920", "uvcvideo")
    assert camera.links == (str(machine.roots.dev / "v4l/by-id/usb-046d_HD_Webcam-video-index0"),)
    assert camera.formats == (
        Format("MJPG", (Size(1280, 720, (30.0, 15.0)), Size(640, 480, (30.0,)))),
        Format("YUYV", (Size(640, 480, (30.0, 10.0, 5.0)),)),
    )
    assert camera.holders == ()
    assert camera.refusal is None


def test_a_range_of_sizes_is_listed_by_its_largest(machine: Machine) -> None:
    machine.add_camera(0, "Sensor")
    (camera,) = cameras(machine.roots, driver("Sensor", {"NV12": {(1920, 1080): (60,)}}, stepwise=True))
    assert camera.formats == (Format("NV12", (Size(1920, 1080, (60.0,)),)),)


def test_cameras_come_in_the_order_of_their_numbers(machine: Machine) -> None:
    for number in (10, 2, 0):
        machine.add_camera(number, f"camera {number}")
    paths = [Path(camera.path).name for camera in cameras(machine.roots, driver("", C920))]
    assert paths == ["video0", "video2", "video10"]


def test_a_node_for_metadata_is_no_camera(machine: Machine) -> None:
    machine.add_camera(1, "HD Webcam", index=1)
    assert cameras(machine.roots, driver("HD Webcam", {}, captures=False)) == ()


def test_a_camera_that_may_not_be_asked_is_listed_with_the_reason(
    machine: Machine, mocker: MockerFixture
) -> None:
    machine.add_camera(0, "HD Webcam")
    machine.add_camera(1, "HD Webcam", index=1)
    mocker.patch.object(devices.v4l2, "ask", side_effect=PermissionError(13, "Permission denied"))
    mocker.patch("os.access", return_value=False)
    (camera,) = cameras(machine.roots)
    assert camera.name == "HD Webcam"
    assert camera.formats == ()
    assert camera.refusal is not None
    assert "usermod -aG video" in camera.refusal


def test_a_machine_without_cameras_lists_none(machine: Machine) -> None:
    assert cameras(machine.roots) == ()


def test_whoever_holds_a_camera_is_found_also_by_another_of_its_names(machine: Machine) -> None:
    path = machine.add_camera(0, "HD Webcam", by_id="usb-cam")
    other = machine.add_camera(1, "Other")
    machine.add_process(77, "cheese", Path("/dev/null"), path)
    machine.add_process(9, "ffmpeg", path)
    machine.add_process(5, "vlc", other)
    (machine.roots.proc / "self").mkdir()
    wanted = (Holder(9, "ffmpeg"), Holder(77, "cheese"))
    assert holders(path, machine.roots) == wanted
    assert holders(machine.roots.dev / "v4l/by-id/usb-cam", machine.roots) == wanted


def test_the_real_proc_shows_what_this_process_holds(tmp_path: Path) -> None:
    path = tmp_path / "held"
    with path.open("w"):
        import os

        assert os.getpid() in [holder.pid for holder in holders(path)]
    assert holders(path) == ()


def test_a_missing_camera_is_told_with_those_that_are_here(machine: Machine) -> None:
    machine.add_camera(2, "HD Webcam")
    reason = why_refused(machine.roots.dev / "video7", machine.roots)
    assert isinstance(reason, SourceUnavailable)
    assert "video7 is not there: is the camera plugged in?" in str(reason)
    assert "video2 (HD Webcam)" in str(reason)


def test_a_machine_without_any_says_so(machine: Machine) -> None:
    assert "no video device" in str(why_refused("/dev/video7", machine.roots))


def test_a_camera_that_this_user_may_not_open_names_the_group(
    machine: Machine, mocker: MockerFixture
) -> None:
    path = machine.add_camera(0, "HD Webcam")
    mocker.patch("os.access", return_value=False)
    mocker.patch("getpass.getuser", return_value="ada")
    assert "sudo usermod -aG video ada" in str(why_refused(path, machine.roots))


def test_a_busy_camera_names_who_holds_it(machine: Machine) -> None:
    path = machine.add_camera(0, "HD Webcam")
    machine.add_process(77, "cheese", path)
    assert str(why_refused(path, machine.roots)) == f"{path} is busy: held by cheese (process 77)"


def test_a_camera_refused_for_no_known_reason_says_what_may_be(machine: Machine) -> None:
    path = machine.add_camera(0, "HD Webcam")
    assert "gives no pictures" in str(why_refused(path, machine.roots))
