"""The drill of store and forward: an hour offline, then a broker with AWS IoT's quotas, while life goes on."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from brokers import mosquitto, running
from hand_clock import HandClock
from witness import Heard, Witness, wait_until

from streams.budget import BUDGETS
from streams.durable import DurableSpool
from streams.sender import Sender
from streams.spool import Item, Kind
from streams.transports.iot_core import IotCore

HOUR_S = 3600
SOURCES = ("front", "yard")
HEALTH_EVERY_S = 30
ANSWERS_EVERY_S = 600
LIVE_A_SECOND = 10
PATIENCE_S = 600.0
QUOTA_PUBLISHES, QUOTA_BYTES = 100, 512 * 1024
LATE_S = 1.0
LIVE = 1_000_000  # numbers of messages born after the reconnect
LAST_WORDS = {"infer": Kind.INFER, "health": Kind.TELEMETRY, "res": Kind.ANSWER}


class Timed(Witness):
    """A witness that notes when each message came, monotonic seconds."""

    def __init__(self, port: int) -> None:
        self.at: list[float] = []
        super().__init__(port)

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        self.at.append(time.monotonic())
        super()._on_message(_client, _userdata, message)


class Meter:
    """Stands before a transport and notes when and how much was published."""

    def __init__(self, transport: IotCore) -> None:
        self.sent: list[tuple[float, int]] = []
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> "Future[None]":
        self.sent.append((time.monotonic(), len(payload)))
        return self._transport.publish(topic, payload, qos, retain)

    def busiest(self) -> tuple[int, int]:
        """The most publishes, and the most bytes, of any one second."""
        publishes = size = begin = held = 0
        for end, (at, length) in enumerate(self.sent):
            held += length
            while at - self.sent[begin][0] >= 1.0:
                held -= self.sent[begin][1]
                begin += 1
            publishes, size = max(publishes, end - begin + 1), max(size, held)
        return publishes, size


def item(number: int, kind: Kind, source: str, born: float = 0.0) -> Item:
    """About as long as a real one with two things in it."""
    topic = {
        Kind.ANSWER: "cmd/lensracer/cam-1/report/res",
        Kind.TELEMETRY: "dt/lensracer/cam-1/health",
        Kind.INFER: f"dt/lensracer/cam-1/{source}/infer",
    }[kind]
    rows = [{"label": "recycling", "label_id": 2, "score": 0.97, "box": [0.1, 0.2, 0.3, 0.4]}] * 2
    return Item(topic, {"seq": number, "born": born, "filling": "x" * 400, "results": rows}, kind)


def outage(seconds: int) -> Iterator[tuple[int, Kind, str]]:
    """What a device with two sources tells of in each second without a broker."""
    for second in range(seconds):
        yield from ((second, Kind.INFER, source) for source in SOURCES)
        if second % HEALTH_EVERY_S == 0:
            yield second, Kind.TELEMETRY, ""
        if second % ANSWERS_EVERY_S == 0:
            yield second, Kind.ANSWER, ""


def hour_offline(folder: Path, seconds: int = HOUR_S) -> tuple[bool, dict[str, Any]]:
    """An hour of messages without a broker; then one, and all of them arrive while new ones come at once."""
    hand = HandClock()
    spool = DurableSpool(folder / "state", 64 << 20, clock=hand)
    backlog = 0
    for second, kind, source in outage(seconds):
        hand.now = 1000.0 + second
        spool.put(item(backlog, kind, source))
        backlog += 1
    wait_until(lambda: spool.wear.messages >= backlog, 60.0)  # as after an hour they are
    with running(mosquitto(folder)) as broker:
        observer = Timed(broker.port)
        transport = IotCore("localhost", broker.port, client_id="cam-1", budget=BUDGETS["aws-iot"])
        meter = Meter(transport)
        sender = Sender(spool, meter)
        sender.start()
        transport.start()
        wait_until(lambda: transport.connected, 30.0)
        born = live_on(spool, lambda: spool.status().left <= 1)
        sender.drain(30.0)
        wait_until(lambda: len(observer.heard) >= backlog + born, 30.0)
        sender.stop()
        transport.stop(2.0)
        observer.close()
    spool.close()
    return verdict(observer, backlog, born, meter)


def live_on(spool: DurableSpool, over: Callable[[], bool]) -> int:
    """New messages until the backlog is gone; how many."""
    number, began = 0, time.monotonic()
    while not over() and time.monotonic() - began < PATIENCE_S:
        time.sleep(1.0 / LIVE_A_SECOND)  # what is born while the connection comes may still count as backlog
        kind = Kind.TELEMETRY if number % 50 == 49 else Kind.INFER
        spool.put(item(LIVE + number, kind, "front", time.monotonic()))
        number += 1
    return number


def verdict(observer: Timed, backlog: int, born: int, meter: Meter) -> tuple[bool, dict[str, Any]]:
    came = [
        (json.loads(each.payload), each, at)
        for each, at in zip(observer.heard, observer.at, strict=True)
        if not each.topic.endswith("/status")
    ]
    old = [(kind_of(each), content["seq"]) for content, each, _ in came if content["seq"] < LIVE]
    late = [at - content["born"] for content, _, at in came if content["seq"] >= LIVE]
    publishes, size = meter.busiest()
    figures = {
        "backlog": backlog,
        "arrived": len(set(old)),
        "in_order": old == sorted(old),  # class by class, and oldest first within each
        "live": born,
        "live_arrived": len(late),
        "live_latency_ms_p50": round(sorted(late)[len(late) // 2] * 1000, 1) if late else None,
        "live_latency_ms_max": round(max(late, default=0.0) * 1000, 1),
        "busiest_second_publishes": publishes,
        "busiest_second_bytes": size,
        "replay_s": round(meter.sent[-1][0] - meter.sent[0][0], 1),
    }
    held = len(set(old)) == backlog and old == sorted(old) and len(late) >= born and max(late) < LATE_S
    return held and publishes <= QUOTA_PUBLISHES and size <= QUOTA_BYTES, figures


def kind_of(each: Heard) -> Kind:
    return LAST_WORDS[each.topic.rpartition("/")[2]]


DRILLS = {"offline-hour": hour_offline}
