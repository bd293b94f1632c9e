"""The recipe of track-view: its pictures, its network, its clip and its figures."""

from pathlib import Path

import export
import film
import numpy as np
import recipe
import sets
import torch
import track_card
import track_film
import track_measures
import track_networks
import track_pictures
import training
from answers import MEAN, SCALE
from recipe import Place
from track_pictures import LABELS, SIZE, Split
from training import Plan

NAME = "track-view"
PICTURES, ROUGH_PICTURES, QUICK_PICTURES = 5000, 2000, 500
HELD_OUT = 800
PLAN = Plan(epochs=6, batch=16, rate=4e-3, seed=3, ladder=((0.5, 0.6), (1.0, 1.0)))
ROUGH_PLAN = Plan(epochs=3, batch=16, rate=2.5e-3, seed=6)
QUICK = 2  # passes of each course that is only tried
CLIP_QUALITY = 27


def teach(place: Place) -> None:
    """Draw the pictures, teach the network, write model.onnx and what describes it."""
    network = track_networks.Marker()
    network.load_state_dict(torch.load(weights(place)))
    metadata = {
        "model_type": "Segmentation",
        "labels": " ".join(LABELS),
        "resize_type": "standard",
        "reverse_input_channels": "True",
        "mean_values": recipe.texts(MEAN),
        "scale_values": recipe.texts(SCALE),
        "layout": "image:NCHW",
    }
    export.exported(network, SIZE, "logits", metadata, place.folder / "model.onnx")
    recipe.labels(place.folder, LABELS)
    keys = {
        "name": NAME,
        "task": "segmentation",
        "model": "model.onnx",
        "labels": "labels.txt",
        "input": f"{{size: {[*SIZE]}, color: rgb, resize: stretch, mean: {[*MEAN]}, scale: {[*SCALE]}}}",
        "publish": "{every: 1}",
        "clip": "clip.mp4",
    }
    recipe.project(
        place.folder,
        "Tells track, line and what is neither, as a racer sees them. Synthetic: see card.md.",
        keys,
    )


def weights(place: Place) -> Path:
    """The file of the taught weights, taught now if they are not there yet: a first course, then one on rough roads."""
    torch.manual_seed(PLAN.seed)
    network = track_networks.Marker()
    first = _course(place, network, "track", track_pictures.TRAINING, PICTURES, PLAN)
    network.load_state_dict(torch.load(first))
    return _course(place, network, "track-rough", track_pictures.ROUGH, ROUGH_PICTURES, ROUGH_PLAN)


def _course(place: Place, network: torch.nn.Module, name: str, split: Split, count: int, plan: Plan) -> Path:
    """The file of the weights after a course that starts from those of `network`."""
    file = place.work / (f"{name}-quick.pt" if place.quick else f"{name}.pt")
    if not file.exists():
        count, plan = (QUICK_PICTURES, plan._replace(epochs=QUICK)) if place.quick else (count, plan)

        def drawn(index: int) -> tuple[np.ndarray, np.ndarray]:
            return track_pictures.picture(split, index)

        pictures, masks = sets.drawn(place.work, f"{name}-training", count, (SIZE[1], SIZE[0], 3), drawn)
        training.taught(network, pictures, track_networks.marking_loss(np.stack(masks)), plan, file)
    return file


def shoot(place: Place) -> None:
    """Write clip.mp4 and its label track."""
    frames = list(track_film.lap())
    film.write(place.folder / "clip.mp4", (f.picture for f in frames), track_film.FPS, CLIP_QUALITY)
    film.track(place.folder / "clip.json", track_film.head(), [track_film.told(f) for f in frames])


def card(place: Place) -> None:
    """Measure, and write card.md."""
    figures = track_measures.marking(place.folder, 100 if place.quick else HELD_OUT)
    text = track_card.card(figures, *((QUICK_PICTURES,) * 2 if place.quick else (PICTURES, ROUGH_PICTURES)))
    (place.folder / "card.md").write_text(text, encoding="utf-8")
