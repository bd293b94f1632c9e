"""The bundled samples: whole, small, and honest about what they are. How good they are: `make drill`."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import inference
from edge import project
from inference import metadata
from inference.results import Classification, Detections
from kernels import PixelFormat

NAMES = ("trash-sorter", "trash-finder")
LABELS = ("compost", "landfill", "recycling")
BACKENDS = ("openvino", "onnxruntime")
MEGABYTE = 1_000_000
FEW = 240
FEW_SCENES = 120


@pytest.fixture(scope="module")
def maker(repository_root: Path) -> Iterator[SimpleNamespace]:
    """The modules that drew the training pictures, as the maker's own scripts import them."""
    folder = repository_root / "edge" / "samples" / "maker"
    sys.path.insert(0, str(folder))
    try:
        yield SimpleNamespace(
            folder=folder, **{name: importlib.import_module(name) for name in ("trash", "scoring")}
        )
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def repository_root() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def held_out(maker: SimpleNamespace) -> list[Any]:
    return [maker.trash.sorter_picture(maker.trash.HELD_OUT, index) for index in range(FEW)]


def opened(name: str, backend: str = "onnxruntime") -> inference.Model:
    return inference.load(project.load(project.find(name)).manifest, backend=backend)


def answer(model: inference.Model, picture: NDArray[np.uint8]) -> Any:
    return model.predict(picture, PixelFormat.BGR)


def frames(name: str) -> Iterator[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(project.find(name) / "clip.mp4"))
    while True:
        good, picture = capture.read()
        if not good:
            return
        yield picture


def track(name: str) -> list[dict[str, Any]]:
    document = json.loads((project.find(name) / "clip.json").read_text(encoding="utf-8"))
    return list(document["frames"])


@pytest.mark.parametrize("name", NAMES)
def test_each_sample_is_whole_and_its_files_are_small(name: str) -> None:
    folder = project.find(name)
    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert {"project.yaml", "model.onnx", "labels.txt", "clip.mp4", "clip.json", "card.md"} == set(sizes)
    assert sizes["model.onnx"] < MEGABYTE
    assert sizes["clip.mp4"] < MEGABYTE


def test_the_samples_together_stay_small(repository_root: Path) -> None:
    folder = repository_root / "edge" / "samples"
    files = [file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) < 6 * MEGABYTE


@pytest.mark.parametrize("name", NAMES)
def test_the_labels_are_those_of_the_course(name: str) -> None:
    found = project.load(project.find(name))
    assert found.manifest.labels == LABELS
    assert found.publish.every == 1
    assert found.clip == project.find(name) / "clip.mp4"


@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_of_itself_what_its_project_says(name: str) -> None:
    manifest = project.load(project.find(name)).manifest
    onnx = pytest.importorskip("onnx")
    properties = {prop.key: prop.value for prop in onnx.load(manifest.model).metadata_props}
    said = metadata.read(metadata.strip_prefixes(properties))
    assert said.labels == manifest.labels
    for key in ("color", "resize", "mean", "scale", "pad"):
        assert getattr(said.input, key) == getattr(manifest.input, key), key
    assert said.output.threshold == manifest.output.threshold


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_that_its_sample_is_synthetic_and_how_to_make_it_again(name: str) -> None:
    card = (project.find(name) / "card.md").read_text(encoding="utf-8")
    assert "Synthetic" in card
    assert f"make.py --sample {name}" in card


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_decodes_to_as_many_frames_as_its_track_has(name: str) -> None:
    shapes = [picture.shape for picture in frames(name)]
    assert len(shapes) == len(track(name)) == 360
    assert set(shapes) == {(480, 640, 3)}


def test_the_maker_is_no_package_and_draws_without_torch(maker: SimpleNamespace) -> None:
    assert not list(maker.folder.rglob("__init__.py"))
    code = "import sys, trash, scoring, trash_clips; sys.exit('torch' in sys.modules or 'av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=maker.folder, check=False).returncode == 0


def test_a_picture_is_told_by_its_split_and_number_alone(maker: SimpleNamespace) -> None:
    first, again = (maker.trash.sorter_picture(maker.trash.HELD_OUT, 5) for _ in range(2))
    np.testing.assert_array_equal(first.picture, again.picture)
    scene, scene_again = (maker.trash.finder_picture(maker.trash.HELD_OUT, 7) for _ in range(2))
    np.testing.assert_array_equal(scene.picture, scene_again.picture)
    np.testing.assert_array_equal(scene.boxes, scene_again.boxes)


def test_held_out_pictures_share_no_seed_surface_shade_or_obstacle_with_the_training(
    maker: SimpleNamespace,
) -> None:
    training, other = maker.trash.TRAINING, maker.trash.HELD_OUT
    assert training.seed != other.seed
    assert not set(training.surfaces) & set(other.surfaces)
    assert not set(training.occluders) & set(other.occluders)
    assert not set(training.light.shades) & set(other.light.shades)


def test_colour_alone_does_not_tell_the_labels_apart(maker: SimpleNamespace, held_out: list[Any]) -> None:
    known = [maker.trash.sorter_picture(maker.trash.TRAINING, index) for index in range(FEW)]
    colours, asked = (
        maker.scoring.mean_colours(np.stack([shown.picture for shown in some])) for some in (known, held_out)
    )
    said = maker.scoring.nearest_mean_colour(colours, np.array([shown.label for shown in known]), asked)
    assert maker.scoring.top_1(said, np.array([shown.label for shown in held_out])) < 0.6


def test_the_sorter_names_what_it_never_saw(held_out: list[Any]) -> None:
    model = opened("trash-sorter")
    right = [int(answer(model, shown.picture).label_ids[0]) == shown.label for shown in held_out]
    assert np.mean(right) >= 0.95


def test_the_finder_finds_what_it_never_saw(maker: SimpleNamespace) -> None:
    manifest = project.load(project.find("trash-finder"), {"output.threshold": 0.02}).manifest
    model = inference.load(manifest, backend="onnxruntime")
    scenes = [maker.trash.finder_picture(maker.trash.HELD_OUT, index) for index in range(FEW_SCENES)]
    found = [answer(model, scene.picture) for scene in scenes]
    precision = maker.scoring.mean_average_precision(
        [maker.scoring.Boxes(each.boxes, each.label_ids, each.scores) for each in found],
        [maker.scoring.Boxes(scene.boxes, scene.labels) for scene in scenes],
        len(LABELS),
    )
    assert precision >= 0.85


def test_the_sorter_agrees_with_the_track_of_its_clip() -> None:
    model = opened("trash-sorter")
    said = [LABELS[int(answer(model, picture).label_ids[0])] for picture in frames("trash-sorter")]
    agreed = [a == frame["label"] for a, frame in zip(said, track("trash-sorter"), strict=True)]
    assert np.mean(agreed) >= 0.95


@pytest.mark.parametrize("name", NAMES)
def test_both_backends_say_the_same(name: str) -> None:
    models = [opened(name, backend) for backend in BACKENDS]
    for picture in list(frames(name))[20:360:68]:
        first, second = (answer(model, picture) for model in models)
        assert isinstance(first, Classification | Detections)
        np.testing.assert_array_equal(first.label_ids, second.label_ids)
        np.testing.assert_allclose(first.scores, second.scores, atol=1e-3)
        if isinstance(first, Detections):
            np.testing.assert_allclose(first.boxes, second.boxes, atol=1e-3)


@pytest.mark.slow
def test_the_finders_card_tells_how_often_it_errs_on_real_video(shared_data: Path) -> None:
    name = "one-by-one-person-detection.mp4"
    card = (project.find("trash-finder") / "card.md").read_text(encoding="utf-8")
    told = re.search(rf"\| {re.escape(name)} \|.*\| ([\d.]+) % \|", card)
    assert told is not None
    model = opened("trash-finder")
    capture = cv2.VideoCapture(str(shared_data / "videos" / name))
    seen = []
    while True:
        good, picture = capture.read()
        if not good:
            break
        seen.append(len(answer(model, picture).scores) > 0)
    assert abs(100 * np.mean(seen) - float(told[1])) < 2.0
