"""A picture with alpha, drawn in unit coordinates, so that one description serves a thumbnail and a film."""

import cv2
import numpy as np
from numpy.typing import NDArray
from outlines import Points
from palette import Colour
from textures import Field

SHIFT = 4  # fractional bits of cv2's drawing coordinates
WHITE = np.full(3, 255, np.float32)
Window = tuple[slice, slice]


class Sprite:
    """`paint` (size, size, 3) BGR 0..255 premultiplied by `alpha` (size, size) 0..1, both float32."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.paint = np.zeros((size, size, 3), np.float32)
        self.alpha = np.zeros((size, size), np.float32)

    def fill(self, outline: Points, colour: Colour, opacity: float = 1.0, inside: bool = False) -> None:
        """Paint the closed `outline`; `inside` keeps to what is painted already."""
        self._lay(self._polygon(outline), colour, opacity, inside)

    def stroke(
        self,
        line: Points,
        colour: Colour,
        width: float,
        opacity: float = 1.0,
        inside: bool = False,
        closed: bool = False,
    ) -> None:
        """Draw along `line`, `width` in unit coordinates."""
        pixels = max(1, round(width * self.size / 2))
        fixed, corner, canvas = self._canvas(line, pixels)
        cv2.polylines(canvas, [fixed], closed, 255, pixels, cv2.LINE_AA, SHIFT)
        self._lay((self._window(corner, canvas), canvas), colour, opacity, inside)

    def cut(self, outline: Points) -> None:
        """Take away what lies within `outline`: a bite, a tear."""
        window, canvas = self._polygon(outline)
        keep = 1 - canvas.astype(np.float32) / 255
        self.paint[window] *= keep[..., None]
        self.alpha[window] *= keep

    def weave(self, field: Field, amount: float) -> None:
        """Lighten and darken by `field` (size, size), `amount` a share of the brightness."""
        self.paint *= np.clip(1 + amount * field, 0.15, 1.9)[..., None]
        np.minimum(self.paint, 255 * self.alpha[..., None], out=self.paint)

    def relief(self, angle: float, strength: float = 0.35, softness: float = 0.06) -> None:
        """Round the silhouette off: light from `angle` (degrees) on an edge `softness` units wide."""
        height = cv2.GaussianBlur(self.alpha, (0, 0), max(0.8, softness * self.size / 2))
        dx = cv2.Sobel(height, cv2.CV_32F, 1, 0)
        dy = cv2.Sobel(height, cv2.CV_32F, 0, 1)
        lit = dx * np.cos(np.radians(angle)) + dy * np.sin(np.radians(angle))
        self.weave(lit / max(float(np.abs(lit).max()), 1e-6), strength)

    def barrel(self, half_width: float, strength: float, shine: float = 0.0, at: float = -0.35) -> None:
        """Shade as a standing cylinder about x = 0: dark edges and, with `shine`, a bright stripe at `at`."""
        x = np.linspace(-1, 1, self.size, dtype=np.float32) / half_width
        shade = -strength * np.minimum(x**2, 1.2) + shine * np.exp(-(((x - at) / 0.13) ** 2))
        self.weave(np.broadcast_to(shade, self.alpha.shape), 1.0)

    def _polygon(self, outline: Points) -> tuple[Window, NDArray[np.uint8]]:
        fixed, corner, canvas = self._canvas(outline, 1)
        cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, SHIFT)
        return self._window(corner, canvas), canvas

    def _canvas(
        self, outline: Points, margin: int
    ) -> tuple[NDArray[np.int32], tuple[int, int], NDArray[np.uint8]]:
        """The outline in fixed point within the smallest window that holds it, that window's corner, and its canvas."""
        pixels = (outline + 1) * (self.size / 2)
        left, top = np.clip(np.floor(pixels.min(axis=0)).astype(int) - margin - 1, 0, self.size - 1)
        right, bottom = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + margin + 2, 0, self.size)
        canvas = np.zeros((max(1, bottom - top), max(1, right - left)), np.uint8)
        fixed = np.round((pixels - (left, top)) * 2**SHIFT).astype(np.int32)
        return fixed, (int(left), int(top)), canvas

    def _window(self, corner: tuple[int, int], canvas: NDArray[np.uint8]) -> Window:
        left, top = corner
        return slice(top, top + canvas.shape[0]), slice(left, left + canvas.shape[1])

    def _lay(
        self, drawn: tuple[Window, NDArray[np.uint8]], colour: Colour, opacity: float, inside: bool
    ) -> None:
        window, canvas = drawn
        mask = canvas.astype(np.float32) * (opacity / 255)
        paint, alpha = self.paint[window], self.alpha[window]
        paint *= (1 - mask)[..., None]
        if inside:
            mask *= alpha
        else:
            alpha += mask * (1 - alpha)
        paint += mask[..., None] * colour
