"""systemd hears that a run is ready, what it does, that it is alive and that it ends, and never a lie about it."""

import contextlib
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge_process import finish, start
from hand_clock import HandClock
from projects import fake_finder
from witness import wait_until

from edge import notify
from edge.notify import Notifier, Progress, Vigil


class Systemd:
    """Who listens at NOTIFY_SOCKET: a datagram socket at a path, or at an abstract name."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(0.0)
        self.messages: list[list[str]] = []

    def hear(self) -> list[str]:
        """Every line so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.messages.append(self._socket.recv(65_536).decode().split("\n"))
        return [line for message in self.messages for line in message]

    def forget(self) -> None:
        self.hear()
        self.messages.clear()

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def listening(address: str) -> Iterator[Systemd]:
    opened = Systemd(address)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with listening(f"@lensracer-{secrets.token_hex(8)}") as opened:
        yield opened


class Run:
    """A run whose progress is what a test says."""

    def __init__(self) -> None:
        self.now = Progress(0.0, 0, 0, 0)

    def progress(self) -> Progress:
        return self.now

    def line(self) -> str:
        return "so far,\nso good"


@pytest.fixture
def run() -> Run:
    return Run()


def vigil(systemd: Systemd, run: Run, watchdog: float | None = 4.0) -> tuple[Vigil, HandClock]:
    clock = HandClock()
    return Vigil(Notifier(systemd.address), run, clock, watchdog), clock


def test_ready_is_said_once_and_with_the_first_answer(systemd: Systemd, run: Run) -> None:
    kept, _ = vigil(systemd, run)
    kept.look()
    assert "READY=1" not in systemd.hear()
    assert "EXTEND_TIMEOUT_USEC=15000000" in systemd.hear()
    run.now = Progress(1.0, 1, 1, 1)
    kept.look()
    run.now = Progress(2.0, 2, 2, 2)
    systemd.hear()
    kept.look()
    assert systemd.hear().count("READY=1") == 1
    assert not [line for line in systemd.messages[-1] if line.startswith("EXTEND")]
    kept.stop()


def test_a_loop_that_stands_still_pings_no_more_and_asks_for_no_more_time(systemd: Systemd, run: Run) -> None:
    kept, clock = vigil(systemd, run)
    kept.look()
    systemd.forget()
    for _ in range(20):
        clock.sleep(1.0)
        kept.look()
    assert {line.partition("=")[0] for line in systemd.hear()} <= {"STATUS"}
    kept.stop()


def test_a_loop_that_turns_and_takes_no_pictures_though_they_come_pings_no_more(
    systemd: Systemd, run: Run
) -> None:
    kept, _ = vigil(systemd, run)
    run.now = Progress(1.0, 10, 10, 10)
    kept.look()
    systemd.forget()
    for turn in range(2, 10):
        run.now = Progress(float(turn), 10 * turn, 10, 10)
        kept.look()
    assert "WATCHDOG=1" not in systemd.hear()
    run.now = Progress(11.0, 100, 11, 11)
    kept.look()
    assert "WATCHDOG=1" in systemd.hear()
    kept.stop()


@pytest.mark.parametrize("paused", [False, True])
def test_a_camera_that_is_gone_and_a_pause_are_no_reason_for_a_restart(
    systemd: Systemd, run: Run, paused: bool
) -> None:
    kept, _ = vigil(systemd, run)
    run.now = Progress(1.0, 10, 10, 10)
    kept.look()
    for turn in range(2, 6):
        systemd.forget()
        run.now = Progress(float(turn), 10 + turn * paused, 10, 10, paused=paused)
        kept.look()
        assert "WATCHDOG=1" in systemd.hear()
    kept.stop()


def test_without_a_watchdog_nothing_pings(systemd: Systemd, run: Run) -> None:
    kept, _ = vigil(systemd, run, None)
    run.now = Progress(1.0, 1, 1, 1)
    kept.look()
    assert "READY=1" in systemd.hear()
    assert "WATCHDOG=1" not in systemd.hear()
    kept.stop()


def test_the_status_is_one_line_and_not_told_with_every_look(systemd: Systemd, run: Run) -> None:
    kept, clock = vigil(systemd, run)
    for _ in range(5):
        clock.sleep(1.0)
        kept.look()
    assert systemd.hear().count("STATUS=so far, so good") == 1
    kept.stop()
    assert systemd.hear()[-2:] == ["STOPPING=1", "STATUS=ends"]


def test_nobody_who_listens_any_more_costs_one_warning(
    systemd: Systemd, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(systemd.address)
    systemd.close()
    for _ in range(3):
        notifier.say("READY=1")
    notifier.close()
    assert len(caplog.records) == 1


def test_without_a_socket_or_with_one_of_another_kind_nobody_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert notify.notifier_of({}) is None
    assert notify.notifier_of({"NOTIFY_SOCKET": ""}) is None
    assert not caplog.records
    assert notify.notifier_of({"NOTIFY_SOCKET": "vsock:2:1234"}) is None
    assert "vsock:2:1234" in caplog.text


def test_the_watchdog_of_another_process_is_not_ours() -> None:
    ours = {"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "7"}
    assert notify.watchdog_of(ours, 7) == 2.5
    assert notify.watchdog_of(ours, 8) is None
    assert notify.watchdog_of({"WATCHDOG_USEC": "500000"}, 7) == 0.5
    for micro in ("", "0", "-1", "soon"):
        assert notify.watchdog_of({"WATCHDOG_USEC": micro}) is None


@pytest.mark.slow
@pytest.mark.parametrize("abstract", [True, False])
def test_a_run_tells_systemd_from_its_first_picture_to_its_end(tmp_path: Path, abstract: bool) -> None:
    address = f"@lensracer-{secrets.token_hex(8)}" if abstract else str(tmp_path / "notify.sock")
    with listening(address) as systemd:
        process = start(
            *("run", fake_finder(tmp_path), "--source", "synthetic:?rate=30"),
            folder=tmp_path,
            NOTIFY_SOCKET=address,
            WATCHDOG_USEC="1000000",
        )
        try:
            wait_until(lambda: systemd.hear().count("WATCHDOG=1") >= 4, 30.0)
        finally:
            done = finish(process, signal.SIGTERM)
        lines = systemd.hear()
    assert done.code == 0, done.output
    assert lines.count("READY=1") == 1
    assert any(line.startswith("STATUS=") and "pictures in" in line for line in lines), lines
    assert lines[-2:] == ["STOPPING=1", "STATUS=ends"]


@pytest.mark.slow
def test_a_run_that_hangs_is_given_up_and_one_without_a_camera_is_not(tmp_path: Path) -> None:
    """The hook of the first hangs with its third picture; the second has a source that never opens."""
    with listening(str(tmp_path / "notify.sock")) as systemd:
        hanging = fake_finder(tmp_path, "hook: hook.py\n")
        (hanging / "hook.py").write_text(
            "import time\nclass Hook:\n    seen = 0\n    def on_result(self, frame, result):\n"
            "        self.seen += 1\n        time.sleep(600 if self.seen == 3 else 0)\n"
        )
        words = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "400000"}
        process = start("run", hanging, "--source", "synthetic:?rate=30", folder=tmp_path, **words)
        try:
            wait_until(lambda: "READY=1" in systemd.hear(), 30.0)
            wait_until(lambda: pings_stop(systemd, 1.0), 10.0)
        finally:
            process.kill()
            process.communicate()
        systemd.forget()
        blind = start(
            *(
                "run",
                fake_finder(tmp_path),
                "--set",
                "sources.main={uri: 'http://127.0.0.1:9/', patience: forever}",
            ),
            folder=tmp_path,
            **words,
        )
        try:
            wait_until(lambda: systemd.hear().count("WATCHDOG=1") >= 12, 30.0)
            assert "READY=1" not in systemd.hear()
            assert any("source main gives no pictures (opening)" in line for line in systemd.hear())
        finally:
            os.kill(blind.pid, signal.SIGTERM)
            blind.communicate(timeout=20)


def pings_stop(systemd: Systemd, seconds: float) -> bool:
    """Whether no ping comes for so long."""
    import time

    before = systemd.hear().count("WATCHDOG=1")
    time.sleep(seconds)
    return systemd.hear().count("WATCHDOG=1") == before
