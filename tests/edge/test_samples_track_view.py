"""The sample track-view: whole, small, honest about itself, and as good on held-out drawings as its card says."""

from collections.abc import Iterable, Iterator
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
from inference.results import Segmentation
from kernels import PixelFormat

NAME = "track-view"
LABELS = ("off-track", "track", "line")
FEW, MANY = 24, 300
WANTED, COLOUR_ALONE = 0.9, 0.6
SAID_TWICE = 0.999  # of the pixels; where two classes are equally likely the last digit decides


@pytest.fixture(scope="module")
def drawing() -> Iterator[SimpleNamespace]:
    with maker("track_pictures", "track_film", "track_eye", "marks") as modules:
        yield modules


@pytest.fixture(scope="module")
def held_out(drawing: SimpleNamespace) -> list[Any]:
    pictures = drawing.track_pictures
    return [pictures.picture(pictures.HELD_OUT, index) for index in range(FEW)]


def opened(backend: str = "onnxruntime") -> inference.Model:
    return inference.load(project.load(project.find(NAME)).manifest, backend=backend)


def mask(model: inference.Model, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    result = model.predict(picture, PixelFormat.BGR)
    assert isinstance(result, Segmentation)
    return result.mask


def overlap(drawing: SimpleNamespace, model: inference.Model, shown: Iterable[Any]) -> float:
    """Mean intersection over union of pairs of a picture and its mask."""
    tally = drawing.marks.Tally(len(LABELS))
    for picture, truth in shown:
        tally.add(mask(model, picture), truth)
    return float(tally.mean)


def test_the_sample_is_whole_and_its_files_are_small() -> None:
    sample_contract.is_whole_and_small(NAME)


def test_the_model_says_of_itself_what_its_project_says() -> None:
    sample_contract.model_says_what_the_project_says(NAME, LABELS, "color", "resize", "mean", "scale")


def test_the_card_says_that_it_is_synthetic_and_how_to_make_it_again() -> None:
    sample_contract.card_is_honest(NAME)


def test_the_pictures_are_drawn_without_torch(drawing: SimpleNamespace) -> None:
    sample_contract.needs_no_torch(drawing.folder, "track_film", "marks")


def test_a_picture_is_told_by_its_split_and_number_alone(drawing: SimpleNamespace) -> None:
    pictures = drawing.track_pictures
    (first, truth), (again, same) = (pictures.picture(pictures.HELD_OUT, 5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(truth, same)


def test_held_out_pictures_share_no_seed_shape_material_thing_or_shade_with_the_training(
    drawing: SimpleNamespace,
) -> None:
    pictures, other = drawing.track_pictures, drawing.track_pictures.HELD_OUT
    for training in (pictures.TRAINING, pictures.ROUGH):
        assert training.seed != other.seed
        for mine, theirs in (
            (training.shapes, other.shapes),
            (training.style.roads, other.style.roads),
            (training.style.floors, other.style.floors),
            (training.style.walls, other.style.walls),
            (training.things, other.things),
            (training.light.shades, other.light.shades),
        ):
            assert not set(mine) & set(theirs)


def test_a_place_on_the_ground_is_seen_where_the_cameras_geometry_puts_it(drawing: SimpleNamespace) -> None:
    x, y, depth = drawing.track_eye.seen_at(
        drawing.track_eye.Eye(0.0, 0.0, 0.0), 0.130 / np.tan(0.2618), 0.0, 0.0, (120, 160)
    )
    assert (x, y) == pytest.approx((79.5, 59.5), abs=1e-6)
    assert depth == pytest.approx(0.130 / np.sin(0.2618), rel=1e-6)


def test_colour_alone_does_not_tell_the_labels_apart(drawing: SimpleNamespace, held_out: list[Any]) -> None:
    pictures, marks = drawing.track_pictures, drawing.marks
    known = marks.colours((pictures.picture(pictures.TRAINING, i) for i in range(FEW)), len(LABELS))
    tally = marks.Tally(len(LABELS))
    for picture, truth in held_out:
        tally.add(marks.nearest_colour(known, picture), truth)
    assert tally.mean < COLOUR_ALONE


def test_held_out_pictures_are_marked_right(drawing: SimpleNamespace, held_out: list[Any]) -> None:
    assert overlap(drawing, opened(), held_out) >= WANTED


@pytest.mark.slow
def test_many_held_out_pictures_are_marked_right(drawing: SimpleNamespace) -> None:
    pictures = drawing.track_pictures
    shown = (pictures.picture(pictures.HELD_OUT, index) for index in range(MANY))
    assert overlap(drawing, opened("openvino"), shown) >= WANTED


def test_the_clip_has_as_many_pictures_as_its_track_and_is_marked_as_it_says(
    drawing: SimpleNamespace,
) -> None:
    pictures, lines = list(clip_pictures(NAME)), label_track(NAME)
    assert len(pictures) == len(lines) == 360
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    shown = [
        (picture, drawing.track_film.masked(line["runs"]))
        for picture, line in zip(pictures, lines, strict=True)
        if "runs" in line
    ]
    assert len(shown) == 15
    assert overlap(drawing, opened(), shown) >= WANTED


def test_the_areas_of_a_result_are_those_of_the_track() -> None:
    model, lines = opened(), label_track(NAME)
    for picture, line in list(zip(clip_pictures(NAME), lines, strict=True))[10::90]:
        result = model.predict(picture, PixelFormat.BGR)
        assert isinstance(result, Segmentation)
        areas = dict(zip(result.label_ids.tolist(), result.areas.tolist(), strict=True))
        for number, name in enumerate(LABELS):
            assert areas.get(number, 0.0) == pytest.approx(line["areas"][name], abs=0.02), name


def test_both_backends_say_the_same() -> None:
    models = [opened(backend) for backend in ("openvino", "onnxruntime")]
    for picture in list(clip_pictures(NAME))[20:360:68]:
        first, second = (mask(model, picture) for model in models)
        assert np.mean(first == second) >= SAID_TWICE


def test_the_sample_runs_by_its_name(tmp_path: Path) -> None:
    sample_contract.runs_by_its_name(NAME, 30, tmp_path)
