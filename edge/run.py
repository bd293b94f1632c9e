"""One run from start to report: what is started, in which order it ends, and with which exit code."""

import contextlib
import gc
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from edge import build, exits, notify, probes, report
from edge.config import Config
from edge.cost import Sent
from edge.ending import Ending, ending_of
from edge.lane import Message
from edge.logbook import Logbook
from edge.loop import Loop
from edge.memory import Growth
from edge.newcomer import Supply
from edge.options import Options
from edge.pausing import Pausing
from edge.printer import Printer
from edge.progress import Progress
from edge.project import Project
from edge.pulse import Pulse
from edge.recorder import Recorder
from edge.remote.office import desk_of
from edge.report import Traffic
from edge.signals import Signals
from edge.swap import Swaps
from edge.tally import Tally
from edge.vitals import Vitals
from edge.watch import Watch, files_of
from inference.model import Model
from streams.feed import Feed
from streams.spool import Kind
from streams.topics import Topics

log = logging.getLogger(__name__)

HURRY = 0.5  # seconds that a signal leaves for acknowledgements, and for sources that wait inside a driver
LETTING_GO = 2.0  # seconds for the same sources without a signal; all of them together
LOOK_ROUND = 0.1  # seconds after which whoever waits for acknowledgements looks whether a signal came
FAREWELL = 1.0  # seconds for the last word to the broker
COLLECT = (700, 10, 10)  # Python's own bounds between two collections; a start has wider ones
TURN = 0.005  # seconds: Python's own, after which a thread yields to another; a start has a shorter one
SAMPLE_EVERY = 0.25  # seconds between two looks at the memory


class Stoppable(Protocol):
    def stop(self, timeout: float) -> object: ...


class Run:
    """The life of one runtime: `begin`, `work`, `end`, in this order and once each."""

    def __init__(
        self, runtime: build.Runtime, tally: Tally, options: Options, supply: Supply | None = None
    ) -> None:
        self.runtime = runtime
        self.tally = tally
        self.growth = Growth()
        self.swap = Swaps(runtime, supply)
        self.recorder = Recorder(runtime)
        self.logbook = Logbook()
        self.pausing = Pausing(runtime)
        self._desk = desk_of(self)
        self._options = options
        self._watch = watch_of(self.swap, runtime, options)
        self._progress = None if options.print_messages else Progress()
        self._began = self._last = self._sampled_at = runtime.clock()
        self.vitals = Vitals(
            runtime, tally, swaps=self.swap.figures, line=self.summary, stepped_at=lambda: self._last
        )
        self._vigil = notify.vigil_of(self.vitals, runtime.clock)
        if runtime.pictures is not None:
            runtime.pictures.routes = probes.routes(self.vitals)
        thing = runtime.config.thing
        self._pulse = Pulse(thing, Topics(thing).health, runtime.spool, self.figures, clock=runtime.clock)

    def begin(self) -> None:
        """Start everything that has a thread of its own, the sources last: what they bring finds its way out."""
        runtime = self.runtime
        if self._options.record is not None:
            self.recorder.begin(self._options.record)
        runtime.outlets.start()
        runtime.switch.now.begin()
        self.logbook.open()
        if self._desk is not None:
            self._desk.start()
        runtime.transport.start()
        runtime.sender.start()
        for lane in runtime.lanes.values():
            if lane.device is not None:
                lane.device.start()
        self._pulse.start()
        if self._vigil is not None:
            self._vigil.start()
        if self._watch is not None:
            self._watch.start()
        for feed in runtime.feeds.values():
            feed.start()

    def work(self, signals: Signals) -> None:
        """Run the loop until a signal, the asked number of frames, or the end of all sources."""
        runtime = self.runtime
        loop = Loop(
            *(runtime.inbox, runtime.switch, self.tally, runtime.clock, runtime.live),
            *(runtime.tap, runtime.interlude),
        )
        gc.freeze()  # what a run is made of stays to its end: no collection need look at it
        gc.set_threshold(*COLLECT)
        sys.setswitchinterval(TURN)
        self._began = self._last = runtime.clock()
        try:
            loop.run(lambda: bool(signals) or self._enough(), self._look)
        finally:
            self._last = runtime.clock()
            if self._progress is not None:
                self._progress.clear()

    def _enough(self) -> bool:
        wanted = self._options.frames
        if self._options.until is not None and self._options.until():
            return True
        if self._options.record is not None and self.recorder.over:
            return True
        return wanted is not None and self.tally.frames + self.runtime.model.pending >= wanted

    def _look(self) -> None:
        now = self._last = self.runtime.clock()
        if now - self._sampled_at >= SAMPLE_EVERY:
            self._sampled_at = now
            self.growth.sample(self.tally.frames)
        if self._progress is not None and self._progress.due(now):
            self._progress.show(self.summary(), now)

    def end(self, signals: Signals) -> str | None:
        """Stop in the order of a frame's way; a sentence if a message has no acknowledgement and is lost."""
        runtime = self.runtime
        patience = HURRY if signals else LETTING_GO
        if self._vigil is not None:
            self._vigil.stop()
        if self._desk is not None:
            self._desk.close()
        self._stop(runtime.feeds.values(), patience)
        if self._watch is not None:
            self._watch.stop()
        runtime.switch.leave()
        unrecorded = self.recorder.close()
        self.swap.stop(patience)
        if self._desk is not None:
            self._desk.stop(patience)
        self.logbook.close()
        self._pulse.stop()
        self._stop([lane.device for lane in runtime.lanes.values() if lane.device is not None], patience)
        self._drain(signals)
        runtime.sender.stop()
        undelivered = self._undelivered()
        runtime.transport.stop(FAREWELL)
        runtime.outlets.stop()
        runtime.sequence.close()
        runtime.switch.now.close()
        return undelivered or unrecorded

    def _stop(self, parts: Iterable[Stoppable], patience: float) -> None:
        """Ask all before any is waited for: ten sources that hang take no longer than one."""
        asked = list(parts)
        for part in asked:
            part.stop(0.0)
        deadline = self.runtime.clock() + patience
        for part in asked:
            part.stop(max(0.0, deadline - self.runtime.clock()))

    def _drain(self, signals: Signals) -> None:
        """Wait for acknowledgements; not for long once there is a signal, also one that comes meanwhile."""
        clock, hurried = self.runtime.clock, False
        deadline = clock() + self._options.drain
        while not self.runtime.sender.drain(max(0.0, min(LOOK_ROUND, deadline - clock()))):
            if signals and not hurried:
                hurried, deadline = True, min(deadline, clock() + HURRY)
            if clock() >= deadline:
                return

    def _undelivered(self) -> str | None:
        """A sentence if messages are lost; what waits in the spool is not, and is only told of."""
        lost = self.runtime.spool.close()
        status, reason = self.runtime.spool.status(), self.runtime.transport.reason
        if lost:
            return f"{lost} messages were not acknowledged, and are lost: {reason}"
        if status.left:
            wait = "wait in the spool for the next run, or for `edge spool drain`"
            log.warning("%d messages were not acknowledged; they %s: %s", status.left, wait, reason)
        former = status.former or {}  # told by the spool, and not this run's fault
        gone = {why: left for why, many in status.dropped.items() if (left := many - former.get(why, 0))}
        if apart := gone.pop("set_aside", 0):
            log.warning("%d messages that had the broker hang up are kept apart: `edge spool show`", apart)
        if gone:
            why = ", ".join(f"{count} {reason}" for reason, count in gone.items())
            return f"{sum(gone.values())} messages were given up, and are lost: {why}"
        return None

    def figures(self) -> dict[str, Any]:
        """What the health message tells. Asked on the pulse's thread."""
        runtime = self.runtime
        seconds = max(1e-9, runtime.clock() - self._began)
        return {
            "project": runtime.project.name,
            "http": runtime.pictures.url if runtime.pictures is not None else None,
            "sources": {
                name: {**source_figures(feed), "fps": round(self.tally.inferred[name] / seconds, 1)}
                for name, feed in runtime.feeds.items()
            },
            "messages": self.traffic().messages(),
            "kernels": report.which_kernels(),
            "hook": runtime.switch.hook_figures(),
            "swaps": self.swap.figures(),
            "paused": self.pausing.active,
            "commands": self._desk.figures() if self._desk is not None else {},
            "dialects": runtime.speaker.figures() if runtime.speaker is not None else {},
            **self.vitals.figures(),
        }

    def traffic(self) -> Traffic:
        """What left so far. May be asked on any thread."""
        sent = self.runtime.sender.status()
        lanes = self.runtime.lanes.values()
        return Traffic(
            project=sum(lane.project.sent for lane in lanes if lane.project is not None),
            device=sum(lane.device.published for lane in lanes if lane.device is not None),
            acked=sent.acked_of.get(Kind.INFER, 0),
            spooled=sent.spooled,
            dropped=sum(sent.dropped.values()),
            payload_bytes=sent.bytes,
            acks=self.runtime.transport.acks,
            sent=self.sent(),
        )

    def sent(self) -> dict[str, Sent]:
        """Messages and their billable units by stream, as they were put or, pictures, sent."""
        billed = self.runtime.spool.billed
        devices = [lane.device for lane in self.runtime.lanes.values() if lane.device is not None]
        return {
            "project stream": Sent(*billed[Kind.INFER]),
            "device stream": Sent(
                sum(each.published for each in devices), sum(each.units for each in devices)
            ),
            "health": Sent(*billed[Kind.TELEMETRY]),
            "answers": Sent(*billed[Kind.ANSWER]),
        }

    def summary(self) -> str:
        """The run in one line, while it lasts and when it has ended."""
        seconds, sent = self._last - self._began, self.traffic()
        rate = self.tally.frames / seconds if seconds > 0 else 0.0
        return (
            f"{self.tally.frames} pictures in {seconds:.1f} s, {rate:.1f} a second; "
            f"{sent.project} messages, {sent.acked} acknowledged"
        )

    def report(self, ending: Ending) -> dict[str, Any]:
        return report.report(
            tally=self.tally,
            growth=self.growth,
            feeds={name: feed.status() for name, feed in self.runtime.feeds.items()},
            traffic=self.traffic(),
            model=self.runtime.model.identity._asdict(),
            project=self.runtime.project.name,
            hook=self.runtime.switch.hook_figures(),
            swaps=self.swap.figures(),
            seconds=self._last - self._began,
            ending=ending,
        )


def watch_of(swap: Swaps, runtime: build.Runtime, options: Options) -> Watch | None:
    """What asks for the same project again when its files change, if that is wanted."""
    if not options.watch:
        return None

    def again() -> None:
        swap.request({"project": str(runtime.project.folder)}, local=True)

    return Watch(lambda: files_of(runtime.project), again, clock=runtime.clock)


def source_figures(feed: Feed) -> dict[str, Any]:
    now = feed.status()
    return {"state": now.state, "captured": now.captured, "dropped": now.dropped, "bad": now.bad}


def run(config: Config, project: Project, options: Options, load: Callable[[], Model] | None = None) -> int:
    """Run a project until it ends; the exit code. Raises what stops a start: errors of ours, nothing half open.

    load: gives the model, where it was begun before.
    """
    if options.report is not None:
        report.check(options.report)
    tally = Tally()
    with printing(options) as on_message:
        runtime = build.runtime(
            config,
            project,
            on_message=on_message,
            on_sent=tally.stages["capture_to_publish"].add,
            load=load,
            clock=time.monotonic,
        )
        return live(Run(runtime, tally, options), options)


@contextlib.contextmanager
def printing(options: Options) -> Iterator[Callable[[Message], None] | None]:
    """Where messages are printed, if that was asked for; all of them are out at the end."""
    if not options.print_messages:
        yield None
        return
    printer = Printer()
    try:
        yield printer.put
    finally:
        printer.close()


def live(life: Run, options: Options) -> int:
    """Begin, work, end, tell. Raises what went wrong meanwhile, when all has ended and is told."""
    undelivered: str | None = None
    failure: Exception | None = None
    with Signals(life.runtime.inbox.wake) as signals:
        try:
            life.begin()
            for sentence in whereabouts(life.runtime):
                log.info("%s", sentence)
            life.work(signals)
        except Exception as error:
            failure = error
        finally:
            undelivered = life.end(signals)
    if failure is not None:
        tell(life, Ending(exits.code_of(failure) or exits.FAILED, str(failure)), options.report)
        raise failure
    statuses = [feed.status() for feed in life.runtime.feeds.values()]
    ending = ending_of(statuses, life.tally.frames, signals, undelivered)
    for status in statuses:
        if status.notice and status.state != "ended":  # at its end a source has told it itself
            log.warning("%s", status.notice)
    if ending.error and not any(str(status.error) == ending.error for status in statuses):
        log.error("%s", ending.error)
    log.info("%s", life.summary())
    return tell(life, ending, options.report)


def whereabouts(runtime: build.Runtime) -> Iterator[str]:
    """Where to look for what this run gives: a sentence for the messages, and one for the pictures."""
    config, topics = runtime.config, Topics(runtime.config.thing)
    if config.transport.kind == "local":
        yield "messages stay inside this process; --transport mqtt://HOST sends them, --print shows them"
    elif config.streams.project.enabled:
        yield f"messages go to {', '.join(topics.infer(name) for name in runtime.lanes)}"
    if runtime.pictures is not None:
        urls = (f"{runtime.pictures.url}/{name}/project.mjpeg" for name in runtime.lanes)
        yield f"pictures are at {', '.join(urls)}"


def tell(life: Run, ending: Ending, path: Path | None) -> int:
    """Write the report, if one was asked for; the exit code, which a report that is lost spoils."""
    if path is None:
        return ending.code
    try:
        report.write(life.report(ending), path)
    except OSError as error:
        log.error("the report cannot be written to %s: %s", path, error.strerror)
        return ending.code or exits.FAILED
    return ending.code
