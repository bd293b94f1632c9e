"""Real detectors on real clips, where the shared data are; see docs/models.md for the three projects."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from examples import project_examples
from numpy.typing import NDArray

import inference
from inference import Detections, Manifest
from kernels.formats import PixelFormat

BACKENDS = ("openvino", "onnxruntime")
HEADS = "videos/head-pose-face-detection-female.gif"
BOTTLES = "videos/bottle-detection.mp4"
HOMES = {"faces": "ultralight-face", "face-landmarks": "yunet", "things": "nanodet"}


def loaded(shared_data: Path, project: str, backend: str) -> inference.Model:
    """One of the projects that docs/models.md shows."""
    [mapping] = [example for example in project_examples() if example["name"] == project]
    folder = shared_data / "models" / HOMES[project]
    return inference.load(Manifest.from_mapping(mapping, folder), backend=backend)


def frames(path: Path, every: int = 1) -> Iterator[NDArray[np.uint8]]:
    clip = cv2.VideoCapture(str(path))
    number = 0
    while clip.grab():
        if number % every == 0:
            yield clip.retrieve()[1]
        number += 1
    clip.release()


def found(model: inference.Model, pixels: NDArray[np.uint8]) -> Detections:
    result = model.predict(pixels, PixelFormat.BGR)
    assert isinstance(result, Detections)
    return result


def overlaps(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each pair of boxes (n, 4)."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = [np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (one, other)]
    return np.asarray(shared / (areas[0] + areas[1] - shared), np.float32)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_face_in_each_picture_of_the_head_pose_clip(shared_data: Path, backend: str) -> None:
    model = loaded(shared_data, "faces", backend)
    counts = [len(found(model, pixels).scores) for pixels in frames(shared_data / HEADS)]
    assert len(counts) == 23
    assert counts.count(1) >= 22


@pytest.mark.parametrize("project", HOMES)
def test_both_backends_see_the_same_boxes(shared_data: Path, project: str) -> None:
    one, other = (loaded(shared_data, project, backend) for backend in BACKENDS)
    pairs = 0
    for clip, every in ((HEADS, 3), (BOTTLES, 200)):
        for pixels in frames(shared_data / clip, every):
            here, there = found(one, pixels), found(other, pixels)
            np.testing.assert_array_equal(here.label_ids, there.label_ids)
            np.testing.assert_allclose(here.scores, there.scores, atol=1e-3)
            assert (overlaps(here.boxes, there.boxes) > 0.99).all()
            pairs += len(here.scores)
    assert pairs > 5


def test_no_face_among_the_bottles(shared_data: Path) -> None:
    model = loaded(shared_data, "faces", "openvino")
    assert sum(len(found(model, pixels).scores) for pixels in frames(shared_data / BOTTLES, 40)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_no_face_in_any_picture_of_the_bottle_clip(shared_data: Path, backend: str) -> None:
    model = loaded(shared_data, "faces", backend)
    counts = [len(found(model, pixels).scores) for pixels in frames(shared_data / BOTTLES)]
    assert len(counts) > 1000
    assert sum(counts) == 0


def test_yunet_puts_landmarks_into_the_face_it_finds(shared_data: Path) -> None:
    model = loaded(shared_data, "face-landmarks", "openvino")
    for pixels in frames(shared_data / HEADS):
        faces = found(model, pixels)
        assert len(faces.scores) == 1
        assert faces.landmarks is not None
        inside = (faces.landmarks > faces.boxes[:, None, :2]) & (faces.landmarks < faces.boxes[:, None, 2:])
        assert inside.mean() > 0.7  # a face in profile has its far eye at the edge
        eyes, mouth = faces.landmarks[0, :2, 1].mean(), faces.landmarks[0, 3:, 1].mean()
        assert eyes < faces.landmarks[0, 2, 1] < mouth


def best_label(model: inference.Model, pixels: NDArray[np.uint8]) -> str:
    rows = found(model, pixels).rows(model.labels)
    return str(rows[0]["label"]) if rows else ""


def test_nanodet_sees_bottles_and_persons_where_they_are(shared_data: Path) -> None:
    model = loaded(shared_data, "things", "openvino")
    bottles = [best_label(model, pixels) for pixels in frames(shared_data / BOTTLES, 100)]
    assert bottles.count("bottle") >= 0.7 * len(bottles)
    speaker = [best_label(model, pixels) for pixels in frames(shared_data / "videos/milk.mkv", 30)]
    assert set(speaker) == {"person"}
