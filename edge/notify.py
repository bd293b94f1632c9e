"""How a run fares, told to systemd: that it is ready, what it does, that it is alive, that it ends.

Without NOTIFY_SOCKET in the environment there is nobody to tell. READY=1 comes with the first picture that the model
has answered; until then the time for the start is extended, as long as the loop turns, so that a camera that is late
is waited for as long as `sources.*.patience` says, and not as long as TimeoutStartSec.

WATCHDOG=1 follows the pictures, and no timer: it is sent only where, since the last one, the loop has turned, and has
taken pictures if any came. A loop that hangs, in a driver or in a model, therefore ends the service's patience, and
systemd starts it anew. A camera that is gone or stands still does not: the loop waits for it, the source opens it
again and again, and a restart would do no more; the status tells of it.
"""

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

log = logging.getLogger(__name__)

LOOK_S = 1.0
SAY_AGAIN_S = 10.0
EXTENSION_S = 15.0
MICRO = 1_000_000


class Progress(NamedTuple):
    """turned: changes with each turn of the loop. came, taken: pictures that came to it, and that it took, so far.
    answered: by the model. paused: pictures are left lying on purpose."""

    turned: float
    came: int
    taken: int
    answered: int
    paused: bool = False


class Subject(Protocol):
    """Whom the vigil is kept over."""

    def progress(self) -> Progress: ...

    def line(self) -> str:
        """How it fares, in a line."""
        ...


class Notifier:
    """Datagrams to systemd. What cannot be told is not told: the run goes on."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)
        self._failed = False

    def say(self, *lines: str) -> None:
        """One message of lines such as READY=1. Never blocks, never raises."""
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("systemd cannot be told how the run fares: %s", error)
            self._failed = True

    def close(self) -> None:
        self._socket.close()


def notifier_of(environ: Mapping[str, str]) -> Notifier | None:
    """Who tells systemd; None where nobody listens."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return None
    if address[0] not in "/@":
        log.warning("NOTIFY_SOCKET %s is no socket of this machine: systemd is not told anything", address)
        return None
    return Notifier(address)


def watchdog_of(environ: Mapping[str, str], pid: int | None = None) -> float | None:
    """Seconds within which systemd wants a sign of life of this process; None where it wants none."""
    if environ.get("WATCHDOG_PID", "") not in ("", str(pid or os.getpid())):
        return None
    with contextlib.suppress(ValueError):
        micro = int(environ.get("WATCHDOG_USEC", ""))
        return micro / MICRO if micro > 0 else None
    return None


class Vigil:
    """Looks at a run from a thread of its own and tells what it sees. watchdog: seconds, see `watchdog_of`."""

    def __init__(
        self, notifier: Notifier, subject: Subject, clock: Callable[[], float], watchdog: float | None = None
    ) -> None:
        self._notifier, self._subject, self._clock = notifier, subject, clock
        self._watchdog = watchdog
        self._ready = False
        self._seen: Progress | None = None
        self._said_at = float("-inf")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="vigil", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The run ends from here on: the rest may take as long as it does."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(LOOK_S)
        self._notifier.say("STOPPING=1", "STATUS=ends")
        self._notifier.close()

    def look(self) -> None:
        """Look once, and tell what there is to tell."""
        now, progress = self._clock(), self._subject.progress()
        lines = []
        if goes_on(self._seen, progress):
            self._seen = progress
            if not self._ready and progress.answered:
                self._ready, self._said_at = True, float("-inf")
                lines.append("READY=1")
            lines += self._signs()
        lines += self._status(now)
        if lines:
            self._notifier.say(*lines)

    def _signs(self) -> list[str]:
        signs = [] if self._ready else [f"EXTEND_TIMEOUT_USEC={int(EXTENSION_S * MICRO)}"]
        return signs if self._watchdog is None else [*signs, "WATCHDOG=1"]

    def _status(self, now: float) -> list[str]:
        if now - self._said_at < SAY_AGAIN_S:
            return []
        self._said_at = now
        return [f"STATUS={' '.join(self._subject.line().split())}"]

    def _work(self) -> None:
        interval = LOOK_S if self._watchdog is None else min(LOOK_S, self._watchdog / 4)
        while True:
            try:
                self.look()
            except Exception:  # a vigil that ends would end the service
                log.exception("systemd could not be told how the run fares")
            if self._stopped.wait(interval):
                return


def vigil_of(
    subject: Subject, clock: Callable[[], float], environ: Mapping[str, str] = os.environ
) -> Vigil | None:
    """The vigil that systemd asks for; None where it does not."""
    notifier = notifier_of(environ)
    return None if notifier is None else Vigil(notifier, subject, clock, watchdog_of(environ))


def goes_on(before: Progress | None, now: Progress) -> bool:
    """Whether the loop has turned since, and has taken pictures if any came."""
    if before is None:
        return True
    idle = now.paused or now.came == before.came
    return now.turned != before.turned and (idle or now.taken != before.taken)
