"""Wall time is told as people and machines read it, with its worth beside it."""

import time

import pytest

from streams import clock


@pytest.mark.parametrize(
    ("ts_ms", "text"),
    [
        (1795328700123, "2026-11-22T06:25:00.123Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1795328700007, "2026-11-22T06:25:00.007Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_milliseconds(ts_ms: int, text: str) -> None:
    assert clock.utc(ts_ms) == text


def test_wall_time_is_the_systems() -> None:
    assert abs(clock.wall_ms() - time.time() * 1000) < 1000


def test_a_boot_keeps_its_name() -> None:
    assert clock.boot_id() == clock.boot_id()
    assert len(clock.boot_id()) == 36


def test_the_kernel_says_whether_a_time_server_keeps_the_clock() -> None:
    assert clock.ask_kernel() in ("synced", "unsynced", "unknown")
    assert clock.synced() in ("synced", "unsynced", "unknown")


def test_the_kernel_is_asked_at_most_once_in_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    monkeypatch.setattr(clock, "ask_kernel", lambda: asked.append(None) or "synced")
    answer = clock._Answer()
    assert [answer.at(now) for now in (100.0, 101.0, 109.9)] == ["synced"] * 3
    assert len(asked) == 1
    answer.at(110.0)
    assert len(asked) == 2


def test_a_kernel_that_cannot_be_asked_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_adjtimex", lambda: None)
    assert clock.ask_kernel() == "unknown"
    monkeypatch.setattr(clock, "_adjtimex", lambda: lambda _state: -1)
    assert clock.ask_kernel() == "unknown"


def test_a_clock_out_of_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_adjtimex", lambda: lambda _state: 5)
    monkeypatch.setattr(clock.sys, "platform", "linux")
    assert clock.ask_kernel() == "unsynced"
