"""Light and camera: from a scene's colours (float32 BGR 0..255) to the picture (uint8) of a cheap sensor."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from surfaces import Surface, grid, turned_grid
from textures import clouds

Picture = NDArray[np.uint8]


def lit(rng: np.random.Generator, scene: Surface, light: "Light") -> Surface:
    """Gain, colour cast, vignette and one of the light's shades."""
    field = np.full(scene.shape[:2], 1 + rng.uniform(-light.gain, light.gain), np.float32)
    field *= _vignette(rng, scene.shape[:2])
    if rng.random() < light.shadow:
        field *= light.shades[int(rng.integers(len(light.shades)))](rng, scene.shape[:2])
    cast = 1 + rng.uniform(-light.cast, light.cast, 3)
    return scene * field[..., None] * cast.astype(np.float32)


def _vignette(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    x, y = grid(size)
    radius = (x - x.mean()) ** 2 + (y - y.mean()) ** 2
    return 1 - rng.uniform(0, 0.45) * radius


def _edge(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    u, _ = turned_grid(rng, size)
    at, soft = rng.uniform(u.min(), u.max()), rng.uniform(0.01, 0.2)
    return 1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-np.clip((u - at) / soft, -30, 30)))


def _dapple(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """Light through leaves: soft spots of any size."""
    field = clouds(rng, size, rng.uniform(2, 10), rng.uniform(0.5, 3))
    return 1 - rng.uniform(0.1, 0.35) / (1 + np.exp(-field * rng.uniform(1, 6)))


def _panes(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """The shadow of a window's bars: two directions, hard or soft."""
    u, v = turned_grid(rng, size)
    pitch, wide, hard = rng.uniform(0.15, 0.7, 2), rng.uniform(0.08, 0.3), rng.uniform(4, 40)
    bars = [np.abs((along / p + rng.uniform()) % 1 - 0.5) for along, p in zip((u, v), pitch, strict=True)]
    near = np.minimum(*bars) if rng.random() < 0.5 else bars[0]
    return 1 - rng.uniform(0.1, 0.35) / (1 + np.exp(np.clip((near - wide) * hard * 4, -30, 30)))


def _lamp(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    x, y = grid(size)
    radius = (x - rng.uniform(0, 1.3)) ** 2 + (y - rng.uniform(0, 1)) ** 2
    return 0.7 + rng.uniform(0.3, 0.7) * np.exp(-radius / rng.uniform(0.1, 0.5))


def _blinds(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    u, _ = turned_grid(rng, size)
    wave = np.sin(2 * np.pi * u / rng.uniform(0.1, 0.4))
    return 1 - rng.uniform(0.08, 0.28) / (1 + np.exp(-wave * 6))


class Light(NamedTuple):
    """How far the light goes from plain: each value is the greatest step away from one, or a chance."""

    gain: float
    gamma: float
    cast: float
    noise: float  # grey levels
    shadow: float
    shades: tuple[Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float32]], ...]


TRAINED = Light(gain=0.3, gamma=0.25, cast=0.12, noise=5.0, shadow=0.6, shades=(_edge, _dapple, _panes))
HELD_OUT = Light(gain=0.33, gamma=0.28, cast=0.14, noise=6.0, shadow=0.6, shades=(_lamp, _blinds))


def photographed(rng: np.random.Generator, scene: Surface, light: Light) -> Picture:
    """The light, then the camera: blur, gamma, noise of the sensor, JPEG."""
    seen = _blurred(rng, _exposed(lit(rng, scene, light)))
    gamma = float(np.exp(rng.uniform(-light.gamma, light.gamma)))
    seen = 255 * np.power(np.clip(seen, 0, 255) / 255, gamma)
    seen += _grain(rng, seen.shape[:2], rng.uniform(0, light.noise))
    picture = np.clip(seen + 0.5, 0, 255).astype(np.uint8)
    return _squeezed(picture, int(rng.integers(45, 96))) if rng.random() < 0.6 else picture


def _exposed(scene: Surface) -> Surface:
    """What a camera's automatic exposure leaves of too little or too much light: a mean of 55 to 190."""
    mean = float(np.clip(scene, 0, 255).mean())
    return scene * (float(np.clip(mean, 55, 190)) / max(mean, 1.0))


def _blurred(rng: np.random.Generator, scene: Surface) -> Surface:
    kind = rng.random()
    if kind < 0.4:
        return cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.3, 0.9))
    if kind < 0.55:
        return cv2.filter2D(scene, -1, motion(rng.uniform(0, 180), rng.uniform(1.5, 4)))
    if kind < 0.7:
        return np.clip(scene * 1.5 - cv2.GaussianBlur(scene, (0, 0), 1.0) * 0.5, 0, 255)
    return scene


def motion(angle: float, length: float) -> NDArray[np.float32]:
    """The kernel of a hand that moved: a line of `length` pixels at `angle` degrees, sum one."""
    kernel = np.zeros((9, 9), np.float32)
    step = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * length / 2
    start, end = np.round((4 - step) * 16).astype(int), np.round((4 + step) * 16).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0, 1, cv2.LINE_AA, 4)
    return kernel / max(float(kernel.sum()), 1e-6)


def _grain(rng: np.random.Generator, size: tuple[int, int], deviation: float) -> NDArray[np.float32]:
    height, width = size
    mono = rng.standard_normal((height, width, 1), np.float32) * deviation
    colour = clouds(rng, (height, width), height / 3)[..., None] * rng.uniform(-0.4, 0.4, 3).astype(
        np.float32
    )
    return mono + colour * deviation


def _squeezed(picture: Picture, quality: int) -> Picture:
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return decoded
