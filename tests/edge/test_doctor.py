"""Each thing that can be wrong with a machine is found, and told with its mend."""

import dataclasses
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brokers
import numpy as np
import pytest

from edge import config, doctor
from edge.doctor import (
    Check,
    Patient,
    access,
    backends,
    broker,
    cameras,
    certificates,
    clock,
    der,
    kernels,
    names,
    state,
    system,
)
from kernels.formats import PixelFormat
from streams import clock as wall
from streams.errors import BadFrame, SourceUnavailable
from streams.sources import Shot
from streams.sources.devices import Device, Holder
from streams.sources.v4l2 import Format, Size

V2 = frozenset(["fpu", "sse", "sse2", "cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"])
V3 = V2 | frozenset(["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"])
HOUR = 3_600_000


def patient(**overrides: Any) -> Patient:
    return Patient(
        config.load(None, {**os.environ}, {key.replace("__", "."): value for key, value in overrides.items()})
    )


def states(checks: Iterator[Check] | list[Check]) -> dict[str, str]:
    return {check.name: check.state for check in checks}


def test_every_check_that_is_not_ok_has_a_mend_and_says_what_was_found() -> None:
    checks = list(doctor.examine(patient(transport__endpoint="127.0.0.1", transport__port=free_port())))
    assert checks
    for check in checks:
        assert check.found, check
        assert check.state == "ok" or check.mend, check
    assert states(checks)["broker"] == "fail"


def test_without_a_readable_configuration_the_rest_is_examined_all_the_same() -> None:
    found = states(list(doctor.examine(Patient(None))))
    assert {"python", "kernels", "import names", "clock"} <= set(found)


def test_an_examination_that_fails_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "judged", lambda *_: 1 / 0)
    monkeypatch.setattr(doctor, "EXAMINATIONS", ("clock", "kernels"))
    found = list(doctor.examine(Patient(None)))
    assert states(found) == {"clock": "fail", "kernels": "ok"}
    assert "ZeroDivisionError" in found[0].found


# the system


@pytest.mark.parametrize(
    ("version", "expected"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 14, 1), "ok")]
)
def test_python_must_be_new_enough(version: tuple[int, ...], expected: str) -> None:
    assert system.python(version).state == expected


@pytest.mark.parametrize(
    ("machine", "found", "expected"),
    [
        ("x86_64", ("glibc", "2.27"), "warn"),
        ("x86_64", ("glibc", "2.28"), "ok"),
        ("aarch64", ("glibc", "2.31"), "warn"),
        ("aarch64", ("glibc", "2.36"), "ok"),
        ("riscv64", ("glibc", "2.17"), "ok"),
        ("x86_64", ("", ""), "warn"),
    ],
)
def test_an_old_c_library_is_told_with_what_runs_without(
    machine: str, found: tuple[str, str], expected: str
) -> None:
    assert system.c_library(machine, found).state == expected


@pytest.mark.parametrize(
    ("flags", "level"),
    [(frozenset(), "v1"), (V2, "v2"), (V3, "v3"), (V3 - {"cx16"}, "v1"), (V3 - {"fma"}, "v2")],
)
def test_the_processors_level_is_the_highest_that_is_whole(flags: frozenset[str], level: str) -> None:
    assert system.level(flags) == level


def test_a_processor_without_our_instructions_fails_before_a_kernel_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGE_KERNELS", "compiled")  # so that it is restored
    monkeypatch.delenv("EDGE_KERNELS")
    check = system.processor("x86_64", V2 - {"sse4_2"})
    assert check.state == "fail"
    assert "without sse4_2" in check.found
    assert os.environ["EDGE_KERNELS"] == "reference"
    assert system.processor("aarch64", frozenset({"asimd"})).state == "ok"


def test_the_flags_of_this_processor_are_read() -> None:
    assert not system.CPUINFO.exists() or system.cpu_flags()


def test_uncompiled_kernels_are_told() -> None:
    assert kernels.judged("compiled", "v3").state == "ok"
    assert kernels.judged("reference", "numpy").state == "warn"


# names


def test_our_packages_come_from_one_tree() -> None:
    assert states(list(names.examine(Patient(None)))) == {"import names": "ok"}


def test_a_package_of_another_distribution_is_a_clash(tmp_path: Path) -> None:
    assert names.clash(
        "inference", tmp_path / "site-packages" / "inference" / "__init__.py", tmp_path / "ours"
    )
    assert names.clash("inference", tmp_path / "inference.py", tmp_path)
    assert names.clash("inference", None, tmp_path)
    assert not names.clash("inference", tmp_path / "inference" / "__init__.py", tmp_path)


def test_another_distribution_of_one_of_our_names_is_told() -> None:
    found = list(names.rivals({"inference": ["inference-cpu", "lensracer"], "numpy": ["numpy"]}))
    assert found == ["inference is also a package of the installed distribution inference-cpu"]


# backends


def backend(name: str, error: str | None = None, **found: str) -> dict[str, Any]:
    return {"backend": name, "devices": found, "error": error}


def test_one_missing_backend_is_bearable_and_none_is_not() -> None:
    one = [backend("openvino", "no wheel"), backend("onnxruntime", CPU="CPUExecutionProvider")]
    assert states(backends.judged(one)) == {"openvino": "warn", "onnxruntime": "ok"}
    none = [backend("openvino", "no wheel"), backend("onnxruntime", "no wheel")]
    assert states(backends.judged(none)) == {"openvino": "fail", "onnxruntime": "fail"}


@pytest.mark.parametrize(
    ("device", "wanted", "fails"),
    [
        ("CPU", "auto", False),
        ("GPU", "auto", False),
        ("GPU.1", "openvino", False),
        ("AUTO:GPU,CPU", "auto", False),
        ("NPU", "auto", True),
        ("GPU", "onnxruntime", True),
        ("NPU", "fake", False),
        ("NPU,CPU", "auto", False),
        ("NPU,TPU", "auto", True),
        ("AUTO", "onnxruntime", False),
        ("HETERO:NPU,TPU", "openvino", False),
    ],
)
def test_the_configured_device_must_be_there(device: str, wanted: str, fails: bool) -> None:
    found = [backend("openvino", CPU="x", **{"GPU.0": "y", "GPU.1": "z"}), backend("onnxruntime", CPU="x")]
    checks = list(backends.wanted_device(found, wanted, device))
    assert [check.state for check in checks] == (["fail"] if fails else [])


# cameras


CAMERA = Device(
    "/dev/video0", "Webcam", "uvc", (), (Format("MJPG", (Size(64, 48, (30.0, 15.0)),)),), (), None
)


class Pictures:
    """A reader that takes its time for each picture on a clock moved by hand."""

    live = True
    notice = None

    def __init__(self, seconds: float, fails: Exception | None = None) -> None:
        self.now = 0.0
        self.closed = False
        self._seconds = seconds
        self._fails = fails
        self._count = 0

    def describe(self) -> str:
        return "pictures"

    def open(self) -> None:
        if self._fails is not None:
            raise self._fails

    def read(self) -> Shot | None:
        self.now += self._seconds
        self._count += 1
        if self._count % 5 == 0:
            raise BadFrame("torn")
        return Shot(np.zeros((48, 64, 3), np.uint8), PixelFormat.BGR)

    def close(self) -> None:
        self.closed = True


def test_the_true_rate_counts_good_pictures_of_one_second_after_the_first() -> None:
    reader = Pictures(0.05)
    rate, width, height = cameras.measured(reader, lambda: reader.now)
    assert (rate, width, height) == (pytest.approx(16, abs=1), 64, 48)
    assert reader.closed


@pytest.mark.parametrize(
    ("device", "reader", "expected", "words"),
    [
        (CAMERA, Pictures(0.0001), "ok", "MJPG to 64x48; "),
        (CAMERA, Pictures(0.0, SourceUnavailable("/dev/video0 is busy")), "fail", "is busy"),
        (
            dataclasses.replace(CAMERA, refusal="it may not be. Mend: join video"),
            None,
            "fail",
            "it may not be.",
        ),
        (
            dataclasses.replace(CAMERA, holders=(Holder(7, "cheese"),)),
            None,
            "warn",
            "held by cheese (process 7)",
        ),
    ],
)
def test_a_camera_is_judged_by_what_it_delivers(
    device: Device, reader: Any, expected: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "MEASURED", 0.01)
    check = cameras.examined(device, lambda _: reader)
    assert check.state == expected
    assert words in check.found
    assert expected == "ok" or check.mend


def test_a_configured_camera_that_is_not_there_is_told() -> None:
    uris = {"yard": "camera:987", "door": "/dev/video988", "hall": "camera:kitchen", "here": "/dev/null"}
    found = {
        check.name: check for check in cameras.absent({**uris, "clip": "a.mp4", "net": "rtsp://10.0.0.1/"})
    }
    assert sorted(found) == ["source door", "source hall", "source yard"]
    assert "/dev/video987 is not there" in found["source yard"].found
    assert "sources.yard.uri" in found["source yard"].mend
    assert "names no camera" in found["source hall"].found
    assert states(cameras.examine(patient(source="camera:987")))["source main"] == "fail"


def test_a_camera_slower_than_promised_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "measured", lambda _: (12.0, 64, 48))
    check = cameras.examined(CAMERA, lambda _: Pictures(0.1))
    assert check.state == "warn"
    assert check.found.endswith("12.0 pictures a second at 64x48, promised 30")


# access, clock, room


def test_devices_that_may_not_be_used_are_told_with_their_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("video0", "i2c-1"):
        (tmp_path / name).touch()
    monkeypatch.setattr(access, "DEV", tmp_path)
    assert states(list(access.examine(Patient(None)))) == {"group video": "ok", "group i2c": "ok"}
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found = list(access.examine(Patient(None)))
    assert states(found) == {"group video": "fail", "group i2c": "warn"}
    assert found[0].mend.startswith("sudo usermod -aG video ")


def test_the_clock_must_be_of_this_time_and_should_be_kept() -> None:
    now = wall.wall_ms()
    assert clock.judged(now, "synced").state == "ok"
    assert clock.judged(now, "unknown").state == "ok"
    assert clock.judged(now, "unsynced").state == "warn"
    assert clock.judged(0, "synced").state == "fail"


def test_the_state_folder_must_have_room_for_the_spool(tmp_path: Path) -> None:
    mib = 1 << 20
    assert state.space(tmp_path, 2000 * mib, 64 * mib).state == "ok"
    assert state.space(tmp_path, 100 * mib, 64 * mib).state == "warn"
    assert state.space(tmp_path, 10 * mib, 64 * mib).state == "fail"


def test_the_state_folder_must_be_one_of_ours(tmp_path: Path) -> None:
    assert state.writable(tmp_path / "a" / "b").state == "ok"
    (tmp_path / "file").touch()
    assert state.writable(tmp_path / "file" / "b").state == "fail"


# certificates


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> brokers.Certificates:
    return brokers.make_certificates(tmp_path_factory.mktemp("certificates"))


def test_the_dates_of_a_certificate_are_read(pems: brokers.Certificates) -> None:
    from cryptography import x509

    for path in (pems.ca, pems.client_cert):
        known = x509.load_pem_x509_certificate(path.read_bytes())
        expected = (
            known.not_valid_before_utc.timestamp() * 1000,
            known.not_valid_after_utc.timestamp() * 1000,
        )
        assert der.validity(ssl.PEM_cert_to_DER_cert(path.read_text())) == expected


def test_dates_beyond_2050_are_read(tmp_path: Path) -> None:
    assert der.moment(der.GENERALIZED_TIME, b"20500101000000Z") == 2_524_608_000_000
    assert der.moment(der.UTC_TIME, b"491231235959Z") == 2_524_607_999_000
    assert der.moment(der.UTC_TIME, b"500101000000Z") < 0


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"\x30\x82\xff\xff", bytes(range(200))]
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, StopIteration)):
        der.validity(data)


def test_certificates_are_judged_by_their_dates(pems: brokers.Certificates) -> None:
    now = wall.wall_ms()
    assert certificates.certificate("x", pems.client_cert, now).state == "warn"  # good for an hour
    assert certificates.certificate("x", pems.client_cert, now - HOUR).state == "fail"
    assert "expired at" in certificates.certificate("x", pems.client_cert, now + 2 * HOUR).found
    assert certificates.judged("x", pems.client_cert, now - HOUR, now + 1000 * HOUR, now).state == "ok"


@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_certificates_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "cert.pem"
    if content is not None:
        path.write_bytes(content)
    check = certificates.certificate("transport.cert", path, wall.wall_ms())
    assert check.state == "fail"
    assert str(path) in check.found
    assert check.mend


def test_a_key_must_be_there_and_private(pems: brokers.Certificates, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    assert certificates.private(key).state == "fail"
    key.write_bytes(pems.client_key.read_bytes())
    key.chmod(0o644)
    assert certificates.private(key).mend == f"chmod 600 {key}"
    key.chmod(0o600)
    assert certificates.private(key).state == "ok"


def test_certificate_and_key_must_belong_together(pems: brokers.Certificates, tmp_path: Path) -> None:
    assert certificates.fitting(pems.client_cert, pems.client_key).state == "ok"
    assert "is not the key of" in certificates.fitting(pems.client_cert, pems.stranger_key).found
    assert certificates.fitting(pems.client_cert, tmp_path / "absent").state == "fail"
    assert certificates.fitting(pems.client_cert, pems.client_cert).state == "fail"


def test_an_encrypted_key_is_told_and_nobody_is_asked(pems: brokers.Certificates, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(pems.client_key.read_bytes(), None)
    secret = serialization.BestAvailableEncryption(b"x")
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, secret))
    assert certificates.fitting(pems.client_cert, tmp_path / "key.pem").state == "fail"


# the broker


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def served(listener: socket.socket, pems: brokers.Certificates, *, clients: bool) -> threading.Thread:
    """Take one connection with TLS, and hold it until the client goes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pems.server_cert, pems.server_key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pems.ca)

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.settimeout(5)
                secure.recv(1)
        except OSError:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def reached(port: int, host: str = "localhost", **more: Any) -> Check:
    found = patient(
        transport__endpoint=host, transport__port=port, **{f"transport__{k}": str(v) for k, v in more.items()}
    )
    assert found.config is not None
    return broker.reached(found.config.transport)


def test_no_broker_is_no_fault() -> None:
    assert states(list(broker.examine(patient()))) == {"broker": "ok"}


def test_a_plain_broker_that_answers_is_good(listener: socket.socket) -> None:
    assert reached(listener.getsockname()[1]).state == "ok"


def test_a_password_that_travels_in_the_open_is_told() -> None:
    given = config.Transport(kind="iot_core", endpoint="10.0.0.1", username="a", password="hunter2222")
    assert broker.in_the_open("10.0.0.1:1883", given).state == "warn"
    assert (
        broker.in_the_open("localhost:1883", given.model_copy(update={"endpoint": "localhost"})).state == "ok"
    )
    assert broker.in_the_open("10.0.0.1:1883", given.model_copy(update={"password": None})).state == "ok"


def test_a_broker_that_is_not_there_is_told() -> None:
    check = reached(free_port(), "127.0.0.1")
    assert check.state == "fail"
    assert "refuses: nothing listens there" in check.found
    assert "is not known by that name" in reached(1883, "no-such-host.invalid").found


def test_a_broker_that_trusts_us_is_good(listener: socket.socket, pems: brokers.Certificates) -> None:
    thread = served(listener, pems, clients=True)
    port = listener.getsockname()[1]
    check = reached(port, ca=pems.ca, cert=pems.client_cert, key=pems.client_key)
    thread.join()
    assert check.state == "ok"
    assert "TLSv1" in check.found


def test_the_broker_s_own_certificate_may_stand_for_its_authority(
    listener: socket.socket, pems: brokers.Certificates
) -> None:
    thread = served(listener, pems, clients=False)
    check = reached(listener.getsockname()[1], ca=pems.server_cert)
    thread.join()
    assert check.state == "ok", check.found


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"ca": "ca"}, "ends the TLS handshake"),
        ({"ca": "ca", "cert": "client_cert", "key": "stranger_key"}, "is not the key of transport.cert"),
        ({"ca": "ca", "cert": "stranger_cert", "key": "stranger_key"}, "ends the TLS handshake"),
        ({"ca": "stranger_ca"}, "has a certificate that is not trusted"),
    ],
)
def test_sides_that_do_not_trust_one_another_are_told(
    listener: socket.socket, pems: brokers.Certificates, names: dict[str, str], words: str
) -> None:
    thread = served(listener, pems, clients=True)
    files = {setting: getattr(pems, name) for setting, name in names.items()}
    check = reached(listener.getsockname()[1], **files)
    thread.join()
    assert check.state == "fail"
    assert words in check.found
    assert check.mend
