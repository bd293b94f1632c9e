"""Dialects of a whole run: a broker that takes them gets them beside the main stream, one that cuts is asked thrice."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from brokers import mosquitto, running
from edge_process import edge
from projects import fake_finder
from witness import witness

FRAMES = 40


def drill(repository: Path) -> ModuleType:
    """The long trial, of which a short form runs here."""
    spec = importlib.util.spec_from_file_location("reserved_drill", repository / "tests/drills/reserved.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_broker_that_cuts_on_reserved_topics_loses_nothing_and_is_not_asked_for_ever(
    tmp_path: Path, repository: Path
) -> None:
    held, figures = drill(repository).trial(tmp_path, 120)
    assert held, figures


@pytest.mark.slow
def test_each_dialect_arrives_where_the_broker_takes_its_topic(tmp_path: Path) -> None:
    with (
        running(mosquitto(tmp_path)) as broker,
        witness(broker.port, "+/#") as present,
        witness(broker.port, "$aws/things/cam-1/infer") as reserved,
    ):
        done = edge(
            *("run", fake_finder(tmp_path), "--transport", f"mqtt://127.0.0.1:{broker.port}"),
            *("--source", "synthetic:?rate=20&size=64x48", "--set", "thing=cam-1", "--report", "report.json"),
            *("--set", "streams.dialects=[deeplens, homeassistant, aws-ml]", "--frames", str(FRAMES)),
            folder=tmp_path,
        )
        assert done.code == 0, done.output
        reserved.wait_for(lambda heard: len(heard) >= FRAMES)
        heard = present.wait_for(lambda heard: sum(each.topic.startswith("ml/") for each in heard) >= FRAMES)
    assert done.report is not None
    assert done.report["messages"]["acked"] == FRAMES
    topics = [each.topic for each in heard]
    assert topics.count("dt/lensracer/cam-1/main/infer") == FRAMES
    assert topics.count("dt/lensracer/cam-1/main/labels") == FRAMES
    discovery = next(each for each in heard if each.topic == "homeassistant/device/lensracer_cam-1/config")
    assert json.loads(discovery.payload)["dev"]["name"] == "cam-1"
    assert all(
        set(json.loads(each.payload)) <= {"compost", "landfill", "recycling"} for each in reserved.heard
    )


@pytest.mark.parametrize(
    ("wanted", "word"),
    [("[deeplense]", "deeplens"), ("[deeplens, deeplens-2017]", "one topic"), ("deeplens", "list")],
)
def test_a_dialect_that_there_is_not_is_a_mistake_in_the_configuration(
    tmp_path: Path, wanted: str, word: str
) -> None:
    done = edge("validate", fake_finder(tmp_path), "--set", f"streams.dialects={wanted}", folder=tmp_path)
    assert done.code == 2
    assert "streams.dialects" in done.output
    assert word in done.output
