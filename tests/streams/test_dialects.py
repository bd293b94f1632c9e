"""Each dialect says what its listeners expect, to the letter; the main stream stays as it is."""

import json
from collections.abc import Iterable
from typing import Any

import jinja2
import pytest

from streams.dialects import NAMES, About, dialect
from streams.dialects.homeassistant import MOST_LABELS
from streams.dialects.speaker import Speaker
from streams.envelope import dumps
from streams.spool import Item, Kind, MemorySpool
from streams.topics import check_topic
from streams.transports.local import Local

ROWS = [
    {"label": "person", "label_id": 1, "score": 0.62451171875, "box": [0.1, 0.2, 0.3, 0.4]},
    {"label": "chair", "label_id": 2, "score": 0.3149, "box": [0, 0, 1, 1]},
    {"label": "person", "label_id": 1, "score": 0.91, "box": [0.5, 0.5, 0.6, 0.6]},
    {"label": "dog", "label_id": 3, "score": 0.25, "box": [0, 0, 0.5, 0.5]},
]


def message(rows: Any = ROWS, task: str = "detection", **more: Any) -> dict[str, Any]:
    model = {"name": "m", "sha256": "ab"}
    times = {"ts_ms": 1795328700123, "seq": 5}
    return {
        "task": task,
        "source": "main",
        "project": "finder",
        "model": model,
        **times,
        "results": rows,
        **more,
    }


def about(*labels: str, task: str = "detection", sources: Iterable[str] = ("main",)) -> About:
    return About("cam-1", "finder", task, labels, tuple(sources), frames=True, version="0.1")


def said(name: str, given: dict[str, Any]) -> dict[str, Any]:
    return {item.topic: item.payload for item in dialect(name, "cam-1").said(given)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["classification", "detection", "segmentation", "activity"])
def test_every_dialect_says_every_task_as_plain_json_in_the_class_that_is_given_up_first(
    name: str, task: str
) -> None:
    spoken = dialect(name, "cam-1")
    spoken.introduction(about("person", "dog", task=task))
    rows = [{"label": "person", "label_id": 0, "area": 0.5}] if task == "segmentation" else ROWS
    given = message(rows, task)
    before = json.dumps(given)
    for item in spoken.said(given):
        assert check_topic(item.topic, reserved=True)
        assert isinstance(json.loads(dumps(item.payload)), dict)  # type: ignore[arg-type]
        assert item.kind is Kind.TELEMETRY
    assert list(spoken.said(message([], task))) is not None
    assert json.dumps(given) == before


@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [
        ("deeplens", ROWS, {"person": 0.91, "chair": 0.3149, "dog": 0.25}),
        ("deeplens", [], {}),
        ("deeplens", [{"label": "wall", "area": 0.75}], {"wall": 0.75}),
        ("deeplens-2017", ROWS, {"person": 0.91, "chair": 0.31, "dog": 0.25, "null": 0.0}),
        ("deeplens-2017", [], {"null": 0.0}),
        (
            "deeplens-hotdog",
            [{"label": "hotdog, hot dog, red hot", "score": 0.75}],
            {"Hotdog": 0.75, "Not hotdog": 0.25},
        ),
        ("deeplens-hotdog", [{"label": "Not hotdog", "score": 0.9}], {"Hotdog": 0.0, "Not hotdog": 1.0}),
        ("deeplens-trash", ROWS, {"person\n": 0.91, "chair\n": 0.3149}),
    ],
)
def test_deeplens_forms_are_those_of_the_public_functions(name: str, rows: Any, told: Any) -> None:
    payload = said(name, message(rows))["$aws/things/cam-1/infer"]
    assert payload == told
    assert list(payload) == list(told)  # the surest first


def test_the_trash_sorter_tells_the_pi_beside_it_what_it_sees() -> None:
    assert said("deeplens-trash", message())["deeplens/trash/infer"] == {"object": "person"}
    assert "deeplens/trash/infer" not in said("deeplens-trash", message([]))


def test_aws_ml_is_what_the_stock_components_publish() -> None:
    assert said("aws-ml", message()) == {
        "ml/lensracer/object-detection": {
            "timestamp": "2026-11-22 06:25:00.123000",
            "inference-type": "object-detection",
            "inference-description": "Top 5 predictions with score 0.3 or above ",
            "inference-results": [
                {"Label": "person", "Score": "0.91", "Boundaries": "[0.5 0.5 0.6 0.6]"},
                {"Label": "person", "Score": "0.6245", "Boundaries": "[0.2 0.1 0.4 0.3]"},
                {"Label": "chair", "Score": "0.3149", "Boundaries": "[0 0 1 1]"},
            ],
        }
    }
    classes = [{"label": f"c{n}", "score": 0.9 - n / 10} for n in range(7)]
    told = said("aws-ml", message(classes, "classification"))["ml/lensracer/image-classification"]
    assert [row["Label"] for row in told["inference-results"]] == ["c0", "c1", "c2", "c3", "c4"]
    assert told["inference-results"][0] == {"Label": "c0", "Score": "0.9"}


OURS = ["person", 'it\'s "quoted"', "Müll 🗑", "}} {% raw %}", "back\\slash"]


def test_home_assistant_finds_a_device_whose_templates_read_the_states() -> None:
    spoken = dialect("homeassistant", "cam:1")
    (config,) = spoken.introduction(about(*OURS)._replace(thing="cam:1"))
    assert config.topic == "homeassistant/device/lensracer_cam_1/config"
    assert config.retain
    told: dict[str, Any] = json.loads(dumps(config.payload))  # type: ignore[arg-type]
    check_discovery(told)
    assert told["availability_topic"] == "dt/lensracer/cam:1/status"
    assert rendered(told["availability_template"], {"state": "offline"}) == "offline"
    parts = told["cmps"]
    assert parts["main_camera"]["topic"] == "dt/lensracer/cam:1/main/frame"
    rows = [{"label": label, "label_id": n, "score": 0.9} for n, label in enumerate(OURS) for _ in range(n)]
    (state,) = spoken.said(message(rows))
    assert state.retain
    payload = json.loads(dumps(state.payload))  # type: ignore[arg-type]
    for place, label in enumerate(OURS):
        part = parts[f"main_label_{place}"]
        assert part["name"] == label
        assert part["state_topic"] == state.topic
        assert rendered(part["value_template"], payload) == str(place)
    assert rendered(parts["main_seen"]["value_template"], payload) == OURS[1]


def rendered(template: str, payload: Any) -> str:
    return (
        jinja2.Environment(autoescape=True)
        .from_string(template.replace(" }}", " | safe }}"))
        .render(value_json=payload)
    )


DEVICE = {"ids", "cns", "mf", "mdl", "name", "hw", "sn", "sw", "via_device", "sa", "cu"}
ROOT = {"dev", "o", "cmps", "qos", "encoding", "state_topic", "command_topic", "availability_topic"}
ROOT |= {
    "availability_template",
    "payload_available",
    "payload_not_available",
    "availability",
    "availability_mode",
}
SENSOR = {"p", "name", "unique_id", "state_topic", "value_template", "state_class", "unit_of_measurement"}
CAMERA = {"p", "name", "unique_id", "topic"}


def check_discovery(told: dict[str, Any]) -> None:
    """The keys of Home Assistant's device discovery: required ones there, none that it does not know."""
    assert {"dev", "o", "cmps"} <= set(told) <= ROOT
    assert told["dev"]["ids"]
    assert set(told["dev"]) <= DEVICE
    assert told["o"]["name"]
    names = [part["unique_id"] for part in told["cmps"].values() if len(part) > 1]
    assert len(set(names)) == len(names)
    for part in told["cmps"].values():
        known = {"sensor": SENSOR, "camera": CAMERA}[part["p"]]
        assert set(part) == {"p"} or {"p", "name", "unique_id"} <= set(part) <= known


def test_another_project_takes_the_sensors_of_the_former_one_away() -> None:
    spoken = dialect("homeassistant", "cam-1")
    list(spoken.introduction(about("a", "b", "c", sources=("front", "back"))))
    (config,) = spoken.introduction(about("x", task="classification", sources=("front", "back")))
    parts = dict(config.payload)["cmps"]
    assert parts["front_label_1"] == {"p": "sensor"}
    assert parts["front_label_0"]["name"] == "front x"
    assert parts["back_label_0"]["unit_of_measurement"] == "%"
    (state,) = spoken.said(message([{"label": "x", "score": 0.256}], "classification", source="front"))
    assert dict(state.payload) == {"best": "x", "values": {"x": 25.6}}


def test_a_thousand_labels_do_not_make_a_thousand_sensors() -> None:
    spoken = dialect("homeassistant", "cam-1")
    (config,) = spoken.introduction(about(*(f"label {n}" for n in range(1000))))
    assert len(dict(config.payload)["cmps"]) == MOST_LABELS + 2
    assert len(dumps(config.payload)) < 32 * 1024  # type: ignore[arg-type]


class Rig:
    """A speaker of some dialects on a local transport, and what it put into the spool."""

    def __init__(self, *names: str) -> None:
        self.items: list[Item] = []
        self.about = about("person")
        spool = MemorySpool(1 << 20)
        spool.put = self.items.append  # type: ignore[method-assign]
        self.speaker = Speaker({name: dialect(name, "cam-1") for name in names}, spool, lambda: self.about)
        self.transport = Local()
        self.speaker.listen(self.transport)

    @property
    def topics(self) -> list[str]:
        topics = [item.topic for item in self.items]
        self.items.clear()
        return topics


def test_it_introduces_itself_at_each_connect_upon_request_and_with_another_project() -> None:
    rig = Rig("homeassistant", "deeplens")
    config = "homeassistant/device/lensracer_cam-1/config"
    rig.transport.start()
    assert rig.topics == [config]
    rig.transport.publish("homeassistant/status", b"offline", 0)
    assert rig.topics == []
    rig.transport.publish("homeassistant/status", b"online", 0)
    assert rig.topics == [config]
    rig.transport.interrupt()
    rig.transport.resume()
    assert rig.topics == [config]
    rig.speaker.hear(message())
    assert config not in rig.topics
    rig.speaker.hear(message(project="sorter"))
    assert config in rig.topics
    rig.speaker.hear(message(project="sorter"))
    assert config not in rig.topics


def test_what_a_hook_did_to_the_results_harms_nobody() -> None:
    rig = Rig(*(name for name in NAMES if name in ("deeplens", "homeassistant", "aws-ml")))
    rig.transport.start()
    for rows in ("text", None, [7], [{"label": {"a": 1}, "score": "high", "box": 3}], {"label": 1}):
        rig.speaker.hear(message(rows))
    rig.items.clear()
    rig.speaker.hear(message())
    assert len(rig.topics) == 3
    assert all(row["messages"] > 0 for row in rig.speaker.figures().values())
