"""The way of a picture into a model's input: settled once at load, then one kernel call a frame."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

import kernels
from inference import metadata as model_metadata
from inference.backends import UNKNOWN, Shape, Tensor, TensorSpec
from inference.errors import ModelMismatch
from inference.manifest import InputSpec, Manifest
from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement, fit_size, placement

DEFAULTS = InputSpec(color="rgb", resize="stretch", anchor="centre", pad=114)
DTYPES = tuple(np.dtype(name) for name in (np.uint8, np.float16, np.float32))
_AXES = {"NCHW": (1, 2, 3), "NHWC": (3, 1, 2)}  # where channels, height and width stand
Spec = TypeVar("Spec")


@dataclasses.dataclass(frozen=True)
class PictureInput:
    """What `kernels.prepare` is told. size: (height, width) in pixels. mean, scale: one number a channel."""

    size: tuple[int, int]
    color: PixelFormat
    resize: str
    anchor: str
    pad: int
    mean: tuple[float, ...] | None
    scale: tuple[float, ...] | None
    layout: str

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        """To which size a picture of `size` is scaled, both (height, width) in pixels; larger ones say no more."""
        fit = fit_size(size, self.size, self.resize, self.anchor)
        return fit.height, fit.width

    def placement(self, size: tuple[int, int]) -> Placement:
        """Where a picture of `size` (height, width) lies in the input, without putting it there."""
        return placement(size, self.size, self.resize, self.anchor)

    def write(self, pixels: Picture, pixel_format: PixelFormat, tensor: Tensor) -> Placement:
        """Writes a picture into `tensor`, (C, height, width) or (height, width, C) as the layout says.

        Raises TypeError and ValueError for a picture that does not have the shape of its format.
        """
        return kernels.prepare(
            pixels,
            tensor,
            format=pixel_format,
            color=self.color,
            resize=self.resize,
            anchor=self.anchor,
            pad=self.pad,
            mean=self.mean,
            scale=self.scale,
            layout=self.layout,
        )


def merged(first: Spec, *others: Spec) -> Spec:
    """Each field from the first specification that says something."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(first):  # type: ignore[arg-type]
        said = (getattr(spec, field.name) for spec in (first, *others))
        values[field.name] = next((value for value in said if value is not None), None)
    return dataclasses.replace(first, **values)  # type: ignore[type-var]


def arrange(
    manifest: Manifest, inputs: tuple[TensorSpec, ...], metadata: Mapping[str, str]
) -> tuple[Shape, ...]:
    """The static shape of the one picture input, of batch 1; what the model leaves open, the manifest must
    say.

    Raises ModelMismatch for a model with other inputs, and for a size that the model does not have.
    """
    spec = _only_picture(manifest, inputs)
    wanted = merged(manifest.input, model_metadata.read(metadata).input)
    layout = _layout(spec, wanted.layout)
    channels, height, width = (spec.shape[axis] for axis in _AXES[layout])
    width, height = _size(spec, (width, height), manifest.input.size, wanted.size)
    channels = _channels(spec, channels, wanted.color)
    return ((1, channels, height, width) if layout == "NCHW" else (1, height, width, channels),)


def picture_input(manifest: Manifest, spec: TensorSpec, metadata: Mapping[str, str]) -> PictureInput:
    """The settled way of a picture into the (arranged, static) input `spec`.

    Manifest before the model's metadata before the defaults. Raises ModelMismatch for what contradicts the
    model.
    """
    wanted = merged(manifest.input, model_metadata.read(metadata).input)
    layout = _layout(spec, wanted.layout)
    channels, height, width = (spec.shape[axis] for axis in _AXES[layout])
    color = _color(spec, channels, wanted.color)
    settled = merged(wanted, DEFAULTS)
    _check_bytes(spec, wanted)
    return PictureInput(
        size=(height, width),
        color=color,
        resize=str(settled.resize),
        anchor=str(settled.anchor),
        pad=int(settled.pad or 0),
        mean=_per_channel(wanted.mean, channels, "input.mean"),
        scale=_per_channel(wanted.scale, channels, "input.scale"),
        layout=layout,
    )


def _only_picture(manifest: Manifest, inputs: tuple[TensorSpec, ...]) -> TensorSpec:
    named = ", ".join(map(str, inputs)) or "none"
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ModelMismatch(
            f"{manifest.task} wants a model with one picture as input, of four dimensions; "
            f"{manifest.model.name} has {named}",
            "task",
        )
    if inputs[0].dtype not in DTYPES:
        known = ", ".join(map(str, DTYPES))
        raise ModelMismatch(f"{manifest.model.name} takes {named}; pictures can be put in as {known}", "task")
    return inputs[0]


def _layout(spec: TensorSpec, wanted: str | None) -> str:
    """Where the channels stand: as said, else at the axis that has 1 or 3 of them."""
    if wanted in _AXES:
        return wanted
    return "NHWC" if spec.shape[1] not in (1, 3) and spec.shape[3] in (1, 3) else "NCHW"


def _size(
    spec: TensorSpec, own: tuple[int, int], manifest: tuple[int, int] | None, hint: tuple[int, int] | None
) -> tuple[int, int]:
    """(width, height): the model's own where it has one, checked against the manifest's."""
    settled = [
        side if side != UNKNOWN else said for side, said in zip(own, manifest or hint or own, strict=True)
    ]
    if UNKNOWN in settled:
        raise ModelMismatch(
            f"the model leaves the size of its input {spec} open; input.size must say [width, height]",
            "input.size",
        )
    if manifest is not None and tuple(settled) != manifest:
        raise ModelMismatch(
            f"input.size is {list(manifest)}, but the model's input {spec} is {settled} (width, height)",
            "input.size",
        )
    return settled[0], settled[1]


def _channels(spec: TensorSpec, channels: int, color: str | None) -> int:
    if channels == UNKNOWN:
        return 1 if color == "gray" else 3
    if channels not in (1, 3):
        raise ModelMismatch(
            f"the model's input {spec} has {channels} channels; a picture has 1 or 3. Is input.layout right?",
            "input.layout",
        )
    return channels


def _color(spec: TensorSpec, channels: int, wanted: str | None) -> PixelFormat:
    if wanted is None:
        return PixelFormat.GRAY if channels == 1 else PixelFormat.RGB
    if (wanted == "gray") != (channels == 1):
        raise ModelMismatch(
            f"input.color is {wanted}, but the model's input {spec} has {channels} channels", "input.color"
        )
    return PixelFormat(wanted)


def _per_channel(values: tuple[float, ...] | None, channels: int, key: str) -> tuple[float, ...] | None:
    if values is None:
        return None
    if len(values) == 1:
        return tuple(map(float, values * channels))
    if len(values) != channels:
        raise ModelMismatch(
            f"{key} has {len(values)} numbers, but the model's input has {channels} channels", key
        )
    return tuple(map(float, values))


def _check_bytes(spec: TensorSpec, wanted: InputSpec) -> None:
    for key in ("mean", "scale"):
        if spec.dtype == np.uint8 and getattr(wanted, key) is not None:
            raise ModelMismatch(
                f"the model's input {spec} takes grey levels as they are; input.{key} cannot be applied",
                f"input.{key}",
            )
