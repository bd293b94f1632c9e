"""The project stream numbers its messages and hands them over without a pause."""

import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hand_clock import HandClock

from streams import envelope
from streams.errors import TopicInvalid
from streams.frame import Frame
from streams.pace import Every
from streams.project import ProjectStream
from streams.sender import Sender
from streams.sequence import FILE, JUMP, Sequence
from streams.spool import Kind, MemorySpool
from streams.transports.local import Local

MODEL = {"name": "trash-sorter", "sha256": "ab12", "backend": "fake", "device": "CPU"}
LATENCY = {"prepare": 0.1, "infer": 3.0, "interpret": 0.1, "total": 3.2}


class Bench:
    """A project stream with a spool and a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.spool = MemorySpool(1_000_000)
        self.sequence = Sequence(folder)
        self.stream = ProjectStream(
            "cam-1",
            "main",
            self.spool,
            self.sequence,
            Every(2),
            clock=self.clock,
            wall_ms=lambda: 1795328700000 + round((self.clock.now - 1000.0) * 1000),
        )

    def frame(self, number: int = 1) -> Frame:
        return Frame(number, "main", self.clock.now, np.zeros((240, 320, 3), np.uint8))

    def message(self, frame: Frame) -> dict[str, Any]:
        results = [{"label": "bottle", "label_id": 4, "score": 0.97}]
        return self.stream.message(
            frame,
            project="trash-sorter",
            task="classification",
            model=MODEL,
            latency_ms=LATENCY,
            results=results,
        )

    def sent(self) -> list[dict[str, Any]]:
        entries = iter(self.spool.take, None)
        return [json.loads(entry.payload) for entry in entries]


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = Bench(tmp_path)
    yield made
    made.sequence.close()


def test_a_message_is_valid_and_tells_its_age(bench: Bench) -> None:
    frame = bench.frame(4711)
    bench.clock.sleep(0.0124)
    bench.stream.send(bench.message(frame))
    (sent,) = bench.sent()
    jsonschema.validate(sent, envelope.schema("lensracer.infer/1"))
    assert sent["frame"] == {"id": 4711, "width": 320, "height": 240, "age_ms": 12.4}
    assert (sent["seq"], sent["ts_ms"], sent["mono_ms"]) == (1, 1795328700000, 1_000_000.0)


def test_numbers_are_given_to_what_is_sent_and_to_nothing_else(bench: Bench) -> None:
    for number in range(1, 7):
        message = bench.message(bench.frame(number))
        if number % 2:  # a hook silenced the others
            assert bench.stream.send(message) == (number + 1) // 2
    assert [(sent["seq"], sent["frame"]["id"]) for sent in bench.sent()] == [(1, 1), (2, 3), (3, 5)]
    assert bench.stream.sent == 3


def test_messages_are_results_for_their_topic(bench: Bench) -> None:
    bench.stream.send(bench.message(bench.frame()))
    entry = bench.spool.take()
    assert entry is not None
    assert (entry.topic, entry.kind, entry.qos) == ("dt/lensracer/cam-1/main/infer", Kind.INFER, 1)


def test_what_a_hook_adds_goes_along(bench: Bench) -> None:
    bench.stream.send(bench.message(bench.frame()) | {"mood": "sunny"})
    assert bench.sent()[0]["mood"] == "sunny"


def test_the_policy_decides(bench: Bench) -> None:
    assert [bench.stream.wants("cat", now) for now in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize(("thing", "source"), [("cam 1", "main"), ("cam-1", "Main"), ("x" * 128, "y" * 128)])
def test_names_that_no_topic_can_hold_are_refused(tmp_path: Path, thing: str, source: str) -> None:
    with Sequence(tmp_path) as sequence, pytest.raises(TopicInvalid):
        ProjectStream(thing, source, MemorySpool(1000), sequence, Every(1))


def test_twenty_thousand_messages_pass_without_growth(bench: Bench) -> None:
    transport = Local()
    sender = Sender(bench.spool, transport)
    transport.start()
    sender.start()
    frame, took = bench.frame(), []
    for _ in range(20_000):
        message = bench.message(frame)
        started = time.perf_counter()
        bench.stream.send(message)
        took.append(time.perf_counter() - started)
    assert sender.drain(20.0)
    sender.stop()
    status = bench.spool.status()
    assert (status.left, status.bytes) == (0, 0)
    assert sender.status().acked + status.dropped.get("full", 0) == 20_000
    assert sorted(took)[10_000] < 200e-6


def test_numbers_left_out_after_a_power_cut_are_told_as_a_gap(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.sequence.close()
    with (tmp_path / FILE).open("r+b") as file:  # as a cut of another boot would have left it
        file.seek(64)
        file.write(b"another boot".ljust(64, b"\0") + b"\x01")
    again = Bench(tmp_path)
    told = again.spool.take()
    assert told is not None
    assert told.topic == "dt/lensracer/cam-1/main/gap"
    assert json.loads(told.payload) == {
        "schema": "lensracer.gap/1",
        "stream": "infer",
        "reason": "power",
        "ranges": [[1, JUMP]],
    }
    assert told.kind is Kind.ANSWER
    again.sequence.close()
