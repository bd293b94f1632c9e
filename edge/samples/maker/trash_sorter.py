"""The recipe of trash-sorter: its pictures, its network, its clip and its figures."""

from pathlib import Path

import export
import film
import losses
import networks
import numpy as np
import recipe
import sets
import torch
import training
import trash
import trash_cards
import trash_clips
import trash_figures
from answers import MEAN, SCALE
from recipe import Place
from training import Plan
from trash import ITEMS, LABELS

NAME = "trash-sorter"
SIDE = 128
PICTURES, QUICK_PICTURES = 40000, 2000
HELD_OUT = 3000
PLAN = Plan(epochs=14, batch=48, rate=3e-3, seed=1, ladder=((0.4, 0.5), (0.68, 0.75), (1.0, 1.0)))
QUICK_PLAN = PLAN._replace(epochs=2)
CLIP_QUALITY = 25


def teach(place: Place) -> None:
    """Draw the pictures, teach the network, write model.onnx and what describes it."""
    file = weights(place)
    network = networks.Sorter(len(ITEMS))
    network.load_state_dict(torch.load(file))
    metadata = {
        "model_type": "Classification",
        "labels": " ".join(LABELS),
        "resize_type": "crop",
        "reverse_input_channels": "True",
        "mean_values": recipe.texts(MEAN),
        "scale_values": recipe.texts(SCALE),
        "layout": "image:NCHW",
        "topk": "3",
    }
    exported = networks.SorterLabels(network, len(LABELS))
    export.exported(exported, (SIDE, SIDE), "scores", metadata, place.folder / "model.onnx")
    recipe.labels(place.folder, LABELS)
    keys = {
        "name": NAME,
        "task": "classification",
        "model": "model.onnx",
        "labels": "labels.txt",
        "input": f"{{size: [{SIDE}, {SIDE}], color: rgb, resize: crop, mean: {[*MEAN]}, scale: {[*SCALE]}}}",
        "output": "{top_k: 3}",
        "publish": "{every: 1}",
        "clip": "clip.mp4",
    }
    recipe.project(place.folder, "Names the one thing before the camera. Synthetic: see card.md.", keys)


def weights(place: Place) -> Path:
    """The file of the taught weights, taught now if they are not there yet."""
    file = place.work / ("sorter-quick.pt" if place.quick else "sorter.pt")
    if not file.exists():
        count = QUICK_PICTURES if place.quick else PICTURES
        pictures, truths = sets.drawn(place.work, "sorter-training", count, (SIDE, SIDE, 3), _drawn)
        kinds, masks = np.array([kind for kind, _ in truths]), np.stack([mask for _, mask in truths])
        torch.manual_seed(PLAN.seed)
        network = networks.Sorter(len(ITEMS))
        loss = losses.naming_loss(kinds, masks)
        training.taught(network, pictures, loss, QUICK_PLAN if place.quick else PLAN, file)
    return file


def _drawn(index: int) -> tuple[np.ndarray, tuple[int, np.ndarray]]:
    shown = trash.sorter_picture(trash.TRAINING, index, SIDE)
    return shown.picture, (shown.kind, shown.mask)


def shoot(place: Place) -> None:
    """Write clip.mp4 and its label track."""
    frames = list(trash_clips.sorter_clip())
    film.write(place.folder / "clip.mp4", (f.picture for f in frames), trash_clips.FPS, CLIP_QUALITY)
    film.track(place.folder / "clip.json", trash_clips.head("label"), [f.truth for f in frames])


def card(place: Place) -> None:
    """Measure, and write card.md."""
    figures = trash_figures.sorting(place.folder, 300 if place.quick else HELD_OUT)
    real = {clip.name: trash_figures.verdicts(place.folder, clip) for clip in recipe.clips(place)}
    text = trash_cards.sorter(figures, QUICK_PICTURES if place.quick else PICTURES, real)
    (place.folder / "card.md").write_text(text, encoding="utf-8")
