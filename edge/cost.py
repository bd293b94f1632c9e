"""What a device's messages would cost at AWS IoT Core: how many a day, and how many billable units of 5 KB.

AWS bills each message by itself, rounded up to whole units of 5 KB (reference: AWS IoT Core, "metered in 5 KB
increments"), over all topics: results, pictures, health, status. What subscribers and rules cost comes on top.
"""

import dataclasses
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from edge import build
from edge.config import Config
from edge.project import Project
from inference.manifest import MOST_RESULTS
from streams.budget import Budget, units
from streams.health import INTERVAL_S
from streams.transports import Transport

SECONDS_A_DAY = 86_400
DAYS_A_WEEK = 7
ASSUMED_RATE = 30.0  # pictures a second, of a source that does not say
SETTLED_S = 300.0  # a run that lasted so long shows how often health is told
ENVELOPE_BYTES = 700  # of a message without results: names, times, the model's
ROW_BYTES = 120  # of a result beside its label
HEALTH_BYTES = 3000


class Span(NamedTuple):
    """At least and at most."""

    least: float
    most: float

    def times(self, many: float) -> "Span":
        return Span(self.least * many, self.most * many)

    def plus(self, other: "Span") -> "Span":
        return Span(self.least + other.least, self.most + other.most)

    def told(self) -> dict[str, int]:
        return {"least": round(self.least), "most": round(self.most)}


NONE = Span(0, 0)


@dataclasses.dataclass(frozen=True)
class Share:
    """What one stream costs a day."""

    messages: Span = NONE
    units: Span = NONE

    def plus(self, other: "Share") -> "Share":
        return Share(self.messages.plus(other.messages), self.units.plus(other.units))

    def told(self) -> dict[str, Any]:
        return {"messages_per_day": self.messages.told(), "billable_units_per_day": self.units.told()}


def expected(config: Config, project: Project) -> dict[str, Any]:
    """What a configuration and a project cost by themselves, at least and at most, as plain types.

    How often a result changes nobody knows beforehand: the least is a still scene, the most a restless one.
    """
    sources = build.sources_of(config, project)
    transport = build.transport_of(config)
    rates = {name: source.rate or ASSUMED_RATE for name, source in sources.items()}
    shares = {"project stream": Share(), "device stream": Share(), "health": health()}
    if config.streams.project.enabled:
        shares["project stream"] = total(results(project, rate, transport.budget) for rate in rates.values())
        for dialect in config.streams.dialects:
            shares[f"dialect {dialect}"] = shares["project stream"]
    if config.streams.device.enabled:
        shares["device stream"] = total(
            pictures(config, name, rate, transport) for name, rate in rates.items()
        )
    assumed = [name for name, source in sources.items() if source.rate is None]
    return {**summed(shares), "assumed_rate": ASSUMED_RATE if assumed else None}


def summed(shares: Mapping[str, Share]) -> dict[str, Any]:
    whole = total(shares.values())
    return {
        **whole.told(),
        "billable_units_per_week": whole.units.times(DAYS_A_WEEK).told(),
        "streams": {name: share.told() for name, share in shares.items()},
    }


def total(shares: Iterable[Share]) -> Share:
    whole = Share()
    for share in shares:
        whole = whole.plus(share)
    return whole


def results(project: Project, rate: float, budget: Budget) -> Share:
    """The project stream of one source of `rate` pictures a second."""
    publish = project.publish
    if publish.every is not None:
        often = Span(rate / publish.every, rate / publish.every)
    else:
        slowest = max(publish.heartbeat, publish.min_interval)
        quickest = max(publish.min_interval, publish.hold / rate)
        often = Span(min(rate, 1 / slowest), min(rate, 1 / quickest))
    messages = often.times(SECONDS_A_DAY)
    largest = largest_message(project)
    largest = largest if budget.max_payload is None else min(largest, budget.max_payload)
    return Share(messages, Span(messages.least, messages.most * units(largest)))


def largest_message(project: Project) -> int:
    """About how many bytes a message of this project may have; masks are as large as the budget lets them be."""
    output, labels = project.manifest.output, project.manifest.labels or ()
    rows = {"classification": 5, "detection": 100, "activity": 1, "segmentation": max(1, len(labels))}
    many = min(output.top_k or rows.get(project.manifest.task, 1), MOST_RESULTS)
    if output.mask:
        return 128 * 1024
    longest = max((len(json.dumps(label)) for label in labels), default=0)
    return ENVELOPE_BYTES + many * (ROW_BYTES + longest)


def pictures(config: Config, source: str, rate: float, transport: Transport) -> Share:
    """The device stream of one source: each picture is as large as the budget allows, or as small as one may be."""
    device = build.device_stream(config, source, transport, time.monotonic)
    if device is None:
        return Share()
    messages = Span(*[min(rate, config.streams.device.rate)] * 2).times(SECONDS_A_DAY)
    return Share(messages, Span(messages.least, messages.most * units(device.max_bytes)))


def health() -> Share:
    messages = Span(*[SECONDS_A_DAY / INTERVAL_S] * 2)
    return Share(messages, messages.times(units(HEALTH_BYTES)))


def lines(cost: Mapping[str, Any]) -> list[str]:
    """The cost in words: one line for all, one for each stream that sends something."""
    messages, billed = cost["messages_per_day"], cost["billable_units_per_day"]
    told = [
        f"cost: at most {messages['most']:,} messages a day, {billed['most']:,} billable units of 5 KB at AWS IoT Core "
        f"({cost['billable_units_per_week']['most']:,} a week); at least {messages['least']:,} messages, "
        f"{billed['least']:,} units; for prices see AWS's list, they differ by region and change"
    ]
    for name, each in cost["streams"].items():
        if each["messages_per_day"]["most"]:
            told.append(f"  {name}: {range_of(each, 'messages')}, {range_of(each, 'billable_units')}")
    if cost.get("assumed_rate"):
        told.append(f"  a source that names no rate counts as {cost['assumed_rate']:g} pictures a second")
    return told


def range_of(each: Mapping[str, Any], what: str) -> str:
    span = each[f"{what}_per_day"]
    words = "units" if what == "billable_units" else what
    if span["least"] == span["most"]:
        return f"{span['most']:,} {words} a day"
    return f"{span['least']:,} to {span['most']:,} {words} a day"


class Sent(NamedTuple):
    """What a stream sent during a run: messages, and their billable units."""

    messages: int = 0
    units: int = 0


def measured(
    sent: Mapping[str, Sent], seconds: float, *, paced: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """What the same for a day would be. sent: by stream. seconds: how long the run was.

    paced: seconds between two messages of streams that keep to a clock: of these a short run shows too many.
    """
    shares = {name: scaled(each, seconds, (paced or {}).get(name)) for name, each in sent.items()}
    whole = total(shares.values())
    return {
        "messages_per_day": round(whole.messages.most),
        "billable_units_per_day": round(whole.units.most),
        "billable_units_per_week": round(whole.units.most * DAYS_A_WEEK),
        "streams": {
            name: {
                "messages_per_day": round(share.messages.most),
                "billable_units_per_day": round(share.units.most),
            }
            for name, share in shares.items()
        },
    }


def scaled(sent: Sent, seconds: float, interval: float | None) -> Share:
    if not sent.messages or seconds <= 0:
        return Share()
    a_day = SECONDS_A_DAY / seconds
    if interval is not None and seconds < SETTLED_S:
        a_day = SECONDS_A_DAY / interval / sent.messages
    return Share(Span(*[sent.messages * a_day] * 2), Span(*[sent.units * a_day] * 2))
