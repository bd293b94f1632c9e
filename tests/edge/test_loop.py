"""The loop: every frame in its order, none lost that was taken, none that is stale, and it always ends."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.answering import Answering
from edge.lane import Lane, Subject, essence
from edge.loop import STALE_AFTER, Loop
from edge.switch import Switch
from edge.tally import Tally
from inference import Manifest, load
from inference.model import Model
from inference.results import Activity, Classification, Detections, Segmentation, Timings
from kernels.placement import Placement
from streams.detail import Detail
from streams.frame import Frame
from streams.inbox import Inbox
from streams.pace import Every

SUBJECT = Subject("test", "detection", ("a", "b", "c"), {"name": "test"})


class Clock:
    """Monotonic seconds that stand still unless told otherwise."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Stream:
    """Keeps what the loop sends."""

    sent = 0

    def __init__(self) -> None:
        self.messages: list[Mapping[str, Any]] = []

    def follow(self, policy: object) -> None:
        pass

    def wants(self, key: object, now: float) -> bool:
        return True

    def message(self, frame: Frame, **said: Any) -> dict[str, Any]:
        return {"frame": frame.id, "source": frame.source, **said}

    def mould(self, **same: Any) -> dict[str, Any]:
        return same

    def say(self, mould: dict[str, Any], frame: Frame, now: float, seconds: Any, results: object) -> bool:
        took = {"total": 1000 * sum(seconds)}
        self.messages.append(self.message(frame, latency_ms=took, results=results, **mould))
        return True

    def send(self, message: Mapping[str, Any], captured_at: float) -> int:
        self.messages.append(message)
        return len(self.messages)


@dataclasses.dataclass
class Rig:
    inbox: Inbox
    loop: Loop
    tally: Tally
    stream: Stream
    clock: Clock


def fake_model(requests: int = 1) -> Model:
    manifest = Manifest.from_mapping(
        {"name": "test", "task": "detection", "model": "fake:detection:3:64x48", "labels": ["a", "b", "c"]},
        Path(),
    )
    return load(manifest, requests=requests)


def rig(requests: int = 1, hook: Any = None, live: bool = False) -> Rig:
    inbox, tally, stream, clock = Inbox(), Tally(), Stream(), Clock()
    lane = Lane(SUBJECT, stream, None, None, hook)  # type: ignore[arg-type]
    names = frozenset({"main"}) if live else frozenset()
    answering = Answering(None, fake_model(requests), hook, {"main": lane}, {"main": Every(1)})  # type: ignore[arg-type]
    switch = Switch(answering, Detail(), clock)
    return Rig(inbox, Loop(inbox, switch, tally, clock, names), tally, stream, clock)


def frame(number: int, captured_at: float = 100.0, shape: tuple[int, ...] = (48, 64, 3)) -> Frame:
    return Frame(number, "main", captured_at, np.full(shape, number, np.uint8))


def feed(inbox: Inbox, frames: list[Frame]) -> None:
    import threading

    slot = inbox.slot("main", lossless=True)

    def put() -> None:
        for each in frames:
            slot.put(each)
        slot.close()

    threading.Thread(target=put, daemon=True).start()


@pytest.mark.parametrize("requests", [1, 2, 4])
def test_every_frame_of_a_clip_is_answered_once_and_in_order(requests: int) -> None:
    rigged = rig(requests)
    feed(rigged.inbox, [frame(number) for number in range(1, 31)])
    rigged.loop.run(lambda: False)
    assert [message["frame"] for message in rigged.stream.messages] == list(range(1, 31))
    assert rigged.tally.frames == 30


@pytest.mark.parametrize("requests", [1, 3])
def test_a_run_that_is_told_to_end_collects_what_is_under_way(requests: int) -> None:
    rigged = rig(requests)
    feed(rigged.inbox, [frame(number) for number in range(1, 31)])
    rigged.loop.run(lambda: rigged.tally.frames >= 5)
    assert len(rigged.stream.messages) == rigged.tally.frames


@pytest.mark.parametrize("requests", [1, 3])
def test_a_picture_that_does_not_fit_is_skipped_and_counted(requests: int) -> None:
    rigged = rig(requests)
    feed(rigged.inbox, [frame(1), frame(2, shape=(48, 64, 4)), frame(3)])
    rigged.loop.run(lambda: False)
    assert [message["frame"] for message in rigged.stream.messages] == [1, 3]
    assert rigged.tally.skipped["main"] == 1


def test_a_live_picture_from_before_a_pause_is_stale() -> None:
    rigged = rig(live=True)
    feed(rigged.inbox, [frame(1, captured_at=100.0 - STALE_AFTER - 0.1), frame(2)])
    rigged.loop.run(lambda: False)
    assert [message["frame"] for message in rigged.stream.messages] == [2]
    assert rigged.tally.stale["main"] == 1


def test_a_recorded_picture_is_never_stale() -> None:
    rigged = rig(live=False)
    feed(rigged.inbox, [frame(1, captured_at=0.0)])
    rigged.loop.run(lambda: False)
    assert rigged.tally.frames == 1


@pytest.mark.parametrize(("answer", "sent"), [(None, 2), (False, 0), ({"alarm": True}, 2)])
def test_a_hook_adds_to_a_message_or_silences_it(answer: Any, sent: int) -> None:
    class Hook:
        def on_result(self, frame: Frame, result: object) -> Any:
            return answer

    rigged = rig(hook=Hook())
    feed(rigged.inbox, [frame(1), frame(2)])
    rigged.loop.run(lambda: False)
    assert len(rigged.stream.messages) == sent
    assert rigged.tally.silenced == 2 - sent
    assert all(message.get("alarm") == (answer or {}).get("alarm") for message in rigged.stream.messages)


def test_the_news_of_a_classification_is_its_best_class() -> None:
    timings = Timings(0.0, 0.0, 0.0)

    def classified(*ids: int) -> Classification:
        return Classification(
            np.array(ids, np.int32), np.linspace(1, 0.5, len(ids), dtype=np.float32), timings
        )

    assert essence(classified(2, 0, 1)) == essence(classified(2, 1, 0))
    assert essence(classified(2, 0, 1)) != essence(classified(0, 2, 1))
    assert essence(classified()) == ()


def test_the_news_of_detections_is_which_classes_are_there_how_often() -> None:
    def detected(*ids: int) -> Detections:
        count = len(ids)
        boxes = np.zeros((count, 4), np.float32)
        return Detections(
            boxes, np.ones(count, np.float32), np.array(ids, np.int32), None, Timings(0.0, 0.0, 0.0)
        )

    assert essence(detected(1, 0)) == essence(detected(0, 1))
    assert essence(detected(1)) != essence(detected(1, 1))


def test_the_news_of_things_that_are_followed_is_which_tracks_live() -> None:
    def followed(ids: list[int], alive: list[int]) -> Detections:
        count = len(ids)
        return Detections(
            np.zeros((count, 4), np.float32),
            np.ones(count, np.float32),
            np.zeros(count, np.int32),
            track_ids=np.array(ids, np.int32),
            alive=np.array(alive, np.int32),
        )

    assert essence(followed([1, 2], [1, 2])) == essence(followed([2], [1, 2])), "one is hidden for a moment"
    assert essence(followed([1, 2], [1, 2])) != essence(followed([1, 3], [1, 2, 3])), "a birth"
    assert essence(followed([1], [1, 2])) != essence(followed([1], [1])), "a death"


def test_the_news_of_a_segmentation_is_which_classes_cover_more_than_a_hundredth() -> None:
    def segmented(**areas: float) -> Segmentation:
        ids = np.array([int(name[1:]) for name in areas], np.int32)
        whole = Placement(2, 2, 1.0, 1.0, 0.0, 0.0)
        return Segmentation(np.zeros((2, 2), np.uint8), whole, ids, np.array([*areas.values()], np.float32))

    assert essence(segmented(c1=0.7, c0=0.3)) == essence(segmented(c0=0.9, c1=0.095, c2=0.005))
    assert essence(segmented(c1=0.7, c0=0.3)) != essence(segmented(c1=0.5, c0=0.3, c2=0.2))


def test_the_news_of_an_activity_is_the_class_that_is_told() -> None:
    best, scores = np.array([3, 1], np.int32), np.array([0.8, 0.2], np.float32)
    assert essence(Activity(best, scores, 1, 0.2)) == essence(
        Activity(best[::-1].copy(), scores.copy(), 1, 0.8)
    )
    assert essence(Activity(best, scores)) != essence(Activity(best, scores, 3, 0.8))


@pytest.mark.parametrize("requests", [1, 2])
def test_an_answer_that_is_no_number_is_counted_and_said_once(
    requests: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rigged = rig(requests)
    model = rigged.loop._model
    honest = model._task.interpret
    monkeypatch.setattr(
        model._task, "interpret", lambda *given: dataclasses.replace(honest(*given), finite=False)
    )
    feed(rigged.inbox, [frame(number) for number in range(1, 5)])
    rigged.loop.run(lambda: False)
    assert rigged.tally.senseless["main"] == rigged.tally.frames == 4
    assert [record.message for record in caplog.records if "no number" in record.message] == [
        "the model's answer to frame 1 of main was no number"
    ]


def test_pictures_for_which_nothing_ran_do_not_lower_the_time_of_inference() -> None:
    rigged = rig()
    manifest = Manifest.from_mapping(
        {"name": "test", "task": "activity", "model": "fake:activity:3:64x48x4", "output": {"stride": 5}},
        Path(),
    )
    rigged.loop._switch.now = dataclasses.replace(rigged.loop._switch.now, model=load(manifest))
    feed(rigged.inbox, [frame(number) for number in range(1, 15)])
    rigged.loop.run(lambda: False)
    assert rigged.tally.frames == rigged.tally.stages["prepare"].count == 14
    assert rigged.tally.stages["infer"].count == 3
    assert all(message["latency_ms"]["total"] >= 0 for message in rigged.stream.messages)
