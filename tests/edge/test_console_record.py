"""What the console remembers and says, without a browser."""

import json
from typing import Any

import pytest
from hand_clock import HandClock
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.console.record import MOST_SOURCES, Record
from edge.console.sighting import LONGEST_TEXT, text
from edge.console.words import Pictures, say

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = ["frame", "latency_ms", "results", "model", "ts_ms", "mono_ms", "seq", "sources", "kernels", "state"]
MESSAGES = st.dictionaries(st.sampled_from(KEYS), JSON)
TOPICS = ["dt/lensracer/cam-1/main/infer", "dt/lensracer/cam-1/health", "dt/lensracer/cam-1/status"]
BROKER = "mqtt://127.0.0.1:1883"


class Scene:
    """A record with a clock of its own, connected."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.record = Record("cam-1", self.clock)
        self.record.link(up=True, reason="")

    def send(self, topic: str, **message: Any) -> None:
        self.record.message(f"dt/lensracer/{topic}", json.dumps(message).encode(), retained=False)

    def said(self, pictures: Pictures = Pictures()) -> str:  # noqa: B008  (frozen)
        return say(self.record.view(None), pictures, BROKER).headline


@pytest.fixture
def scene() -> Scene:
    return Scene()


@settings(max_examples=60, deadline=None)
@given(topic=st.sampled_from(TOPICS), message=MESSAGES)
def test_no_message_does_harm_whatever_it_holds(topic: str, message: dict[str, Any]) -> None:
    record = Record("cam-1")
    record.message(topic, json.dumps(message).encode(), retained=False)
    say(record.view(None), Pictures(), BROKER)


@settings(max_examples=60, deadline=None)
@given(payload=st.binary(), level=st.text())
def test_no_payload_and_no_topic_does_harm(payload: bytes, level: str) -> None:
    record = Record("cam-1")
    for topic in (*TOPICS, f"dt/lensracer/cam-1/{level}/infer", f"dt/lensracer/{level}/status"):
        record.message(topic, payload, retained=False)
    record.view(None)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_a_text_is_one_short_line_without_control_marks(value: str) -> None:
    shown = text(value)
    assert len(shown) <= LONGEST_TEXT + 1
    assert not any(sign in shown for sign in "\n\r\t\0\x1b\u202e\u2066")


def test_the_frame_rate_is_the_devices_own_and_starts_anew_with_it(scene: Scene) -> None:
    for number in range(1, 11):
        frame = {"id": 2 * number}  # every other frame was dropped
        scene.send("cam-1/main/infer", boot_id="a", frame=frame, mono_ms=100.0 * number)
    assert scene.record.view("main").frames_per_s == pytest.approx(20.0)
    for number in range(1, 4):
        scene.send("cam-1/main/infer", boot_id="a", frame={"id": number}, mono_ms=5000.0 + 250.0 * number)
    assert scene.record.view("main").frames_per_s == pytest.approx(4.0)


def test_the_message_rate_is_of_the_last_seconds(scene: Scene) -> None:
    for _ in range(20):
        scene.send("cam-1/main/infer")
        scene.clock.now += 0.5
    assert scene.record.view("main").messages_per_s == pytest.approx(2.0)
    scene.clock.now += 60.0
    assert scene.record.view("main").messages_per_s is None


def test_strangers_cannot_fill_the_memory_with_names(scene: Scene) -> None:
    for number in range(2 * MOST_SOURCES):
        scene.send(f"cam-1/source{number}/infer")
        scene.send(f"thing{number}/status", state="online")
    view = scene.record.view(None)
    assert len(view.sources) == len(view.others) == MOST_SOURCES


def test_a_source_is_offered_as_soon_as_the_health_names_it(scene: Scene) -> None:
    scene.send("cam-1/health", sources={"front": {"state": "running"}})
    assert scene.record.view(None).sources == ("front",)


def test_silence_is_no_fault_while_the_pictures_move(scene: Scene) -> None:
    scene.send("cam-1/main/infer")
    scene.clock.now += 30.0
    assert scene.said() == "No frames"
    assert scene.said(Pictures(moved_at=scene.clock.now)) == "Live"


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        ("opening", "The source is being opened"),
        ("stalled", "The picture stands still"),
        ("reconnecting", "The source is away"),
        ("failed", "The source failed"),
        ("ended", "The source has ended"),
    ],
)
def test_what_a_source_does_is_said_once_its_frames_stay_away(
    scene: Scene, state: str, headline: str
) -> None:
    scene.send("cam-1/main/infer")
    scene.send("cam-1/health", sources={"main": {"state": state}})
    assert scene.said() == "Live"
    scene.clock.now += 10.0
    assert scene.said() == headline


def test_a_thing_that_went_is_said_to_be_offline(scene: Scene) -> None:
    scene.send("cam-1/status", state="offline")
    assert scene.said() == "Offline"
    scene.send("cam-1/status", state="online")
    assert scene.said() == "No results yet"


def test_the_broker_comes_first_in_what_is_said(scene: Scene) -> None:
    scene.send("cam-1/main/infer")
    scene.record.link(up=False, reason="the connection was cut")
    scene.clock.now += 5.0
    state = say(scene.record.view(None), Pictures(), BROKER)
    assert (state.headline, state.detail) == ("The broker is gone", "Lost 5 s ago. the connection was cut")


def test_tracks_and_areas_are_shown_beside_their_labels(scene: Scene) -> None:
    results = [
        {"label": "bottle", "score": 0.9, "track_id": 7},
        {"label": "track", "area": 0.25, "mask": {"size": [2, 2], "counts": [4]}},
        {"label": "odd", "score": None, "track_id": "seven"},
    ]
    scene.send("cam-1/main/infer", results=results)
    last = scene.record.view(None).last
    assert last is not None
    assert last.results == (("bottle #7", 0.9), ("track", 0.25), ("odd", None))
