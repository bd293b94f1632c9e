"""The gate: a model passes that answers in numbers, in its shape, in time; every other is refused by name."""

import functools
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
import swap_models
import task_models
from hand_clock import HandClock

from inference import Manifest, Model, load
from inference.acceptance import Limits, accept, checking, glance
from inference.backends import UNKNOWN, TensorSpec
from inference.errors import AnswerUnusable, NotAccepted
from inference.golden import Golden, difference, seeded
from kernels.formats import PixelFormat


def model(folder: Path, make: Any = models.classifier, clock: Any = None, **more: Any) -> Model:
    make(folder / "model.onnx", **more)
    manifest = Manifest.from_mapping(
        {
            "name": "test",
            "task": "classification",
            "model": "model.onnx",
            "labels": ["red", "green", "blue"],
            "input": {"scale": 255},
            "output": {"softmax": False},
        },
        folder,
    )
    return load(manifest) if clock is None else load(manifest, clock=clock)


def blue(expected: str | None = None) -> Golden:
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[..., 0] = 255
    rows = None if expected is None else ({"label": expected},)
    return Golden("blue.png", pixels, PixelFormat.BGR, rows)


def test_a_good_model_passes_and_its_figures_are_told(tmp_path: Path) -> None:
    report = accept(model(tmp_path, softmax=True), [blue("blue")], limits=Limits(latency=5.0))
    assert report.runs >= 9
    assert 0 < report.latency[0] <= report.latency[1] <= report.latency[2]
    assert report.outputs == ("probabilities (1, 3) float32",)
    assert [result.label_ids[0] for result in report.results] == [2]
    assert report.agreement is None


def test_the_seeded_pictures_are_always_the_same() -> None:
    for one, other in zip(seeded(), seeded(), strict=True):
        assert one.name == other.name
        assert np.array_equal(one.pixels, other.pixels)
    assert [picture.name for picture in seeded()] == ["noise", "grey", "gradient"]


def test_what_is_no_number_is_refused_with_its_output_and_file(tmp_path: Path) -> None:
    with pytest.raises(
        NotAccepted, match=r"model\.onnx shown noise: 3 of 3 numbers of its output scores"
    ) as caught:
        accept(model(tmp_path, swap_models.not_finite))
    assert caught.value.cause == "finite"
    assert isinstance(caught.value, ValueError)


def test_every_head_is_looked_at_not_the_one_alone_that_is_read(tmp_path: Path) -> None:
    answers = {"scores": np.ones((1, 3)), "features": np.full((1, 7, 5), np.inf)}
    make = functools.partial(models.answering, answers=answers, size=(24, 32))
    with pytest.raises(NotAccepted, match="35 of 35 numbers of its output features"):
        accept(model(tmp_path, make))


def test_a_glance_refuses_what_is_no_number_too(tmp_path: Path) -> None:
    glance(model(tmp_path, softmax=True))
    with pytest.raises(NotAccepted, match="not finite"):
        glance(model(tmp_path, swap_models.not_finite))


def test_a_model_that_is_too_slow_at_its_best_is_refused_after_two_answers(tmp_path: Path) -> None:
    clock = HandClock()
    opened = model(tmp_path, softmax=True, clock=clock)
    seen = []

    def take_long(outputs: object) -> None:
        seen.append(outputs)

    run = opened._backend.run

    def slow(slot: int) -> Any:
        clock.sleep(0.3)
        take_long(slot)
        return run(slot)

    opened._backend.run = slow  # type: ignore[method-assign]
    with pytest.raises(
        NotAccepted, match=r"takes 300\.0 ms a picture at best; 100\.0 ms is the limit"
    ) as caught:
        accept(opened, limits=Limits(latency=0.1), clock=clock)
    assert caught.value.cause == "latency"
    assert len(seen) == 2


def test_one_slow_answer_refuses_nobody(tmp_path: Path) -> None:
    clock = HandClock()
    opened = model(tmp_path, softmax=True, clock=clock)
    run, turns = opened._backend.run, iter([0.5, *[0.001] * 50])

    def uneven(slot: int) -> Any:
        clock.sleep(next(turns))
        return run(slot)

    opened._backend.run = uneven  # type: ignore[method-assign]
    assert accept(opened, limits=Limits(latency=0.1), clock=clock).runs == 9


def test_the_whole_gate_ends_after_its_time(tmp_path: Path) -> None:
    clock = HandClock()
    opened = model(tmp_path, softmax=True, clock=clock)
    run = opened._backend.run

    def slow(slot: int) -> Any:
        clock.sleep(9.0)
        return run(slot)

    opened._backend.run = slow  # type: ignore[method-assign]
    with pytest.raises(NotAccepted, match="had not seen 4 pictures after 20 s"):
        accept(opened, clock=clock)


def test_a_golden_picture_with_another_answer_is_told_with_both(tmp_path: Path) -> None:
    with pytest.raises(
        NotAccepted, match=r"golden picture blue\.png: blue was found instead of red"
    ) as caught:
        accept(model(tmp_path, softmax=True), [blue("red")])
    assert caught.value.cause == "golden"
    accept(model(tmp_path, softmax=True), [blue(None)])


def test_a_model_that_does_not_agree_with_another_is_refused(tmp_path: Path) -> None:
    said = accept(model(tmp_path, softmax=True), [blue()]).results
    assert accept(model(tmp_path, softmax=True), [blue()], like=said).agreement == 1.0
    other = model(tmp_path, swap_models.turned)
    with pytest.raises(
        NotAccepted, match="agrees with the running model in 0% of the golden pictures; 90%"
    ) as caught:
        accept(other, [blue()], like=said)
    assert caught.value.cause == "agreement"


def test_a_shape_that_was_not_said_is_refused_and_an_open_one_is_not() -> None:
    floats = np.dtype(np.float32)
    check = checking([TensorSpec("a", (1, 3), floats), TensorSpec("b", (UNKNOWN, 4), floats)])
    check((np.zeros((1, 3), np.float32), np.zeros((7, 4), np.float32)))
    with pytest.raises(AnswerUnusable, match=r"a \(1, 3\) float32 came as \(1, 2\)") as caught:
        check((np.zeros((1, 2), np.float32), np.zeros((7, 4), np.float32)))
    assert caught.value.cause == "shape"
    assert isinstance(caught.value, ArithmeticError)
    with pytest.raises(AnswerUnusable, match="came as"):
        check((np.zeros((1, 3), np.float32), np.zeros((7, 4, 1), np.float32)))


@pytest.mark.parametrize(
    ("expected", "found", "why"),
    [
        ([], [], None),
        ([], [{"label": "cup"}], "cup was found where nothing is expected"),
        ([{"label": "cup"}], [], "nothing was found instead of cup"),
        ([{"label": "cup"}], [{"label": "cup"}, {"label": "can"}], None),
        ([{"label": "cup", "box": [0, 0, 1, 1]}], [{"label": "cup", "box": [0, 0, 0.9, 1]}], None),
        (
            [{"label": "cup", "box": [0, 0, 1, 1]}],
            [{"label": "cup", "box": [0, 0, 0.4, 1]}],
            "cup was not found at",
        ),
        (
            [{"label": "cup", "box": [0, 0, 1, 1]}],
            [{"label": "can", "box": [0, 0, 1, 1]}],
            "cup was not found at",
        ),
        (
            [{"label": "cup", "box": [0, 0, 1, 1]}],
            [{"label": "cup", "box": [0, 0, 1, 1]}, {"label": "can", "box": [0, 0, 1, 1]}],
            "can was found beside what is expected",
        ),
    ],
)
def test_what_differs_from_the_expected_is_said(expected: Any, found: Any, why: str | None) -> None:
    said = difference(expected, found)
    assert said == why if why is None else why in str(said)


@pytest.mark.parametrize("layout", ["NCTHW", "NTHWC"])
def test_a_glance_shows_a_model_of_clips_as_many_pictures_as_it_wants(tmp_path: Path, layout: str) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", layout=layout, pictures=5)
    manifest = Manifest.from_mapping({"name": "test", "task": "activity", "model": path.name}, tmp_path)
    ran: list[int] = []
    watched = load(manifest)
    run = watched._backend.run
    watched._backend.run = lambda slot: ran.append(slot) or run(slot)  # type: ignore[method-assign,func-returns-value]
    glance(watched)
    assert ran == [0]
    pixels = np.zeros((8, 12, 3), np.uint8)
    results = [watched.predict(pixels, PixelFormat.BGR) for _ in range(5)]
    assert [len(result.label_ids) > 0 for result in results] == [False] * 4 + [True]


def test_a_glance_refuses_a_model_of_clips_that_answers_no_number(tmp_path: Path) -> None:
    path = task_models.clip_reader(tmp_path / "m.onnx", pictures=3, layout="NTCHW", spoiled=True)
    keys = {"name": "test", "task": "activity", "model": path.name, "input": {"layout": "NTCHW"}}
    with pytest.raises(NotAccepted, match="not finite"):
        glance(load(Manifest.from_mapping(keys, tmp_path)))
