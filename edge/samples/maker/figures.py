"""The recipe of figures: its windows, its network, its clip and its figures."""

from pathlib import Path

import export
import figure_card
import figure_film
import figure_measures
import figure_networks
import figure_pictures
import film
import numpy as np
import recipe
import sets
import torch
from answers import MEAN, SCALE
from figure_pictures import LABELS, SIDE, STRIDE, WINDOW
from recipe import Place
from training import Plan

NAME = "figures"
WINDOWS, QUICK_WINDOWS = 6000, 600
HELD_OUT = 1200
PLAN = Plan(epochs=5, batch=16, rate=3e-3, seed=4)
QUICK_PLAN = PLAN._replace(epochs=2)
ALONE_PLAN = Plan(epochs=5, batch=48, rate=2e-3, seed=5)
CLIP_QUALITY = 22


def teach(place: Place) -> None:
    """Draw the windows, teach the network, write model.onnx and what describes it."""
    network = figure_networks.Watcher()
    network.load_state_dict(torch.load(weights(place)))
    metadata = {
        "model_type": "Activity",
        "labels": " ".join(LABELS),
        "resize_type": "crop",
        "reverse_input_channels": "True",
        "mean_values": recipe.texts(MEAN),
        "scale_values": recipe.texts(SCALE),
        "layout": "clip:NTCHW",
    }
    example = torch.zeros(1, WINDOW, 3, SIDE, SIDE)
    export.written(network, example, ("clip", "scores"), metadata, place.folder / "model.onnx")
    recipe.labels(place.folder, LABELS)
    normal = f"mean: {[*MEAN]}, scale: {[*SCALE]}"
    keys = {
        "name": NAME,
        "task": "activity",
        "model": "model.onnx",
        "labels": "labels.txt",
        "input": f"{{size: [{SIDE}, {SIDE}], layout: NTCHW, color: rgb, resize: crop, {normal}}}",
        "output": f"{{window: {WINDOW}, step: {STRIDE}, hold: 3}}",
        "publish": "{every: 1}",
        "clip": "clip.mp4",
    }
    recipe.project(place.folder, "Tells what a drawn figure does. Synthetic: see card.md.", keys)


def weights(place: Place) -> Path:
    """The file of the taught weights, taught now if they are not there yet."""
    file = place.work / ("figures-quick.pt" if place.quick else "figures.pt")
    if not file.exists():
        windows, labels = _windows(place)
        torch.manual_seed(PLAN.seed)
        network = figure_networks.Watcher()
        figure_networks.taught(network, windows, labels, QUICK_PLAN if place.quick else PLAN, file)
    return file


def alone(place: Place) -> Path:
    """The weights of the baseline: from those of the network, taught on with the middle frame of each window alone."""
    file = place.work / ("figures-alone-quick.pt" if place.quick else "figures-alone.pt")
    if not file.exists():
        windows, labels = _windows(place)
        middle = np.ascontiguousarray(windows[:, WINDOW // 2 : WINDOW // 2 + 1])
        network = figure_networks.Watcher()
        network.load_state_dict(torch.load(weights(place)))
        figure_networks.taught(network, middle, labels, ALONE_PLAN, file)
    return file


def _windows(place: Place) -> tuple[np.ndarray, np.ndarray]:
    count = QUICK_WINDOWS if place.quick else WINDOWS
    shape = (WINDOW, SIDE, SIDE, 3)
    windows, labels = sets.drawn(place.work, "figures-training", count, shape, _drawn)
    return windows, np.array(labels, np.int64)


def _drawn(index: int) -> tuple[np.ndarray, int]:
    shown = figure_pictures.window(figure_pictures.TRAINING, index)
    return shown.frames, shown.label


def shoot(place: Place) -> None:
    """Write clip.mp4 and its label track."""
    frames = list(figure_film.performance())
    film.write(place.folder / "clip.mp4", (f.picture for f in frames), figure_pictures.FPS, CLIP_QUALITY)
    film.track(place.folder / "clip.json", figure_film.head(), [f.truth for f in frames])


def card(place: Place) -> None:
    """Measure, and write card.md."""
    single = figure_networks.Watcher()
    single.load_state_dict(torch.load(alone(place)))
    figures = figure_measures.watching(
        place.folder, 120 if place.quick else HELD_OUT, figure_networks.answering(single)
    )
    text = figure_card.card(figures, QUICK_WINDOWS if place.quick else WINDOWS)
    (place.folder / "card.md").write_text(text, encoding="utf-8")
