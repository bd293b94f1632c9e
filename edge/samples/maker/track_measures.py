"""How good track-view is: on held-out pictures and on its own clip, beside what a pixel's colour alone tells."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import marks
import numpy as np
import track_film
import track_pictures
from answers import Network
from marks import Tally
from numpy.typing import NDArray
from track_pictures import LABELS, Shown
from trash_figures import frames_of, track

HARD = 200  # pictures of the hard set
KNOWN = 300  # training pictures that the colours of the baseline come from


class Marking(NamedTuple):
    """Intersection over union, 0..1: the mean, each label's; the baseline's; the clip's, at the masks of its track."""

    pictures: int
    mean: float
    by_label: dict[str, float]
    right: float  # share of pixels
    colour_mean: float
    colour_by_label: dict[str, float]
    clip: float
    clip_frames: int
    hard: float  # the mean on the hard set


def marking(folder: Path, count: int) -> Marking:
    """The figures on `count` held-out pictures."""
    network = Network(folder / "model.onnx")
    known = marks.colours(_pictures(track_pictures.TRAINING, min(count, KNOWN)), len(LABELS))
    said, guessed = Tally(len(LABELS)), Tally(len(LABELS))
    for shown in _pictures(track_pictures.HELD_OUT, count):
        said.add(network.run(shown.picture).argmax(axis=0), shown.mask)
        guessed.add(marks.nearest_colour(known, shown.picture), shown.mask)
    hard = Tally(len(LABELS))
    for shown in _pictures(track_pictures.HARD, min(count, HARD)):
        hard.add(network.run(shown.picture).argmax(axis=0), shown.mask)
    clip, frames = _clip(folder, network)
    return Marking(
        count,
        said.mean,
        _named(said),
        said.right,
        guessed.mean,
        _named(guessed),
        clip.mean,
        frames,
        hard.mean,
    )


def _pictures(split: track_pictures.Split, count: int) -> Iterator[Shown]:
    return (track_pictures.picture(split, index) for index in range(count))


def _clip(folder: Path, network: Network) -> tuple[Tally, int]:
    tally, frames = Tally(len(LABELS)), 0
    for picture, line in zip(frames_of(folder / "clip.mp4"), track(folder), strict=True):
        if "runs" in line:
            small: NDArray[np.uint8] = cv2.resize(picture, network.size)
            tally.add(network.run(small).argmax(axis=0), track_film.masked(line["runs"]))
            frames += 1
    return tally, frames


def _named(tally: Tally) -> dict[str, float]:
    return dict(zip(LABELS, tally.overlaps, strict=True))
