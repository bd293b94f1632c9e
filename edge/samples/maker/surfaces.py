"""What lies behind the things: each surface is a function of a generator and (height, width), BGR float32 0..255.

`TRAINED` are the surfaces that the networks learn on; `HELD_OUT` are others, which they meet for the first time
in the evaluation.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from palette import ANY, BROWN, CREAM, DARK, GREY, PALE, Colour, darker, near, pick
from textures import clouds, fractal

Surface = NDArray[np.float32]
Size = tuple[int, int]


def tinted(colour: Colour, field: NDArray[np.float32], amount: float) -> Surface:
    """`colour` everywhere, lightened and darkened by `field` (h, w), `amount` a share."""
    surface: Surface = np.clip(colour * (1 + amount * field)[..., None], 0, 255).astype(np.float32)
    return surface


def grid(size: Size) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x and y of each pixel, in units of the height."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    return x, y


def turned_grid(rng: np.random.Generator, size: Size) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x, y = grid(size)
    a = rng.uniform(0, np.pi)
    return x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)


def gradient(rng: np.random.Generator, size: Size) -> Surface:
    along, _ = turned_grid(rng, size)
    t = ((along - along.min()) / (np.ptp(along) + 1e-6))[..., None]
    return (pick(rng, ANY, GREY, PALE) * (1 - t) + pick(rng, ANY, GREY) * t).astype(np.float32)


def noise(rng: np.random.Generator, size: Size) -> Surface:
    return tinted(
        pick(rng, ANY, GREY), fractal(rng, size, rng.uniform(2, 12), 5, 0.75), rng.uniform(0.08, 0.35)
    )


def wood(rng: np.random.Generator, size: Size) -> Surface:
    grain = clouds(rng, size, rng.uniform(25, 60), 14) + 0.6 * clouds(rng, size, rng.uniform(4, 9), 5)
    surface = tinted(pick(rng, BROWN, CREAM, GREY, DARK), grain, rng.uniform(0.05, 0.14))
    plank = rng.uniform(0.22, 0.6)
    rows = np.arange(size[0]) / size[0] / plank + rng.uniform()
    surface *= (1 + rng.uniform(0.03, 0.12) * rng.standard_normal(8)[rows.astype(int) % 8])[:, None, None]
    surface[(rows % 1) < rng.uniform(0.008, 0.025)] *= rng.uniform(0.4, 0.8)
    upright = np.ascontiguousarray(surface.transpose(1, 0, 2)) if rng.random() < 0.3 else surface
    return np.clip(cv2.resize(upright, size[::-1]), 0, 255)


def tiles(rng: np.random.Generator, size: Size) -> Surface:
    u, v = turned_grid(rng, size)
    pitch, joint = rng.uniform(0.15, 0.5), rng.uniform(0.02, 0.08)
    u = u * rng.uniform(0.4, 1.0)
    colour = pick(rng, PALE, GREY, ANY)
    surface = tinted(colour, fractal(rng, size, 4), rng.uniform(0.02, 0.08))
    shade = rng.normal(1, rng.uniform(0, 0.1), (64,))
    cell = (np.floor(u / pitch) * 7 + np.floor(v / pitch) * 13).astype(int) % 64
    surface *= shade[cell][..., None]
    surface[((u / pitch) % 1 < joint) | ((v / pitch) % 1 < joint)] *= rng.uniform(0.5, 1.3)
    return np.clip(surface, 0, 255).astype(np.float32)


def cloth(rng: np.random.Generator, size: Size) -> Surface:
    u, v = turned_grid(rng, size)
    pitch, first, second = rng.uniform(0.06, 0.25), pick(rng, ANY, GREY, PALE), pick(rng, ANY, PALE)
    share = 0.5 * ((u / pitch) % 1 < 0.5) + 0.5 * ((v / pitch) % 1 < 0.5) * (rng.random() < 0.6)
    surface = first * (1 - share[..., None]) + second * share[..., None]
    return np.clip(surface * (1 + 0.08 * clouds(rng, size, 4))[..., None], 0, 255).astype(np.float32)


def speckle(rng: np.random.Generator, size: Size) -> Surface:
    fine = rng.standard_normal((max(2, size[0] // 2), max(2, size[1] // 2))).astype(np.float32)
    field = cv2.resize(fine, size[::-1], interpolation=cv2.INTER_LINEAR)
    return tinted(pick(rng, GREY, PALE, BROWN), field + clouds(rng, size, 3), rng.uniform(0.04, 0.16))


def room(rng: np.random.Generator, size: Size) -> Surface:
    """A wall, a floor, and the upright and flat rectangles of furniture, doors and windows."""
    height, width = size
    surface = tinted(pick(rng, PALE, GREY, ANY), clouds(rng, size, 2), 0.06)
    horizon = int(height * rng.uniform(0.3, 0.9))
    floor = rng.choice([wood, speckle, tiles])(rng, size)
    surface[horizon:] = floor[horizon:]
    for _ in range(int(rng.integers(1, 7))):
        w, h = width * rng.uniform(0.04, 0.4), height * rng.uniform(0.1, 0.7)
        x, y = rng.uniform(-0.1, 1) * width, rng.uniform(-0.2, 0.8) * height
        _slab(rng, surface, (x, y, x + w, y + h))
    return surface


def _slab(rng: np.random.Generator, surface: Surface, sides: tuple[float, ...]) -> None:
    left, top, right, bottom = (round(s) for s in sides)
    lean = rng.uniform(-0.15, 0.15) * (bottom - top)
    corners = np.array([(left, top), (right, top), (right + lean, bottom), (left + lean, bottom)], np.int32)
    colour = pick(rng, ANY, GREY, DARK, PALE)
    cv2.fillPoly(surface, [corners], colour.tolist(), cv2.LINE_AA)
    edge = darker(colour, rng.uniform(0.4, 1.2))
    cv2.polylines(surface, [corners], isClosed=True, color=edge.tolist(), thickness=2, lineType=cv2.LINE_AA)


def dead_leaves(rng: np.random.Generator, size: Size) -> Surface:
    """Shapes over shapes of every size, as photographs are made of: edges and areas, but no thing."""
    height, width = size
    surface = tinted(pick(rng, ANY, GREY), fractal(rng, size, 3), 0.15)
    coarse = rng.uniform(0.008, 0.05)
    for _ in range(int(rng.integers(20, 120))):
        radius = height * coarse * rng.uniform(0.02, 1) ** -0.6
        centre = rng.uniform(0, 1, 2) * (width, height)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        shape = (
            np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius * rng.uniform(0.3, 1.4, 2) + centre
        )
        cv2.fillPoly(
            surface,
            [shape.astype(np.int32)],
            near(rng, pick(rng, ANY, GREY, DARK, PALE)).tolist(),
            cv2.LINE_AA,
        )
    return np.clip(surface * (1 + 0.08 * fractal(rng, size, 4))[..., None], 0, 255).astype(np.float32)


def dots(rng: np.random.Generator, size: Size) -> Surface:
    u, v = turned_grid(rng, size)
    pitch, radius = rng.uniform(0.06, 0.3), rng.uniform(0.15, 0.42)
    away = ((u / pitch) % 1 - 0.5) ** 2 + ((v / pitch) % 1 - 0.5) ** 2
    share = (away < radius**2)[..., None]
    surface = np.where(share, pick(rng, ANY, GREY, PALE), pick(rng, ANY, GREY, PALE))
    return np.clip(surface * (1 + 0.06 * clouds(rng, size, 4))[..., None], 0, 255).astype(np.float32)


def chevrons(rng: np.random.Generator, size: Size) -> Surface:
    u, v = turned_grid(rng, size)
    pitch = rng.uniform(0.06, 0.25)
    wave = np.abs((u / pitch) % 1 - 0.5) * rng.uniform(0.5, 2) + v / pitch
    share = np.clip(((wave % 1) - rng.uniform(0.3, 0.6)) * 20, 0, 1)[..., None]
    return (pick(rng, ANY, GREY) * share + pick(rng, ANY, GREY, PALE) * (1 - share)).astype(np.float32)


def rings(rng: np.random.Generator, size: Size) -> Surface:
    u, v = turned_grid(rng, size)
    pitch = rng.uniform(0.1, 0.5)
    away = np.hypot((u / pitch) % 1 - 0.5, (v / pitch) % 1 - 0.5)
    share = ((away * rng.uniform(2, 7)) % 1 < 0.5)[..., None]
    surface = np.where(share, pick(rng, ANY, GREY, PALE), pick(rng, ANY, GREY, PALE))
    return np.clip(surface * (1 + 0.06 * clouds(rng, size, 4))[..., None], 0, 255).astype(np.float32)


def labyrinth(rng: np.random.Generator, size: Size) -> Surface:
    field = clouds(rng, size, rng.uniform(4, 20), rng.choice([0.4, 1.0, 2.5]))
    share = np.clip(np.sin(field * rng.uniform(2, 5)) * rng.uniform(2, 10) + 0.5, 0, 1)[..., None]
    return (pick(rng, ANY, GREY) * share + pick(rng, ANY, GREY, PALE) * (1 - share)).astype(np.float32)


SINGLE = (gradient, noise, wood, tiles, cloth, speckle, room, dead_leaves, dots, chevrons, rings, labyrinth)


def patchwork(rng: np.random.Generator, size: Size) -> Surface:
    """Two surfaces, one showing through the pattern of a third."""
    first, second, third = (SINGLE[int(i)](rng, size) for i in rng.integers(len(SINGLE), size=3))
    level = third.mean(axis=2, keepdims=True)
    share = np.clip((level - np.median(level)) / 8 + 0.5, 0, 1) * rng.uniform(0.4, 1)
    return (first * (1 - share) + second * share).astype(np.float32)


def marble(rng: np.random.Generator, size: Size) -> Surface:
    veins = np.abs(fractal(rng, size, rng.uniform(2, 4), 5))
    surface = tinted(pick(rng, PALE, GREY, DARK, ANY), fractal(rng, size, 2), 0.06)
    return np.clip(surface * (1 - rng.uniform(0.15, 0.5) * np.exp(-veins * 9))[..., None], 0, 255).astype(
        np.float32
    )


def brick(rng: np.random.Generator, size: Size) -> Surface:
    x, y = grid(size)
    high, joint = rng.uniform(0.09, 0.2), rng.uniform(0.06, 0.14)
    row = np.floor(y / high)
    column = x / (high * 2.4) + 0.5 * (row % 2)
    shade = rng.normal(1, 0.09, 97)[(row * 31 + np.floor(column) * 17).astype(int) % 97]
    surface = tinted(pick(rng, BROWN, ANY, PALE), fractal(rng, size, 10, 3), 0.07) * shade[..., None]
    surface[((y / high) % 1 < joint) | (column % 1 < joint / 2.4)] = pick(rng, GREY, PALE)
    return np.clip(surface, 0, 255).astype(np.float32)


def terrazzo(rng: np.random.Generator, size: Size) -> Surface:
    surface = tinted(pick(rng, PALE, GREY, DARK), clouds(rng, size, 3), 0.04)
    chips = [pick(rng, ANY, GREY, PALE) for _ in range(4)]
    for _ in range(int(rng.integers(60, 200))):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 5))
        chip = np.stack([np.cos(angles), np.sin(angles)], axis=1) * size[0] * rng.uniform(0.008, 0.04)
        centre = rng.uniform(0, 1, 2) * size[::-1]
        cv2.fillPoly(
            surface, [(chip + centre).astype(np.int32)], chips[int(rng.integers(4))].tolist(), cv2.LINE_AA
        )
    return surface


def corrugated(rng: np.random.Generator, size: Size) -> Surface:
    u, _ = turned_grid(rng, size)
    wave = np.sin(2 * np.pi * u / rng.uniform(0.05, 0.2)) ** int(rng.choice([1, 3]))
    field = (wave + 0.5 * clouds(rng, size, 3)).astype(np.float32)
    return tinted(pick(rng, GREY, ANY, BROWN), field, rng.uniform(0.08, 0.25))


def rug(rng: np.random.Generator, size: Size) -> Surface:
    u, v = turned_grid(rng, size)
    ring = np.maximum(np.abs((u / 0.3) % 1 - 0.5), np.abs((v / 0.3) % 1 - 0.5)) * rng.uniform(6, 12)
    first = pick(rng, ANY, GREY, PALE)
    colours = np.stack([first, *(0.4 * first + 0.6 * pick(rng, ANY, GREY, PALE) for _ in range(2))])
    surface = colours[ring.astype(int) % 3]
    fibre = rng.standard_normal(size).astype(np.float32)
    return np.clip(surface * (1 + 0.05 * fibre)[..., None], 0, 255).astype(np.float32)


TRAINED = (*SINGLE, patchwork, patchwork, patchwork)
HELD_OUT = (marble, brick, terrazzo, corrugated, rug)
