"""`edge model inspect`, `convert` and `bench`: what they say, what they keep, what they refuse."""

import functools
import io
import json
import os
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from projects import colour_sorter

from edge import bench, cli, exits
from edge.commands.model import SUBVERBS
from edge.commands.model_bench import show
from edge.progress import Progress
from edge.subject import named_subject, subject
from inference.measure import Measured, Way


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edge(*arguments: object) -> int:
    return cli.run([str(each) for each in ("model", *arguments)])


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert edge(*arguments, "--json") == exits.GOOD
    return json.loads(capsys.readouterr().out)


def test_the_group_lists_its_verbs_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge("--help") == exits.GOOD
    told = capsys.readouterr().out
    assert all(verb in told for verb in ("inspect", "convert", "quantize", "bench", "pull"))
    assert set(SUBVERBS) == {"inspect", "convert", "quantize", "bench", "pull"}


def test_an_unknown_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge("polish") == exits.USAGE
    assert "polish" in capsys.readouterr().err


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way of a benchmark is measured, however busy this machine is, and none for long."""
    measure = bench.measure
    monkeypatch.setattr(bench, "measure", lambda way, arrange, seconds: measure(way, arrange, 0.0))
    monkeypatch.setattr(bench, "run", functools.partial(bench.run, clock=lambda: 0.0))


# what is asked about


def test_a_folder_is_a_project_a_file_a_model_and_a_name_a_bundled_project(tmp_path: Path) -> None:
    folder = colour_sorter(tmp_path / "sorter")
    for named in (folder, folder / "project.yaml"):
        found = subject(str(named))
        assert found.project is not None
        assert (found.path, found.name) == (folder / "model.onnx", "colour-sorter")
    assert subject(str(folder / "model.onnx")).project is None
    assert subject("trash-finder").project is not None
    assert named_subject("nowhere.onnx").path == Path("nowhere.onnx")


@pytest.mark.parametrize("verb", [("inspect",), ("convert", "-o", "out"), ("bench",)])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the model m.onnx does not exist"),
        (b"", "m.onnx is empty"),
        (b"\x89PNG\r\n\x1a\n", "m.onnx is a PNG picture"),
        (b"\x08\x09" + bytes(range(256)), "m.onnx is not readable as an ONNX model"),
    ],
)
def test_what_is_no_model_is_a_sentence_and_exit_code_2(
    tmp_path: Path,
    verb: tuple[str, ...],
    content: bytes | None,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (tmp_path / "m.onnx").write_bytes(content)
    assert edge(*verb, "m.onnx") == exits.USAGE
    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err


def test_a_name_that_is_nothing_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in (("inspect",), ("convert", "-o", "out"), ("bench",)):
        assert edge(*verb, "nothing-of-the-kind") == exits.USAGE
        assert "nothing-of-the-kind" in capsys.readouterr().err


def test_a_made_up_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = colour_sorter(tmp_path / "sorter")
    file = folder / "project.yaml"
    file.write_text(file.read_text().replace("model.onnx", "'fake:classification:3'"))
    for verb in (("inspect",), ("bench",), ("convert", "-o", "out")):
        assert edge(*verb, folder) == exits.USAGE
        assert "made-up model" in capsys.readouterr().err


# inspect


def test_inspect_tells_all_of_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "inspect", colour_sorter(tmp_path / "sorter"))
    assert found["project"] == "colour-sorter"
    assert (found["format"], found["kind"], found["reader"]) == ("onnx", "an ONNX model", "openvino")
    assert found["inputs"] == [{"name": "picture", "shape": [1, 3, 24, 32], "type": "float32"}]
    assert found["bytes"] == (tmp_path / "sorter" / "model.onnx").stat().st_size
    assert len(found["sha256"]) == 64
    assert found["operations"]["Softmax"] == 1
    assert {"key": "input.scale", "value": [255], "origin": "project"} in found["settings"]
    [task] = found["tasks"]
    assert (task["task"], task["fits"], task["classes"]) == ("classification", True, 3)
    assert found["accepted"] is True


def test_inspect_of_a_file_tries_every_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert edge("inspect", models.yolo_like(tmp_path / "m.onnx")) == exits.GOOD
    told = capsys.readouterr().out
    assert "detection       yes  on openvino CPU, decoder yolov8, 4 classes" in told
    assert "classification  no   classification reads one output" in told


def test_inspect_of_what_no_run_would_take_says_why_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = colour_sorter(tmp_path / "sorter", labels="[one, two]")
    assert edge("inspect", folder) == exits.USAGE
    assert "labels names 2 classes" in capsys.readouterr().out
    assert edge("inspect", models.two_inputs(tmp_path / "two.onnx"), "--json") == exits.USAGE
    assert json.loads(capsys.readouterr().out)["accepted"] is False


# convert


def test_convert_writes_an_ir_that_a_project_can_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = colour_sorter(tmp_path / "sorter")
    done = answer(capsys, "convert", folder, "-o", "out")
    assert done["xml"] == "out/model.xml"
    assert done["metadata"]["labels"] == "red green blue"
    assert done["metadata"]["scale_values"] == "255"
    assert done["differences"][0]["first_agrees"] == done["differences"][0]["pictures"]
    assert answer(capsys, "inspect", "out/model.xml")["tasks"][0]["fits"]


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "..", "x" * 300])
def test_convert_writes_in_its_folder_alone(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = colour_sorter(tmp_path / "sorter")
    assert edge("convert", folder, "-o", tmp_path / "out", "--name", name) == exits.USAGE
    assert "expected a file's name without an ending" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["sorter"]


def test_convert_overwrites_only_when_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    assert edge("convert", path, "-o", "out") == exits.GOOD
    before = (tmp_path / "out" / "m.xml").stat().st_mtime_ns
    assert edge("convert", path, "-o", "out") == exits.USAGE
    assert "out/m.xml exists; --force replaces it" in capsys.readouterr().err
    assert (tmp_path / "out" / "m.xml").stat().st_mtime_ns == before
    assert edge("convert", path, "-o", "out", "--force", "--precision", "f32") == exits.GOOD
    assert (tmp_path / "out" / "m.xml").stat().st_mtime_ns != before


def test_convert_never_writes_over_what_it_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert edge("convert", models.classifier(tmp_path / "m.onnx"), "-o", "out") == exits.GOOD
    assert edge("convert", "out/m.xml", "-o", "out", "--force") == exits.USAGE
    assert "is the model itself" in capsys.readouterr().err
    assert edge("convert", "out/m.xml", "-o", "out", "--name", "again") == exits.GOOD


def test_convert_refuses_a_result_that_answers_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models.answering(tmp_path / "m.onnx", {"scores": np.array([[1.0, 1e5]], np.float32)})
    assert edge("convert", "m.onnx", "-o", "out") == exits.USAGE
    assert "answers otherwise" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_convert_refuses_a_folder_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("")
    assert edge("convert", models.classifier(tmp_path / "m.onnx"), "-o", "out") == exits.USAGE
    assert "out" in capsys.readouterr().err


# bench


@pytest.mark.usefixtures("unhurried")
def test_bench_measures_both_backends_and_keeps_the_winner_for_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = colour_sorter(tmp_path / "sorter")
    found = answer(capsys, "bench", folder, "--requests", "2")
    measured = found["measured"]
    assert {each["backend"] for each in measured} == {"openvino", "onnxruntime"}
    assert {each["mode"] for each in measured} == {"sync", "async"}
    assert all(each["error"] is None and each["runs"] > 0 for each in measured)
    assert found["winner"] in measured
    kept = json.loads(Path(found["kept"]).read_text())
    assert {key: kept[key] for key in ("backend", "requests", "hint", "threads")} == {
        key: found["winner"][key] for key in ("backend", "requests", "hint", "threads")
    }
    assert cli.run(["run", str(folder), "--frames", "2", "--set", "http.enabled=false"]) == exits.GOOD
    assert "runs as edge model bench found best for latency" in capsys.readouterr().err


@pytest.mark.usefixtures("unhurried")
def test_bench_keeps_nothing_when_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    found = answer(capsys, "bench", path, "--requests", "1", "--no-keep")
    assert found["kept"] is None
    assert not list(Path(os.environ["XDG_CACHE_HOME"]).rglob("profiles"))


@pytest.mark.usefixtures("unhurried")
def test_bench_compares_files_of_other_precision_and_leaves_the_choice_to_the_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    assert edge("convert", path, "-o", ".", "--name", "m-fp16") == exits.GOOD
    capsys.readouterr()
    found = answer(capsys, "bench", path, "--requests", "1")
    assert {Path(each["path"]).name for each in found["measured"]} == {"m.onnx", "m-fp16.xml"}
    assert Path(found["winner"]["path"]) == path


def test_bench_on_a_device_that_is_not_here_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    assert edge("bench", path, "--device", "TOASTER") == exits.FAILED
    assert "no backend of this machine has the device TOASTER" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--seconds", "0"), ("--for", "fun"), ("--requests", "65")])
def test_bench_refuses_senseless_options(tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert edge("bench", models.classifier(tmp_path / "m.onnx"), *wrong) == exits.USAGE


def test_what_time_runs_out_for_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    planned = bench.plan(subject(str(path)), "CPU", requests=4)
    assert [way.backend for way in planned.ways[:2]] == ["openvino", "onnxruntime"]
    now = 0.0

    def measure(way: Way, arrange: object, seconds: float) -> Measured:
        nonlocal now
        now += 4.0
        return Measured(way, now, now, 1000 / now, 3)

    monkeypatch.setattr(bench, "measure", measure)
    outcome = bench.run(planned, "latency", 10.0, clock=lambda: now)
    assert len(outcome.measured) == 2
    assert outcome.left_out == planned.ways[2:]
    assert outcome.winner.way == planned.ways[0]


def test_the_best_few_are_measured_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    planned = bench.plan(subject(str(path)), "CPU", requests=2)
    seen: dict[Way, int] = {}

    def measure(way: Way, arrange: object, seconds: float) -> Measured:
        seen[way] = seen.get(way, 0) + 1
        first, again = {planned.ways[0]: (30.0, 2.0), planned.ways[1]: (20.0, 21.0)}.get(way, (40.0, 41.0))
        median = first if seen[way] == 1 else again
        return Measured(way, median, median, 1000 / median, 3)

    monkeypatch.setattr(bench, "measure", measure)
    outcome = bench.run(planned, "latency", 10.0, clock=lambda: 0.0)
    assert sorted(seen.values(), reverse=True)[: bench.FINALISTS + 1] == [2] * bench.FINALISTS + [1]
    assert outcome.winner.way == planned.ways[0]
    assert outcome.winner.median_ms == 2.0
    assert outcome.winner.runs == 6


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_goes_forward_on_a_terminal_and_nowhere_else() -> None:
    way = Way(Path("m.onnx"), "openvino", "CPU", 2, "throughput", 1)
    terminal, pipe = Terminal(), io.StringIO()
    for number in range(4):
        for out in (terminal, pipe):
            show(Progress(out), number, 4, way)
    shown = terminal.getvalue().split("\r")
    assert [line.count("#") for line in shown[1:]] == [0, 6, 12, 18]
    assert "4 of 4: m.onnx on openvino CPU, 2 request(s), throughput, 1 thread(s)" in shown[-1]
    assert pipe.getvalue() == ""
