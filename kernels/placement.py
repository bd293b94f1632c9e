"""Where a source picture lies in a model's input: pictures go in by it, and boxes come back by it."""

from typing import NamedTuple

RESIZES = ("stretch", "letterbox", "crop")
ANCHORS = ("centre", "top-left")
Size = tuple[int, int]


class Placement(NamedTuple):
    """Where the source picture lies in the model's input.

    A source point (y, x) in pixels lies at (y * scale_y + top, x * scale_x + left) in input pixels.
    """

    source_height: int  # pixels
    source_width: int  # pixels
    scale_y: float  # input pixels per source pixel
    scale_x: float  # input pixels per source pixel
    top: float  # input pixels; negative where a crop cuts
    left: float  # input pixels; negative where a crop cuts


class Fit(NamedTuple):
    """A source picture's size after scaling and its corner in the input, all in whole input pixels."""

    height: int
    width: int
    top: int
    left: int


def placement(source_size: Size, input_size: Size, resize: str, anchor: str = "centre") -> Placement:
    """Place a picture of source_size in an input of input_size, both (height, width) in pixels.

    - "stretch" fills the input and gives up the aspect ratio.
    - "letterbox" scales by one factor until the picture just fits; its sides are rounded to the nearest whole
      pixel (a half goes up) and are at least one. What is left over is border: shared by both sides at anchor
      "centre" (an odd pixel goes below or to the right), below and to the right at "top-left".
    - "crop" scales by one factor until the input is just covered, rounded likewise, and cuts evenly from both
      sides (an odd pixel is cut below or on the right).

    The scales told are those after rounding, so that mapping back is exact. The anchor matters to letterbox
    alone. Raises ValueError for sizes below one and for an unknown resize or anchor.
    """
    fit = fit_size(source_size, input_size, resize, anchor)
    height, width = source_size
    return Placement(height, width, fit.height / height, fit.width / width, float(fit.top), float(fit.left))


def fit_size(source_size: Size, input_size: Size, resize: str, anchor: str) -> Fit:
    """The same in whole pixels: how large the scaled picture is and where its corner lies in the input.

    Raises ValueError as `placement` does.
    """
    _check(source_size, input_size, resize, anchor)
    if resize == "stretch":
        return Fit(*input_size, 0, 0)
    if resize == "letterbox":
        return _letterbox(source_size, input_size, anchor)
    return _crop(source_size, input_size)


def _letterbox(source: Size, target: Size, anchor: str) -> Fit:
    factor = min(target[0] / source[0], target[1] / source[1])
    height = min(target[0], max(1, _nearest(source[0] * factor)))
    width = min(target[1], max(1, _nearest(source[1] * factor)))
    if anchor == "top-left":
        return Fit(height, width, 0, 0)
    return Fit(height, width, (target[0] - height) // 2, (target[1] - width) // 2)


def _crop(source: Size, target: Size) -> Fit:
    factor = max(target[0] / source[0], target[1] / source[1])
    height = max(target[0], _nearest(source[0] * factor))
    width = max(target[1], _nearest(source[1] * factor))
    return Fit(height, width, -((height - target[0]) // 2), -((width - target[1]) // 2))


def _nearest(value: float) -> int:
    return int(value + 0.5)


def _check(source: Size, target: Size, resize: str, anchor: str) -> None:
    if min(*source, *target) < 1:
        raise ValueError(f"sizes must be at least one pixel: source {tuple(source)}, input {tuple(target)}")
    if resize not in RESIZES:
        raise ValueError(f"resize must be one of {', '.join(RESIZES)}, not {resize!r}")
    if anchor not in ANCHORS:
        raise ValueError(f"anchor must be one of {', '.join(ANCHORS)}, not {anchor!r}")
