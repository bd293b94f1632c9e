"""The card of figures: what it is, how it was made, how well it does."""

from collections.abc import Iterable

import figure_pictures
import makings
from figure_measures import Watching
from figure_pictures import FPS, LABELS, MOST, SECONDS, SIDE, STRIDE, WINDOW, Split


def card(figures: Watching, windows: int) -> str:
    return f"""\
# figures

**Synthetic: a demonstration, not a product.** A small network that tells what a drawn figure does:
{_list(LABELS)}. It was taught on drawings of jointed figures alone and shall
show that a pipeline works; do not watch people with it.

| | |
|---|---|
| task | activity: {", ".join(LABELS)} |
| input | {WINDOW} frames of {SIDE} x {SIDE} RGB, the middle square of each picture: (1, {WINDOW}, 3, {SIDE}, {SIDE}) |
| frames | every {_ordinal(STRIDE)} of {FPS} a second (`output.step: {STRIDE}`): a window is {SECONDS:.2f} s |
| model | `model.onnx`: 0.1 million weights, ONNX opset 17, float32, scores before softmax |
| clip | `clip.mp4`: 20 s, 320 x 240, {FPS} frames a second, drawn; `clip.json` has the label of each frame |

## How well it does

On {figures.windows:,} held-out windows (other seeds, people, walls and light than it was taught on), as many of each
label:

| | top-1 |
|---|---|
| this model | **{_percent(figures.top_1)}** |
{_rows(figures.by_label)}
| the same network, taught on and asked with the middle frame alone (baseline) | {_percent(figures.alone)} |
| this model, shown the middle frame {WINDOW} times | {_percent(figures.frozen)} |
| chance | {_percent(1 / len(LABELS))} |

{_confusions(figures)}

A window is called by what fills at least {100 * MOST:.0f} % of it; the rest of it, in half of the windows, is something
else. A pose that is held is still, also with an arm raised, in mid-step, or on the chair: one frame does not tell it
from waving, walking or sitting down, nor sitting down from standing up.

On its own clip, in which one figure does everything, one thing after the other, it says what the label track says at
{_percent(figures.clip)} of the {figures.clip_windows} frames before which one thing fills that much of a window. A
camera of 12 frames a second wants `step: 1`.

**It has no word for nothing**, and knows one figure, whole, at half to three quarters of the picture's height.

## How it was made

Every frame is drawn by the program in `edge/samples/maker` of lensracer's repository: a body of ten capsules in three
dimensions with random proportions and clothes, seen from any side; its joints follow rules for each activity with
random times, reaches and habits; behind it a wall and a floor, often a stool; a camera that shakes, pans, or follows;
light, blur, noise. No video, no recorded motion and no foreign model went into it.

| set | seed | walls and floors | shadows |
|---|---|---|---|
{_split(f"training, {windows:,} windows", figure_pictures.TRAINING, "soft edges, panes, leaves")}
{_split("held out", figure_pictures.HELD_OUT, "lamps, blinds")}

A window is told by its split's seed and its number. The two sets share the rules of bodies and movements, but no seed,
no surface and no kind of shadow; the held-out camera shakes more.

```
python edge/samples/maker/make.py --sample figures
```

draws everything again from these seeds (see `edge/samples/maker/README.md` for what it needs). The frames come out the
same; the weights differ in their last digits between machines and versions of PyTorch, so the figures may move by some
tenths of a percent.

Made with {makings.versions()}.
"""


def _confusions(figures: Watching) -> str:
    if not figures.confused:
        return "It confused nothing."
    most = list(figures.confused.items())[:3]
    said = ", ".join(f"{true} called {wrong} ({count})" for (true, wrong), count in most)
    return f"Most often confused: {said}."


def _split(title: str, split: Split, shadows: str) -> str:
    names = (getattr(f, "__name__", "").replace("_", " ") for f in split.walls)
    return f"| {title} | {split.seed} | {', '.join(dict.fromkeys(names))} | {shadows} |"


def _list(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


def _ordinal(number: int) -> str:
    return {1: "one", 2: "second", 3: "third"}.get(number, f"{number}th")


def _rows(shares: dict[str, float]) -> str:
    return "\n".join(f"| {name} | {_percent(value)} |" for name, value in shares.items())


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
