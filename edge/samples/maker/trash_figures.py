"""How good the finished trash models are: on held-out pictures, on their own clips, and on real clips of no trash."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import answers
import cv2
import numpy as np
import scoring
import trash
from answers import Network
from numpy.typing import NDArray
from scoring import Boxes
from trash import LABELS

SECOND_LOOK = 0.5  # seconds in which a false box that comes back is still the same false alarm
# Where the three water bottles of bottle-detection.mp4 stand: a recycling box about them is no mistake.
BOTTLES = {"bottle-detection.mp4": ((0.14, 0.49, 0.83), 0.09)}


class Sorting(NamedTuple):
    """Shares 0..1: right answers in all, by label and by kind of thing; the mean-colour baseline; the clip."""

    pictures: int
    top_1: float
    by_label: dict[str, float]
    by_kind: dict[str, float]
    mean_colour: float
    clip: float


class Finding(NamedTuple):
    """Average precisions at IoU 0.5; precision and recall at the project's threshold, held-out and on the clip."""

    pictures: int
    mean: float
    by_label: dict[str, float]
    precision: float
    recall: float
    clip_precision: float
    clip_recall: float


class Alarms(NamedTuple):
    """One real clip: its length, false boxes and false alarms (a box that stays counts once), and what else."""

    clip: str
    frames: int
    minutes: float
    boxes: int
    alarms: int
    frames_with: int
    bottles: int


def sorting(folder: Path, count: int) -> Sorting:
    """The sorter's figures on `count` held-out pictures; the baseline knows the first 3,000 training pictures."""
    network = Network(folder / "model.onnx")
    shown = [trash.sorter_picture(trash.HELD_OUT, index) for index in range(count)]
    labels, kinds = np.array([s.label for s in shown]), np.array([s.kind for s in shown])
    right = np.array([answers.label(network, s.picture) for s in shown]) == labels
    known, truths = _baseline(min(count, 3000))
    colours = scoring.mean_colours(np.stack([s.picture for s in shown]))
    by_colour = scoring.nearest_mean_colour(known, truths, colours)
    return Sorting(
        count,
        float(right.mean()),
        {name: float(right[labels == i].mean()) for i, name in enumerate(LABELS)},
        {draw.__name__: float(right[kinds == i].mean()) for i, draw in enumerate(trash.ITEMS)},
        scoring.top_1(by_colour, labels),
        agreement(folder, network),
    )


def _baseline(count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    shown = [trash.sorter_picture(trash.TRAINING, index) for index in range(count)]
    return scoring.mean_colours(np.stack([s.picture for s in shown])), np.array([s.label for s in shown])


def agreement(folder: Path, network: Network) -> float:
    """The share of the clip's frames in which the sorter says what the label track says."""
    truth = [frame["label"] for frame in track(folder)]
    said = [LABELS[answers.label(network, picture)] for picture in frames_of(folder / "clip.mp4")]
    return float(np.mean([a == b for a, b in zip(said, truth, strict=True)]))


def finding(folder: Path, threshold: float, count: int) -> Finding:
    """The finder's figures on `count` held-out pictures and on its clip."""
    network = Network(folder / "model.onnx")
    truth, found = [], []
    for index in range(count):
        shown = trash.finder_picture(trash.HELD_OUT, index)
        truth.append(Boxes(shown.boxes, shown.labels))
        found.append(answers.found(network, shown.picture, 0.02))
    by_label = {name: scoring.average_precision(found, truth, i) for i, name in enumerate(LABELS)}
    clip_truth = [_objects(frame) for frame in track(folder)]
    clip_found = [answers.found(network, picture, threshold) for picture in frames_of(folder / "clip.mp4")]
    sure = [scoring.above(boxes, threshold) for boxes in found]
    mean = float(np.mean(list(by_label.values())))
    return Finding(count, mean, by_label, *scoring.hits(sure, truth), *scoring.hits(clip_found, clip_truth))


def _objects(frame: dict[str, Any]) -> Boxes:
    objects = frame["objects"]
    corners = np.array([each["box"] for each in objects], np.float32).reshape(-1, 4)
    return Boxes(corners, np.array([LABELS.index(each["label"]) for each in objects], np.int32))


def track(folder: Path) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads((folder / "clip.json").read_text(encoding="utf-8"))["frames"]
    return frames


def frames_of(file: Path) -> Iterator[NDArray[np.uint8]]:
    """All pictures of a clip, BGR."""
    capture = cv2.VideoCapture(str(file))
    while True:
        good, picture = capture.read()
        if not good:
            return
        yield picture


def alarms(folder: Path, threshold: float, clip: Path) -> Alarms:
    """What the finder claims to see in a real clip."""
    network = Network(folder / "model.onnx")
    fps = cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FPS)
    seen: list[
        tuple[int, int, NDArray[np.float32]]
    ] = []  # of each false box the frame, the label, the corners
    frames = bottles = fresh = 0
    for frames, picture in enumerate(frames_of(clip), start=1):
        found = answers.found(network, picture, threshold)
        for corners, label in zip(found.corners, found.labels, strict=True):
            if _is_bottle(clip.name, corners, int(label)):
                bottles += 1
                continue
            recent = [box for at, name, box in seen if name == label and frames - at <= SECOND_LOOK * fps]
            fresh += not recent or float(scoring.overlaps(corners[None], np.stack(recent)).max()) < 0.3
            seen.append((frames, int(label), corners))
    false_frames = len({at for at, _, _ in seen})
    return Alarms(clip.name, frames, frames / fps / 60, len(seen), int(fresh), false_frames, bottles)


def _is_bottle(clip: str, corners: NDArray[np.float32], label: int) -> bool:
    places, reach = BOTTLES.get(clip, ((), 0.0))
    middle = float(corners[0] + corners[2]) / 2
    return LABELS[label] == "recycling" and any(abs(middle - place) < reach for place in places)


def verdicts(folder: Path, clip: Path) -> dict[str, float]:
    """What the sorter, which has no word for nothing, says of a real clip's frames: shares by label."""
    network = Network(folder / "model.onnx")
    said = [answers.label(network, picture) for picture in frames_of(clip)]
    return {name: float(np.mean([label == i for label in said])) for i, name in enumerate(LABELS)}
