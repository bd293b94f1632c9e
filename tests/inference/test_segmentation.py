from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
import task_models

import inference
from inference import Manifest, ModelMismatch, Segmentation
from kernels.formats import PixelFormat
from kernels.runs import decode_runs

BACKENDS = ("openvino", "onnxruntime")
NAMES = ["red", "green", "blue"]
SIZE = (24, 32)


def loaded(path: Path, backend: str = "openvino", **keys: Any) -> inference.Model:
    mapping = {"name": "m", "task": "segmentation", "model": str(path), "labels": NAMES, **keys}
    return inference.load(Manifest.from_mapping(mapping, path.parent), backend=backend)


def seen(model: inference.Model, pixels: np.ndarray) -> Segmentation:
    result = model.predict(pixels, PixelFormat.BGR)
    assert isinstance(result, Segmentation)
    return result


def stripes(height: int, width: int) -> np.ndarray:
    """Blue on the left half; green below on the right; red above on the right, in BGR."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 0] = 200
    picture[height // 2 :, width // 2 :, 1] = 200
    picture[: height // 2, width // 2 :, 2] = 200
    return picture


WANTED = np.full(SIZE, 2, np.uint8)
WANTED[:12, 16:], WANTED[12:, 16:] = 0, 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["planes", "beside", "numbers", "floats", "tensorflow"])
def test_each_pixel_is_its_class_however_the_output_is_laid_out(
    tmp_path: Path, form: str, backend: str
) -> None:
    model = loaded(task_models.segmenter(tmp_path / "m.onnx", form=form), backend)
    result = seen(model, stripes(*SIZE))
    assert (result.mask == WANTED).all()
    assert result.label_ids.tolist() == [2, 0, 1]
    assert result.areas.tolist() == [0.5, 0.25, 0.25]
    assert result.finite
    model.close()


def test_scores_of_half_precision_are_read(tmp_path: Path) -> None:
    model = loaded(task_models.segmenter(tmp_path / "m.onnx", dtype="float16"))
    assert (seen(model, stripes(*SIZE)).mask == WANTED).all()
    model.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_single_plane_of_scores_is_parted_by_the_threshold(tmp_path: Path, backend: str) -> None:
    path = task_models.segmenter(tmp_path / "m.onnx", form="one plane")
    model = loaded(path, backend, labels=["other", "red"], output={"threshold": 0.5}, input={"scale": 255})
    assert (seen(model, stripes(*SIZE)).mask == (WANTED == 0)).all()
    with pytest.raises(ModelMismatch, match=r"output\.threshold says from which score") as caught:
        loaded(path, backend, labels=["other", "red"])
    assert caught.value.key == "output.threshold"
    model.close()


def test_a_threshold_that_parts_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match="one plane of scores") as caught:
        loaded(task_models.segmenter(tmp_path / "m.onnx"), output={"threshold": 0.5})
    assert caught.value.key == "output.threshold"


def test_areas_are_shares_of_the_picture_without_a_letterbox_s_border(tmp_path: Path) -> None:
    model = loaded(task_models.segmenter(tmp_path / "m.onnx"), input={"resize": "letterbox", "pad": 0})
    wide = seen(model, stripes(24, 64))  # 12 rows of the mask's 24 are border, which is black and so class 0
    assert wide.areas.tolist() == [0.5, 0.25, 0.25]
    assert wide.placement.top == 6.0
    model.close()


def test_areas_of_a_crop_leave_out_what_was_cut(tmp_path: Path) -> None:
    model = loaded(task_models.segmenter(tmp_path / "m.onnx"), input={"resize": "crop"})
    cropped = seen(model, stripes(24, 64))
    assert float(cropped.areas.sum()) == pytest.approx(0.5)
    assert cropped.rows(NAMES)[0] == {"label": "blue", "label_id": 2, "area": 0.25}
    model.close()


@pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("stride", [2, 4, 8])
def test_a_coarse_mask_maps_to_the_picture(tmp_path: Path, resize: str, stride: int) -> None:
    model = loaded(
        task_models.segmenter(tmp_path / "m.onnx", size=(64, 96), stride=stride), input={"resize": resize}
    )
    result = seen(model, stripes(90, 120))
    placement = result.placement
    for y, x, label in [(20, 30, 2), (20, 80, 0), (70, 80, 1)]:
        row = int((y + 0.5) * placement.scale_y + placement.top)
        column = int((x + 0.5) * placement.scale_x + placement.left)
        assert result.mask[row, column] == label
    assert 0 < float(result.areas.sum()) <= 1 + 1e-6
    model.close()


def test_message_rows_carry_the_mask_where_the_project_wants_it(tmp_path: Path) -> None:
    path = task_models.segmenter(tmp_path / "m.onnx")
    plain, masked = loaded(path), loaded(path, output={"mask": True})
    assert all("mask" not in row for row in seen(plain, stripes(*SIZE)).rows(NAMES))
    for row in seen(masked, stripes(*SIZE)).rows(NAMES):
        assert row["mask"]["size"] == [24, 32]
        assert row["mask"]["box"] == [0.0, 0.0, 1.0, 1.0]
        assert (decode_runs(row["mask"]["counts"], row["mask"]["size"]) == (row["label_id"] == WANTED)).all()
    plain.close()
    masked.close()


def test_the_mask_of_a_message_covers_the_picture_and_no_border(tmp_path: Path) -> None:
    keys = {"input": {"resize": "letterbox"}, "output": {"mask": True}}
    model = loaded(task_models.segmenter(tmp_path / "m.onnx"), **keys)
    rows = seen(model, stripes(24, 64)).rows(NAMES)
    assert [row["mask"]["size"] for row in rows] == [[12, 32]] * 3
    assert sum(decode_runs(row["mask"]["counts"], [12, 32]) for row in rows).tolist() == [[1] * 32] * 12
    model.close()
    model = loaded(
        task_models.segmenter(tmp_path / "m.onnx"), input={"resize": "crop"}, output={"mask": True}
    )
    assert seen(model, stripes(24, 64)).rows(NAMES)[0]["mask"]["box"] == [0.25, 0.0, 0.75, 1.0]
    model.close()


def test_the_result_is_its_own_and_is_not_changed_by_the_next_picture(tmp_path: Path) -> None:
    model = loaded(task_models.segmenter(tmp_path / "m.onnx"))
    first = seen(model, stripes(*SIZE))
    seen(model, np.zeros((24, 32, 3), np.uint8))
    assert (first.mask == WANTED).all()
    assert not first.mask.flags.writeable
    model.close()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spoilt", ["all", "one pixel"])
@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (1, 8, 8, 3)])
def test_an_answer_that_is_no_number_says_nothing(
    tmp_path: Path, backend: str, spoilt: str, shape: tuple[int, ...]
) -> None:
    answer = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    if spoilt == "all":
        answer[...] = np.nan
    else:
        answer[(0, slice(None), 2, 5) if shape[1] == 3 else (0, 2, 5)] = np.nan
    model = loaded(models.answering(tmp_path / "m.onnx", {"scores": answer}), backend)
    result = seen(model, stripes(64, 64))
    assert not result.finite
    assert result.rows(NAMES) == []
    assert len(result.label_ids) == 0
    model.close()


def test_scores_of_minus_infinity_beside_others_are_an_answer(tmp_path: Path) -> None:
    answer = np.zeros((1, 3, 8, 8), np.float32)
    answer[0, 0] = -np.inf
    model = loaded(models.answering(tmp_path / "m.onnx", {"scores": answer}), "onnxruntime")
    result = seen(model, stripes(64, 64))
    assert result.finite
    assert result.rows(NAMES) == [{"label": "green", "label_id": 1, "area": 1.0}]
    model.close()


@pytest.mark.parametrize("number", [-1.0, 256.0])
def test_a_class_that_no_mask_can_hold_is_a_senseless_answer(tmp_path: Path, number: float) -> None:
    answer = np.full((1, 1, 8, 8), number, np.float32)
    model = loaded(models.answering(tmp_path / "m.onnx", {"numbers": answer}), "onnxruntime")
    assert not seen(model, stripes(64, 64)).finite
    model.close()


def test_labels_must_be_as_many_as_the_scores(tmp_path: Path) -> None:
    with pytest.raises(
        ModelMismatch, match=r"labels names 2 classes, but the outputs of m.onnx have 3"
    ) as caught:
        loaded(task_models.segmenter(tmp_path / "m.onnx"), labels=["a", "b"])
    assert caught.value.key == "labels"
    assert loaded(task_models.segmenter(tmp_path / "m.onnx"), labels=None).labels == ("0", "1", "2")


def test_labels_tell_planes_from_scores_side_by_side(tmp_path: Path) -> None:
    answer = np.zeros((1, 8, 9, 8), np.float32)
    answer[0, 5] = 1.0
    path = models.answering(tmp_path / "m.onnx", {"scores": answer})
    with pytest.raises(ModelMismatch, match="where its classes stand, is not to be told"):
        loaded(path, labels=list("abcdefgh"))
    with pytest.raises(ModelMismatch, match="taken for the shorter axis"):
        loaded(path, labels=None)
    answer = np.zeros((1, 12, 9, 9), np.float32)  # more classes than pixels along a side
    answer[0, 5] = 1.0
    path = models.answering(tmp_path / "n.onnx", {"scores": answer})
    model = loaded(path, labels=list("abcdefghijkl"))
    assert seen(model, stripes(64, 64)).rows(model.labels) == [{"label": "f", "label_id": 5, "area": 1.0}]
    model.close()


def test_of_several_outputs_the_one_that_fits_the_labels_is_read(tmp_path: Path) -> None:
    answers = {"scores": np.ones((1, 3, 8, 8), np.float32), "edges": np.ones((1, 2, 8, 8), np.float32)}
    path = models.answering(tmp_path / "m.onnx", answers)
    loaded(path).close()
    with pytest.raises(ModelMismatch, match="which of it is the mask") as caught:
        loaded(path, labels=None)
    assert caught.value.key == "labels"


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1), (2, 3, 8, 8), (1, 4, 5, 6, 7)])
def test_outputs_that_are_no_mask_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = models.answering(tmp_path / "m.onnx", {"scores": np.zeros(shape, np.float32)})
    with pytest.raises(ModelMismatch, match="segmentation reads one output of scores") as caught:
        loaded(path)
    assert caught.value.key == "task"


def test_a_mask_tells_256_classes_apart_and_no_more(tmp_path: Path) -> None:
    path = models.answering(tmp_path / "m.onnx", {"scores": np.zeros((1, 257, 300, 300), np.float32)})
    with pytest.raises(ModelMismatch, match="has 257 classes; a mask tells 256 apart"):
        loaded(path, labels=None)


def test_both_backends_give_the_same_mask(tmp_path: Path) -> None:
    path = task_models.segmenter(tmp_path / "m.onnx", classes=5, size=(48, 64), stride=2, seed=4)
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    results = [seen(loaded(path, backend, labels=list("abcde")), noise) for backend in BACKENDS]
    assert (results[0].mask != results[1].mask).mean() < 0.001
    np.testing.assert_allclose(results[0].areas, results[1].areas, atol=1e-3)


def test_a_made_up_segmentation_has_every_class_and_its_own_size() -> None:
    model = loaded(Path("fake:segmentation:3:64x48"))
    results = [seen(model, stripes(48, 64)) for _ in range(9)]
    assert results[0].mask.shape == (12, 16)
    assert (results[0].mask == results[8].mask).all()
    assert (results[0].mask != results[1].mask).any()
    model.close()
