from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement

def prepare(
    pixels: Picture,
    out: NDArray[Any],
    *,
    format: PixelFormat = PixelFormat.BGR,  # noqa: A002
    color: PixelFormat = PixelFormat.RGB,
    resize: str = "stretch",
    anchor: str = "centre",
    pad: int = 114,
    mean: Sequence[float] | None = None,
    scale: Sequence[float] | None = None,
    layout: str = "NCHW",
) -> Placement: ...
