"""The device stream sends the newest picture that is due, and says why others did not go."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from brokers import mosquitto, running
from pictures import jpeg_bytes, noise, picture
from witness import wait_until, witness

from streams.backoff import Backoff
from streams.budget import BUDGETS, Budget
from streams.device import DeviceStream
from streams.encode import read_comment
from streams.errors import TopicInvalid
from streams.frame import Frame
from streams.transports.iot_core import IotCore
from streams.transports.local import Local

TINY = np.zeros((4, 4, 3), np.uint8)


def frame(number: int, pixels: np.ndarray = TINY, jpeg: bytes | None = None) -> Frame:
    return Frame(number, "main", time.monotonic(), pixels, jpeg=jpeg)


class Stage:
    """A local transport that keeps what it was sent."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.transport = Local(budget=budget)
        self.heard: list[bytes] = []
        self.transport.subscribe("dt/#", lambda _topic, payload, _retained: self.heard.append(payload))
        self.transport.start()


def as_number(shown: Frame, max_bytes: int | None, frame_id: int, ts_ms: int) -> bytes | None:
    return str(frame_id).encode()


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def stream(stage: Stage) -> Iterator[DeviceStream]:
    made = DeviceStream("cam-1", "main", stage.transport, rate=1000.0, fit=as_number)
    made.start()
    yield made
    made.stop()


def offer_each(stream: DeviceStream, numbers: range) -> None:
    """Offers frames one by one, each as soon as the one before has been dealt with."""
    for number in numbers:
        before = stream.published + sum(stream.withheld.values())
        stream.offer(frame(number), float(number))
        wait_until(lambda before=before: stream.published + sum(stream.withheld.values()) > before)


def test_a_picture_goes_out_as_a_jpeg_that_knows_its_id(stage: Stage) -> None:
    stream = DeviceStream("cam-1", "main", stage.transport, rate=10.0)
    stream.start()
    stream.offer(frame(4711, picture()), 0.0)
    wait_until(lambda: stream.published == 1)
    stream.stop()
    comment = read_comment(stage.heard[0])
    assert comment["id"] == 4711
    assert abs(comment["ts_ms"] - time.time() * 1000) < 5000
    assert stream.topic == "dt/lensracer/cam-1/main/frame"


def test_a_cameras_own_jpeg_goes_through_untouched_but_for_the_comment(stage: Stage) -> None:
    own = jpeg_bytes(picture(), 95)
    stream = DeviceStream("cam-1", "main", stage.transport, rate=10.0)
    stream.start()
    stream.offer(frame(7, picture(), own), 0.0)
    wait_until(lambda: stream.published == 1)
    stream.stop()
    assert stage.heard[0].endswith(own[-1000:])
    assert 0 < len(stage.heard[0]) - len(own) < 100


def test_every_picture_fits_the_budget() -> None:
    stage = Stage(Budget("small", max_payload=20_000))
    stream = DeviceStream("cam-1", "main", stage.transport, rate=100.0, quality=95)
    stream.start()
    for number in range(1, 6):
        stream.offer(frame(number, noise((640, 480), number)), number / 10)
        wait_until(lambda number=number: stream.published + sum(stream.withheld.values()) == number)
    stream.stop()
    assert stream.published > 0
    assert all(len(payload) <= 20_000 for payload in stage.heard)


def test_the_rate_is_kept(stage: Stage) -> None:
    stream = DeviceStream("cam-1", "main", stage.transport, rate=5.0, fit=as_number)
    stream.start()
    for step in range(60):
        stream.offer(frame(step), step / 30.0)
        settled = stream.published + sum(stream.withheld.values())
        wait_until(lambda: stream._waiting is None, 2.0)
    wait_until(lambda: stream.published + sum(stream.withheld.values()) >= settled)
    stream.stop()
    assert 9 <= stream.published + stream.withheld.get("busy", 0) <= 11


def test_without_a_connection_pictures_are_withheld_and_counted(stage: Stage, stream: DeviceStream) -> None:
    stage.transport.interrupt()
    for number in range(5):
        stream.offer(frame(number), float(number))
    assert stream.withheld == {"offline": 5}
    stage.transport.resume()
    offer_each(stream, range(5, 8))
    assert (stream.published, stage.heard) == (3, [b"5", b"6", b"7"])


def test_a_picture_that_cannot_be_small_enough_is_withheld(stage: Stage) -> None:
    stream = DeviceStream("cam-1", "main", stage.transport, rate=1000.0, fit=lambda *_asked: None)
    stream.start()
    offer_each(stream, range(3))
    stream.stop()
    assert (stream.published, stream.withheld) == (0, {"budget": 3})


def test_a_picture_that_cannot_be_encoded_is_counted_and_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_asked: object) -> bytes:
        raise RuntimeError("no such colour")

    stream = DeviceStream("cam-1", "main", stage.transport, rate=1000.0, fit=fail)
    stream.start()
    offer_each(stream, range(4))
    stream.stop()
    assert stream.withheld == {"encode": 4}
    assert [record.getMessage() for record in caplog.records] == [
        "A picture of main was not encoded: no such colour. More are only counted."
    ]


def test_a_slow_broker_gets_the_newest_picture_next() -> None:
    gate: Future[None] = Future()
    stage = Stage()
    publish = stage.transport.publish
    stage.transport.publish = lambda *sent: (publish(*sent), gate)[1]  # type: ignore[method-assign]
    stream = DeviceStream("cam-1", "main", stage.transport, rate=1000.0, fit=as_number)
    stream.start()
    stream.offer(frame(0), 0.0)
    wait_until(lambda: len(stage.heard) == 1)
    for number in range(1, 6):
        stream.offer(frame(number), float(number))
    gate.set_result(None)
    wait_until(lambda: stream.published == 2)
    stream.stop()
    assert stage.heard == [b"0", b"5"]
    assert stream.withheld == {"busy": 4}


def test_too_much_for_this_second_is_withheld() -> None:
    stage = Stage(Budget("slow", publishes_per_s=20))
    stream = DeviceStream("cam-1", "main", stage.transport, rate=1000.0, fit=as_number, clock=lambda: 0.0)
    stream.start()
    offer_each(stream, range(10))
    stream.stop()
    assert 0 < stream.published <= 2
    assert stream.withheld["budget"] == 10 - stream.published


@pytest.mark.parametrize(
    ("budget", "rate", "bound"),
    [("aws-iot", 1.0, 131072), ("aws-iot", 10.0, 26214), ("lite", 1.0, 4096), ("none", 30.0, 1048576)],
)
def test_pictures_are_planned_within_the_brokers_bytes(budget: str, rate: float, bound: int) -> None:
    assert DeviceStream("cam-1", "main", Local(budget=BUDGETS[budget]), rate=rate).max_bytes == bound


def test_twenty_thousand_pictures_leave_nothing_growing(stage: Stage, stream: DeviceStream) -> None:
    shown = frame(1)
    for number in range(20_000):
        stream.offer(shown, float(number))
    wait_until(lambda: stream._waiting is None)
    wait_until(lambda: stream.published + stream.withheld.get("busy", 0) == 20_000)
    assert len(stage.heard) == stream.published


def test_stopping_ends_the_thread(stage: Stage) -> None:
    stream = DeviceStream("cam-1", "main", stage.transport, rate=1.0, fit=as_number)
    stream.start()
    stream.stop()
    assert not any(thread.name.startswith("device-stream") for thread in threading.enumerate())
    DeviceStream("cam-1", "main", stage.transport, rate=1.0).stop()  # never started


def test_names_that_no_topic_can_hold_are_refused(stage: Stage) -> None:
    with pytest.raises(TopicInvalid):
        DeviceStream("cam 1", "main", stage.transport, rate=1.0)


def test_over_classic_every_picture_fits_a_message_and_all_of_them_the_quota() -> None:
    """Ten seconds of noise, the worst that a JPEG can hold, beside a second's bytes that are not all the stream's."""
    stage, now = Stage(BUDGETS["classic"]), 0.0
    stream = DeviceStream("cam-1", "main", stage.transport, rate=10.0, clock=lambda: now)
    stream.start()
    sent: list[tuple[float, int]] = []
    for number in range(100):
        now = number / 10
        before = stream.published + sum(stream.withheld.values())
        stream.offer(frame(number, noise((640, 480), number % 4)), now)
        wait_until(lambda before=before: stream.published + sum(stream.withheld.values()) > before)
        sent += [(now, len(payload)) for payload in stage.heard[len(sent) :]]
    stream.stop()
    assert len(sent) > 50
    assert max(size for _, size in sent) <= 128 * 1024
    for began in range(9):
        assert sum(size for at, size in sent if began <= at < began + 1) <= 512 * 1024


@pytest.mark.slow
def test_no_picture_is_sent_twice_even_where_the_broker_goes_and_comes(tmp_path: Path) -> None:
    with running(mosquitto(tmp_path)) as broker, witness(broker.port, "dt/#") as present:
        transport = IotCore("127.0.0.1", broker.port, client_id="cam-1", backoff=Backoff(0.05, 0.1))
        transport.start()
        stream = DeviceStream("cam-1", "main", transport, rate=1000.0, fit=as_number)
        stream.start()
        wait_until(lambda: transport.connected)
        for number in range(300):
            stream.offer(frame(number), number / 100)
            if number in (100, 200):
                broker.kill()
                broker.start()
                wait_until(lambda: transport.connected)
            time.sleep(0.002)
        wait_until(lambda: stream.published + sum(stream.withheld.values()) == 300)
        ids = [int(heard.payload) for heard in present.wait_for(lambda heard: len(heard) > 20)]
        stream.stop()
        transport.stop(2.0)
    assert ids == sorted(set(ids))
    assert len(ids) <= stream.published
