"""Running a finished model.onnx on pictures, for the figures of the card: ONNX Runtime, cv2 and NumPy, nothing of ours.

That the product gives the same answers is for the product's tests to show.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scoring import Boxes, overlaps

MEAN = (123.675, 116.28, 103.53)  # RGB, grey levels
SCALE = (58.395, 57.12, 57.375)
PAD = 114


class Network:
    """A model with one picture in, (1, 3, height, width) float32, and one tensor out."""

    def __init__(self, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        described = self._session.get_inputs()[0]
        self.name, self.size = described.name, (described.shape[3], described.shape[2])

    def run(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The tensor for a picture (h, w, 3) BGR of the input's size."""
        rgb = picture[..., ::-1].astype(np.float32)
        normal = (rgb - np.float32(MEAN)) / np.float32(SCALE)
        answer: NDArray[np.float32] = self._session.run(None, {self.name: normal.transpose(2, 0, 1)[None]})[
            0
        ][0]
        return answer


def cropped(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of the picture in the shape of `size` (width, height), resized to it."""
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    w, h = round(size[0] / scale), round(size[1] / scale)
    left, top = (width - w) // 2, (height - h) // 2
    return cv2.resize(picture[top : top + h, left : left + w], size)


def letterboxed(
    picture: NDArray[np.uint8], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], tuple[int, ...]]:
    """The whole picture in the middle of `size`, and where it lies there: left, top, width, height."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    w, h = round(width * scale), round(height * scale)
    left, top = (size[0] - w) // 2, (size[1] - h) // 2
    whole = np.full((size[1], size[0], 3), PAD, np.uint8)
    whole[top : top + h, left : left + w] = cv2.resize(picture, (w, h))
    return whole, (left, top, w, h)


def label(network: Network, picture: NDArray[np.uint8]) -> int:
    """The number of the label the sorter gives to a picture of any size."""
    return int(network.run(cropped(picture, network.size)).argmax())


def found(network: Network, picture: NDArray[np.uint8], threshold: float, iou: float = 0.5) -> Boxes:
    """What the finder finds in a picture of any size; corners are shares of the picture."""
    whole, (left, top, w, h) = letterboxed(picture, network.size)
    rows = network.run(whole).T
    names = rows[:, 4:].argmax(axis=1)
    scores = rows[:, 4:].max(axis=1)
    over = np.flatnonzero(scores >= threshold)
    over = over[np.argsort(-scores[over], kind="stable")]
    middle, half = rows[over, :2], rows[over, 2:4] / 2
    corners = np.concatenate([middle - half, middle + half], axis=1)
    kept = _kept(corners, names[over], iou)
    shares = np.clip((corners[kept] - (left, top, left, top)) / (w, h, w, h), 0, 1).astype(np.float32)
    return Boxes(shares, names[over][kept].astype(np.int32), scores[over][kept])


def _kept(corners: NDArray[np.float32], names: NDArray[np.int64], iou: float) -> list[int]:
    """Non-maximum suppression within each class; the boxes come best first."""
    kept: list[int] = []
    shares = overlaps(corners, corners)
    for index in range(len(corners)):
        if all(shares[index, k] <= iou or names[k] != names[index] for k in kept):
            kept.append(index)
    return kept
