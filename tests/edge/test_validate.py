"""`check` finds what a run would refuse, each with file, line and key; and nothing where a run would start."""

import os
from pathlib import Path
from typing import Any

import models
import pytest
from projects import colour_sorter, quiet_environ

from edge import build, config, project, redaction
from edge.errors import Fault
from edge.validate import check

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return colour_sorter(tmp_path / "sorter")


def faults(folder: Path, text: str = "", **overrides: Any) -> list[Fault]:
    Path("edge.yaml").write_text(text)
    return check(
        folder,
        environ=quiet_environ(),
        overrides={key.replace("__", "."): value for key, value in overrides.items()},
    )


def sentence(folder: Path, text: str = "", **overrides: Any) -> str:
    (fault,) = faults(folder, text, **overrides)
    return str(fault).replace(f"{Path.cwd()}/", "")


def in_project(folder: Path, old: str, new: str) -> None:
    path = folder / "project.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_good_project_has_no_faults(folder: Path) -> None:
    assert faults(folder) == []


def test_what_is_accepted_can_be_built(folder: Path) -> None:
    text = "thing: cam\nsources: {front: camera:7, clip: sorter/clip.avi, made: 'synthetic:'}\n"
    assert faults(folder, text) == []
    settings = config.load(None, quiet_environ(), {})
    runtime = build.runtime(settings, project.load(folder))
    assert set(runtime.feeds) == {"front", "clip", "made"}
    runtime.model.close()
    runtime.sequence.close()


def test_the_project_may_be_named_by_the_configuration(folder: Path) -> None:
    Path("edge.yaml").write_text("project: sorter\n")
    assert check(None, environ=quiet_environ()) == []
    Path("edge.yaml").write_text("project: sortre\n")
    (fault,) = check(None, environ=quiet_environ())
    assert (fault.key, fault.line) == ("project", 1)
    assert "there is no project 'sortre'" in fault.message


def test_without_any_project_that_is_the_fault(folder: Path) -> None:
    Path("edge.yaml").write_text("")
    (fault,) = check(None, environ=quiet_environ())
    assert str(fault).startswith("project: is missing")


def test_mistakes_of_configuration_and_project_are_told_together(folder: Path) -> None:
    in_project(folder, "top_k: 3", "top_k: 0")
    assert [fault.key for fault in faults(folder, "thing: 5\n")] == ["thing", "output.top_k"]


# the configuration


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("thing: a\nlog: {levle: info}\n", "edge.yaml:2: log.levle: is not a key; did you mean log.level?"),
        ("http: {port: many}\n", "edge.yaml:1: http.port: expected a whole number, got 'many'"),
        ("thing: [\n", "edge.yaml:2: is not readable as YAML"),
        ("source: absent.mp4\n", "edge.yaml:1: source: "),
        ("sources: {a: {uri: 'gopher://x'}}\n", "edge.yaml:1: sources.a.uri: gopher://x begins with gopher:"),
        ("source: sorter/project.yaml\n", "edge.yaml:1: source: "),
        ("source: sorter/empty/\n", "edge.yaml:1: source: "),
        ("source: 'camera:front'\n", "edge.yaml:1: source: "),
        ("source: 'rtsp://'\n", "edge.yaml:1: source: rtsp:// names no host"),
        (
            "transport: {endpoint: x, cert: no.crt, key: no.key}\n",
            "edge.yaml:1: transport.cert: no.crt cannot be read",
        ),
        ("transport: {endpoint: x, ca: sorter/clip.avi}\n", "edge.yaml:1: transport.ca: "),
        (
            "sources: {main: {uri: secret:absent}}\n",
            "edge.yaml:1: sources.main.uri: there is no secret 'absent'",
        ),
        ("inference: {device: GPU7}\n", "edge.yaml:1: inference.device: "),
        ("inference: {backend: onnxruntime, device: GPU}\n", "edge.yaml:1: inference.device: "),
        (
            "spool: {path: sorter/clip.avi}\n",
            "edge.yaml:1: spool.path: the folder sorter/clip.avi cannot be written",
        ),
    ],
)
def test_a_mistake_in_the_configuration_is_told_with_line_and_key(folder: Path, text: str, told: str) -> None:
    (folder / "empty").mkdir()
    assert sentence(folder, text).startswith(told)


def test_a_topic_over_the_limits_of_aws_is_told(folder: Path) -> None:
    long = "x" * 200
    told = sentence(folder, f"thing: {'t' * 60}\nsources:\n  {long}: 'synthetic:'\n")
    assert told.startswith(
        f"edge.yaml:3: sources.{long}: a topic has at most 256 bytes at AWS IoT, this one has 2"
    )


def test_no_source_and_no_clip_is_told(folder: Path) -> None:
    in_project(folder, "clip: clip.avi\n", "")
    assert "no source is named" in sentence(folder)
    assert faults(folder, "source: 'synthetic:'\n") == []


def test_every_bad_source_is_told(folder: Path) -> None:
    text = "sources:\n  a: absent.mp4\n  b: camera:0\n  c: absent/\n"
    assert [(fault.key, fault.line) for fault in faults(folder, text)] == [("sources.a", 2), ("sources.c", 4)]


def test_a_camera_or_broker_that_is_away_is_no_fault(folder: Path) -> None:
    text = (
        "sources: {a: /dev/video77, b: 'rtsp://127.0.0.1:9/x'}\ntransport: {endpoint: 127.0.0.1, port: 9}\n"
    )
    assert faults(folder, text) == []


def test_a_password_is_in_no_sentence(folder: Path) -> None:
    text = "sources: {a: 'gopher://me:hunter2222@cam', b: 'rtsp://me:hunter3333@'}\n"
    told = redaction.hide("\n".join(map(str, faults(folder, text))))
    assert "hunter" not in told
    assert "cam" in told


# the project


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("labels:", "lables:", "sorter/project.yaml:4: lables: is not a key; did you mean labels?"),
        ("top_k: 3", "top_k: many", "sorter/project.yaml:6: output.top_k: must be a whole number"),
        ("model.onnx", "absent.onnx", "sorter/project.yaml:3: model: "),
        ("model.onnx", "clip.avi", "sorter/project.yaml:3: model: "),
        ("model.onnx", "text.onnx", "sorter/project.yaml:3: model: "),
        ("[red, green, blue]", "[red, green]", "sorter/project.yaml:4: labels: "),
        ("scale: 255", "size: [10, 10]", "sorter/project.yaml:5: input.size: "),
        ("classification", "detection", "sorter/project.yaml:"),
        ("[red, green, blue]", "[red, green, blue", "sorter/project.yaml:5: is not readable as YAML"),
        ("clip: clip.avi", "hook: hook.py\nclip: clip.avi", "sorter/hook.py: has no class"),
        ("clip: clip.avi", "clip: text.onnx", "sorter/project.yaml:7: clip: "),
    ],
)
def test_a_mistake_in_the_project_is_told_with_line_and_key(
    folder: Path, old: str, new: str, told: str
) -> None:
    (folder / "text.onnx").write_text("this is not a model\n" * 100)
    (folder / "hook.py").write_text("x = 1\n")
    in_project(folder, old, new)
    assert sentence(folder).startswith(told)


def test_a_model_of_another_kind_is_told(folder: Path) -> None:
    models.two_inputs(folder / "model.onnx")
    assert sentence(folder).startswith(
        "sorter/project.yaml:2: task: classification wants a model with one picture"
    )


def test_a_missing_project_is_told(folder: Path) -> None:
    (fault,) = faults(folder / "absent")
    assert str(fault).startswith("command line: project: there is no project")
    (fault,) = faults(Path.cwd())
    assert "is no project: it has no project.yaml" in str(fault)


def test_a_state_folder_that_others_own_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    told = sentence(folder, "spool: {path: state}\n")
    assert told == "edge.yaml:1: spool.path: the folder state cannot be written"
