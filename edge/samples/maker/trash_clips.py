"""The two clips: things laid on a table one after another, and things riding past on a belt."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import clutter
import cv2
import numpy as np
import scene
import surfaces
from numpy.typing import NDArray
from optics import Picture
from palette import from_hsv
from scene import Pose, Shadow
from sprite import Sprite
from surfaces import Surface
from trash import ITEMS, KINDS, LABELS

SIZE = (640, 480)
FPS = 24
STAY = 24  # frames from one thing to the next
SWAP = 5  # frames in which one comes and the other goes
SORTER_SEED = (1, 1)  # of the things; what else is drawn by chance has its own generator
FINDER_SEED = (9, 2)
SHADOW = Shadow(0.025, 0.04, 0.03, 0.45)
FAR = 1e9  # pixels
SPEED = 6  # pixels of the belt a frame
RIDE = 360  # frames of the finder's clip
APART = 25  # frames from one thing on the belt to the next
VISIBLE = 0.4  # a thing is in the finder's track from this share of it on
CRISP = 2  # sprites are drawn this much larger than they are shown


class Frame(NamedTuple):
    """A picture of a clip and its line of the label track."""

    picture: Picture
    truth: dict[str, Any]


def head(says: str) -> dict[str, Any]:
    """The head of a label track; `says` is what each of its frames tells."""
    return {"clip": "clip.mp4", "fps": FPS, "size": [*SIZE], "labels": [*LABELS], "each_frame": says}


def sorter_clip() -> Iterator[Frame]:
    """One thing at a time on a table; every frame shows one, the label is that of the one nearer to the middle."""
    rng = np.random.default_rng(SORTER_SEED)
    kinds = _in_turn(rng)
    things = [ITEMS[kind](rng, 400 * CRISP) for kind in kinds]
    table = _table(rng)
    starts = rng.uniform(-40, 15, len(kinds))
    for number in range(len(kinds) * STAY):
        now, since = divmod(number, STAY)
        canvas = table.copy()
        leaving = (
            _place(canvas, things[now - 1], starts[now - 1], since + STAY)
            if now and since <= SWAP + 2
            else FAR
        )
        staying = _place(canvas, things[now], starts[now], since if now else since + SWAP)
        kind = kinds[now - 1] if leaving < staying else kinds[now]
        yield Frame(
            _seen(canvas, number),
            {"frame": number, "label": LABELS[kind // KINDS], "item": ITEMS[kind].__name__},
        )


def _in_turn(rng: np.random.Generator) -> list[int]:
    """All kinds once, the labels taking turns."""
    orders = [rng.permutation(KINDS) + label * KINDS for label in range(len(LABELS))]
    return [int(kind) for trio in zip(*orders, strict=True) for kind in trio]


def _table(rng: np.random.Generator) -> Surface:
    grain = surfaces.clouds(rng, SIZE[::-1], 48, 16) + 0.6 * surfaces.clouds(rng, SIZE[::-1], 6, 6)
    table = surfaces.tinted(from_hsv(30, 0.42, 0.66), grain, 0.045)
    for y in (118, 262, 409):
        table[y : y + 3] *= 0.62
    return table


def _place(canvas: Surface, thing: Sprite, start: float, since: int) -> float:
    """Lay a thing as it lies `since` frames after its coming began; how far from the middle that is, in pixels."""
    coming = 1 - (1 - min(1.0, since / SWAP)) ** 2
    going = max(0.0, (since - STAY - 2) / SWAP) ** 2
    x = SIZE[0] * (0.5 + 0.95 * (1 - coming) - 0.95 * going) + 0.5 * (since - STAY / 2)
    pose = Pose(x, SIZE[1] * 0.5, 400, start + 1.1 * since, 0.94)
    scene.lay(canvas, thing, pose, SHADOW)
    return abs(x - SIZE[0] / 2)


def _seen(canvas: Surface, number: int) -> Picture:
    """A lamp's light over the picture, which breathes a little."""
    x, y = surfaces.grid(canvas.shape[:2])
    field = 1.06 - 0.28 * ((x - 0.55) ** 2 + (y - 0.4) ** 2) + 0.04 * np.sin(number / 40)
    return np.clip(canvas * field[..., None] + 0.5, 0, 255).astype(np.uint8)


class Rider(NamedTuple):
    """A thing on the belt: when its middle passes the right edge, its lane (pixels), size, and how it turns."""

    sprite: Sprite
    kind: int | None  # None is what the finder must leave alone
    frame: int
    lane: float
    extent: float
    angle: float
    spin: float


def finder_clip() -> Iterator[Frame]:
    """A belt with all kinds of trash and some things that are none, from right to left."""
    rng = np.random.default_rng(FINDER_SEED)
    kinds = _in_turn(rng)
    things = [ITEMS[kind](rng, 200 * CRISP) for kind in kinds]
    belt, riders = _belt(rng), _riders(rng, kinds, things)
    for number in range(RIDE):
        canvas = _rolled(belt, number)
        objects = [row for rider in riders if (row := _ride(canvas, rider, number))]
        yield Frame(_seen(_railed(canvas), number), {"frame": number, "objects": objects})


def _riders(rng: np.random.Generator, kinds: list[int], things: list[Sprite]) -> list[Rider]:
    others = (clutter.phone, clutter.key, clutter.plate, clutter.pen, clutter.coin)
    riders = []
    for turn, (kind, thing) in enumerate(zip(kinds, things, strict=True)):
        lane = (165.0, 315.0)[turn % 2] + rng.uniform(-12, 12)
        extent = rng.uniform(165, 215)
        spin = rng.uniform(-0.25, 0.25)
        riders.append(Rider(thing, kind, turn * APART - 60, lane, extent, rng.uniform(-60, 60), spin))
        if turn % 3 == 2:  # in the other lane, midway between the thing before and the one to come
            other = others[turn // 3](rng, 110 * CRISP)
            riders.append(Rider(other, None, turn * APART - 60, 480 - lane, 105, rng.uniform(0, 360), 0.0))
    return riders


def _ride(canvas: Surface, rider: Rider, number: int) -> dict[str, Any] | None:
    x = SIZE[0] - SPEED * (number - rider.frame)
    if not -rider.extent < x < SIZE[0] + rider.extent:
        return None
    turned = rider.angle + rider.spin * (number - rider.frame)
    laid = scene.lay(canvas, rider.sprite, Pose(x, rider.lane, rider.extent, turned, 0.94), SHADOW)
    if rider.kind is None or laid.share < VISIBLE:
        return None
    box = np.array(laid.box) / np.tile(SIZE, 2)
    return {
        "label": LABELS[rider.kind // KINDS],
        "item": ITEMS[rider.kind].__name__,
        "box": [round(float(side), 4) for side in box],
        "visible": round(min(1.0, laid.share), 2),
    }


def _belt(rng: np.random.Generator) -> Surface:
    """Rubber with a seam at every 160 pixels, long enough to repeat without a jump."""
    size = (SIZE[1], 960)
    field = cv2.GaussianBlur(rng.standard_normal(size).astype(np.float32), (0, 0), 1.2) * 2.5
    belt = surfaces.tinted(from_hsv(205, 0.18, 0.36), field, 0.05)
    for x in range(0, size[1], 160):
        belt[:, x : x + 3] *= 0.7
        belt[:, x + 3 : x + 5] *= 1.2
    return belt


def _rolled(belt: Surface, number: int) -> Surface:
    return np.ascontiguousarray(np.roll(belt, -SPEED * number, axis=1)[:, : SIZE[0]])


def _railed(canvas: Surface) -> Surface:
    """The belt's steel sides, before everything that rides on it."""
    steel: NDArray[np.float32] = from_hsv(210, 0.05, 0.62)
    for rows in (slice(0, 34), slice(SIZE[1] - 34, SIZE[1])):
        height = rows.stop - rows.start
        shade = 0.75 + 0.35 * np.sin(np.linspace(0.2, 2.6, height, dtype=np.float32))
        canvas[rows] = steel * shade[:, None, None]
    canvas[34:42] *= np.linspace(0.55, 1, 8, dtype=np.float32)[:, None, None]
    return canvas
