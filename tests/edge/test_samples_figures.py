"""The sample figures: whole, small, honest about itself, and as good on held-out drawings as its card says."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sample_contract
from makers import clip_pictures, label_track, maker
from numpy.typing import NDArray

import inference
from edge import project
from inference.results import Activity
from kernels import PixelFormat

NAME = "figures"
LABELS = ("still", "walking", "waving", "jumping", "sitting-down", "standing-up")
FEW, MANY = 60, 600
WANTED, ONE_FRAME = 0.95, 0.5
FRAMES = 480
ONE_ANSWER = {"output.step": 1, "output.stride": 1, "output.hold": 1}  # of the pictures of one window


@pytest.fixture(scope="module")
def drawing() -> Iterator[SimpleNamespace]:
    with maker("figure_pictures", "figure_film", "figure_body", "figure_moves", "figure_shots") as modules:
        yield modules


@pytest.fixture(scope="module")
def held_out(drawing: SimpleNamespace) -> list[Any]:
    pictures = drawing.figure_pictures
    return [pictures.window(pictures.HELD_OUT, index) for index in range(FEW)]


def opened(backend: str = "onnxruntime", overrides: dict[str, Any] | None = None) -> inference.Model:
    return inference.load(project.load(project.find(NAME), overrides or {}).manifest, backend=backend)


def said(model: inference.Model, pictures: Any, source: str = "") -> list[Activity]:
    results = [model.predict(picture, PixelFormat.BGR, source=source) for picture in pictures]
    assert all(isinstance(result, Activity) for result in results)
    return [result for result in results if isinstance(result, Activity)]


def answer(model: inference.Model, frames: NDArray[np.uint8], source: str) -> int:
    """The likeliest label of one window; every window is a source of its own, so that none remembers another."""
    return int(said(model, frames, source)[-1].label_ids[0])


def share_right(model: inference.Model, windows: Any) -> float:
    right = [answer(model, shown.frames, f"window-{n}") == shown.label for n, shown in enumerate(windows)]
    return float(np.mean(right))


def test_the_sample_is_whole_and_its_files_are_small() -> None:
    sample_contract.is_whole_and_small(NAME)


def test_the_model_says_of_itself_what_its_project_says() -> None:
    sample_contract.model_says_what_the_project_says(
        NAME, LABELS, "color", "resize", "mean", "scale", "layout"
    )


def test_the_card_says_that_it_is_synthetic_and_how_to_make_it_again() -> None:
    sample_contract.card_is_honest(NAME)


def test_the_windows_are_drawn_without_torch(drawing: SimpleNamespace) -> None:
    sample_contract.needs_no_torch(drawing.folder, "figure_film")


def test_a_window_is_told_by_its_split_and_number_alone(drawing: SimpleNamespace) -> None:
    pictures = drawing.figure_pictures
    first, again = (pictures.window(pictures.HELD_OUT, 7) for _ in range(2))
    np.testing.assert_array_equal(first.frames, again.frames)
    assert first.label == again.label


def test_held_out_windows_share_no_seed_wall_or_shade_with_the_training(drawing: SimpleNamespace) -> None:
    training, other = drawing.figure_pictures.TRAINING, drawing.figure_pictures.HELD_OUT
    assert training.seed != other.seed
    assert not set(training.walls) & set(other.walls)
    assert not set(training.light.shades) & set(other.light.shades)


def test_what_names_a_window_fills_most_of_it(drawing: SimpleNamespace) -> None:
    pictures = drawing.figure_pictures
    for index in range(120):
        rng = np.random.default_rng(index)
        label = index % len(LABELS)
        spans = pictures.timeline(rng, label, drawing.figure_moves.manner(rng))
        inside = [min(span.end, pictures.SECONDS) - max(span.begin, 0.0) for span in spans]
        assert inside[1] >= pictures.MOST * pictures.SECONDS - 1e-9, label
        assert [a.end for a in spans[:-1]] == [b.begin for b in spans[1:]]


def test_a_figure_stands_on_its_lower_foot(drawing: SimpleNamespace) -> None:
    body_of, moves = drawing.figure_body, drawing.figure_moves
    rng = np.random.default_rng(3)
    for _ in range(20):
        body, manner = drawing.figure_shots.body(rng), moves.manner(rng)
        joints = body_of.joints(
            body, moves.moment(manner, moves.WALKING, sitting=False, t=rng.uniform(0, 2)).pose
        )
        assert joints[[body_of.SHANK_L, body_of.SHANK_R], 1, 2].min() == pytest.approx(0, abs=1e-9)
        assert joints[body_of.HEAD, 1, 2] > 0.7


def test_held_out_windows_are_named_right(held_out: list[Any]) -> None:
    assert share_right(opened(overrides=ONE_ANSWER), held_out) >= WANTED


def test_one_frame_does_not_tell_what_is_done(held_out: list[Any]) -> None:
    model = opened(overrides=ONE_ANSWER)
    right = [
        answer(model, np.repeat(shown.frames[8][None], 16, axis=0), f"frozen-{number}") == shown.label
        for number, shown in enumerate(held_out)
    ]
    assert np.mean(right) < ONE_FRAME


@pytest.mark.slow
def test_many_held_out_windows_are_named_right(drawing: SimpleNamespace) -> None:
    pictures = drawing.figure_pictures
    windows = (pictures.window(pictures.HELD_OUT, index) for index in range(MANY))
    assert share_right(opened("openvino", ONE_ANSWER), windows) >= WANTED


def test_the_clip_has_as_many_pictures_as_its_track_and_is_named_as_it_says(drawing: SimpleNamespace) -> None:
    pictures, labels = list(clip_pictures(NAME)), [line["label"] for line in label_track(NAME)]
    assert len(pictures) == len(labels) == FRAMES
    assert set(labels) == set(LABELS)
    model = opened(overrides={"output.hold": 1, "output.stride": 1})
    right = []
    for last, result in enumerate(said(model, pictures)):
        wanted = drawing.figure_film.asked(labels, last)
        if wanted is not None and len(result.label_ids):
            right.append(LABELS[result.label_ids[0]] == wanted)
    assert len(right) > 300
    assert np.mean(right) >= WANTED


def test_every_activity_of_the_clip_is_shown_as_the_project_is() -> None:
    results = said(opened(), clip_pictures(NAME))
    assert {row["label"] for result in results for row in result.rows(LABELS)} == set(LABELS)


def test_both_backends_say_the_same() -> None:
    pictures = list(clip_pictures(NAME))[100:200]
    first, second = (said(opened(backend), pictures) for backend in ("openvino", "onnxruntime"))
    for mine, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(mine.label_ids[:1], theirs.label_ids[:1])
        assert mine.shown == theirs.shown
        np.testing.assert_allclose(np.sort(mine.scores), np.sort(theirs.scores), atol=1e-3)


def test_the_sample_runs_by_its_name(tmp_path: Path) -> None:
    sample_contract.runs_by_its_name(NAME, 60, tmp_path)
