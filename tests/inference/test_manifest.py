from pathlib import Path
from typing import Any

import pytest
from examples import project_examples

from inference.errors import ManifestInvalid
from inference.manifest import InputSpec, Manifest, OutputSpec

SORTER: dict[str, Any] = {"name": "sorter", "task": "classification", "model": "model.onnx"}


def from_project(tmp_path: Path, **keys: Any) -> Manifest:
    return Manifest.from_mapping({**SORTER, **keys}, tmp_path)


def test_a_short_project_leaves_the_rest_to_the_model(tmp_path: Path) -> None:
    assert from_project(tmp_path) == Manifest("sorter", "classification", tmp_path / "model.onnx")
    assert InputSpec() == InputSpec(None, None, None, None, None, None, None, None)
    assert OutputSpec() == OutputSpec(None, None, None, "auto", None, *[None] * 7)


def test_every_key_reaches_its_field(tmp_path: Path) -> None:
    manifest = from_project(
        tmp_path,
        task="detection",
        labels=["a", "b"],
        input={
            "size": [320, 240],
            "color": "bgr",
            "resize": "letterbox",
            "anchor": "top-left",
            "pad": 0,
            "mean": [1, 2.5, 3],
            "scale": 255,
            "layout": "NHWC",
        },
        output={"threshold": 0.7, "top_k": 3, "iou": 0.4, "decoder": "yolox", "track": True},
    )
    assert manifest.labels == ("a", "b")
    assert manifest.input == InputSpec(
        (320, 240), "bgr", "letterbox", "top-left", 0, (1, 2.5, 3), (255,), "NHWC"
    )
    assert manifest.output == OutputSpec(0.7, 3, 0.4, "yolox", track=True)


def test_the_keys_of_an_activity_and_a_segmentation_reach_their_fields(tmp_path: Path) -> None:
    keys = {"window": 16, "step": 2, "stride": 4, "average": 3, "hold": 5, "softmax": True, "threshold": 0.2}
    activity = from_project(tmp_path, task="activity", input={"layout": "NCTHW"}, output=keys)
    assert activity.output == OutputSpec(**keys)
    assert activity.input.layout == "NCTHW"
    assert from_project(tmp_path, task="segmentation", output={"mask": True}).output.mask is True


@pytest.mark.parametrize(
    ("task", "key", "value"),
    [
        ("classification", "iou", 0.5),
        ("classification", "decoder", "ssd"),
        ("classification", "track", True),
        ("classification", "window", 4),
        ("detection", "softmax", False),
        ("detection", "mask", True),
        ("detection", "hold", 2),
        ("segmentation", "top_k", 3),
        ("segmentation", "softmax", True),
        ("segmentation", "stride", 2),
        ("activity", "top_k", 3),
        ("activity", "track", False),
        ("activity", "mask", True),
    ],
)
def test_a_key_that_means_nothing_to_the_task_is_refused(
    tmp_path: Path, task: str, key: str, value: Any
) -> None:
    with pytest.raises(ManifestInvalid, match=f"means nothing to the task {task}") as caught:
        from_project(tmp_path, task=task, output={key: value})
    assert caught.value.key == f"output.{key}"


@pytest.mark.parametrize("task", ["classification", "detection", "segmentation"])
def test_the_layout_of_a_clip_is_for_activities(tmp_path: Path, task: str) -> None:
    with pytest.raises(ManifestInvalid, match="only the task activity takes") as caught:
        from_project(tmp_path, task=task, input={"layout": "NTCHW"})
    assert caught.value.key == "input.layout"


def test_labels_may_stand_in_a_file_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("crane\nmaillot\n\ncrane \n", encoding="utf-8")
    assert from_project(tmp_path, labels="labels.txt").labels == ("crane", "maillot", "crane")


def test_paths_start_at_the_project_s_folder_unless_absolute(tmp_path: Path) -> None:
    assert from_project(tmp_path, model="m/a.xml").model == tmp_path / "m" / "a.xml"
    assert from_project(tmp_path, model="/models/a.xml").model == Path("/models/a.xml")


def test_a_fake_model_is_a_name_and_no_path(tmp_path: Path) -> None:
    manifest = from_project(tmp_path, model="fake:classification:3")
    assert manifest.is_fake
    assert str(manifest.model) == "fake:classification:3"
    assert not from_project(tmp_path).is_fake


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"name": "Trash Sorter"}, "name"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"task": "cooking"}, "task"),
        ({"task": None}, "task"),
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"model": "x" * 5000}, "model"),
        ({"model": "https://example.com/m.onnx"}, "model"),
        ({"labels": "absent.txt"}, "labels"),
        ({"labels": 3}, "labels"),
        ({"labels": ["a", ""]}, "labels"),
        ({"labels": ["a", True]}, "labels"),
        ({"labels": ["a", "b", "a"]}, "labels"),
        ({"colour": "rgb"}, "colour"),
        ({"input": 5}, "input"),
        ({"input": {"colour": "rgb"}}, "input.colour"),
        ({"input": {"size": [0, 5]}}, "input.size"),
        ({"input": {"size": [8193, 5]}}, "input.size"),
        ({"input": {"size": [224]}}, "input.size"),
        ({"input": {"size": 224}}, "input.size"),
        ({"input": {"size": [224.0, 224]}}, "input.size"),
        ({"input": {"size": [True, 224]}}, "input.size"),
        ({"input": {"color": "cmyk"}}, "input.color"),
        ({"input": {"color": ["rgb"]}}, "input.color"),
        ({"input": {"resize": "squeeze"}}, "input.resize"),
        ({"input": {"anchor": "bottom"}}, "input.anchor"),
        ({"input": {"layout": "CHW"}}, "input.layout"),
        ({"input": {"pad": 256}}, "input.pad"),
        ({"input": {"mean": [1, 2]}}, "input.mean"),
        ({"input": {"mean": ["1", 2, 3]}}, "input.mean"),
        ({"input": {"mean": float("nan")}}, "input.mean"),
        ({"input": {"scale": [1, 0, 1]}}, "input.scale"),
        ({"output": {"treshold": 0.5}}, "output.treshold"),
        ({"output": {"threshold": 1.5}}, "output.threshold"),
        ({"output": {"threshold": "half"}}, "output.threshold"),
        ({"output": {"iou": -0.1}}, "output.iou"),
        ({"output": {"top_k": 0}}, "output.top_k"),
        ({"output": {"top_k": True}}, "output.top_k"),
        ({"output": {"decoder": "magic"}}, "output.decoder"),
        ({"output": {"softmax": "yes"}}, "output.softmax"),
        ({"output": {"track": 1}}, "output.track"),
        ({"output": {"mask": "yes"}}, "output.mask"),
        ({"output": {"window": 0}}, "output.window"),
        ({"output": {"step": 257}}, "output.step"),
        ({"output": {"stride": 1.5}}, "output.stride"),
        ({"output": {"average": True}}, "output.average"),
        ({"output": {"hold": "3"}}, "output.hold"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(tmp_path: Path, keys: dict[str, Any], key: str) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        from_project(tmp_path, **keys)
    assert caught.value.key == key
    assert key.rpartition(".")[2] in str(caught.value)


@pytest.mark.parametrize("key", ["name", "task", "model"])
def test_a_project_needs_its_three_first_keys(tmp_path: Path, key: str) -> None:
    with pytest.raises(ManifestInvalid, match=f"{key} is missing") as caught:
        Manifest.from_mapping({name: value for name, value in SORTER.items() if name != key}, tmp_path)
    assert caught.value.key == key


@pytest.mark.parametrize("task", ["policy"])
def test_a_task_of_a_later_version_is_refused_with_a_sentence(tmp_path: Path, task: str) -> None:
    with pytest.raises(ManifestInvalid, match=f"{task}.*not supported by this version") as caught:
        from_project(tmp_path, task=task)
    assert caught.value.key == "task"


def test_labels_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for name in ("empty.txt", "binary.txt", "."):
        with pytest.raises(ManifestInvalid, match=str(tmp_path)):
            from_project(tmp_path, labels=name)


def test_a_key_without_a_value_counts_as_absent(tmp_path: Path) -> None:
    empty = {"size": None, "mean": None}
    manifest = from_project(tmp_path, labels=None, input=empty, output={"decoder": None})
    assert manifest == from_project(tmp_path)


@pytest.mark.parametrize("example", project_examples(), ids=lambda example: str(example["name"]))
def test_the_examples_of_the_models_page_are_valid(tmp_path: Path, example: dict[str, Any]) -> None:
    assert Manifest.from_mapping(example, tmp_path).name == example["name"]
