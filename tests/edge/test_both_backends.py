"""OpenVINO and ONNX Runtime give the same results on every bundled sample, over its clip."""

import itertools
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import inference
from edge import project
from inference.results import Activity, Classification, Detections, Result, Segmentation
from kernels import PixelFormat

SAMPLES = {
    "trash-sorter": (Classification, 7),
    "trash-finder": (Detections, 7),
    "track-view": (Segmentation, 7),
    "figures": (Activity, 1),  # looks at pictures in a row
}
MOST_PICTURES = 120
NEAR = 1e-3


def pictures(name: str, each: int) -> Iterator[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(project.find(name) / "clip.mp4"))
    while True:
        good, picture = capture.read()
        if not good:
            return
        yield picture
        for _ in range(each - 1):
            capture.grab()


def same(first: Result, second: Result) -> None:
    """Raises AssertionError where two results differ by more than the rounding of two ways to add."""
    assert type(first) is type(second)
    np.testing.assert_array_equal(first.label_ids, second.label_ids)
    match first, second:
        case Segmentation(), Segmentation():
            np.testing.assert_allclose(first.areas, second.areas, atol=NEAR)
            assert np.mean(first.mask != second.mask) < NEAR
        case Detections(), Detections():
            np.testing.assert_allclose(first.scores, second.scores, atol=NEAR)
            np.testing.assert_allclose(first.boxes, second.boxes, atol=NEAR)
        case Activity(), Activity():
            np.testing.assert_allclose(first.scores, second.scores, atol=NEAR)
            assert first.shown == second.shown
        case Classification(), Classification():
            np.testing.assert_allclose(first.scores, second.scores, atol=NEAR)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_both_backends_say_the_same_over_the_whole_clip(name: str) -> None:
    kind, each = SAMPLES[name]
    manifest = project.load(project.find(name)).manifest
    models = [inference.load(manifest, backend=backend) for backend in ("openvino", "onnxruntime")]
    told = 0
    try:
        for picture in itertools.islice(pictures(name, each), MOST_PICTURES):
            first, second = (model.predict(picture, PixelFormat.BGR) for model in models)
            assert isinstance(first, kind)
            same(first, second)
            told += len(first.label_ids) > 0
    finally:
        for model in models:
            model.close()
    assert told > 10
