"""Scores and boxes as the best users of other libraries read them: threshold first, only candidates gathered.

Each maker returns a work; what reads boxes returns (boxes x1, y1, x2, y2 float32, scores, labels).
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import openvino
from case import Work
from numpy.typing import NDArray
from openvino import opset13 as ops

cv2.setNumThreads(1)

Floats = NDArray[np.float32]
Found = tuple[Floats, Floats, NDArray[Any]]


def installed(name: str) -> ModuleType | None:
    """A module of a library that is a peer alone, where it is there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def scipy_top(scores: Floats, k: int) -> Work | None:
    """scipy.special.softmax of all, then as NumPy; None without SciPy."""
    special = installed("scipy.special")
    if special is None:
        return None

    def work() -> tuple[NDArray[Any], Floats]:
        shares = special.softmax(scores)
        ids = np.argpartition(shares, -k)[-k:]
        ids = ids[np.argsort(-shares[ids])]
        return ids, shares[ids]

    return work


def numpy_top(scores: Floats, k: int) -> Work:
    """Partition, order the k, and exponentials of all for the sum alone."""
    weights = np.empty_like(scores)

    def work() -> tuple[NDArray[Any], Floats]:
        ids = np.argpartition(scores, -k)[-k:]
        ids = ids[np.argsort(-scores[ids])]
        np.subtract(scores, scores[ids[0]], out=weights)
        np.exp(weights, out=weights)
        return ids, weights[ids] / weights.sum()

    return work


def opencv_keep(boxes: Floats, scores: Floats, labels: NDArray[np.int32], iou: float) -> NDArray[Any]:
    """The indices that NMSBoxesBatched keeps."""
    sized = boxes.astype(np.float64)
    sized[:, 2:] -= sized[:, :2]
    return np.ravel(cv2.dnn.NMSBoxesBatched(sized, scores, labels, 0.0, iou))


class OpenVinoNms:
    """OpenVINO's NonMaxSuppression as a model of its own: boxes (1, N, 4) and scores (1, C, N)."""

    def __init__(
        self, boxes: tuple[int, ...], scores: tuple[int, ...], iou: float, threshold: float, most: int
    ) -> None:
        inputs = [ops.parameter(openvino.PartialShape(shape), np.float32) for shape in (boxes, scores)]
        thinned = ops.non_max_suppression(
            *inputs,
            ops.constant(np.int64(most)),
            ops.constant(np.float32(iou)),
            ops.constant(np.float32(threshold)),
            sort_result_descending=False,
            output_type="i32",
        )
        model = openvino.Model([thinned.output(0)], inputs)
        options = {
            "INFERENCE_NUM_THREADS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()

    def __call__(self, boxes: Floats, scores: Floats) -> NDArray[np.int32]:
        """(n, 2): class and box."""
        given = [openvino.Tensor(array, shared_memory=True) for array in (boxes, scores)]
        self._request.infer(dict(enumerate(given)), share_inputs=True, share_outputs=True)
        return self._request.get_output_tensor(0).data[:, 1:]


def yolo_candidates(output: Floats, threshold: float) -> Found:
    """84 x 8400: the best score of each anchor, then everything else of the survivors alone."""
    chosen = np.flatnonzero(output[4:].max(axis=0) >= threshold)
    found = output[:, chosen]
    labels = found[4:].argmax(axis=0)
    scores = found[4:][labels, np.arange(len(chosen))]
    half = found[2:4] * np.float32(0.5)
    return np.concatenate([found[:2] - half, found[:2] + half]).T, scores, labels.astype(np.int32)


def yolo_opencv(output: Floats, threshold: float, iou: float) -> Callable[[], Found]:
    def work() -> Found:
        boxes, scores, labels = yolo_candidates(output, threshold)
        kept = opencv_keep(boxes, scores, labels, iou)
        return boxes[kept], scores[kept], labels[kept]

    return work


def yolo_model_api(output: Floats, threshold: float, iou: float) -> Callable[[], Found] | None:
    """The same candidates, to openvino-model-api's own suppression; None without it."""
    found = installed("model_api.models.utils")
    if found is None:
        return None

    def work() -> Found:
        boxes, scores, labels = yolo_candidates(output, threshold)
        kept = found.multiclass_nms(boxes, scores, labels, iou, len(scores))
        return boxes[kept], scores[kept], labels[kept]

    return work


def yolo_openvino(output: Floats, threshold: float, iou: float) -> Callable[[], Found]:
    """The same candidates, each with the score of its own class alone, to OpenVINO's operator."""
    operator = OpenVinoNms((1, -1, 4), (1, output.shape[0] - 4, -1), iou, threshold, output.shape[1])

    def work() -> Found:
        boxes, scores, labels = yolo_candidates(output, threshold)
        table = np.zeros((1, output.shape[0] - 4, len(scores)), np.float32)
        table[0, labels, np.arange(len(scores))] = scores
        kept = operator(np.ascontiguousarray(boxes)[np.newaxis], table)[:, 1]
        return boxes[kept], scores[kept], labels[kept]

    return work


def ssd(rows: Floats, threshold: float, size: tuple[int, int]) -> Callable[[], Found]:
    scale = np.array([size[1], size[0]] * 2, np.float32)

    def work() -> Found:
        chosen = rows[(rows[:, 2] >= threshold) & (rows[:, 0] >= 0)]
        return chosen[:, 3:] * scale, chosen[:, 2], chosen[:, 1].astype(np.int32)

    return work


def _around(x: Floats, y: Floats, width: Floats, height: Floats) -> Floats:
    half_width, half_height = width * np.float32(0.5), height * np.float32(0.5)
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)


def cells(size: tuple[int, int], strides: tuple[int, ...]) -> Floats:
    """Column, row and stride of every cell, worked out once."""
    found = []
    for stride in strides:
        rows, columns = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.indices((rows, columns), np.float32).reshape(2, -1)
        found.append(np.stack([x, y, np.full_like(x, stride)], axis=1))
    return np.concatenate(found)


def yolox(output: Floats, grid: Floats, threshold: float) -> Callable[[], Found]:
    def work() -> Found:
        chosen = np.flatnonzero(output[:, 4] >= threshold)
        found = output[chosen]
        labels = found[:, 5:].argmax(axis=1)
        scores = found[np.arange(len(chosen)), 5 + labels] * found[:, 4]
        good = np.flatnonzero(scores >= threshold)
        found, place = found[good], grid[chosen[good]]
        centre = (found[:, :2] + place[:, :2]) * place[:, 2:]
        half = np.exp(found[:, 2:4]) * (place[:, 2:] * np.float32(0.5))
        return np.concatenate([centre - half, centre + half], axis=1), scores[good], labels[good]

    return work


def nanodet(scores: Floats, distances: Floats, grid: Floats, threshold: float) -> Callable[[], Found]:
    bins = np.arange(distances.shape[1] // 4, dtype=np.float32)
    classes = scores.shape[1]

    def work() -> Found:
        chosen = np.unique(np.flatnonzero(scores.ravel() >= threshold) // classes)
        found = scores[chosen]
        labels = found.argmax(axis=1)
        weights = np.exp(distances[chosen].reshape(len(chosen), 4, -1))
        place = grid[chosen]
        sides = (weights @ bins) / weights.sum(axis=2) * place[:, 2:]
        centre = place[:, :2] * place[:, 2:] + (place[:, 2:] - 1) * np.float32(0.5)
        boxes = np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], axis=1)
        return boxes, found[np.arange(len(chosen)), labels], labels

    return work


def yunet(arrays: tuple[Floats, ...], grid: Floats, threshold: float) -> Callable[[], tuple[Floats, ...]]:
    cls, obj, sides, points = arrays

    def work() -> tuple[Floats, ...]:
        scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
        chosen = np.flatnonzero(scores >= threshold)
        found, place = sides[chosen], grid[chosen]
        centre = (found[:, :2] + place[:, :2]) * place[:, 2:]
        half = np.exp(found[:, 2:]) * (place[:, 2:] * np.float32(0.5))
        landmarks = (points[chosen].reshape(-1, 5, 2) + place[:, np.newaxis, :2]) * place[:, np.newaxis, 2:]
        return np.concatenate([centre - half, centre + half], axis=1), scores[chosen], landmarks

    return work
