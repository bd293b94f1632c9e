"""The thread of one source: opens it, opens it again, gives frames their number and time, tells its state."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from kernels.formats import Picture
from streams.backoff import Backoff
from streams.errors import BadFrame, SourceError, SourceInvalid, SourceNotFound, SourceUnavailable
from streams.frame import Frame, Veil
from streams.latest import Latest
from streams.sources import Reader, Shot
from streams.stall import StallWatch

if TYPE_CHECKING:
    from streams.privacy import Curtain

State = Literal["opening", "running", "stalled", "reconnecting", "ended", "failed"]

PATIENCE_S = 30.0
STOP_S = 2.0

_PLAUSIBLE_AGE_S = 5.0  # a driver's time further back than this is of another clock
_COMPLAIN_S = 60.0

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class FeedStatus:
    """How a source does, at one moment.

    state: "opening" until the first picture; "running"; "stalled": live, but without news; "reconnecting":
    lost, tried again and again; "ended": a source that has an end is there, or the feed was stopped;
    "failed": given up, see error. captured: frames handed over, dropped: of these, replaced before they were
    read. bad: pictures that could not be decoded. repeated: pictures withheld because a live source only
    repeats itself. stalls: how often it stalled. reopened: how often it came back. error: what is wrong now,
    None while all is well. notice: what was odd though not wrong. describes: the source in words, without
    secrets.
    """

    state: State
    captured: int
    dropped: int
    bad: int
    reopened: int
    repeated: int
    stalls: int
    error: SourceError | None
    notice: str | None
    describes: str


class Feed:
    """Reads `reader` on a thread of its own and puts Frames into `slot`, until its end or until stopped.

    patience: how long a source that never gave a picture is tried, seconds; None: for ever. A live source
    that once did is tried for ever; a recorded one that breaks has failed. clock: monotonic seconds. sleep:
    waits so many seconds; by default it ends early when the feed is stopped. curtain: covers the private zones of
    each picture before a frame is made of it.
    """

    def __init__(
        self,
        name: str,
        reader: Reader,
        slot: Latest,
        *,
        patience: float | None = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        backoff: Backoff | None = None,
        watch: StallWatch | None = None,
        curtain: "Curtain | None" = None,
    ) -> None:
        self.name = name
        self._reader = reader
        self._slot = slot
        self._patience = patience
        self._clock = clock
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._backoff = backoff or Backoff()
        self._watch = watch or StallWatch()
        self._curtain = curtain
        self._thread = threading.Thread(target=self._run, name=f"feed-{name}", daemon=True)
        self._condition: tuple[State, SourceError | None] = ("opening", None)
        self._began = self._news_at = clock()
        self._captured = self._bad = self._repeated = self._stalls = self._reopened = 0
        self._complained: dict[str, float] = {}

    def start(self) -> None:
        """Raises RuntimeError where it was started before."""
        self._began = self._news_at = self._clock()
        self._thread.start()

    def stop(self, timeout: float = STOP_S) -> bool:
        """End reading; True if the thread has ended within `timeout` seconds.

        A thread that still waits inside a driver is left alone: it hands nothing over any more, ends as soon
        as the driver lets go, and does not keep the process alive.
        """
        self._stopping.set()
        self._slot.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def status(self) -> FeedStatus:
        """May be called from any thread."""
        state, error = self._condition
        if state == "running" and self._is_silent(self._clock()):
            state, error = "stalled", SourceUnavailable(f"{self._reader.describe()} is silent")
        return FeedStatus(
            state,
            self._captured,
            self._slot.dropped,
            self._bad,
            self._reopened,
            self._repeated,
            self._stalls,
            error,
            self._reader.notice,
            self._reader.describe(),
        )

    def _run(self) -> None:
        try:
            self._go_on()
        except Exception as error:  # a reader that raises anything else is broken; the others go on
            log.exception("source %s: its reader broke", self.name)
            self._fail(SourceError(f"the reader of {self._reader.describe()} broke: {error!r}"))
        finally:
            self._let_go()
            self._slot.close()

    def _go_on(self) -> None:
        """Open and read until the end, a stop, or an error that trying again does not mend."""
        while not self._stopping.is_set():
            try:
                self._reader.open()
                self._watch.reopened()
                self._read_on()
                return self._end()
            except SourceError as error:
                if self._is_final(error):
                    return self._fail(error)
                self._lose(error)
            self._let_go()
            self._wait_before_trying()
        return self._end()

    def _read_on(self) -> None:
        """Until the end of the source or a stop. Raises SourceError where the source is lost."""
        self._news_at = self._clock()
        while not self._stopping.is_set():
            try:
                shot = self._reader.read()
            except BadFrame as error:
                self._skip(error)
                continue
            if shot is None:
                return
            self._wait_until(shot.due)
            self._deliver(shot, self._clock())

    def _deliver(self, shot: Shot, now: float) -> None:
        trouble = self._watch.see(shot, now) if self._reader.live else None
        if trouble is not None:
            self._withhold(trouble, now)
            return
        self._notice_news(now)
        veil: Veil | None = None
        if self._curtain is not None:
            shot, veil = self._curtain.draw(shot)
        frame = Frame(
            id=self._captured + 1,
            source=self.name,
            captured_at=captured_at(shot.stamp, now),
            pixels=sealed(shot.pixels),
            format=shot.format,
            jpeg=shot.jpeg,
            whole=shot.whole,
            veil=veil,
        )
        self._captured += 1
        if not self._slot.put(frame):
            self._captured -= 1

    def _notice_news(self, now: float) -> None:
        state, _ = self._condition
        if state == "running" and self._reader.live and self._is_silent(now):
            self._stalls += 1
        self._news_at = now
        if state == "running":
            return
        if self._captured and state != "stalled":
            self._reopened += 1
        log.info("source %s: %s", self.name, self._reader.describe())
        self._backoff.reset()
        self._condition = ("running", None)

    def _withhold(self, trouble: str, now: float) -> None:
        """A picture that is no news is not handed on, so that nobody takes it for a fresh one."""
        self._repeated += 1
        error = SourceUnavailable(f"{self._reader.describe()} {trouble}")
        if self._condition[0] != "stalled":
            self._stalls += self._condition[0] == "running"
            self._condition = ("stalled", error)
            self._complain("stalled", error)
        if self._watch.wants_reopening(now):
            raise error

    def _skip(self, error: BadFrame) -> None:
        """Raises SourceUnavailable where a live source has given nothing else for too long."""
        self._bad += 1
        self._complain("bad", error)
        if self._reader.live and self._is_silent(self._clock()):
            raise SourceUnavailable(f"{self._reader.describe()} gives damaged pictures only: {error}")

    def _is_silent(self, now: float) -> bool:
        return self._reader.live and now - self._news_at > self._watch.after

    def _is_final(self, error: SourceError) -> bool:
        if self._captured:
            return not self._reader.live
        if isinstance(error, SourceInvalid | SourceNotFound):
            return True
        return self._patience is not None and self._clock() - self._began >= self._patience

    def _lose(self, error: SourceError) -> None:
        if self._captured and self._condition[0] == "running":
            self._stalls += self._is_silent(self._clock())
        self._condition = ("reconnecting" if self._captured else "opening", error)
        self._complain("lost", error)

    def _wait_before_trying(self) -> None:
        """The last try comes exactly when patience ends."""
        wait = self._backoff.next()
        if self._patience is not None and not self._captured:
            wait = min(wait, max(0.0, self._began + self._patience - self._clock()))
        self._sleep(wait)

    def _wait_until(self, due: float | None) -> None:
        if due is not None:
            wait = due - self._clock()
            if wait > 0:
                self._sleep(wait)

    def _end(self) -> None:
        self._condition = ("ended", None)
        if self._reader.notice is not None:
            log.warning("source %s: %s", self.name, self._reader.notice)

    def _fail(self, error: SourceError) -> None:
        self._condition = ("failed", error)
        log.error("source %s: %s", self.name, error)

    def _let_go(self) -> None:
        try:
            self._reader.close()
        except Exception:
            log.exception("source %s: its reader broke when it was closed", self.name)

    def _complain(self, kind: str, error: SourceError) -> None:
        """A warning, but one a minute of each kind at most."""
        now = self._clock()
        if now - self._complained.get(kind, -_COMPLAIN_S) >= _COMPLAIN_S:
            self._complained[kind] = now
            log.warning("source %s: %s", self.name, error)


def sealed(pixels: Picture) -> Picture:
    """The same picture, which nobody can write into: a user's code draws on a copy, or not at all."""
    view = pixels.view()
    view.flags.writeable = False
    return view


def captured_at(stamp: float | None, now: float) -> float:
    """The driver's time where it is of our monotonic clock, else the time of arrival; seconds."""
    return stamp if stamp is not None and 0.0 <= now - stamp <= _PLAUSIBLE_AGE_S else now
