"""Scores and boxes: the best of a thousand, what detectors say, and which of their boxes stay."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import peers_boxes
from case import FASTEST, Case, Target
from numpy.typing import NDArray
from peers_boxes import Found

import kernels
from kernels import Candidates, candidates

THRESHOLD, IOU = 0.35, 0.5
SIZE = (640, 640)
DECODED = (Target(FASTEST, 8.0, 5.0),)


def cases() -> list[Case]:
    return [_softmax(), _yolo(), _nms(), _ssd(), _yolox(), _nanodet(), _yunet()]


def _same(into: Candidates, ours: Callable[[], int], theirs: Callable[[], Found]) -> Callable[[], bool]:
    """The same boxes in the same order, within rounding."""

    def agrees() -> bool:
        count = ours()
        boxes, scores, *labels = theirs()
        return (
            count == len(boxes) > 0
            and np.allclose(into.boxes[:count], boxes, rtol=1e-4, atol=1e-2)
            and np.allclose(into.scores[:count], scores, rtol=1e-5)
            and all((into.labels[:count] == each).all() for each in labels if each.ndim == 1)
        )

    return agrees


def _there(
    made: Mapping[str, Callable[[], Any] | None],
) -> tuple[dict[str, Callable[[], Any]], tuple[str, ...]]:
    """The peers that are installed, and the names of the others."""
    there = {name: work for name, work in made.items() if work is not None}
    return there, tuple(name for name in made if name not in there)


def _softmax() -> Case:
    scores = np.random.default_rng(1).normal(0, 4, 1000).astype(np.float32)
    ids, values = np.empty(5, np.int32), np.empty(5, np.float32)
    made = {"NumPy": peers_boxes.numpy_top(scores, 5), "SciPy": peers_boxes.scipy_top(scores, 5)}
    peers, absent = _there(made)

    def ours() -> object:
        return kernels.softmax_top_k(scores, 5, ids=ids, values=values)

    def agrees() -> bool:
        ours()
        told = [work() for work in peers.values()]
        return all((ids == each[0]).all() and np.allclose(values, each[1], rtol=1e-5) for each in told)

    targets = (Target(FASTEST, 6.0, 4.0),)
    return Case("softmax and top 5 of 1,000", ours, peers, agrees, targets, absent=absent)


def _things(
    rng: np.random.Generator, objects: int, around: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Boxes (n, 4) cx, cy, w, h that crowd around some objects, as a detector's do; and their labels."""
    centre = rng.uniform(60, 580, (objects, 2))
    size = rng.uniform(20, 160, (objects, 2))
    boxes = np.hstack([centre, size]).repeat(around, axis=0)
    boxes += rng.normal(0, 0.04, boxes.shape) * np.tile(boxes[:, 2:], 2)
    return boxes.astype(np.float32), rng.integers(0, 80, objects).repeat(around).astype(np.int32)


def _yolo() -> Case:
    rng = np.random.default_rng(2)
    output = np.empty((84, 8400), np.float32)
    output[4:] = rng.uniform(0, 0.2, (80, 8400))
    boxes, labels = _things(rng, 30, 10)
    output[:4] = rng.uniform(10, 600, (4, 8400))
    places = np.sort(rng.choice(8400, len(boxes), replace=False))
    output[:4, places] = boxes.T
    output[4 + labels, places] = rng.uniform(0.36, 0.95, len(boxes))
    into, keep = candidates(8400), np.empty(8400, np.int32)

    def ours() -> NDArray[np.int32]:
        count = kernels.decode_yolo(output, THRESHOLD, into, transposed=True, objectness=False)
        return kernels.nms(into, count, IOU, keep=keep)

    fastest = "NumPy+NMSBoxesBatched"
    others, absent = _there(
        {
            fastest: peers_boxes.yolo_opencv(output, THRESHOLD, IOU),
            "openvino-model-api": peers_boxes.yolo_model_api(output, THRESHOLD, IOU),
            "NumPy+OpenVINO NonMaxSuppression": peers_boxes.yolo_openvino(output, THRESHOLD, IOU),
        }
    )

    def agrees() -> bool:
        kept = ours()
        order = np.lexsort(into.boxes[kept].T)
        for work in others.values():
            found = work()
            theirs = np.lexsort(found[0].T)
            if len(theirs) != len(kept) or not np.allclose(
                into.boxes[kept][order], found[0][theirs], atol=1e-2
            ):
                return False
        return True

    return Case(
        "YOLO decode and NMS 84 x 8400, 300 candidates",
        ours,
        {fastest: others[fastest]},
        agrees,
        (Target(FASTEST, 4.0, 2.5), Target("read once", 1 / 1.5, None)),
        controls={"read once": lambda: output.max()},
        apart={name: work for name, work in others.items() if name != fastest},
        absent=absent,
    )


def _nms() -> Case:
    rng = np.random.default_rng(3)
    into, keep = candidates(1000), np.empty(1000, np.int32)
    boxes, _ = _things(rng, 200, 5)
    into.boxes[:] = np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
    into.scores[:] = rng.uniform(0.05, 1, 1000)
    into.labels[:] = rng.integers(0, 20, 200).repeat(5)
    table = np.zeros((1, 20, 1000), np.float32)
    table[0, into.labels, np.arange(1000)] = into.scores
    operator = peers_boxes.OpenVinoNms((1, 1000, 4), (1, 20, 1000), IOU, 0.01, 1000)
    sized = into.boxes.astype(np.float64)
    sized[:, 2:] -= sized[:, :2]

    def ours() -> NDArray[np.int32]:
        return kernels.nms(into, 1000, IOU, keep=keep)

    def opencv() -> NDArray[np.int32]:
        return np.ravel(peers_boxes.cv2.dnn.NMSBoxesBatched(sized, into.scores, into.labels, 0.0, IOU))

    def openvino() -> NDArray[np.int32]:
        return operator(into.boxes[np.newaxis], table)[:, 1]

    return Case(
        "NMS of 1,000 boxes in 20 classes",
        ours,
        {"NMSBoxesBatched": opencv},
        lambda: sorted(ours()) == sorted(opencv()) == sorted(openvino()),
        (Target("NMSBoxesBatched", 5.0, 4.0),),
        apart={"OpenVINO NonMaxSuppression": openvino},
    )


def _ssd() -> Case:
    rng = np.random.default_rng(4)
    rows = rng.uniform(0, 1, (200, 7)).astype(np.float32)
    rows[:, 0], rows[:, 1] = 0, rng.integers(0, 21, 200)
    rows[:, 2] = np.sort(rng.beta(0.4, 3, 200))[::-1]
    into = candidates(200)
    theirs = peers_boxes.ssd(rows, THRESHOLD, SIZE)

    def ours() -> int:
        return kernels.decode_ssd(rows, THRESHOLD, SIZE, into)

    return Case("decode SSD, 200 rows", ours, {"NumPy": theirs}, _same(into, ours, theirs), DECODED)


def _yolox() -> Case:
    rng = np.random.default_rng(5)
    output = rng.uniform(0, 1, (8400, 85)).astype(np.float32)
    output[:, :4] = rng.normal(0, 1, (8400, 4))
    output[:, 4] = rng.uniform(0, 0.2, 8400)
    output[rng.choice(8400, 100, replace=False), 4] = 0.9
    into, strides = candidates(8400), (8, 16, 32)
    theirs = peers_boxes.yolox(output, peers_boxes.cells(SIZE, strides), THRESHOLD)

    def ours() -> int:
        return kernels.decode_yolox(output, SIZE, strides, THRESHOLD, into)

    return Case(
        "decode YOLOX 8400 x 85, 100 stay", ours, {"NumPy": theirs}, _same(into, ours, theirs), DECODED
    )


def _nanodet() -> Case:
    rng = np.random.default_rng(6)
    size, stride = (416, 416), 8
    scores = rng.uniform(0, 0.2, (2704, 80)).astype(np.float32)
    scores[rng.choice(2704, 60, replace=False), rng.integers(0, 80, 60)] = 0.8
    distances = rng.normal(0, 2, (2704, 32)).astype(np.float32)
    into = candidates(2704)
    theirs = peers_boxes.nanodet(scores, distances, peers_boxes.cells(size, (stride,)), THRESHOLD)

    def ours() -> int:
        return kernels.decode_nanodet(scores, distances, size, stride, THRESHOLD, into)

    return Case(
        "decode NanoDet 2704 x 80, 60 stay",
        ours,
        {"NumPy": theirs},
        _same(into, ours, theirs),
        DECODED,
        controls={"read once": lambda: scores.max()},
    )


def _yunet() -> Case:
    rng = np.random.default_rng(7)
    stride = 8
    cls, obj = (rng.uniform(0, 0.2, (6400, 1)).astype(np.float32) for _ in range(2))
    cls[rng.choice(6400, 40, replace=False)] = 0.9
    obj[cls > 0.5] = 0.9
    boxes, points = (rng.normal(0, 1, (6400, width)).astype(np.float32) for width in (4, 10))
    into = candidates(6400, landmarks=True)
    theirs = peers_boxes.yunet((cls, obj, boxes, points), peers_boxes.cells(SIZE, (stride,)), THRESHOLD)

    def ours() -> int:
        return kernels.decode_yunet(cls, obj, boxes, points, SIZE, stride, THRESHOLD, into)

    return Case("decode YuNet 6400, 40 stay", ours, {"NumPy": theirs}, _same(into, ours, theirs), DECODED)
