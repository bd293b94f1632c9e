"""The cards of the two trash samples: what they are, how they were made, how well they do."""

from collections.abc import Iterable

import makings
import trash
from trash_figures import Alarms, Finding, Sorting

MAKING = """\
## How it was made

Every picture is drawn by the program in `edge/samples/maker` of lensracer's repository: outlines with random
proportions, colours from ranges that overlap between the labels, textures, shadows; then surfaces, things that lie
about, things in the way, lamps and shadows, blur, sensor noise, JPEG. No photograph and no foreign model went into it.

| label | things |
|---|---|
{things}

| set | seed | surfaces | shadows | in the way |
|---|---|---|---|---|
{splits}

A picture is told by its split's seed and its number. The held-out set shares the things' drawing programs with the
training set, but no seed, no surface, no kind of shadow and no kind of obstacle.

```
python edge/samples/maker/make.py --sample {name}
```

draws everything again from these seeds (see `edge/samples/maker/README.md` for what it needs). The pictures come out
the same; the weights differ in their last digits between machines and versions of PyTorch, so the figures may move by
some tenths of a percent.

Made with {versions}.
"""


def sorter(figures: Sorting, pictures: int, real: dict[str, dict[str, float]]) -> str:
    return f"""\
# trash-sorter

**Synthetic: a demonstration, not a product.** A small classifier that names the one thing before the camera as
compost, landfill or recycling, as the DeepLens course project did. It was taught on drawings alone and shall show that
a pipeline works; do not sort real waste with it.

| | |
|---|---|
| task | classification: {", ".join(trash.LABELS)} |
| input | 128 x 128 RGB, the middle square of the picture |
| model | `model.onnx`: 0.2 million weights, ONNX opset 17, float32, scores before softmax |
| clip | `clip.mp4`: 15 s, 640 x 480, 24 frames a second, drawn; `clip.json` has the label of each frame |

## How well it does

On {figures.pictures:,} held-out pictures (other seeds, surfaces, light and obstacles than it was taught on):

| | top-1 |
|---|---|
| this model | **{_percent(figures.top_1)}** |
{_rows(figures.by_label)}
| nearest mean colour (baseline) | {_percent(figures.mean_colour)} |
| chance | 33.3 % |

By thing: {_list(figures.by_kind)}.

On its own clip it agrees with the label track in {_percent(figures.clip)} of the frames. Each frame of the track has a
label: while one thing pushes the other away, that of the one nearer to the middle.

**It has no word for nothing.** Shown a room or a face it still names one of the three labels; {_said(real)}

{_making("trash-sorter", pictures)}"""


def finder(figures: Finding, pictures: int, threshold: float, real: list[Alarms]) -> str:
    return f"""\
# trash-finder

**Synthetic: a demonstration, not a product.** A small detector that finds and names trash in the picture: compost,
landfill, recycling. It was taught on drawings alone and shall show that a pipeline works; do not sort real waste with
it.

| | |
|---|---|
| task | detection: {", ".join(trash.LABELS)} |
| input | 256 x 192 RGB, letterboxed |
| model | `model.onnx`: 0.24 million weights, ONNX opset 17, float32; one output (1, 7, 768) in YOLOv8's form |
| clip | `clip.mp4`: 15 s, 640 x 480, 24 frames a second, drawn; `clip.json` has the boxes of each frame |

## How well it does

On {figures.pictures:,} held-out pictures (other seeds, surfaces, light and obstacles than it was taught on; a fifth of
them without any trash):

| | average precision at IoU 0.5 |
|---|---|
| mean of the labels | **{figures.mean:.3f}** |
{_rows(figures.by_label, share=True)}

At the project's threshold of {threshold:g}: precision {_percent(figures.precision)}, recall {_percent(figures.recall)}.
On its own clip: precision {_percent(figures.clip_precision)}, recall {_percent(figures.clip_recall)} of all boxes in
the track (a thing is in the track while at least 40 % of it are in the picture).

{_false(real, threshold)}
{_making("trash-finder", pictures)}"""


def _making(name: str, pictures: int) -> str:
    rows = [f"| {label} | {_names(trash.of_label(i))} |" for i, label in enumerate(trash.LABELS)]
    training = _split(f"training, {pictures:,} pictures", trash.TRAINING, "soft edges of shadows")
    splits = "\n".join([training, _split("held out", trash.HELD_OUT, "lamps, blinds")])
    return MAKING.format(things="\n".join(rows), splits=splits, name=name, versions=makings.versions())


def _split(title: str, split: trash.Split, light: str) -> str:
    return f"| {title} | {split.seed} | {_names(split.surfaces)} | {light} | {_names(split.occluders)} |"


def _names(functions: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(getattr(f, "__name__", "").replace("_", " ") for f in functions))


def _false(real: list[Alarms], threshold: float) -> str:
    if not real:
        return ""
    rows = "\n".join(
        f"| {each.clip} | {each.frames:,} | {each.boxes / each.minutes:.1f} | {each.alarms / each.minutes:.1f} "
        f"| {_percent(each.frames_with / each.frames)} |"
        for each in real
    )
    bottles = sum(each.bottles for each in real)
    return f"""\
### False finds on real video

Intel's sample videos (CC-BY-4.0; not part of this repository) show people, a face, sign language and water bottles.
Every frame looked at, threshold {threshold:g}; a box that stays where it is counts as one alarm:

| clip | frames | false boxes a minute | false alarms a minute | frames with one |
|---|---|---|---|---|
{rows}

The three plastic bottles of bottle-detection.mp4 are recycling; boxes that say so about them ({bottles:,} in all
frames) are not counted as false.
"""


def _said(real: dict[str, dict[str, float]]) -> str:
    if not real:
        return "use trash-finder where there may be none."
    rows = "; ".join(f"{clip}: {_list(shares)}" for clip, shares in real.items())
    return f"of real clips without trash it says (share of frames) {rows}. Use trash-finder where there may be none."


def _rows(figures: dict[str, float], share: bool = False) -> str:
    return "\n".join(f"| {name} | {f'{v:.3f}' if share else _percent(v)} |" for name, v in figures.items())


def _list(figures: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_percent(value)}" for name, value in figures.items())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
