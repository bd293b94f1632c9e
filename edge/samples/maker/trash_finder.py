"""The recipe of trash-finder: its pictures, its network, its clip and its figures."""

from pathlib import Path
from typing import Any

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
import trash_sorter
from answers import MEAN, PAD, SCALE
from recipe import Place
from training import Plan
from trash import ITEMS, LABELS

NAME = "trash-finder"
SIZE = (256, 192)
PICTURES, QUICK_PICTURES = 24000, 2000
HELD_OUT = 2000
PLAN = Plan(epochs=8, batch=24, rate=2e-3, seed=2, ladder=((0.4, 0.5), (1.0, 1.0)))
QUICK_PLAN = PLAN._replace(epochs=4)
THRESHOLD, IOU = 0.5, 0.5
CLIP_QUALITY = 25


def teach(place: Place) -> None:
    """Draw the pictures, teach the network (it starts from the sorter's trunk), write model.onnx and its project."""
    network = networks.Finder(len(ITEMS))
    network.load_state_dict(torch.load(weights(place)))
    metadata = {
        "model_type": "YOLOv8",
        "labels": " ".join(LABELS),
        "resize_type": "fit_to_window_letterbox",
        "pad_value": str(PAD),
        "reverse_input_channels": "True",
        "mean_values": recipe.texts(MEAN),
        "scale_values": recipe.texts(SCALE),
        "layout": "image:NCHW",
        "confidence_threshold": str(THRESHOLD),
        "iou_threshold": str(IOU),
    }
    exported = networks.FinderRows(network, len(LABELS), SIZE)
    export.exported(exported, SIZE, "boxes", metadata, place.folder / "model.onnx")
    recipe.labels(place.folder, LABELS)
    normal = f"mean: {[*MEAN]}, scale: {[*SCALE]}"
    keys = {
        "name": NAME,
        "task": "detection",
        "model": "model.onnx",
        "labels": "labels.txt",
        "input": f"{{size: {[*SIZE]}, color: rgb, resize: letterbox, pad: {PAD}, {normal}}}",
        "output": f"{{threshold: {THRESHOLD}, iou: {IOU}}}",
        "publish": "{every: 1}",
        "clip": "clip.mp4",
    }
    recipe.project(place.folder, "Finds and names trash in the picture. Synthetic: see card.md.", keys)


def weights(place: Place) -> Path:
    """The file of the taught weights, taught now if they are not there yet."""
    file = place.work / ("finder-quick.pt" if place.quick else "finder.pt")
    if not file.exists():
        count = QUICK_PICTURES if place.quick else PICTURES
        pictures, truths = sets.drawn(place.work, "finder-training", count, (SIZE[1], SIZE[0], 3), _drawn)
        boxes, kinds = [boxes for boxes, _ in truths], [kinds for _, kinds in truths]
        torch.manual_seed(PLAN.seed)
        network = networks.Finder(len(ITEMS))
        network.trunk.load_state_dict(_trunk(torch.load(trash_sorter.weights(place))))
        loss = losses.finding_loss(boxes, kinds, network.stride)
        training.taught(network, pictures, loss, QUICK_PLAN if place.quick else PLAN, file)
    return file


def _trunk(weights: dict[str, Any]) -> dict[str, Any]:
    return {key.removeprefix("trunk."): value for key, value in weights.items() if key.startswith("trunk.")}


def _drawn(index: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    found = trash.finder_picture(trash.TRAINING, index, SIZE)
    return found.picture, (found.boxes, found.kinds)


def shoot(place: Place) -> None:
    """Write clip.mp4 and its track of boxes."""
    frames = list(trash_clips.finder_clip())
    film.write(place.folder / "clip.mp4", (f.picture for f in frames), trash_clips.FPS, CLIP_QUALITY)
    film.track(place.folder / "clip.json", trash_clips.head("objects"), [f.truth for f in frames])


def card(place: Place) -> None:
    """Measure, and write card.md."""
    figures = trash_figures.finding(place.folder, THRESHOLD, 300 if place.quick else HELD_OUT)
    real = [trash_figures.alarms(place.folder, THRESHOLD, clip) for clip in recipe.clips(place)]
    text = trash_cards.finder(figures, QUICK_PICTURES if place.quick else PICTURES, THRESHOLD, real)
    (place.folder / "card.md").write_text(text, encoding="utf-8")
