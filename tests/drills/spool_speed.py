"""How quick the spool is: what a hand-over costs the loop, how much it takes, and how fast it is sent.

The peer of the last is awscrt's own client, publishing the same payloads with QoS 1 to the same mosquitto, with as
many on the wire; both in turn, and the better of three rounds of each counts.
"""

import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from awscrt import mqtt5
from brokers import Broker, mosquitto, running
from witness import wait_until

from streams import envelope
from streams.durable import DurableSpool
from streams.sender import MOST_IN_FLIGHT, Sender
from streams.spool import Item
from streams.transports.iot_core import IotCore
from streams.transports.iot_core_links import bootstrap

TOPIC = "dt/lensracer/cam-1/main/infer"
MESSAGES, HAND_OVERS, ROUNDS = 20_000, 5_000, 3
HAND_OVER_RATE = 1000  # a second
UNWRITTEN = 5000  # messages that may wait for the disk
HAND_OVER_MS, INTO_A_SECOND, DRAIN_SHARE = 0.2, 10_000, 0.8


def message(number: int) -> dict[str, Any]:
    row = {"label": "recycling", "label_id": 2, "score": 0.97, "box": [0.1, 0.2, 0.3, 0.4]}
    about = {"name": "trash-finder", "sha256": "ab12" * 16, "backend": "openvino", "device": "CPU"}
    return {
        "schema": "lensracer.infer/1",
        "thing": "cam-1",
        "seq": number,
        "model": about,
        "results": [row, row],
    }


def hand_over(folder: Path, count: int) -> float:
    """Milliseconds that 99 of 100 hand-overs stay under, at a lively rate, while the writer writes."""
    spool, took = DurableSpool(folder, 1 << 30), []
    for number in range(count):
        content = message(number)
        began = time.perf_counter()
        spool.put(Item(TOPIC, content))
        took.append(time.perf_counter() - began)
        time.sleep(1.0 / HAND_OVER_RATE)
    spool.close()
    return sorted(took)[int(0.99 * count)] * 1000


def fill(spool: DurableSpool, contents: list[dict[str, Any]]) -> None:
    """Puts as quickly as they are written: what waits for the disk is bounded, and the oldest would be given up."""
    for number, content in enumerate(contents):
        while number - spool.wear.messages > UNWRITTEN:
            time.sleep(0.001)
        spool.put(Item(TOPIC, content))
    wait_until(lambda: spool.wear.messages >= len(contents), 60.0)


def taken_in(folder: Path, count: int) -> float:
    """Messages a second, from the first put until the last is committed."""
    spool = DurableSpool(folder, 1 << 30)
    contents = [message(number) for number in range(count)]
    began = time.perf_counter()
    fill(spool, contents)
    seconds = time.perf_counter() - began
    spool.close()
    return count / seconds


def drained(folder: Path, broker: Broker, count: int) -> float:
    """Messages a second, from the first publish until the last is acknowledged."""
    spool = DurableSpool(folder, 1 << 30)
    fill(spool, [message(number) for number in range(count)])
    transport = IotCore("localhost", broker.port, client_id="ours")
    sender = Sender(spool, transport)
    transport.start()
    wait_until(lambda: transport.connected, 30.0)
    began = time.perf_counter()
    sender.start()
    assert sender.drain(120.0), sender.status()
    seconds = time.perf_counter() - began
    sender.stop()
    transport.stop(2.0)
    spool.close()
    return count / seconds


def bare(broker: Broker, count: int) -> float:
    """The same by awscrt alone: payloads made beforehand, as many on the wire."""
    payloads = [envelope.dumps(message(number)) for number in range(count)]
    up, stopped, room = threading.Event(), threading.Event(), threading.Semaphore(MOST_IN_FLIGHT)
    client = mqtt5.Client(
        mqtt5.ClientOptions(
            host_name="localhost",
            port=broker.port,
            bootstrap=bootstrap(),
            connect_options=mqtt5.ConnectPacket(client_id="bare"),
            on_lifecycle_event_connection_success_fn=lambda _data: up.set(),
            on_lifecycle_event_stopped_fn=lambda _data: stopped.set(),
        )
    )
    client.start()
    assert up.wait(30.0)

    def landed(done: "Future[Any]") -> None:
        done.result()
        room.release()

    began = time.perf_counter()
    for payload in payloads:
        room.acquire()
        packet = mqtt5.PublishPacket(payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE, topic=TOPIC)
        client.publish(packet).add_done_callback(landed)
    for _ in range(MOST_IN_FLIGHT):
        room.acquire()
    seconds = time.perf_counter() - began
    client.stop()
    stopped.wait(10.0)
    return count / seconds


def speed(folder: Path, count: int = MESSAGES, hand_overs: int = HAND_OVERS) -> tuple[bool, dict[str, Any]]:
    """The three figures, each beside what it must be."""
    p99 = hand_over(folder / "hand-over", hand_overs)
    into = max(taken_in(folder / f"into-{each}", count) for each in range(ROUNDS))
    with running(mosquitto(folder)) as broker:
        rounds = [
            (drained(folder / f"drain-{each}", broker, count), bare(broker, count)) for each in range(ROUNDS)
        ]
    ours, peers = (max(each) for each in zip(*rounds, strict=True))
    figures = {
        "hand_over_ms_p99": round(p99, 4),
        "into_a_second": round(into),
        "drained_a_second": round(ours),
        "bare_awscrt_a_second": round(peers),
        "share_of_bare": round(ours / peers, 2),
    }
    return p99 < HAND_OVER_MS and into >= INTO_A_SECOND and ours / peers >= DRAIN_SHARE, figures


DRILLS = {"spool-speed": speed}
