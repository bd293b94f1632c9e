"""Ctrl-C and SIGTERM as a flag that the run looks at, so that everything ends in its order."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

CAUGHT = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED = threading.Event()  # there was a Ctrl-C before anybody entered Signals


def watch() -> None:
    """From now on a Ctrl-C is remembered beside being raised.

    While libraries are loaded it may be raised where it is swallowed: in a bare `except` of theirs, in a
    callback of the interpreter. Whoever enters Signals afterwards finds it.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _remember)


def _remember(number: int, frame: FrameType | None) -> None:
    _INTERRUPTED.set()
    raise KeyboardInterrupt


def check() -> None:
    """Raises KeyboardInterrupt where there was a Ctrl-C before anybody entered Signals, also where it was swallowed."""
    if _INTERRUPTED.is_set():
        raise KeyboardInterrupt


class Signals:
    """While entered, the first signal sets the flag and calls `wake`; a second Ctrl-C interrupts as usual.

    Does nothing when entered on another thread than the main one, where Python allows no handlers.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._before: dict[int, object] = {}
        self.number: int | None = None

    def __bool__(self) -> bool:
        """Whether a signal has come."""
        return self.number is not None

    @property
    def interrupted(self) -> bool:
        """Whether it was Ctrl-C."""
        return self.number == signal.SIGINT

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():
            for number in CAUGHT:
                self._before[number] = signal.signal(number, self._caught)
            if _INTERRUPTED.is_set():
                self.number = signal.SIGINT
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave, it takes

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number
        self._wake()
