"""The command: its exit codes, one sentence for each mistake, and nothing imported that a verb does not need."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import edge_process
import jsonschema
import pytest
import yaml
from projects import colour_sorter, quiet_environ

from edge import cli, dev, errors, exits
from edge import run as running
from edge.commands.output import table
from edge.config import Config
from edge.options import Options
from edge.project import Project

VENDORS = {
    "openvino",
    "onnxruntime",
    "cv2",
    "pydantic",
    "awscrt",
    "awsiot",
    "nicegui",
    "amqtt",
    "yaml",
    "simplejpeg",
}
Starts = list[tuple[Config, Project, Options]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a project in it, and an environment without settings of ours."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(quiet_environ()):
        monkeypatch.delenv(name)
    return colour_sorter(tmp_path / "sorter")


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    """What `run` and `dev` were started with, instead of being started."""
    found: Starts = []

    def start(config: Config, project: Project, options: Options, load: object = None) -> int:
        found.append((config, project, options))
        return 0

    monkeypatch.setattr(running, "run", start)
    monkeypatch.setattr(dev, "dev", start)
    return found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out = capsys.readouterr()
    return out.out + out.err


# in a process of its own


def test_version_loads_no_vendor_library() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "edge", "version"],
        capture_output=True,
        text=True,
        env=edge_process.environment(),
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"lensracer \d+\.\d+", done.stdout)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & VENDORS


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("version", "--json"), 0, '"version"'),
        (("--help",), 0, "validate"),
        (("--version",), 0, "lensracer "),
        (("config", "schema"), 0, "$schema"),
        (("nonsense",), 2, "No such command 'nonsense'"),
        (("run", "absent"), 2, "there is no project 'absent'"),
        (("run", "sorter", "--set", "thingy=1"), 2, "--set: thingy: is not a key; did you mean thing?"),
        (("validate", "sorter"), 0, "sorter is good to run"),
    ],
)
def test_the_exit_code_is_the_process_s(
    folder: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = edge_process.edge(*arguments, folder=folder.parent)
    assert done.code == code, done.output
    assert words in done.output
    assert "Traceback" not in done.output


def test_a_run_from_the_command_line_ends_well(folder: Path) -> None:
    done = edge_process.edge("run", "sorter", "--print", "--set", "http.port=0", folder=folder.parent)
    assert done.code == 0, done.output
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert messages[0]["project"] == "colour-sorter"


# usage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Usage: edge"),
        (["run"], "name a project"),
        (["run", "sorter", "--frames", "0"], "--frames"),
        (["run", "sorter", "--frames", "many"], "--frames"),
        (["run", "sorter", "--drain", "soon"], "expected a length of time"),
        (["run", "sorter", "extra"], "extra"),
        (["run", "sorter", "--nonsense"], "No such option"),
        (["run", "sorter", "--project", "other"], "two projects are named"),
        (["run", "sorter", "--log", "loud"], "loud"),
        (["run", "sorter", "--set", "thing"], "expected key=value"),
        (["run", "sorter", "--transport", "broker"], "--transport: transport: expected mqtt://host:port"),
        (["run", "sorter", "-c", "absent.yaml"], "absent.yaml: does not exist"),
        (["config", "nonsense"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert cli.run(arguments) == 2
    assert words in said(capsys)


@pytest.mark.parametrize(
    "verb", [[], ["run"], ["dev"], ["validate"], ["devices"], ["doctor"], ["config"], ["version"]]
)
def test_each_verb_has_help(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*verb, "--help"]) == 0
    assert "Usage: edge" in said(capsys)


def test_every_verb_of_the_table_is_there_under_its_name() -> None:
    for name in cli.VERBS:
        command = cli.group.get_command(click.Context(cli.group), name)
        assert command is not None
        assert command.name == name


# run and dev


def test_run_is_started_with_what_the_options_say(folder: Path, starts: Starts) -> None:
    Path("my.yaml").write_text("thing: cam-9\nstreams: {device: {rate: 3}}\n")
    arguments = (
        "run sorter -c my.yaml --set streams.device.quality=50 --source camera:3 --transport mqtt://host:1999"
    )
    more = "--frames 30 --report out/report.json --drain 500ms --print --log debug"
    assert cli.run([*arguments.split(), *more.split()]) == 0
    ((config, project, options),) = starts
    assert config.thing == "cam-9"
    assert (config.streams.device.rate, config.streams.device.quality) == (3, 50)
    assert config.sources["main"].uri == "camera:3"
    assert (config.transport.endpoint, config.transport.port) == ("host", 1999)
    assert config.log.level == "debug"
    assert project.name == "colour-sorter"
    assert options == Options(frames=30, report=Path("out/report.json"), drain=0.5, print_messages=True)


def test_what_nobody_asked_for_is_as_usual(folder: Path, starts: Starts) -> None:
    assert cli.run(["run", "sorter"]) == 0
    ((config, project, options),) = starts
    assert options == Options()
    assert config.transport.kind == "local"
    assert project.publish.on_change


@pytest.mark.parametrize("arguments", [["run", "--project", "sorter"], ["run"]])
def test_the_project_may_come_from_an_option_or_the_configuration(
    folder: Path, starts: Starts, arguments: list[str]
) -> None:
    Path("edge.yaml").write_text("project: ./sorter\n")
    assert cli.run(arguments) == 0
    assert starts[0][1].folder == folder


def test_dev_publishes_each_result_and_takes_its_switches(folder: Path, starts: Starts) -> None:
    assert cli.run(["dev", "sorter", "--no-browser", "--no-webcam"]) == 0
    ((_, project, options),) = starts
    assert project.publish.every == 1
    assert (options.browser, options.webcam) == (False, False)


def test_the_code_of_the_run_is_the_code_of_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "run", lambda *_: 1)
    assert cli.run(["run", "sorter"]) == 1


REFUSALS = [
    ("model.onnx", "absent.onnx", [], "sorter/project.yaml:3: model: "),
    ("model.onnx", "clip.avi", [], "sorter/project.yaml:3: model: "),
    ("blue]", "blue, black]", [], "sorter/project.yaml:4: labels: "),
    ("top_k: 3", "topk: 3", [], "sorter/project.yaml:6: output.topk: "),
    ("top_k: 3", "top_k: '3'", [], "sorter/project.yaml:6: output.top_k: "),
    ("task:", "task: [", [], "sorter/project.yaml:"),
    ("clip: clip.avi", "", [], "no source is named"),
    ("", "", ["--source", "absent.mp4"], "--source: source: "),
    ("", "", ["--set", "sources.a.uri=gopher://x"], "--set: sources.a.uri: gopher://x begins with"),
    ("", "", ["--set", "inference.device=GPU9"], "--set: inference.device: "),
    (
        "",
        "",
        ["--transport", "mqtts://x", "--set", "transport.ca=absent.pem"],
        "--set: transport.ca: absent.pem",
    ),
    (
        "",
        "",
        ["--set", "thing=" + "t" * 80, "--set", f"sources.{'s' * 180}.uri=synthetic:"],
        "at most 256 bytes",
    ),
]


@pytest.mark.parametrize(("old", "new", "arguments", "words"), REFUSALS)
def test_run_and_validate_refuse_alike_with_2_and_the_place(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, arguments: list[str], words: str
) -> None:
    path = folder / "project.yaml"
    path.write_text(path.read_text().replace(old, new))
    for verb in ("run", "validate"):
        assert cli.run([verb, "sorter", "--set", "http.enabled=false", *arguments]) == 2
        told = said(capsys).replace(f"{folder.parent}/", "")
        assert words in told, verb
        assert "Traceback" not in told


def test_validate_tells_faults_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "sorter", "--json", "--set", "log.level=loud"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["faults"][0]["key"] == "log.level"
    assert told["faults"][0]["where"] == "--set"
    assert cli.run(["validate", "sorter", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["faults"]) == (True, [])
    assert told["cost"]["messages_per_day"]["most"] >= told["cost"]["messages_per_day"]["least"] > 0


# what goes wrong


@pytest.mark.parametrize("name", exits.CODES)
def test_each_error_of_the_table_exists(name: str) -> None:
    import importlib

    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), BaseException)


def each_error() -> list[type[Exception]]:
    import inference.errors
    import streams.errors

    modules: list[Any] = [errors, inference.errors, streams.errors]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", each_error())
def test_each_error_of_ours_has_a_code(kind: type[Exception]) -> None:
    expected = {FileNotFoundError: 2, ValueError: 2, ConnectionError: 1, RuntimeError: 1}
    special = {"BadFrame": 1, "PayloadTooLarge": 1, "BackendUnavailable": 2, "LedgerDamaged": 1}
    code = exits.code_of(kind("words"))
    assert code in (1, 2)
    for builtin, usual in expected.items():
        if issubclass(kind, builtin):
            assert code == special.get(kind.__name__, usual), kind


def failing(error: BaseException) -> Callable[..., int]:
    def start(*_: object) -> int:
        raise error

    return start


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.RunFailed("the model left"), 1, "edge: the model left\n"),
        (errors.Clash("port 1883 is taken"), 1, "edge: port 1883 is taken\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "Permission denied: '/x'"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "ZeroDivisionError: division by zero\nThis should not have happened.",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_told_in_a_sentence_without_traceback(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    monkeypatch.setattr(running, "run", failing(error))
    assert cli.run(["run", "sorter"]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


def test_at_log_level_debug_the_traceback_is_told_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "run", failing(ZeroDivisionError("division by zero")))
    for arguments in (["--log", "debug"], ["--set", "log.level=debug"]):
        assert cli.run(["run", "sorter", *arguments]) == 1
        assert "Traceback" in capsys.readouterr().err


def test_no_password_is_in_what_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    word = "hunter" + "2222"
    monkeypatch.setattr(running, "run", failing(RuntimeError(f"401 for {word} at rtsp://me:{word}@cam")))
    for level in ("info", "debug"):
        assert cli.run(["run", "sorter", "--source", f"rtsp://me:{word}@cam", "--log", level]) == 1
        assert word not in said(capsys)


# config


def test_config_show_tells_value_and_origin(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("edge.yaml").write_text("thing: cam-1\nhttp: {token: hunter2222}\n")
    assert cli.run(["config", "show", "--set", "http.port=0"]) == 0
    told = said(capsys)
    assert re.search(r"^thing +cam-1 +.*edge\.yaml:1$", told, re.M)
    assert re.search(r"^http\.port +0 +--set$", told, re.M)
    assert "hunter" not in told
    assert cli.run(["config", "show", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"key": "http.token", "value": "***", "origin": f"{folder.parent}/edge.yaml:2"} in rows


@pytest.mark.parametrize("arguments", [[], ["--project"]])
def test_config_schema_is_a_json_schema(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "schema", *arguments]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_the_schema_fits_the_project_of_these_tests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["config", "schema", "--project"])
    found = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(found).validate(yaml.safe_load((folder / "project.yaml").read_text()))


# devices and doctor


def test_devices_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices"]) == 0
    told = said(capsys)
    assert re.search(r"openvino +CPU", told)
    assert cli.run(["devices", "--json"]) == 0
    assert {each["backend"] for each in json.loads(capsys.readouterr().out)["inference"]} == {
        "openvino",
        "onnxruntime",
    }


def test_doctor_ends_with_1_when_something_failed_and_says_how_to_mend_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["doctor", "--transport", "mqtt://127.0.0.1:9"]
    assert cli.run(arguments) == 1
    told = said(capsys)
    assert "fail  broker: 127.0.0.1:9 refuses" in told
    assert "      mend: start the broker" in told
    assert cli.run([*arguments, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert {check["name"]: check["state"] for check in answer["checks"]}["broker"] == "fail"


def test_doctor_tells_a_broken_configuration_and_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("edge.yaml").write_text("thingy: 5\n")
    assert cli.run(["doctor"]) == 1
    told = said(capsys)
    assert "edge.yaml:1: thingy: is not a key; did you mean thing?" in told
    assert "kernels: " in told


def test_a_good_machine_is_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor"]) == 0, said(capsys)


def test_a_table_is_aligned() -> None:
    assert table([("a", "bb", "c"), ("aaa", "b", "")]) == "a    bb  c\naaa  b"


def test_the_log_is_as_the_configuration_says(folder: Path, starts: Starts) -> None:
    Path("edge.yaml").write_text("log: {level: warning, levels: {streams.feed: debug}}\n")
    assert cli.run(["run", "sorter"]) == 0
    assert logging.getLogger("edge").level == logging.WARNING
    assert logging.getLogger("streams.feed").level == logging.DEBUG
