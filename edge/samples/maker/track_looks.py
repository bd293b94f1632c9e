"""What tracks are made of: materials of the ground, colours of the lines, walls, the light on the floor."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import surfaces
from numpy.typing import NDArray
from palette import ANY, BLUE, BROWN, CREAM, DARK, GREEN, GREY, PALE, RED, VIVID, YELLOW, Colour, Range, pick
from surfaces import Size, Surface
from textures import clouds, fractal

Field = NDArray[np.float32]
Draw = Callable[[np.random.Generator, Size], Surface]
SIDE = 240  # pixels of a material before it is mirrored both ways, so that it goes on without a seam
LUMA = np.array([0.114, 0.587, 0.299], np.float32)
CONTRAST = 45  # grey levels between a line and its road
COARSE = 8  # what is far is painted from a tile this much smaller


class Material(NamedTuple):
    """A tile of ground, fine and coarse, and how many metres it covers before it comes again."""

    fine: Surface
    coarse: Surface
    metres: float


class Lines(NamedTuple):
    """Borders and the line in the middle: half or full widths in metres, colours, wear 0..1."""

    border: float
    centre: float  # 0: there is none
    on: float  # share of a dash that is painted; 1: the line has no gaps
    border_colour: Colour
    centre_colour: Colour
    wear: float


class Look(NamedTuple):
    """All that a picture's ground is painted with."""

    road: Material
    floor: Material
    lines: Lines
    grime: Field  # (64, 64) over GRIME metres: how the light and the dirt vary, zero mean
    wall: Surface
    wall_height: float
    back: Surface


GRIME = 3.0


class Style(NamedTuple):
    """What one split draws its looks from."""

    roads: tuple[Draw, ...]
    floors: tuple[Draw, ...]
    walls: tuple[Draw, ...]
    borders: tuple[Range, ...]
    centres: tuple[Range, ...]


def look(rng: np.random.Generator, style: Style) -> Look:
    road = material(rng, style.roads, rng.uniform(0.4, 1.5))
    return Look(
        road,
        material(rng, style.floors, rng.uniform(0.4, 2.0)),
        lines(rng, style, road.coarse.reshape(-1, 3).mean(axis=0)),
        0.16 * fractal(rng, (64, 64), 4, 3) * rng.uniform(0.2, 1),
        _of(rng, style.walls)(rng, (96, 192)),
        rng.uniform(0.25, 0.9),
        cv2.GaussianBlur(_of(rng, style.walls)(rng, (60, 80)), (0, 0), rng.uniform(0.5, 3)),
    )


def lines(rng: np.random.Generator, style: Style, road: Colour) -> Lines:
    """Bright against most roads; one in five tracks has no line in the middle, one in six an unbroken one."""
    kind = rng.random()
    centre = 0.0 if kind < 0.2 else rng.uniform(0.018, 0.05)
    return Lines(
        rng.uniform(0.035, 0.065),
        centre,
        1.0 if kind > 0.84 else rng.uniform(0.45, 0.75),
        _apart(rng, style.borders, road),
        _apart(rng, style.centres, road),
        rng.uniform(0, 0.5) if rng.random() < 0.5 else 0.0,
    )


def _apart(rng: np.random.Generator, ranges: tuple[Range, ...], road: Colour) -> Colour:
    """A colour that can be told from the road's; of a few tries the last where none can."""
    for _ in range(12):
        colour = pick(rng, *ranges)
        if float(np.abs((colour - road) * LUMA).sum()) > CONTRAST:
            break
    return colour


def material(rng: np.random.Generator, draws: Sequence[Draw], metres: float) -> Material:
    return tiled(np.clip(_of(rng, draws)(rng, (SIDE, SIDE)), 0, 255), metres)


def tiled(quarter: Surface, metres: float) -> Material:
    """A material of one tile, `metres` wide."""
    fine = cv2.copyMakeBorder(quarter, 0, SIDE, 0, SIDE, cv2.BORDER_REFLECT)
    coarse = cv2.resize(fine, (2 * SIDE // COARSE,) * 2, interpolation=cv2.INTER_AREA)
    return Material(fine, coarse, 2 * metres)


def painted(material: Material, x: Field, y: Field, footprint: Field) -> Surface:
    """The colour of places x, y (metres); `footprint` is how many metres of ground a pixel covers there."""
    fine, coarse = (_sampled(tile, x, y, material.metres) for tile in (material.fine, material.coarse))
    texel = material.metres / len(material.fine)
    share = np.clip(footprint / texel / COARSE, 0, 1)[..., None]
    mixed: Surface = fine * (1 - share) + coarse * share
    return mixed


def _sampled(tile: NDArray[np.float32], x: Field, y: Field, metres: float) -> NDArray[np.float32]:
    scale = np.float32(tile.shape[0] / metres)
    sampled: NDArray[np.float32] = cv2.remap(
        tile, x * scale, y * scale, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return sampled


def shade(grime: Field, x: Field, y: Field) -> Field:
    """What the light and the dirt of the floor make of a colour: a factor about one."""
    return 1 + _sampled(grime, x, y, GRIME)


def _of(rng: np.random.Generator, choices: Sequence[Draw]) -> Draw:
    return choices[int(rng.integers(len(choices)))]


def asphalt(rng: np.random.Generator, size: Size) -> Surface:
    grain = rng.standard_normal(size).astype(np.float32) + fractal(rng, size, 6)
    return surfaces.tinted(pick(rng, GREY, DARK, DARK), grain, rng.uniform(0.03, 0.16))


def foam(rng: np.random.Generator, size: Size) -> Surface:
    """Mats laid side by side: plain, with seams."""
    surface = surfaces.tinted(pick(rng, ANY, DARK, BLUE), clouds(rng, size, 5), rng.uniform(0.02, 0.08))
    seam = int(rng.integers(1, 4))
    surface[:seam] *= 0.7
    surface[:, :seam] *= 0.7
    return surface


def printed(rng: np.random.Generator, size: Size) -> Surface:
    """A printed sheet: one colour, hardly any texture, some folds."""
    field = np.zeros(size, np.float32)
    for _ in range(int(rng.integers(0, 3))):
        field[:, int(rng.integers(size[1]))] = rng.choice([-4, 4])
    return surfaces.tinted(pick(rng, ANY, GREY, DARK, GREEN), field + 0.3 * clouds(rng, size, 3), 0.06)


def gravel(rng: np.random.Generator, size: Size) -> Surface:
    """Stones of two or three colours, small or large, on a ground."""
    surface = surfaces.tinted(pick(rng, DARK, GREY, ANY), fractal(rng, size, 8), rng.uniform(0.03, 0.12))
    for _ in range(int(rng.integers(1, 4))):
        stones = clouds(rng, size, rng.uniform(12, 90), rng.uniform(0.6, 1.8)) > rng.uniform(0.8, 2.2)
        surface[stones] = pick(rng, ANY, GREY, PALE, DARK) * rng.uniform(0.7, 1) + 0.2 * surface[stones]
    return np.clip(surface, 0, 255)


def felt(rng: np.random.Generator, size: Size) -> Surface:
    fibres = clouds(rng, size, 90, 3) + clouds(rng, size, 90, 0.4)
    return surfaces.tinted(pick(rng, DARK, BLUE, GREEN), fibres, rng.uniform(0.03, 0.1))


def rubber(rng: np.random.Generator, size: Size) -> Surface:
    """Black granules with coloured ones among them, some millimetres each."""
    grains = rng.random(size)
    coloured, black = pick(rng, ANY), pick(rng, DARK)
    surface = np.where(grains[..., None] < rng.uniform(0.04, 0.14), coloured, black).astype(np.float32)
    return surface * (1 + 0.05 * rng.standard_normal(size).astype(np.float32))[..., None]


def grass(rng: np.random.Generator, size: Size) -> Surface:
    blades = clouds(rng, size, 120, 0.3) + fractal(rng, size, 4, 4)
    return surfaces.tinted(pick(rng, GREEN), blades, rng.uniform(0.08, 0.2))


def carpet(rng: np.random.Generator, size: Size) -> Surface:
    loops = rng.standard_normal(size).astype(np.float32) + 0.5 * fractal(rng, size, 3)
    return surfaces.tinted(pick(rng, ANY, GREY, BROWN), loops, rng.uniform(0.04, 0.12))


def plain(rng: np.random.Generator, size: Size) -> Surface:
    return surfaces.tinted(pick(rng, ANY, GREY, PALE), clouds(rng, size, 2), 0.08)


TRAINED = Style(
    roads=(asphalt, asphalt, foam, printed),
    floors=(
        grass,
        carpet,
        plain,
        surfaces.noise,
        surfaces.wood,
        surfaces.tiles,
        surfaces.speckle,
        surfaces.cloth,
        surfaces.gradient,
        surfaces.dots,
        surfaces.labyrinth,
    ),
    walls=(plain, surfaces.room, surfaces.gradient, surfaces.wood, surfaces.dead_leaves, surfaces.cloth),
    borders=(PALE, PALE, YELLOW, CREAM, VIVID),
    centres=(YELLOW, PALE, YELLOW, VIVID),
)
ROUGH = TRAINED._replace(
    roads=(gravel, gravel, surfaces.speckle, surfaces.noise, asphalt, foam, printed),
    floors=(*TRAINED.floors, surfaces.dead_leaves, surfaces.chevrons, surfaces.rings, surfaces.patchwork),
)
HELD_OUT = Style(
    roads=(felt, rubber),
    floors=(surfaces.marble, surfaces.terrazzo, surfaces.brick, surfaces.corrugated, surfaces.rug),
    walls=(surfaces.brick, surfaces.corrugated, surfaces.marble),
    borders=(PALE, CREAM),
    centres=(YELLOW, PALE, RED),
)
HARD = HELD_OUT._replace(roads=(surfaces.marble, surfaces.terrazzo))
