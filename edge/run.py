"""One run from start to report: what is started, in which order it ends, and with which exit code."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from edge import build, report
from edge.config import Config
from edge.ending import Ending, ending_of
from edge.lane import Message
from edge.loop import Loop
from edge.memory import Growth
from edge.options import Options
from edge.printer import Printer
from edge.project import Project
from edge.pulse import Pulse
from edge.report import Traffic
from edge.signals import Signals
from edge.tally import Tally
from streams.feed import Feed
from streams.spool import Kind
from streams.topics import Topics

log = logging.getLogger(__name__)

HURRY = 0.5  # seconds that a signal leaves for acknowledgements
FAREWELL = 1.0  # seconds for the last word to the broker
SAMPLE_EVERY = 0.25  # seconds between two looks at the memory


class Run:
    """The life of one runtime: `begin`, `work`, `end`, in this order and once each."""

    def __init__(self, runtime: build.Runtime, tally: Tally, options: Options) -> None:
        self.runtime = runtime
        self.tally = tally
        self.growth = Growth()
        self._options = options
        self._began = self._last = self._sampled_at = runtime.clock()
        thing = runtime.config.thing
        self._pulse = Pulse(thing, Topics(thing).health, runtime.spool, self.figures, clock=runtime.clock)

    def begin(self) -> None:
        """Start everything that has a thread of its own, the sources last: what they bring finds its way out."""
        runtime = self.runtime
        if runtime.pictures is not None:
            runtime.pictures.start()
        if runtime.hook is not None:
            runtime.hook.on_start(runtime.project)
        runtime.transport.start()
        runtime.sender.start()
        for lane in runtime.lanes.values():
            if lane.device is not None:
                lane.device.start()
        self._pulse.start()
        for feed in runtime.feeds.values():
            feed.start()

    def work(self, signals: Signals) -> None:
        """Run the loop until a signal, the asked number of frames, or the end of all sources."""
        runtime = self.runtime
        loop = Loop(runtime.inbox, runtime.model, runtime.lanes, self.tally, runtime.clock, runtime.live)
        self._began = self._last = runtime.clock()
        loop.run(lambda: bool(signals) or self._enough(), self._look)
        self._last = runtime.clock()

    def _enough(self) -> bool:
        wanted = self._options.frames
        return wanted is not None and self.tally.frames + self.runtime.model.pending >= wanted

    def _look(self) -> None:
        now = self.runtime.clock()
        if now - self._sampled_at >= SAMPLE_EVERY:
            self._sampled_at = now
            self.growth.sample(self.tally.frames)

    def end(self, hurry: bool) -> str | None:
        """Stop in the order of a frame's way; a sentence if a message has no acknowledgement and is lost."""
        runtime = self.runtime
        for feed in runtime.feeds.values():
            feed.stop()
        if runtime.hook is not None:
            runtime.hook.on_stop()
        self._pulse.stop()
        for lane in runtime.lanes.values():
            if lane.device is not None:
                lane.device.stop()
        drained = runtime.sender.drain(min(self._options.drain, HURRY) if hurry else self._options.drain)
        undelivered = None if drained else self._undelivered()
        runtime.sender.stop()
        runtime.transport.stop(FAREWELL)
        if runtime.pictures is not None:
            runtime.pictures.stop()
        runtime.sequence.close()
        runtime.model.close()
        return undelivered

    def _undelivered(self) -> str:
        left = self.runtime.spool.status().left
        return f"{left} messages were not acknowledged, and are lost: {self.runtime.transport.reason}"

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
        )

    def report(self, ending: Ending) -> dict[str, Any]:
        return report.report(
            tally=self.tally,
            growth=self.growth,
            feeds={name: feed.status() for name, feed in self.runtime.feeds.items()},
            traffic=self.traffic(),
            model=self.runtime.model.identity._asdict(),
            project=self.runtime.project.name,
            seconds=self._last - self._began,
            ending=ending,
        )


def source_figures(feed: Feed) -> dict[str, Any]:
    now = feed.status()
    return {"state": now.state, "captured": now.captured, "dropped": now.dropped, "bad": now.bad}


def run(config: Config, project: Project, options: Options) -> int:
    """Run a project until it ends; the exit code. Raises what stops a start: errors of ours, nothing half open."""
    tally = Tally()
    with printing(options) as on_message:
        runtime = build.runtime(
            config,
            project,
            on_message=on_message,
            on_sent=tally.stages["capture_to_publish"].add,
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
    """Begin, work, end, tell."""
    undelivered = None
    with Signals(life.runtime.inbox.wake) as signals:
        try:
            life.begin()
            life.work(signals)
        finally:
            undelivered = life.end(hurry=bool(signals))
    statuses = [feed.status() for feed in life.runtime.feeds.values()]
    ending = ending_of(statuses, life.tally.frames, signals, undelivered)
    for status in statuses:
        if status.notice:
            log.warning("%s", status.notice)
    if ending.error:
        log.error("%s", ending.error)
    if options.report is not None:
        report.write(life.report(ending), options.report)
    return ending.code
