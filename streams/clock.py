"""Wall time, how far it can be trusted, and which boot this is. No other file reads the wall clock.

Everything that measures or waits uses monotonic time, passed in; wall time appears only in messages, where a
reader elsewhere needs it. A message therefore carries both, and says whether the wall clock was set by a time
server: a device without a battery-backed clock starts in the past.
"""

import ctypes
import ctypes.util
import functools
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

Synchronised = Literal["synced", "unsynced", "unknown"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # adjtimex: the clock is not synchronised
_STA_UNSYNC = 0x40
_ASK_AGAIN_S = 10.0


def wall_ms() -> int:
    """Wall time in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def utc(ts_ms: int) -> str:
    """`ts_ms` (milliseconds since 1970-01-01 UTC) as text: "2026-11-22T06:25:00.123Z"."""
    seconds, thousandths = divmod(ts_ms, 1000)
    return f"{_second(seconds)}.{thousandths:03d}Z"


@functools.lru_cache(8)
def _second(ts_s: int) -> str:
    """Kept for a while: the messages of one second share it."""
    return f"{datetime.fromtimestamp(ts_s, UTC):%Y-%m-%dT%H:%M:%S}"


@functools.cache
def boot_id() -> str:
    """The kernel's name of this boot, the same for every process until the next one.

    Where the kernel gives none (macOS) it is made up once per process.
    """
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return str(uuid.uuid4())


def synced(now: float | None = None) -> Synchronised:
    """Whether a time server keeps the wall clock: "synced", "unsynced", or "unknown" where nobody can say.

    The kernel is asked at most once in ten seconds. now: monotonic seconds, read here when absent.
    """
    return _answer.at(time.monotonic() if now is None else now)


class _Answer:
    """The kernel's answer, kept for a while: it costs a system call, and messages are many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: tuple[float, Synchronised] = (
            -_ASK_AGAIN_S,
            "unknown",
        )  # when it was asked, and what it said

    def at(self, now: float) -> Synchronised:
        asked_at, answer = self._newest
        if 0.0 <= now - asked_at < _ASK_AGAIN_S:
            return answer
        with self._lock:
            if not 0.0 <= now - self._newest[0] < _ASK_AGAIN_S:
                self._newest = now, ask_kernel()
            return self._newest[1]


_answer = _Answer()


class _Timex(ctypes.Structure):
    """The head of the kernel's struct timex, and room for the rest, which is written and not read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def ask_kernel() -> Synchronised:
    """Reads (never sets) the kernel's clock discipline by adjtimex(2)."""
    if not sys.platform.startswith("linux"):
        return "unknown"
    call = _adjtimex()
    state = _Timex()
    result = -1 if call is None else int(call(ctypes.byref(state)))
    if result < 0:
        return "unknown"
    return "unsynced" if result == _TIME_ERROR or state.status & _STA_UNSYNC else "synced"


@functools.cache
def _adjtimex() -> "ctypes._NamedFuncPointer | None":
    try:
        call = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    call.argtypes = [ctypes.c_void_p]
    call.restype = ctypes.c_int
    return call
