import itertools
import logging
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest

import inference
from inference import Identity, Manifest, ManifestInvalid, ModelInvalid, ModelNotFound, Timings
from inference.errors import InferenceError
from inference.files import sha256_of
from kernels.formats import PixelFormat

BGR = PixelFormat.BGR
BACKENDS = ("openvino", "onnxruntime", "fake")
COLORS = [(0, 0, 250), (0, 250, 0), (250, 0, 0)]


def manifest(path: Path, **keys: Any) -> Manifest:
    mapping = {
        "name": "sorter",
        "task": "classification",
        "model": str(path),
        "input": {"scale": 255},
        **keys,
    }
    return Manifest.from_mapping(mapping, Path())


def plain(color: int) -> np.ndarray:
    return np.full((48, 64, 3), COLORS[color], np.uint8)


@pytest.mark.parametrize("requests", [1, 2, 4])
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_results_come_in_the_order_of_submit(tmp_path: Path, backend: str, requests: int) -> None:
    model = inference.load(
        manifest(models.classifier(tmp_path / "m.onnx")), backend=backend, requests=requests
    )
    colors = np.random.default_rng(requests).integers(0, 3, 40).tolist()
    answers = []
    for number, color in enumerate(colors):
        if model.pending == model.requests:
            answers.append(model.collect())
        model.submit(plain(color), BGR, (number, color))
    while model.pending:
        answers.append(model.collect())
    assert [token for token, _ in answers] == list(enumerate(colors))
    assert [int(result.label_ids[0]) for _, result in answers] == colors
    model.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_submit_and_predict_say_the_same(tmp_path: Path, backend: str) -> None:
    path = models.classifier(tmp_path / "m.onnx", classes=9, seed=2)
    noise = np.random.default_rng(0).integers(0, 255, (50, 60, 3), dtype=np.uint8)
    alone = inference.load(manifest(path), backend=backend).predict(noise, BGR)
    model = inference.load(manifest(path), backend=backend, requests=2)
    model.submit(noise, BGR, "token")
    token, together = model.collect()
    assert token == "token"
    np.testing.assert_array_equal(alone.label_ids, together.label_ids)
    np.testing.assert_allclose(alone.scores, together.scores, atol=1e-5)
    model.close()


def test_more_than_the_requests_cannot_be_under_way() -> None:
    model = inference.load(manifest(Path("fake:classification:3")), requests=2)
    model.submit(plain(0), BGR, 1)
    model.submit(plain(0), BGR, 2)
    assert model.pending == model.requests == 2
    with pytest.raises(RuntimeError, match="all 2 requests are under way"):
        model.submit(plain(0), BGR, 3)
    with pytest.raises(RuntimeError, match="2 submitted pictures must be collected"):
        model.predict(plain(0), BGR)
    assert [model.collect()[0], model.collect()[0]] == [1, 2]
    with pytest.raises(RuntimeError, match="nothing was submitted"):
        model.collect()


def test_a_picture_that_is_refused_takes_no_request() -> None:
    model = inference.load(manifest(Path("fake:classification:3")))
    for wrong, error in ((plain(0)[..., :2], ValueError), (plain(0).astype(float), TypeError)):
        with pytest.raises(error):
            model.submit(np.ascontiguousarray(wrong), BGR, None)
        with pytest.raises(error):
            model.predict(np.ascontiguousarray(wrong), BGR)
    assert model.pending == 0
    model.submit(plain(0), BGR, "good")
    assert model.collect()[0] == "good"


def test_a_backend_that_fails_gives_its_request_back(monkeypatch: pytest.MonkeyPatch) -> None:
    model = inference.load(manifest(Path("fake:classification:3")))
    working = model._backend.wait

    def failing(slot: int) -> Any:
        monkeypatch.setattr(model._backend, "wait", working)
        raise InferenceError("out of memory")

    monkeypatch.setattr(model._backend, "wait", failing)
    model.submit(plain(0), BGR, 1)
    with pytest.raises(InferenceError, match="out of memory"):
        model.collect()
    assert model.pending == 0
    model.submit(plain(0), BGR, 2)
    assert model.collect()[0] == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closed_model_answers_no_more(tmp_path: Path, backend: str) -> None:
    model = inference.load(manifest(models.classifier(tmp_path / "m.onnx")), backend=backend, requests=2)
    model.submit(plain(0), BGR, 1)
    model.close()
    model.close()
    assert model.pending == 0
    with pytest.raises(RuntimeError, match="the model sorter is closed"):
        model.predict(plain(0), BGR)
    with pytest.raises(RuntimeError, match="closed"):
        model.collect()


def test_stages_are_timed_by_the_clock_that_is_passed_in() -> None:
    ticks = itertools.accumulate(itertools.count(1), lambda now, step: now + step)
    model = inference.load(manifest(Path("fake:classification:3")), clock=lambda: float(next(ticks)))
    assert model.predict(plain(0), BGR).timings == Timings(prepare=2.0, infer=3.0, interpret=4.0)
    model.submit(plain(0), BGR, None)
    assert model.collect()[1].timings == Timings(prepare=6.0, infer=7.0, interpret=8.0)


def test_a_model_says_who_it_is(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    for backend in ("openvino", "onnxruntime"):
        model = inference.load(manifest(path), backend=backend)
        assert model.identity == Identity("sorter", sha256_of(path), backend, "CPU")
        assert (model.task, model.requests, model.manifest.model) == ("classification", 1, path)


def test_a_missing_model_and_one_that_is_none_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a model", encoding="utf-8")
    for backend in ("auto", "openvino", "onnxruntime"):
        with pytest.raises(ModelNotFound):
            inference.load(manifest(tmp_path / "absent.onnx"), backend=backend)
        with pytest.raises(ModelInvalid, match="is a text file"):
            inference.load(manifest(tmp_path / "text.onnx"), backend=backend)


@pytest.mark.parametrize("requests", [0, -1, 65])
def test_a_number_of_requests_that_cannot_be_is_refused(requests: int) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        inference.load(manifest(Path("fake:classification:3")), requests=requests)
    assert caught.value.key == "inference.requests"


def test_loading_says_once_what_runs_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    with caplog.at_level(logging.INFO, logger="inference"):
        model = inference.load(manifest(path))
        for _ in range(3):
            model.predict(plain(0), BGR)
    assert [record.message for record in caplog.records] == ["m.onnx runs on openvino CPU, 1 request(s)"]


def test_every_pixel_format_goes_in() -> None:
    model = inference.load(manifest(Path("fake:classification:3")))
    for pixel_format, shape in [
        (PixelFormat.RGB, (48, 64, 3)),
        (PixelFormat.GRAY, (48, 64)),
        (PixelFormat.YUYV, (48, 64, 2)),
        (PixelFormat.NV12, (72, 64)),
    ]:
        assert model.predict(np.zeros(shape, np.uint8), pixel_format).scores.size
