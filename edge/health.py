"""What Prometheus asks for: a run's counts and times at `/metrics`, gathered when it is asked for and not before.

Names begin with `lensracer_`, units are seconds, bytes and degrees Celsius. Labels have few values, which the
configuration or this program names: sources, streams, outcomes, reasons, stages; never ids.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from edge.machine import temperatures
from edge.memory import resident_bytes
from edge.report import which_kernels
from edge.tally import Distribution
from edge.version import version
from edge.vitals import Vitals
from streams.sinks.answer import Answer
from streams.spool import Kind

EDGES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)  # seconds
STREAMS = {Kind.ANSWER: "answers", Kind.INFER: "project", Kind.TELEMETRY: "telemetry"}
PREFIX = "lensracer"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The exposition of one run, with a registry of its own. Asked on any thread."""

    def __init__(self, vitals: Vitals) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Families(vitals))

    def answer(self) -> Answer:
        """What `/metrics` says, in Prometheus' text format."""
        return Answer(200, CONTENT_TYPE, generate_latest(self._registry))


class _Families(Collector):
    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def describe(self) -> Iterator[Metric]:
        """None are known beforehand: registering them must not cost a look at the whole run."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        vitals = self._vitals
        yield self._info()
        yield from self._frames()
        yield from self._sources()
        yield from self._messages()
        yield from self._pictures()
        yield from spool(vitals)
        yield from connection(vitals)
        yield stages(vitals.tally.stages)
        yield from self._changes()
        yield from self._process()

    def _info(self) -> Metric:
        runtime = self._vitals.runtime
        which, model = which_kernels(), runtime.model.identity
        told = {
            "version": version(),
            "kernels": which["implementation"],
            "kernels_level": which["level"],
            "backend": model.backend,
            "device": model.device,
            "task": runtime.project.manifest.task,
        }
        return InfoMetricFamily(PREFIX, "What runs.", value=told)

    def _frames(self) -> Iterator[Metric]:
        """Each frame by what became of it."""
        tally, feeds = self._vitals.tally, self._vitals.runtime.feeds
        statuses = {name: feed.status() for name, feed in feeds.items()}
        told = {
            "captured": ("Pictures that came.", {name: status.captured for name, status in statuses.items()}),
            "inferred": ("Pictures that the model answered.", tally.inferred),
            "dropped": (
                "Pictures replaced by newer ones before they were looked at.",
                {name: status.dropped for name, status in statuses.items()},
            ),
            "stale": ("Pictures too old to say anything of now.", tally.stale),
            "bad": (
                "Pictures that could not be decoded, or not be put before the model.",
                {name: status.bad + tally.skipped[name] for name, status in statuses.items()},
            ),
            "repeated": (
                "Pictures withheld because the source only repeats itself.",
                {name: status.repeated for name, status in statuses.items()},
            ),
            "senseless": ("Pictures to which the model's answer was no number.", tally.senseless),
        }
        for name, (words, counts) in told.items():
            yield counter(f"frames_{name}", words, "source", {source: counts[source] for source in feeds})

    def _sources(self) -> Iterator[Metric]:
        statuses = {name: feed.status() for name, feed in self._vitals.runtime.feeds.items()}
        up = {name: int(status.state == "running") for name, status in statuses.items()}
        yield gauge("source_up", "Whether the source gives pictures now.", "source", up)
        reopened = {name: status.reopened for name, status in statuses.items()}
        yield counter("source_reopened", "How often the source came back.", "source", reopened)
        stalls = {name: status.stalls for name, status in statuses.items()}
        yield counter("source_stalls", "How often the source stood still.", "source", stalls)

    def _messages(self) -> Iterator[Metric]:
        runtime = self._vitals.runtime
        sent, project = runtime.sender.status(), [lane.project for lane in runtime.lanes.values()]
        family = CounterMetricFamily(
            f"{PREFIX}_messages",
            "Messages by stream and by what became of them.",
            labels=["stream", "outcome"],
        )
        family.add_metric(["project", "born"], sum(stream.sent for stream in project if stream is not None))
        family.add_metric(["project", "silenced"], self._vitals.tally.silenced)
        for kind, name in STREAMS.items():
            family.add_metric([name, "acknowledged"], sent.acked_of.get(kind, 0))
        yield family
        words = "Messages given up, by reason."
        yield counter("messages_dropped", words, "reason", sent.dropped)
        yield counter("messages_resent", "Messages that had to be sent again.", None, sent.resent)
        words = "Payloads of the messages that were acknowledged."
        yield counter("messages_acknowledged_bytes", words, None, sent.bytes)

    def _pictures(self) -> Iterator[Metric]:
        """The device stream: pictures that went out, and those that did not, by reason."""
        lanes = self._vitals.runtime.lanes.values()
        streams = [lane.device for lane in lanes if lane.device is not None]
        published = sum(stream.published for stream in streams)
        yield counter("pictures_published", "Pictures of the device stream.", None, published)
        withheld: dict[str, int] = {}
        for stream in streams:
            for reason, count in stream.withheld.items():
                withheld[reason] = withheld.get(reason, 0) + count
        words = "Pictures of the device stream that were due and did not go, by reason."
        yield counter("pictures_withheld", words, "reason", withheld)

    def _changes(self) -> Iterator[Metric]:
        """Swaps and the user's code."""
        swaps, hook = self._vitals.swaps(), self._vitals.runtime.switch.hook_figures()
        outcomes = {name: count for name, count in swaps.items() if isinstance(count, int)}
        yield counter(
            "swaps", "Requests for another project (asked), by how they ended.", "outcome", outcomes
        )
        yield counter("hook_errors", "Failures of the user's code.", None, hook["errors"])
        yield counter("hook_slow", "Calls of the user's code over its budget.", None, hook["slow"])

    def _process(self) -> Iterator[Metric]:
        vitals, usage = self._vitals, os.times()
        now = vitals.runtime.clock()
        yield gauge("ready", "Whether /readyz says so.", None, int(vitals.readiness.verdict().ready))
        yield gauge("uptime_seconds", "Since the run began.", None, now - vitals.began)
        yield gauge(
            "loop_idle_seconds", "Since the loop turned last.", None, max(0.0, now - vitals.stepped_at())
        )
        yield counter("process_cpu_seconds", "Time of the processor.", None, usage.user + usage.system)
        if (resident := resident_bytes()) is not None:
            yield gauge("process_resident_memory_bytes", "Memory of the process.", None, resident)
        words = "Temperatures that the system tells, by the kernel's name of the place."
        yield gauge("temperature_celsius", words, "zone", temperatures())


def spool(vitals: Vitals) -> Iterator[Metric]:
    runtime = vitals.runtime
    told = vitals.spool(runtime.spool.status())
    yield gauge("spool_messages", "Messages that wait, those on the wire included.", None, told["messages"])
    yield gauge("spool_bytes", "What they take.", None, told["bytes"])
    yield gauge("spool_max_bytes", "What they may take.", None, runtime.config.spool.max_bytes)
    yield gauge("spool_oldest_seconds", "How long the oldest has waited.", None, told["oldest_s"] or 0.0)
    if (written := told["written_bytes"]) is not None:
        yield counter("spool_written_bytes", "What the disk was given, of all runs.", None, written)
    yield gauge("spool_disk_up", "Whether the disk takes messages.", None, int(not told["refused"]))


def connection(vitals: Vitals) -> Iterator[Metric]:
    """To the broker, or whatever the transport speaks to."""
    words = "Whether there is a connection now."
    yield gauge("connected", words, None, int(vitals.connection.connected))
    yield counter("reconnects", "How often it came back.", None, vitals.connection.reconnects)


def stages(found: Mapping[str, Distribution]) -> Metric:
    """A frame's stages; the counts below each edge are true to one per cent of the edge."""
    words = "Time of each stage of a frame."
    family = HistogramMetricFamily(f"{PREFIX}_stage_seconds", words, labels=["stage"])
    for name, distribution in found.items():
        counts = distribution.up_to(EDGES)
        edges = [*(f"{edge:g}" for edge in EDGES), "+Inf"]
        buckets = [(edge, float(count)) for edge, count in zip(edges, counts, strict=True)]
        family.add_metric([name], buckets, distribution.total)
    return family


def counter(name: str, words: str, label: str | None, value: Any) -> CounterMetricFamily:
    """value: a number, or numbers by the label's values. The name gets its `_total` on the way."""
    family = CounterMetricFamily(f"{PREFIX}_{name}", words, labels=[label] if label else None)
    for labels, number in valued(label, value):
        family.add_metric(labels, number)
    return family


def gauge(name: str, words: str, label: str | None, value: Any) -> GaugeMetricFamily:
    """As `counter`."""
    family = GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=[label] if label else None)
    for labels, number in valued(label, value):
        family.add_metric(labels, number)
    return family


def valued(label: str | None, value: Any) -> list[tuple[list[str], float]]:
    if label is None:
        return [([], float(value))]
    return [([name], float(number)) for name, number in value.items()]
