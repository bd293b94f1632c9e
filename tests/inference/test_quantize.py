"""INT8 models carry what the original says of itself, and are judged as a whole and class by class."""

import builtins
import functools
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import models
import numpy as np
import onnx
import pytest
import task_models
from numpy.typing import NDArray

from inference import load
from inference.agreement import Agreement, ClassShare
from inference.errors import ExtraMissing, InferenceError, ModelInvalid, PicturesUnfit
from inference.manifest import InputSpec, Manifest, OutputSpec
from inference.quantize import compare, judge, quantize
from kernels.formats import PixelFormat

Load = Callable[[], NDArray[np.uint8]]


def plain(color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """BGR, of one colour."""
    return np.full((40, 60, 3), color, np.uint8)


def loads(count: int = 12) -> list[Load]:
    colours = [(200, 30, 20), (20, 190, 40), (10, 60, 220)]
    return [functools.partial(plain, colours[number % 3]) for number in range(count)]


def silent(step: str, done: int, total: int) -> None:
    pass


def sorter(folder: Path) -> Manifest:
    path = models.classifier(folder / "m.onnx", softmax=True, metadata={"labels": "red green blue", "x": "y"})
    given = InputSpec(color="rgb", scale=(255.0,))
    return Manifest("sorter", "classification", path, input=given, output=OutputSpec(softmax=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Path, list[tuple[str, int, int]]]:
    """One quantized model for all who only look at it."""
    folder = tmp_path_factory.mktemp("quantized")
    manifest, told = sorter(folder), []
    quantize(manifest, loads(), folder / "q.xml", lambda *step: told.append(step))
    return manifest, folder / "q.xml", told


Made = tuple[Manifest, Path, list[tuple[str, int, int]]]


def test_a_quantized_model_says_the_same(made: Made) -> None:
    manifest, xml, _ = made
    compared = compare(manifest, xml, loads(9), silent)
    assert (compared.agreement.share, compared.agreement.pictures) == (1.0, 9)
    assert (compared.labels, compared.unseen) == (("red", "green", "blue"), ())
    assert judge(compared.agreement).accepted


def test_it_carries_what_the_original_and_the_project_say(made: Made) -> None:
    _, xml, _ = made
    alone = load(Manifest("alone", "classification", xml), backend="openvino")
    try:
        assert alone.labels == ("red", "green", "blue")
        assert alone.predict(plain((0, 0, 255)), PixelFormat.BGR).rows(alone.labels)[0]["label"] == "red"
    finally:
        alone.close()
    text = xml.read_text()
    assert "FakeQuantize" in text
    assert '<scale_values value="255"' in text
    assert '<x value="y"' in text


def test_how_far_it_is_is_told_for_every_picture(made: Made) -> None:
    assert made[2][:12] == [("calibrating", number, 12) for number in range(1, 13)]


def test_nothing_is_printed_and_logging_stays_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    usual = logging.getLoggerClass()
    quantize(sorter(tmp_path), loads(3), tmp_path / "q.xml", silent)
    out = capfd.readouterr()
    assert (out.out, out.err) == ("", "")
    assert logging.getLoggerClass() is usual


def test_a_model_that_is_quantized_already_is_refused(made: Made, tmp_path: Path) -> None:
    again = Manifest("again", "classification", made[1])
    with pytest.raises(ModelInvalid, match=r"q\.xml is quantized already; the original is needed"):
        quantize(again, loads(), tmp_path / "q.xml", silent)


def test_a_model_without_anything_to_quantize_is_refused(tmp_path: Path) -> None:
    float32 = onnx.TensorProto.FLOAT
    picture = onnx.helper.make_tensor_value_info("picture", float32, [1, 3, 1, 1])
    scores = onnx.helper.make_tensor_value_info("scores", float32, [1, 3])
    nodes = [onnx.helper.make_node("Flatten", ["picture"], ["scores"])]
    path = models._write(tmp_path / "m.onnx", onnx.helper.make_graph(nodes, "t", [picture], [scores]), None)
    with pytest.raises(InferenceError, match=r"finds nothing in .*m\.onnx that it could quantize"):
        quantize(Manifest("m", "classification", path), loads(), tmp_path / "q.xml", silent)
    assert not (tmp_path / "q.xml").exists()


def test_a_segmentation_is_compared_by_its_pixels(tmp_path: Path) -> None:
    manifest = Manifest("s", "segmentation", task_models.segmenter(tmp_path / "m.onnx"))
    quantize(manifest, loads(), tmp_path / "q.xml", silent)
    agreed = compare(manifest, tmp_path / "q.xml", loads(6), silent).agreement
    assert (agreed.share, agreed.counted, len(agreed.classes)) == (1.0, "pixels", 3)


def test_a_model_of_clips_is_calibrated_by_clips(tmp_path: Path) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", pictures=4)
    manifest = Manifest("a", "activity", path, input=InputSpec(scale=(255.0,)))
    light = [functools.partial(plain, (each, each, each)) for each in (20, 20, 250, 20) * 6]
    quantize(manifest, light, tmp_path / "q.xml", silent)
    agreed = compare(manifest, tmp_path / "q.xml", light, silent).agreement
    assert agreed.share == 1.0
    assert agreed.pictures == len(light) - 3
    with pytest.raises(PicturesUnfit, match="3 pictures are fewer than the model looks at together"):
        quantize(manifest, light[:3], tmp_path / "r.xml", silent)


def test_without_nncf_a_sentence_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'lensracer\[quantize\]'"):
        quantize(sorter(tmp_path), loads(), tmp_path / "q.xml", silent)


def test_nncf_giving_up_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nncf

    def give_up(*args: Any, **more: Any) -> None:
        raise builtins.AssertionError("first line\nit does not go")

    monkeypatch.setattr(nncf, "quantize", give_up)
    with pytest.raises(InferenceError, match=r"NNCF cannot quantize .*m\.onnx: it does not go"):
        quantize(sorter(tmp_path), loads(), tmp_path / "q.xml", silent)


# the verdict


def agreed(share: float, *classes: tuple[int, float, int, int]) -> Agreement:
    return Agreement(share, tuple(ClassShare(*each) for each in classes), "pictures", 100)


def test_both_the_whole_and_each_class_must_agree() -> None:
    good = judge(agreed(0.98, (0, 0.97, 50, 50), (1, 1.0, 50, 50)), 0.97)
    assert good.accepted
    whole = judge(agreed(0.96, (0, 0.97, 50, 50)), 0.97)
    assert (whole.accepted, whole.whole, whole.refused) == (False, True, ())
    one = judge(agreed(0.99, (0, 0.9, 10, 9), (1, 1.0, 90, 91)), 0.97)
    assert (one.accepted, one.whole, [each.label_id for each in one.refused]) == (False, False, [0])


def test_a_class_that_is_seldom_seen_does_not_decide() -> None:
    assert judge(agreed(0.98, (0, 0.5, 4, 4), (1, 1.0, 96, 96)), 0.97).accepted
    assert not judge(agreed(0.98, (0, 0.5, 5, 4), (1, 1.0, 95, 96)), 0.97).accepted


def test_a_class_that_only_the_new_model_sees_decides_too() -> None:
    assert not judge(agreed(0.98, (0, 0.0, 0, 5), (1, 1.0, 95, 95)), 0.97).accepted


def test_where_the_original_sees_nothing_nothing_can_be_said() -> None:
    with pytest.raises(PicturesUnfit, match="finds nothing in the 100 pictures"):
        judge(agreed(1.0, (-1, 1.0, 100, 100)))
    with pytest.raises(PicturesUnfit, match="finds nothing"):
        judge(agreed(1.0))
