"""The first signal is a flag, a second Ctrl-C is an interruption, and the old handlers come back."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from edge.signals import Signals


def test_the_first_signal_sets_the_flag_and_wakes() -> None:
    woken = threading.Event()
    with Signals(woken.set) as signals:
        assert not signals
        os.kill(os.getpid(), signal.SIGTERM)
        assert woken.wait(2)
        assert signals
        assert not signals.interrupted


def test_a_second_ctrl_c_interrupts() -> None:
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.interrupted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Signals():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_may_enter_and_catches_nothing() -> None:
    entered: list[bool] = []

    def enter() -> None:
        with Signals() as signals:
            entered.append(bool(signals))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(2)
    assert entered == [False]


def test_a_ctrl_c_that_a_library_swallowed_while_it_was_loaded_is_not_forgotten() -> None:
    """OpenVINO makes an ImportError of it; the run would go on, with another backend and nobody's wish."""
    script = (
        "import os, signal\n"
        "from edge import signals\n"
        "signals.watch()\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "except BaseException:\n"
        "    pass\n"
        "with signals.Signals() as seen:\n"
        "    raise SystemExit(42 if seen.interrupted else 1)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=30).returncode == 42
