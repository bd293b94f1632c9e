"""The metadata a model carries, in the keys of OpenVINO's `rt_info/model_info`; an ONNX file has them in
`metadata_props`.

Both backends hand over a plain mapping of texts; here it becomes an InputSpec, an OutputSpec and labels, in
which None means that the model does not say. A value that cannot be read counts as not said, and is logged.
"""

import ast
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from inference.errors import ManifestInvalid
from inference.manifest import LAYOUTS, InputSpec, OutputSpec

_log = logging.getLogger(__name__)
_PREFIXES = ("model_info ", "model_info/", "model_info.")
_RESIZES = {
    "standard": ("stretch", None),
    "crop": ("crop", None),
    "fit_to_window": ("letterbox", "top-left"),
    "fit_to_window_letterbox": ("letterbox", "centre"),
}
_YES = ("true", "yes", "1")
_NO = ("false", "no", "0")
T = TypeVar("T")


class Metadata(NamedTuple):
    """What a model says of itself. `input.size` is for inputs whose own size is left open."""

    input: InputSpec
    output: OutputSpec
    labels: tuple[str, ...]
    multilabel: bool


def strip_prefixes(properties: Mapping[str, str]) -> dict[str, str]:
    """Keys without the `model_info` that some writers put before them."""
    plain: dict[str, str] = {}
    for key, value in properties.items():
        for prefix in _PREFIXES:
            key = key.removeprefix(prefix)
        plain[key] = value
    return plain


def read(metadata: Mapping[str, str]) -> Metadata:
    """The metadata as specifications. Raises nothing."""
    return Metadata(
        input=_embedded(metadata) if _flag(metadata, "embedded_processing") else _input(metadata),
        output=_output(metadata),
        labels=_labels(metadata),
        multilabel=bool(_flag(metadata, "multilabel")),
    )


def write(spec: InputSpec, output: OutputSpec, labels: Sequence[str] = ()) -> dict[str, str]:
    """The keys that `read` makes the same specifications of; what has no key of its own (decoder, softmax) is
    left out.

    Labels with a space in them, which parts labels, are written as `names`.
    """
    resize = {value: key for key, value in _RESIZES.items()}
    anchor = (spec.anchor or "centre") if spec.resize == "letterbox" else None
    size = spec.size or (None, None)
    said = {
        "reverse_input_channels": {"rgb": "true", "bgr": "false"}.get(spec.color or ""),
        "resize_type": resize.get((spec.resize, anchor)) if spec.resize else None,
        "pad_value": spec.pad,
        "mean_values": _text(spec.mean),
        "scale_values": _text(spec.scale),
        "layout": spec.layout,
        "orig_width": size[0],
        "orig_height": size[1],
        "confidence_threshold": output.threshold,
        "iou_threshold": output.iou,
        "topk": output.top_k,
        **_named(labels),
    }
    return {key: str(value) for key, value in said.items() if value is not None}


def _text(numbers: Sequence[float] | None) -> str | None:
    return None if numbers is None else " ".join(f"{number:.9g}" for number in numbers)


def _named(labels: Sequence[str]) -> dict[str, str]:
    if not labels:
        return {}
    if all(label and label.split() == [label] for label in labels):
        return {"labels": " ".join(labels)}
    return {"names": repr(list(labels))}


def _input(metadata: Mapping[str, str]) -> InputSpec:
    resize, anchor = _RESIZES.get(metadata.get("resize_type", ""), (None, None))
    spec: dict[str, Any] = {
        "color": {True: "rgb", False: "bgr", None: None}[_flag(metadata, "reverse_input_channels")],
        "resize": resize,
        "anchor": anchor,
        "pad": _value(metadata, "pad_value", lambda text: int(float(text))),
        "mean": _value(metadata, "mean_values", _numbers),
        "scale": _value(metadata, "scale_values", _numbers),
        "layout": _layout(metadata),
        "size": _size(metadata),
    }
    return InputSpec(**_sound(spec, InputSpec))


def _embedded(metadata: Mapping[str, str]) -> InputSpec:
    """A model with its preparation built in does its own colour, mean and scale: it takes BGR as it is."""
    spec: dict[str, Any] = {"color": "bgr", "layout": _layout(metadata), "size": _size(metadata)}
    return InputSpec(**_sound(spec, InputSpec))


def _size(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    width, height = (_value(metadata, key, int) for key in ("orig_width", "orig_height"))
    return (width, height) if width and height else None


def _output(metadata: Mapping[str, str]) -> OutputSpec:
    spec: dict[str, Any] = {
        "threshold": _value(metadata, "confidence_threshold", float),
        "iou": _value(metadata, "iou_threshold", float),
        "top_k": _value(metadata, "topk", int),
    }
    return OutputSpec(**_sound(spec, OutputSpec))


def _labels(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """`labels` parted by spaces, as OpenVINO writes it, else the Python mapping `names` of YOLO exports."""
    if metadata.get("labels", "").strip():
        return tuple(metadata["labels"].split())
    return _value(metadata, "names", _names) or ()


def _names(text: str) -> tuple[str, ...]:
    names = ast.literal_eval(text)
    values = [names[number] for number in sorted(names)] if isinstance(names, dict) else names
    return tuple(str(name) for name in values)


def _layout(metadata: Mapping[str, str]) -> str | None:
    """`NCHW`, or with the input's name before it: `data:NCHW`."""
    layout = metadata.get("layout", "").rpartition(":")[2].strip("[] ").replace(",", "").upper()
    return layout if layout in LAYOUTS else None


def _numbers(text: str) -> tuple[float, ...] | None:
    return tuple(float(part) for part in text.strip("[]() ").replace(",", " ").split()) or None


def _flag(metadata: Mapping[str, str], key: str) -> bool | None:
    text = metadata.get(key, "").strip().lower()
    return True if text in _YES else False if text in _NO else None


def _value(metadata: Mapping[str, str], key: str, parse: Callable[[str], T]) -> T | None:
    text = metadata.get(key, "").strip()
    if not text:
        return None
    try:
        return parse(text)
    except (ValueError, SyntaxError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        _log.warning(
            "the model's metadata has %s = %r, which cannot be read (%s); it is left out",
            key,
            text[:80],
            error,
        )
        return None


def _sound(spec: dict[str, Any], kind: type[InputSpec] | type[OutputSpec]) -> dict[str, Any]:
    """The fields that are valid on their own; the others are logged and left out."""
    sound: dict[str, Any] = {}
    for key, value in spec.items():
        try:
            kind(**{key: value})
        except ManifestInvalid as error:
            _log.warning("the model's metadata is not usable: %s; it is left out", error)
        else:
            sound[key] = value
    return sound
