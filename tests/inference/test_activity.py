from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
import task_models

import inference
import kernels
from inference import Activity, Manifest, ModelMismatch
from inference.backends import Backend
from inference.leader import Average, Leader
from inference.results import NOBODY
from kernels.formats import PixelFormat

BACKENDS = ("openvino", "onnxruntime")
LAYOUTS = ("NCTHW", "NTCHW", "NTHWC")


def loaded(path: Path, backend: str = "openvino", requests: int = 1, **keys: Any) -> inference.Model:
    mapping = {"name": "m", "task": "activity", "model": str(path), **keys}
    manifest = Manifest.from_mapping(mapping, path.parent)
    return inference.load(manifest, backend=backend, requests=requests)


def grey(level: int) -> np.ndarray:
    return np.full((8, 12, 3), level, np.uint8)


def shown(model: inference.Model, levels: list[int], source: str = "") -> list[Activity]:
    results = []
    for level in levels:
        result = model.predict(grey(level), PixelFormat.BGR, source)
        assert isinstance(result, Activity)
        results.append(result)
    return results


def first(results: list[Activity]) -> list[int]:
    """The likeliest class of each result, -1 where there is none."""
    return [int(result.label_ids[0]) if len(result.label_ids) else NOBODY for result in results]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_clip_holds_the_last_pictures_the_oldest_first(tmp_path: Path, layout: str, backend: str) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx", layout=layout), backend, output={"hold": 1})
    # One bright picture wanders from the end of the clip to its beginning, and out of it.
    assert first(shown(model, [0, 0, 0, 200, 0, 0, 0])) == [-1, -1, -1, 3, 2, 1, 0]
    model.close()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_picture_is_prepared_once_and_where_it_belongs(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx", layout=layout, pictures=5))
    prepared: list[int] = []
    real = kernels.prepare

    def counted(pixels: np.ndarray, out: np.ndarray, **how: Any) -> Any:
        prepared.append(int(pixels[0, 0, 0]))
        return real(pixels, out, **how)

    monkeypatch.setattr(kernels, "prepare", counted)
    shown(model, list(range(10, 19)))
    assert prepared == list(range(10, 19))
    clip = model._backend.input(0)[0]
    pictures = clip.swapaxes(0, 1) if layout == "NCTHW" else clip
    assert [set(np.unique(picture)) for picture in pictures] == [{level} for level in range(14, 19)]
    model.close()


def test_until_the_window_is_full_nothing_runs_and_nothing_is_said(tmp_path: Path) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx"), output={"hold": 1})
    early = shown(model, [200, 0, 0])
    assert all(result.rows(model.labels) == [] and result.timings.infer == 0.0 for result in early)
    [full] = shown(model, [0])
    assert full.timings.infer > 0
    assert full.rows(model.labels) == [{"label": "0", "label_id": 0, "score": 1.0}]
    model.close()


def test_a_stride_leaves_the_model_alone_in_between_and_repeats_what_was_said(tmp_path: Path) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx"), output={"hold": 1, "stride": 3})
    results = shown(model, [200, 0, 0, 0, 0, 0, 0, 0, 0, 200])
    assert [result.timings.infer > 0 for result in results] == [False] * 3 + [True, False, False] * 2 + [True]
    assert [result.shown for result in results] == [-1] * 3 + [0] * 6 + [3]
    model.close()


def test_a_step_takes_each_so_manieth_picture_into_the_window(tmp_path: Path) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx"), output={"hold": 1, "step": 2})
    results = shown(model, [0, 9, 200, 9, 0, 9, 0, 9])
    assert first(results) == [-1] * 6 + [1, 1]
    model.close()


def test_each_source_has_a_window_of_its_own(tmp_path: Path) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx"), output={"hold": 1})
    for level in (200, 0, 0):
        shown(model, [level], "left")
        shown(model, [0], "right")
    assert first(shown(model, [0], "left")) == [0]
    assert first(shown(model, [200], "right")) == [3]
    model.forget("left")
    assert first(shown(model, [0], "left")) == [NOBODY]
    assert first(shown(model, [0], "right")) == [2]
    model.close()


@pytest.mark.parametrize("requests", [1, 2, 3])
@pytest.mark.parametrize("backend", BACKENDS)
def test_several_requests_say_what_one_says_and_in_order(tmp_path: Path, backend: str, requests: int) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", seed=5)
    levels = np.random.default_rng(2).integers(0, 255, 40).tolist()
    keys = {"output": {"hold": 2, "stride": 2, "average": 2}, "input": {"scale": 64}}
    alone = shown(loaded(path, backend, **keys), levels)
    model, together = loaded(path, backend, requests, **keys), []
    for number, level in enumerate(levels):
        while model.pending >= model.requests:
            together.append(model.collect())
        model.submit(grey(level), PixelFormat.BGR, number)
    while model.pending:
        together.append(model.collect())
    assert [token for token, _ in together] == list(range(40))
    for one, (_, other) in zip(alone, together, strict=True):
        assert isinstance(other, Activity)
        assert one.shown == other.shown
        assert (one.timings.infer > 0) == (other.timings.infer > 0)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    model.close()


def test_a_label_is_told_once_it_has_led_often_enough_and_stays_until_another_has(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", softmax=True)
    keys = {"labels": ["red", "green", "blue"], "input": {"scale": 255}}
    model = loaded(path, output={"average": 1, "hold": 3, "softmax": False}, **keys)
    told = []
    for color in (2, 2, 1, 2, 2, 2, 1, 1, 2, 1, 1, 1, 1):
        picture = np.zeros((8, 12, 3), np.uint8)
        picture[..., 2 - color] = 250
        rows = model.predict(picture, PixelFormat.BGR).rows(model.labels)
        told.append(rows[0]["label"] if rows else "")
    assert told == [""] * 5 + ["blue"] * 6 + ["green"] * 2
    model.close()


def test_a_model_of_single_pictures_is_averaged(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", softmax=True)
    model = loaded(path, output={"average": 4, "hold": 1}, input={"scale": 255})
    red, blue = np.zeros((8, 12, 3), np.uint8), np.zeros((8, 12, 3), np.uint8)
    red[..., 2], blue[..., 0] = 250, 250
    results = [model.predict(picture, PixelFormat.BGR) for picture in (red, red, red, blue, blue)]
    assert [len(result.label_ids) for result in results[:3]] == [0, 0, 0]
    assert all(isinstance(result, Activity) for result in results)
    assert results[3].scores[:2].tolist() == pytest.approx([0.75, 0.25], abs=1e-3)  # type: ignore[union-attr]
    assert results[4].scores[:2].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)  # type: ignore[union-attr]
    model.close()


def test_nobody_is_told_while_no_score_reaches_the_threshold(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", softmax=True)
    model = loaded(path, output={"average": 1, "hold": 1, "threshold": 0.9}, input={"scale": 255})
    bright = np.zeros((8, 12, 3), np.uint8)
    bright[..., 2] = 250
    assert [bool(result.rows(())) for result in shown(model, [0, 0])] == [False, False]
    assert model.predict(bright, PixelFormat.BGR).rows(())[0]["label_id"] == 0
    assert shown(model, [0])[0].rows(()) == []
    model.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_answer_that_is_no_number_counts_for_nothing(tmp_path: Path, backend: str) -> None:
    path = models.answering(tmp_path / "m.onnx", {"scores": np.array([[np.nan, 1.0]])})
    model = loaded(path, backend, output={"average": 1, "hold": 1})
    [result] = shown(model, [5])
    assert (result.finite, result.shown, result.rows(())) == (False, NOBODY, [])
    assert len(result.label_ids) == 0
    model.close()


def test_how_many_pictures_an_open_axis_takes_must_be_said(tmp_path: Path) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", open_time=True)
    for backend in BACKENDS:
        model = loaded(path, backend, output={"window": 4, "hold": 1})
        assert first(shown(model, [0, 200, 0, 0])) == [-1, -1, -1, 1]
        model.close()
    with pytest.raises(ModelMismatch, match=r"leaves open how many pictures") as caught:
        loaded(path)
    assert caught.value.key == "output.window"


@pytest.mark.parametrize(
    ("keys", "sentence", "key"),
    [
        ({"output": {"window": 8}}, r"output\.window is 8, but .* takes 4 pictures", "output.window"),
        ({"input": {"layout": "NCHW"}}, "has five dimensions: NCTHW, NTCHW or NTHWC", "input.layout"),
        ({"input": {"layout": "NTCHW"}}, "has 4 channels; a picture has 1 or 3", "input.layout"),
        ({"input": {"size": [9, 9]}}, r"input\.size is \[9, 9\]", "input.size"),
        ({"input": {"color": "gray"}}, "has 3 channels", "input.color"),
        ({"labels": ["a", "b"]}, "labels names 2 classes, but .* have 4", "labels"),
    ],
)
def test_what_contradicts_a_model_of_clips_is_refused(
    tmp_path: Path, keys: dict[str, Any], sentence: str, key: str
) -> None:
    with pytest.raises(ModelMismatch, match=sentence) as caught:
        loaded(task_models.clip_reader(tmp_path / "m.onnx"), **keys)
    assert caught.value.key == key


def test_a_layout_that_could_be_either_must_be_said(tmp_path: Path) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", pictures=3)
    with pytest.raises(ModelMismatch, match=r"input\.layout must say NCTHW, NTCHW or NTHWC") as caught:
        loaded(path)
    assert caught.value.key == "input.layout"
    for layout in LAYOUTS:
        made = task_models.clip_reader(tmp_path / f"{layout}.onnx", pictures=3, layout=layout)
        model = loaded(made, input={"layout": layout}, output={"hold": 1})
        assert first(shown(model, [0, 200, 0])) == [-1, -1, 1]
        model.close()


def test_keys_of_clips_do_not_suit_a_model_of_single_pictures(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    with pytest.raises(
        ModelMismatch, match=r"takes one at a time, of whose answers output\.average"
    ) as caught:
        loaded(path, output={"window": 4})
    assert caught.value.key == "output.window"
    with pytest.raises(ModelMismatch, match="no input of five dimensions") as caught:
        loaded(path, input={"layout": "NCTHW"})
    assert caught.value.key == "input.layout"


@pytest.mark.parametrize("dtype", ["uint8", "float16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_clips_of_bytes_and_halves_are_fed_as_they_want(tmp_path: Path, layout: str, dtype: str) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", layout=layout, dtype=dtype, channels=1)
    model = loaded(path, output={"hold": 1}, input={"layout": layout})
    assert first(shown(model, [0, 0, 200, 0])) == [-1, -1, -1, 2]
    model.close()


def test_both_backends_say_the_same(tmp_path: Path) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", seed=3)
    noise = np.random.default_rng(0).integers(0, 255, (12, 20, 30, 3), np.uint8)
    said = []
    for backend in BACKENDS:
        model = loaded(path, backend, input={"scale": 50}, output={"hold": 1})
        results = [model.predict(picture, PixelFormat.BGR) for picture in noise]
        said.append([result.scores for result in results[4:]])  # type: ignore[union-attr]
        model.close()
    np.testing.assert_allclose(said[0], said[1], atol=1e-3)


def test_a_picture_that_is_refused_leaves_the_window_as_it_was(tmp_path: Path) -> None:
    model = loaded(task_models.clip_reader(tmp_path / "m.onnx"), output={"hold": 1})
    shown(model, [200, 0, 0])
    with pytest.raises(ValueError, match="must be"):
        model.predict(np.zeros((8, 12, 4), np.uint8), PixelFormat.BGR)
    assert first(shown(model, [0])) == [0]
    model.close()


@pytest.mark.parametrize(("model", "full"), [("fake:activity:4", 8), ("fake:activity:4:12x8x5", 5)])
def test_a_made_up_activity_lasts_for_a_while(model: str, full: int) -> None:
    made = loaded(Path(model), output={"hold": 2})
    told = [result.shown for result in shown(made, [0] * 60)]
    assert told[:full] == [NOBODY] * full
    assert NOBODY not in told[full:]
    assert 1 <= sum(one != other for one, other in zip(told[full:], told[full + 1 :], strict=False)) <= 2


def test_the_fake_backend_stands_in_for_a_model_of_clips() -> None:
    for keys, shape in (
        ({"output": {"window": 6}, "input": {"size": [32, 16]}}, (1, 3, 6, 16, 32)),
        ({"input": {"layout": "NTCHW"}}, (1, 3, 8, 224, 224)),
        ({}, (1, 3, 224, 224)),
    ):
        backend: Backend = loaded(Path("absent.onnx"), "fake", **keys)._backend
        assert backend.inputs[0].shape == shape


def test_a_mean_is_that_of_the_last_answers() -> None:
    average, ids = Average(2, 2), np.array([1, 0], np.int32)
    assert average.add(ids, np.array([0.8, 0.2], np.float32)) is None
    mean = average.add(ids, np.array([0.4, 0.6], np.float32))
    assert mean is not None
    assert mean.tolist() == pytest.approx([0.4, 0.6])
    assert average.add(ids, np.array([0.0, 1.0], np.float32)) == pytest.approx([0.8, 0.2])


def test_nobody_leads_once_nothing_was_said_for_as_long() -> None:
    leader = Leader(2)
    told = []
    for leading in (4, 4, NOBODY, 4, NOBODY, NOBODY):
        leader.follow(leading)
        told.append(leader.shown)
    assert told == [NOBODY, 4, 4, 4, 4, NOBODY]
