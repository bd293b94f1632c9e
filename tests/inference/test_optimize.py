import os
from pathlib import Path

import models
import numpy as np
import pytest

from inference import Manifest, load, metadata, optimize
from inference.anatomy import anatomy
from inference.errors import ModelInvalid, ModelMismatch
from inference.manifest import InputSpec, OutputSpec
from inference.optimize import convert, open_sizes
from kernels.formats import PixelFormat

FORMATS = Path(__file__).parent.parent / "data" / "formats"


def test_a_model_becomes_an_ir_with_half_its_weights(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", classes=1000, seed=0)
    done = convert(path, tmp_path / "out", "m")
    assert done.xml == tmp_path / "out" / "m.xml"
    assert anatomy(done.xml).precision == "FP16"
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["m.bin", "m.xml"]
    [difference] = done.differences
    assert 0 < difference.largest < 0.01
    assert difference.first_agrees == difference.pictures == optimize.PICTURES


def test_full_precision_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", classes=1000, seed=0)
    done = convert(path, tmp_path / "out", "m", precision="f32")
    assert anatomy(done.xml).precision == "FP32"
    assert done.differences[0].largest < 1e-6


def test_what_the_project_says_is_written_into_the_model(tmp_path: Path) -> None:
    path = models.classifier(
        tmp_path / "m.onnx", metadata={"confidence_threshold": "0.25", "labels": "x y z"}
    )
    given = InputSpec(
        color="bgr", resize="letterbox", anchor="top-left", pad=7, mean=(1, 2, 3), scale=(4, 5, 6)
    )
    manifest = Manifest("p", "classification", path, ("red", "green", "blue"), given, OutputSpec(top_k=2))
    done = convert(path, tmp_path / "out", "m", manifest=manifest)
    said = metadata.read(anatomy(done.xml).metadata)
    assert said.labels == ("red", "green", "blue")
    assert said.input == given
    assert (said.output.top_k, said.output.threshold) == (2, 0.25)


def test_the_result_answers_without_a_project_as_the_original_with_it(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    given = InputSpec(color="bgr", mean=(10, 20, 30), scale=(255.0,))
    manifest = Manifest("p", "classification", path, ("blue", "green", "red"), given)
    done = convert(path, tmp_path / "out", "m", manifest=manifest)
    picture = optimize.seeded_picture(1)
    answers = []
    for each in (manifest, Manifest("q", "classification", done.xml)):
        model = load(each)
        answers.append(model.predict(picture, PixelFormat.RGB))
        assert model.labels == ("blue", "green", "red")
        model.close()
    first, second = answers
    np.testing.assert_array_equal(first.label_ids, second.label_ids)  # type: ignore[attr-defined]
    np.testing.assert_allclose(first.scores, second.scores, atol=2e-3)  # type: ignore[attr-defined]


def test_a_model_that_half_precision_breaks_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    answers = {"scores": np.array([[1e-3, 7e4, 1.0]], np.float32)}  # above 65504 there is no FP16
    path = models.answering(tmp_path / "m.onnx", answers)
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelInvalid, match=r"as f16 answers otherwise: scores differs .* --precision f32"):
        convert(path, tmp_path / "out", "m")
    assert list((tmp_path / "out").iterdir()) == []
    assert convert(path, tmp_path / "out", "m", precision="f32").differences[0].largest == 0


def test_a_folder_that_was_made_for_it_goes_with_a_refused_conversion(tmp_path: Path) -> None:
    path = models.answering(tmp_path / "m.onnx", {"scores": np.array([[1.0, 1e5]], np.float32)})
    with pytest.raises(ModelInvalid):
        convert(path, tmp_path / "new" / "out", "m")
    assert [each.name for each in tmp_path.iterdir()] == ["m.onnx"]


def test_what_a_killed_conversion_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    left, other = (tmp_path / "out" / f".converting-{number}-x" for number in (2**22 + 1, os.getpid()))
    for each in (left, other):
        each.mkdir(parents=True)
    convert(path, tmp_path / "out", "m")
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [other.name, "m.bin", "m.xml"]


def test_a_refused_conversion_leaves_the_older_one_as_it_is(tmp_path: Path) -> None:
    good = models.classifier(tmp_path / "m.onnx")
    done = convert(good, tmp_path / "out", "m")
    before = done.xml.read_bytes()
    bad = models.answering(tmp_path / "b.onnx", {"scores": np.array([[1.0, 1e5]], np.float32)})
    with pytest.raises(ModelInvalid):
        convert(bad, tmp_path / "out", "m")
    assert done.xml.read_bytes() == before


def test_a_project_that_does_not_fit_its_model_is_refused(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    manifest = Manifest("p", "classification", path, input=InputSpec(size=(99, 99)))
    with pytest.raises(ModelMismatch):
        convert(path, tmp_path / "out", "m", manifest=manifest)


def test_open_sizes_stay_open(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("h", "w"))
    done = convert(path, tmp_path / "out", "m")
    assert not anatomy(done.xml).inputs[0].is_static


def test_open_sizes_are_filled_by_the_metadata_or_a_usual_size(tmp_path: Path) -> None:
    specs = anatomy(models.classifier(tmp_path / "m.onnx", size=("h", "w"), batch="n")).inputs
    assert open_sizes(specs, {}) == ((1, 3, 224, 224),)
    assert open_sizes(specs, {"orig_width": "64", "orig_height": "48"}) == ((1, 3, 48, 64),)


def test_a_model_of_two_inputs_can_be_converted_too(tmp_path: Path) -> None:
    done = convert(models.two_inputs(tmp_path / "m.onnx"), tmp_path / "out", "m")
    assert len(anatomy(done.xml).inputs) == 2


def test_seeded_pictures_are_the_same_always_and_differ_by_seed() -> None:
    first = optimize.seeded_picture(1)
    assert first.shape == (240, 320, 3)
    np.testing.assert_array_equal(first, optimize.seeded_picture(1))
    assert (first != optimize.seeded_picture(2)).mean() > 0.5


@pytest.mark.parametrize("name", ["deploy_ssd_vgg16", "deploy_ssd_resnet50"])
def test_a_detector_whose_rows_change_places_is_converted(tmp_path: Path, name: str) -> None:
    done = convert(FORMATS / f"{name}-symbol.json", tmp_path / "out", "m")
    [difference] = done.differences
    assert 0 < difference.largest < 0.05
    assert difference.first_agrees == difference.pictures
