"""Every task from end to end, as a user's process: what is in its messages, and what a wrong project is told."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from edge_process import Done, edge

from kernels.runs import decode_runs
from streams.envelope import schema


def run(
    folder: Path, task: str, model: str, more: str = "", *words: str
) -> tuple[list[dict[str, Any]], Done]:
    """The messages of forty pictures."""
    place = folder / "project"
    place.mkdir(exist_ok=True)
    (place / "project.yaml").write_text(
        f"name: made-up\ntask: {task}\nmodel: {model}\nlabels: [a, b, c]\npublish: {{every: 1}}\n{more}"
    )
    source = "sources.main={uri: 'synthetic:', size: [64, 48], rate: 200}"
    done = edge(
        *("run", place, "--set", source, "--frames", "40", "--print", "--report", "report.json", *words),
        folder=folder,
    )
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    validator = jsonschema.Draft202012Validator(schema("lensracer.infer/1"))
    for message in messages:
        validator.validate(message)
        assert message["task"] == task
    return messages, done


@pytest.mark.parametrize("requests", ["1", "2"])
def test_a_segmentation_tells_areas_and_masks(tmp_path: Path, requests: str) -> None:
    messages, done = run(
        tmp_path,
        "segmentation",
        "fake:segmentation:3:64x48",
        "output: {mask: true}\n",
        *("--set", f"inference.requests={requests}"),
    )
    assert (done.code, len(messages)) == (0, 40), done.output
    for message in messages:
        rows = message["results"]
        assert sum(row["area"] for row in rows) == pytest.approx(1, abs=1e-3)
        masks = [decode_runs(row["mask"]["counts"], row["mask"]["size"]) for row in rows]
        assert (sum(mask.astype(int) for mask in masks) == 1).all(), "each pixel is of one class"
        for row, mask in zip(rows, masks, strict=True):
            assert mask.mean() == pytest.approx(row["area"], abs=1e-3)


@pytest.mark.parametrize(("model", "silent"), [("fake:activity:3", 9), ("fake:activity:3:64x48x8", 9)])
def test_an_activity_tells_one_class_after_a_while(tmp_path: Path, model: str, silent: int) -> None:
    messages, done = run(tmp_path, "activity", model, "output: {hold: 3}\n")
    assert (done.code, len(messages)) == (0, 40), done.output
    assert all(message["results"] == [] for message in messages[:silent])
    told = [message["results"] for message in messages[silent:]]
    assert all(len(rows) == 1 and rows[0].keys() == {"label", "label_id", "score"} for rows in told[3:])
    assert done.report is not None
    assert done.report["frames"]["inferred"] == 40
    assert done.report["latency_ms"]["infer"]["max"] > 0


def test_things_that_are_followed_have_numbers(tmp_path: Path) -> None:
    messages, done = run(tmp_path, "detection", "fake:detection:3:64x48", "output: {track: true}\n")
    assert (done.code, len(messages)) == (0, 40), done.output
    assert messages[0]["results"][0]["track_id"] == 1


def test_a_key_of_another_task_is_told_with_its_line(tmp_path: Path) -> None:
    _, done = run(tmp_path, "segmentation", "fake:segmentation:3", "output:\n  track: true\n")
    assert done.code == 2
    assert (
        "project.yaml:7: output.track: belongs to detection; it means nothing to the task segmentation"
        in (done.stderr)
    )
    assert "Traceback" not in done.output


def test_an_activity_s_window_that_contradicts_the_model_is_told_with_its_line(tmp_path: Path) -> None:
    _, done = run(tmp_path, "activity", "fake:activity:3:64x48x8", "output: {window: 4}\n")
    assert done.code == 2
    assert "project.yaml:6: output.window: is 4, but the model's input" in done.stderr
