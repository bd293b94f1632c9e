"""A project is found by path or name, and each mistake in its file is told with the line."""

import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from edge import project
from edge.errors import ConfigInvalid, ProjectMissing
from edge.project import Publish
from edge.project_schema import schema
from inference.errors import ManifestInvalid

GOOD = "name: sorter\ntask: classification\nmodel: model.onnx\nlabels: [a, b, c]\n"
EVERYTHING = """
name: sorter
task: detection
model: model.onnx
labels: [a, b]
input:
  {size: [64, 48], color: rgb, resize: letterbox, anchor: top-left, pad: 0, mean: [1, 2, 3], scale: 255, layout: NCHW}
output: {threshold: 0.4, top_k: 5, iou: 0.6, decoder: auto, track: true}
publish: {on_change: true, min_interval: 500ms, heartbeat: 2m}
hook: hook.py
clip: clip.mp4
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sorter"
    place.mkdir()
    for name in ("hook.py", "clip.mp4"):
        (place / name).touch()
    return place


def load(folder: Path, text: str, overrides: dict[str, Any] | None = None) -> project.Project:
    (folder / "project.yaml").write_text(text)
    return project.load(folder, overrides)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigInvalid) as caught:
        load(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_small_project_has_the_usual_publish_policy(folder: Path) -> None:
    found = load(folder, GOOD)
    assert found.name == found.manifest.name == "sorter"
    assert found.manifest.labels == ("a", "b", "c")
    assert found.publish == Publish(every=None, on_change=True, min_interval=1, heartbeat=60)
    assert found.hook is None
    assert found.clip is None
    assert found.file == folder / "project.yaml"


def test_every_key_arrives(folder: Path) -> None:
    found = load(folder, EVERYTHING)
    assert found.manifest.input.size == (64, 48)
    assert found.manifest.output.threshold == 0.4
    assert found.publish == Publish(min_interval=0.5, heartbeat=120)
    assert found.hook == folder / "hook.py"
    assert found.clip == folder / "clip.mp4"


def test_every_nth_result_may_be_published(folder: Path) -> None:
    assert load(folder, GOOD + "publish: {every: 3}\n").publish == Publish(every=3, on_change=False)


def test_overrides_stand_in_place_of_what_is_written(folder: Path) -> None:
    text = GOOD + "publish: {min_interval: 5s}\n"
    assert load(folder, text, {"publish": {"every": 1}}).publish.every == 1
    assert load(folder, text, {"publish.heartbeat": "30s"}).publish == Publish(min_interval=5, heartbeat=30)
    assert load(folder, text, {"output.threshold": 0.25}).manifest.output.threshold == 0.25


def test_a_fault_is_placed_at_its_key_or_the_one_above(folder: Path) -> None:
    found = load(folder, GOOD)
    assert found.fault("no", "labels").line == 4
    assert found.fault("no", "model").where == folder / "project.yaml"
    assert found.fault("no", "input.size").line is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + "lables: x\n", "project.yaml:5: lables: is not a key; did you mean labels?"),
        (GOOD + "racer: {}\n", "project.yaml:5: racer: is not a key; known are name, task"),
        ("name: x\ntask: detection\n", "model: is missing"),
        (GOOD.replace("classification", "dreaming"), "project.yaml:2: task: must be one of"),
        (GOOD.replace("sorter", "My Sorter"), "project.yaml:1: name: must be of the letters"),
        (GOOD.replace("sorter", "5"), "project.yaml:1: name: must be"),
        (GOOD.replace("[a, b, c]", "5"), "project.yaml:4: labels: must be a list"),
        (GOOD.replace("[a, b, c]", "absent.txt"), "project.yaml:4: labels: names the file"),
        (GOOD + "input:\n  szie: [1, 2]\n", "project.yaml:6: input.szie: is not a key"),
        (GOOD + "input:\n  size: [1]\n", "project.yaml:6: input.size: must be"),
        (GOOD + "output: {threshold: 7}\n", "project.yaml:5: output.threshold: must be"),
        (GOOD + "hook: absent.py\n", "project.yaml:5: hook: names the file absent.py, which does not exist"),
        (GOOD + "clip: 5\n", "project.yaml:5: clip: expected the path of a file, got 5"),
        (GOOD + "publish: always\n", "project.yaml:5: publish: expected keys such as every: 1"),
        (
            GOOD + "publish:\n  evry: 1\n",
            "project.yaml:6: publish.evry: is not a key; did you mean publish.every?",
        ),
        (GOOD + "publish: {every: 0}\n", "publish.every: expected a whole number from 1, got 0"),
        (GOOD + "publish: {every: true}\n", "publish.every: expected a whole number from 1, got True"),
        (GOOD + "publish: {every: 2, heartbeat: 5s}\n", "publish.heartbeat: stands beside publish.every"),
        (GOOD + "publish: {every: 2, on_change: true}\n", "publish.on_change: stands beside publish.every"),
        (
            GOOD + "publish: {on_change: false}\n",
            "publish.on_change: expected true; for a message of each result write",
        ),
        (GOOD + "publish: {heartbeat: 0}\n", "publish.heartbeat: expected more than 0 seconds"),
        (GOOD + "publish: {min_interval: often}\n", "publish.min_interval: expected a length of time"),
        (GOOD + "name: again\n", "project.yaml:5: name: stands here a second time"),
        ("- a list\n", "project.yaml:1: should hold keys and values"),
        ("name: [\n", "project.yaml:2: is not readable as YAML"),
        (GOOD + "input:\n\tcolor: rgb\n", "project.yaml:6: is not readable as YAML: there is a tab"),
        (
            GOOD + "input: {colour: rgb}\n",
            "project.yaml:5: input.colour: is not a key; did you mean input.color?",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(folder: Path, text: str, sentence: str) -> None:
    assert sentence in refusal(folder, text)


def test_mistakes_of_several_parts_are_told_at_once(folder: Path) -> None:
    text = GOOD.replace("classification", "dreaming") + "publish: {every: 0}\nhook: absent.py\nfoo: 1\n"
    assert len(refusal(folder, text).splitlines()) == 4


def test_mistakes_of_the_model_s_keys_are_told_at_once(folder: Path) -> None:
    guessed = (
        "name: My Project\ntask: detect\nlabels: [cat, cat]\nlabel: x\n"
        "input: {size: 416, resize: fit, sice: 3}\noutput: {threshold: 50, decoder: best}\n"
    )
    with pytest.raises(ConfigInvalid) as refused:
        load(folder, guessed)
    told = [fault.key for fault in refused.value.faults]
    assert sorted(told) == [
        "input.resize", "input.sice", "input.size", "label", "labels", "model", "name", "output.decoder",
        "output.threshold", "task",
    ]  # fmt: skip


# finding


def test_a_folder_its_file_and_a_relative_path_are_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "project.yaml").write_text(GOOD)
    monkeypatch.chdir(folder.parent)
    for name in (folder, str(folder), f"{folder}/", folder / "project.yaml", "sorter", "./sorter"):
        assert project.find(name) == folder


def test_bundled_and_installed_projects_are_found_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = tmp_path / "samples"
    environ = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")}
    own = tmp_path / "data" / "lensracer" / "projects"
    for place in (samples / "one", samples / "two", own / "two", samples / "maker"):
        place.mkdir(parents=True)
        if place.name != "maker":
            (place / "project.yaml").write_text(GOOD)
    monkeypatch.setattr(project, "SAMPLES", samples)
    monkeypatch.chdir(tmp_path)
    assert project.find("one", environ) == samples / "one"
    assert project.find("two", environ) == own / "two"
    assert sorted(project.installed(environ)) == ["one", "two"]


def test_a_folder_goes_before_a_bundled_project_of_its_name_if_it_is_a_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    samples = tmp_path / "samples"
    (samples / "sorter").mkdir(parents=True)
    (samples / "sorter" / "project.yaml").write_text(GOOD)
    monkeypatch.setattr(project, "SAMPLES", samples)
    monkeypatch.chdir(folder.parent)
    assert project.find("sorter") == samples / "sorter"
    (folder / "project.yaml").write_text(GOOD)
    assert project.find("sorter") == folder


def test_a_name_that_nobody_has_is_refused_with_the_ones_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trash-sorter").mkdir()
    (tmp_path / "trash-sorter" / "project.yaml").write_text(GOOD)
    monkeypatch.setattr(project, "SAMPLES", tmp_path)
    with pytest.raises(ProjectMissing, match=r"there are trash-sorter; did you mean trash-sorter\?"):
        project.find("trash-sorte")


def test_a_folder_without_project_file_is_refused(folder: Path) -> None:
    with pytest.raises(ProjectMissing, match=r"is no project: it has no project\.yaml"):
        project.find(folder)
    with pytest.raises(ProjectMissing, match=r"is no project: it has no project\.yaml"):
        project.load(folder)


@pytest.mark.parametrize("name", ["project.yml", "Project.YAML"])
def test_a_project_file_of_almost_the_right_name_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text(GOOD)
    with pytest.raises(ProjectMissing, match=rf"it has no project\.yaml; rename {name} to project\.yaml"):
        project.find(folder)


def test_paths_may_begin_with_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = folder.parent / "home"
    home.mkdir()
    (home / "names.txt").write_text("a\nb\n")
    monkeypatch.setenv("HOME", str(home))
    text = "name: x\ntask: classification\nmodel: ~/m.onnx\nlabels: ~/names.txt\n"
    (folder / "project.yaml").write_text(text)
    manifest = project.load(folder).manifest
    assert (manifest.model, manifest.labels) == (home / "m.onnx", ("a", "b"))


# the schema


@pytest.mark.parametrize(
    "text", [GOOD, EVERYTHING, GOOD + "publish: {every: 1}\n", GOOD + "input:\noutput:\npublish:\n"]
)
def test_what_is_accepted_is_valid_by_the_json_schema(folder: Path, text: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(yaml.safe_load(text))
    assert load(folder, text)


@pytest.mark.parametrize(
    "more", ["racer: {}", "publish: {evry: 1}", "input: {size: [1]}", "output: {decoder: magic}", "labels: 5"]
)
def test_what_is_refused_is_invalid_by_the_json_schema(folder: Path, more: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(
            yaml.safe_load(GOOD.replace("labels", "# ") + more)
        )
    with pytest.raises((ConfigInvalid, ManifestInvalid)):
        load(folder, GOOD.replace("labels", "# ") + more)


def test_the_schema_has_just_the_keys_that_are_read() -> None:
    import dataclasses

    from inference.manifest import InputSpec, OutputSpec

    def names(of: type) -> set[str]:
        return {field.name for field in dataclasses.fields(of)}

    properties = schema()["properties"]
    assert set(properties) == {*project.OF_THE_MODEL, *project.OURS}
    for section, of in (("input", InputSpec), ("output", OutputSpec), ("publish", Publish)):
        assert set(properties[section]["anyOf"][0]["properties"]) == names(of)
