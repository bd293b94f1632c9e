"""Drills of the bundled samples: how good they are on drawings that no training saw."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import inference
from edge import project
from kernels import PixelFormat

MAKER = Path(__file__).resolve().parents[2] / "edge" / "samples" / "maker"
PICTURES, SCENES, VIEWS, WINDOWS = 1500, 800, 600, 900
TOP_1, PRECISION, OVERLAP, COLOUR_ALONE, FROZEN = 0.95, 0.85, 0.90, 0.60, 0.50
LABELS = 3
EVERYTHING = 0.02  # the finder's threshold where its precision is measured at every score


def maker(name: str) -> ModuleType:
    """A module of the maker, as its own scripts import it; none of those used here needs PyTorch."""
    if str(MAKER) not in sys.path:
        sys.path.insert(0, str(MAKER))
    return importlib.import_module(name)


def model(name: str, **output: float) -> inference.Model:
    overrides = {f"output.{key}": value for key, value in output.items()}
    return inference.load(project.load(project.find(name), overrides).manifest)


def sorter(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Top-1 on held-out pictures, and how far a colour alone would get."""
    trash, scoring = maker("trash"), maker("scoring")
    known = [trash.sorter_picture(trash.TRAINING, index) for index in range(PICTURES)]
    shown = [trash.sorter_picture(trash.HELD_OUT, index) for index in range(PICTURES)]
    labels = np.array([each.label for each in shown])
    opened = model("trash-sorter")
    said = np.array([opened.predict(each.picture, PixelFormat.BGR).label_ids[0] for each in shown])
    colours, asked = (
        scoring.mean_colours(np.stack([each.picture for each in some])) for some in (known, shown)
    )
    guessed = scoring.nearest_mean_colour(colours, np.array([each.label for each in known]), asked)
    figures = {
        "top_1": round(float(np.mean(said == labels)), 4),
        "nearest_mean_colour": round(float(scoring.top_1(guessed, labels)), 4),
    }
    return figures["top_1"] >= TOP_1 and figures["nearest_mean_colour"] < COLOUR_ALONE, figures


def finder(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Mean average precision at an overlap of a half, on held-out scenes."""
    trash, scoring = maker("trash"), maker("scoring")
    scenes = [trash.finder_picture(trash.HELD_OUT, index) for index in range(SCENES)]
    opened = model("trash-finder", threshold=EVERYTHING)
    found = [opened.predict(scene.picture, PixelFormat.BGR) for scene in scenes]
    precision = scoring.mean_average_precision(
        [scoring.Boxes(each.boxes, each.label_ids, each.scores) for each in found],
        [scoring.Boxes(scene.boxes, scene.labels) for scene in scenes],
        LABELS,
    )
    figures = {"map_50": round(float(precision), 4)}
    return figures["map_50"] >= PRECISION, figures


def track_view(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Mean intersection over union on held-out pictures, and how far a pixel's colour alone would get."""
    pictures, marks = maker("track_pictures"), maker("marks")
    classes = len(pictures.LABELS)
    known = marks.colours((pictures.picture(pictures.TRAINING, i) for i in range(VIEWS // 2)), classes)
    opened, said, guessed = model("track-view"), marks.Tally(classes), marks.Tally(classes)
    for index in range(VIEWS):
        shown = pictures.picture(pictures.HELD_OUT, index)
        said.add(opened.predict(shown.picture, PixelFormat.BGR).mask, shown.mask)
        guessed.add(marks.nearest_colour(known, shown.picture), shown.mask)
    figures = {"mean_iou": round(said.mean, 4), "nearest_colour": round(guessed.mean, 4)}
    return figures["mean_iou"] >= OVERLAP and figures["nearest_colour"] < COLOUR_ALONE, figures


def figures(folder: Path) -> tuple[bool, dict[str, Any]]:
    """Top-1 on held-out windows, and what is left of it where the middle frame is shown throughout."""
    pictures = maker("figure_pictures")
    opened = model("figures", step=1, stride=1, hold=1)
    right, frozen = [], []
    for index in range(WINDOWS):
        shown = pictures.window(pictures.HELD_OUT, index)
        right.append(_activity(opened, shown.frames, f"window-{index}") == shown.label)
        middle = np.repeat(shown.frames[len(shown.frames) // 2][None], len(shown.frames), axis=0)
        frozen.append(_activity(opened, middle, f"frozen-{index}") == shown.label)
    told = {"top_1": round(float(np.mean(right)), 4), "frozen": round(float(np.mean(frozen)), 4)}
    return told["top_1"] >= TOP_1 and told["frozen"] < FROZEN, told


def _activity(opened: inference.Model, frames: np.ndarray, source: str) -> int:
    """The likeliest activity after all frames; a source of its own remembers no other window."""
    results = [opened.predict(frame, PixelFormat.BGR, source=source) for frame in frames]
    return int(results[-1].label_ids[0])


DRILLS = {
    "samples-sorter": sorter,
    "samples-finder": finder,
    "samples-track-view": track_view,
    "samples-figures": figures,
}
