"""The way of several pictures into a model's input: each is prepared once, into a ring that is laid out for a run.

Inputs of five dimensions: NCTHW, whose channels stand before the T pictures, and NTCHW and NTHWC, where each picture
is whole, in the order of planes or of pixels.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from inference import metadata as model_metadata
from inference import picture
from inference.backends import UNKNOWN, Shape, Tensor, TensorSpec
from inference.errors import ModelMismatch
from inference.manifest import CLIP_LAYOUTS, Manifest
from inference.picture import PictureInput, merged
from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement

DIMENSIONS = 5
LAYOUTS = f"{', '.join(CLIP_LAYOUTS[:-1])} or {CLIP_LAYOUTS[-1]}"
_TIME = {"NCTHW": 2, "NTCHW": 1, "NTHWC": 1}
CHANNELS = {"NCTHW": 1, "NTCHW": 2, "NTHWC": 4}
_PICTURE = {"NCTHW": "NCHW", "NTCHW": "NCHW", "NTHWC": "NHWC"}  # the layout of one of them


@dataclasses.dataclass(frozen=True)
class ClipInput:
    """A settled input of `pictures` pictures (T), each prepared as `picture` says. layout: one of CLIP_LAYOUTS."""

    picture: PictureInput
    pictures: int
    layout: str


class Ring:
    """The last T prepared pictures of one source; the oldest gives way to the newest."""

    def __init__(self, clip: ClipInput, dtype: np.dtype[np.generic], channels: int) -> None:
        self._clip = clip
        height, width = clip.picture.size
        shape = (height, width, channels) if clip.layout == "NTHWC" else (channels, height, width)
        self._frames = np.empty((clip.pictures, *shape), dtype)
        self.taken = 0  # pictures so far

    @property
    def full(self) -> bool:
        return self.taken >= self._clip.pictures

    def put(self, pixels: Picture, pixel_format: PixelFormat) -> Placement:
        """Prepare a picture into its place in the ring. Raises TypeError and ValueError for a misshapen one."""
        place = self._frames[self.taken % self._clip.pictures]
        placement = self._clip.picture.write(pixels, pixel_format, place)
        self.taken += 1
        return placement

    def lay_out(self, tensor: Tensor) -> None:
        """Copy the pictures, the oldest first, into `tensor`, (1, ...) in the clip's layout."""
        oldest = self.taken % self._clip.pictures
        behind = self._clip.pictures - oldest
        inside = tensor[0].swapaxes(0, 1) if self._clip.layout == "NCTHW" else tensor[0]
        np.copyto(inside[:behind], self._frames[oldest:])
        np.copyto(inside[behind:], self._frames[:oldest])


def is_clip(inputs: tuple[TensorSpec, ...]) -> bool:
    """Whether a model takes several pictures together."""
    return len(inputs) == 1 and len(inputs[0].shape) == DIMENSIONS


def arrange(
    manifest: Manifest, inputs: tuple[TensorSpec, ...], metadata: Mapping[str, str]
) -> tuple[Shape, ...]:
    """The static shape of an input of five dimensions, of batch 1; what the model leaves open the manifest must say.

    Raises ModelMismatch for what contradicts the model, and where the layout is not to be told.
    """
    layout = _layout(manifest, inputs[0], metadata)
    [(batch, *single)] = picture.arrange(*_as_picture(manifest, inputs[0], layout), _without_layout(metadata))
    single.insert(_TIME[layout] - 1, _pictures(manifest, inputs[0], layout))
    return ((batch, *single),)


def clip_input(manifest: Manifest, spec: TensorSpec, metadata: Mapping[str, str]) -> ClipInput:
    """The settled way of pictures into the (arranged, static) input. Raises ModelMismatch."""
    layout = _layout(manifest, spec, metadata)
    plain, [single] = _as_picture(manifest, spec, layout)
    settled = picture.picture_input(plain, single, _without_layout(metadata))
    return ClipInput(settled, spec.shape[_TIME[layout]], layout)


def _as_picture(manifest: Manifest, spec: TensorSpec, layout: str) -> tuple[Manifest, tuple[TensorSpec, ...]]:
    """The same for one picture of the clip."""
    shape = tuple(size for axis, size in enumerate(spec.shape) if axis != _TIME[layout])
    own = dataclasses.replace(manifest.input, layout=_PICTURE[layout])
    plain = dataclasses.replace(manifest, input=own)
    return plain, (spec._replace(shape=shape),)


def _without_layout(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key != "layout"}


def _layout(manifest: Manifest, spec: TensorSpec, metadata: Mapping[str, str]) -> str:
    """As the manifest or the model says, else by the axis that has 1 or 3 channels."""
    wanted = merged(manifest.input, model_metadata.read(metadata).input).layout
    if manifest.input.layout is not None and wanted not in CLIP_LAYOUTS:
        raise ModelMismatch(
            f"input.layout is {wanted}, but the model's input {spec} has five dimensions: {LAYOUTS}",
            "input.layout",
        )
    if wanted in CLIP_LAYOUTS:
        return str(wanted)
    fitting = [layout for layout in CLIP_LAYOUTS if spec.shape[CHANNELS[layout]] in (1, 3)]
    if len(fitting) != 1:
        raise ModelMismatch(
            f"which axis of the model's input {spec} are the channels, and which the pictures, is not to be told; "
            f"input.layout must say {LAYOUTS}",
            "input.layout",
        )
    return fitting[0]


def _pictures(manifest: Manifest, spec: TensorSpec, layout: str) -> int:
    own, wanted = spec.shape[_TIME[layout]], manifest.output.window
    if own == UNKNOWN and wanted is None:
        raise ModelMismatch(
            f"the model leaves open how many pictures its input {spec} takes; output.window must say it",
            "output.window",
        )
    if own != UNKNOWN and wanted not in (None, own):
        raise ModelMismatch(
            f"output.window is {wanted}, but the model's input {spec} takes {own} pictures", "output.window"
        )
    return int(wanted or own)
