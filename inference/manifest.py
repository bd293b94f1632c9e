"""What a project says of its model: the part of `project.yaml` that concerns inference.

`None` in a field means "take it from the model's own metadata, else the default".
"""

import dataclasses
import difflib
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inference.errors import ManifestInvalid

TASKS = ("classification", "detection", "segmentation", "activity")
LATER_TASKS = ("policy",)
COLORS = ("rgb", "bgr", "gray")
RESIZES = ("stretch", "letterbox", "crop")
ANCHORS = ("centre", "top-left")
CLIP_LAYOUTS = ("NCTHW", "NTCHW", "NTHWC")
LAYOUTS = ("NCHW", "NHWC", *CLIP_LAYOUTS)
DECODERS = ("auto", "ssd", "yolov5", "yolov8", "yolox", "nanodet", "yunet", "scored")
LARGEST_SIDE = 8192
MOST_RESULTS = 10_000
LONGEST_NAME = 255  # bytes of a file's name
MOST_PICTURES = 256  # that a model looks at together, or that are left out between two
# Which tasks an output key means something to.
TASKS_OF: dict[str, tuple[str, ...]] = {
    "threshold": TASKS,
    "top_k": ("classification", "detection"),
    "iou": ("detection",),
    "decoder": ("detection",),
    "softmax": ("classification", "activity"),
    "track": ("detection",),
    "mask": ("segmentation",),
    "window": ("activity",),
    "step": ("activity",),
    "stride": ("activity",),
    "average": ("activity",),
    "hold": ("activity",),
}
FAKE = "fake:"


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """How a picture is put into the model.

    size: (width, height) in pixels, each 1..8192. color: order of the channels the model wants. mean, scale:
    of 1 or 3 numbers in that order, in grey levels: value = (pixel - mean) / scale. resize, anchor, pad: how
    a picture of another shape is fitted, and the grey level (0..255) of what a letterbox leaves free. layout: of
    the axes; one of CLIP_LAYOUTS for a model that takes several pictures together. Raises ManifestInvalid.
    """

    size: tuple[int, int] | None = None
    color: str | None = None
    resize: str | None = None
    anchor: str | None = None
    pad: int | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    layout: str | None = None

    def __post_init__(self) -> None:
        _size(self.size)
        _choice(self.color, COLORS, "input.color")
        _choice(self.resize, RESIZES, "input.resize")
        _choice(self.anchor, ANCHORS, "input.anchor")
        _choice(self.layout, LAYOUTS, "input.layout")
        _whole(self.pad, 0, 255, "input.pad")
        _channels(self.mean, "input.mean")
        _channels(self.scale, "input.scale")
        if self.scale is not None and 0 in self.scale:
            raise ManifestInvalid(
                f"input.scale divides, so no number of it may be 0: {self.scale}", "input.scale"
            )


@dataclasses.dataclass(frozen=True)
class OutputSpec:
    """How the model's answer is read.

    threshold: scores below it (0..1) are left out. top_k: at most so many results (1..10000). iou: boxes of
    one class that overlap more than this (0..1) are one thing. decoder: which layout of outputs a detector
    has. softmax: whether the raw scores of a classifier still need it.

    track: whether things found are followed from picture to picture. mask: whether messages of a segmentation carry
    the mask. window, step, stride, average, hold: of an activity, in pictures, 1..256: how many the model looks at
    together, each how-manieth of the source is one of them, after how many it is asked anew; how many of its
    answers are averaged; for how many results a class must lead to be told. Raises ManifestInvalid.
    """

    threshold: float | None = None
    top_k: int | None = None
    iou: float | None = None
    decoder: str = "auto"
    softmax: bool | None = None
    track: bool | None = None
    mask: bool | None = None
    window: int | None = None
    step: int | None = None
    stride: int | None = None
    average: int | None = None
    hold: int | None = None

    def __post_init__(self) -> None:
        _fraction(self.threshold, "output.threshold")
        _fraction(self.iou, "output.iou")
        _whole(self.top_k, 1, MOST_RESULTS, "output.top_k")
        _choice(self.decoder, DECODERS, "output.decoder")
        for key in ("softmax", "track", "mask"):
            _truth(getattr(self, key), f"output.{key}")
        for key in ("window", "step", "stride", "average", "hold"):
            _whole(getattr(self, key), 1, MOST_PICTURES, f"output.{key}")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """One model and how to use it.

    name: of letters a-z, digits and hyphens. task: one of TASKS. model: the file (for an OpenVINO IR the
    .xml), or `fake:...` (see inference.backends.fake). labels: names of the classes, by their number; empty
    means that the model's metadata names them, and where it does not, "0", "1", ... Raises ManifestInvalid.
    """

    name: str
    task: str
    model: Path
    labels: tuple[str, ...] = ()
    input: InputSpec = dataclasses.field(default_factory=InputSpec)
    output: OutputSpec = dataclasses.field(default_factory=OutputSpec)

    def __post_init__(self) -> None:
        _name(self.name)
        _task(self.task)
        _label_names(self.labels)
        _fits_task(self.task, self.input, self.output)

    @property
    def is_fake(self) -> bool:
        """Whether the model is made up by the `fake` backend rather than read from a file."""
        return str(self.model).startswith(FAKE)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], folder: Path) -> "Manifest":
        """The manifest that the keys `name, task, model, labels, input, output` of a project file give.

        Relative paths start at `folder`. `labels` is a list, or the path of a text file with one label a
        line. Raises ManifestInvalid with the dotted key at fault for an unknown or missing key or a wrong
        value.
        """
        for mistake in (*_unknown(mapping, cls, ""), *_missing(mapping)):
            raise mistake
        return cls(
            name=mapping["name"],
            task=mapping["task"],
            model=_model_path(mapping["model"], folder),
            labels=_labels(mapping.get("labels"), folder),
            input=InputSpec(**_section(mapping, "input", InputSpec)),
            output=OutputSpec(**_section(mapping, "output", OutputSpec)),
        )


def mistakes(mapping: Mapping[str, Any], folder: Path) -> Iterator[ManifestInvalid]:
    """Everything that `Manifest.from_mapping` would refuse, one mistake after the other.

    What a key means to the task is looked at only when nothing else is wrong.
    """
    found = [*_unknown(mapping, Manifest, ""), *_missing(mapping)]
    checks: dict[str, Callable[[Any], object]] = {
        "name": _name,
        "task": _task,
        "model": lambda value: _model_path(value, folder),
        "labels": lambda value: _labels(value, folder),
    }
    for key, check in checks.items():
        if key in mapping:
            found += _refused(check, mapping[key])
    for name, spec in (("input", InputSpec), ("output", OutputSpec)):
        found += _of_section(mapping, name, spec)
    yield from found or _refused(lambda value: Manifest.from_mapping(value, folder), mapping)


def _of_section(mapping: Mapping[str, Any], name: str, spec: type) -> list[ManifestInvalid]:
    section = mapping.get(name)
    if not isinstance(section, Mapping):
        return _refused(lambda value: _section(value, name, spec), mapping)
    found = list(_unknown(section, spec, f"{name}."))
    known = {field.name for field in dataclasses.fields(spec)}
    for key in (key for key in section if key in known):
        found += _refused(lambda value: spec(**_section({name: value}, name, spec)), {key: section[key]})
    return found


def _refused(check: Callable[[Any], object], value: Any) -> list[ManifestInvalid]:
    try:
        check(value)
    except ManifestInvalid as error:
        return [error]
    return []


def _section(mapping: Mapping[str, Any], name: str, spec: type) -> dict[str, Any]:
    section = mapping.get(name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        raise ManifestInvalid(f"{name} must be a mapping of keys to values, not {section!r}", name)
    for mistake in _unknown(section, spec, f"{name}."):
        raise mistake
    values = {key: _as_tuple(key, value) for key, value in section.items()}
    if name == "output" and values.get("decoder") is None:
        values.pop("decoder", None)
    return values


def _unknown(mapping: Mapping[str, Any], spec: type, prefix: str) -> Iterator[ManifestInvalid]:
    known = [field.name for field in dataclasses.fields(spec)]
    for key in mapping:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            more = f"did you mean {prefix}{close[0]}?" if close else f"known are {', '.join(known)}"
            yield ManifestInvalid(f"{prefix}{key} is not a key; {more}", f"{prefix}{key}")


def _missing(mapping: Mapping[str, Any]) -> Iterator[ManifestInvalid]:
    for key in ("name", "task", "model"):
        if key not in mapping:
            yield ManifestInvalid(f"{key} is missing: a project needs name, task and model", key)


def _as_tuple(key: str, value: Any) -> Any:
    """Lists become tuples; one number for all channels becomes a tuple of one."""
    if isinstance(value, list):
        return tuple(value)
    if key in ("mean", "scale") and _is_number(value):
        return (value,)
    return value


def _model_path(value: Any, folder: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise ManifestInvalid(f"model must be the path of a model file, not {value!r}", "model")
    if value.startswith(FAKE):
        return Path(value)
    if "://" in value:
        raise ManifestInvalid(f"model must be a path on this machine, not the address {value!r}", "model")
    path = folder / Path(value).expanduser()
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        raise ManifestInvalid(f"model must be the path of a file, not {len(value)} characters", "model")
    return path


def _labels(value: Any, folder: Path) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return _labels_of_file(folder / Path(value).expanduser())
    if not isinstance(value, list):
        raise ManifestInvalid(
            f"labels must be a list, or the path of a file of one label a line, not {value!r}", "labels"
        )
    labels = tuple(value)
    _label_names(labels)
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise ManifestInvalid(f"labels names {twice[0]!r} more than once", "labels")
    return labels


def _labels_of_file(path: Path) -> tuple[str, ...]:
    """One label a line; empty lines do not count. Names may repeat: ImageNet's do ("crane", "maillot")."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ManifestInvalid(f"labels names the file {path}, which does not exist", "labels") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestInvalid(
            f"labels names the file {path}, which cannot be read as text: {error}", "labels"
        ) from None
    labels = tuple(line.strip() for line in lines if line.strip())
    if not labels:
        raise ManifestInvalid(f"labels names the file {path}, which holds no label", "labels")
    return labels


def _label_names(labels: Iterable[Any]) -> None:
    for label in labels:
        if not isinstance(label, str) or not label.strip():
            raise ManifestInvalid(
                f"each of labels must be a text that is not empty, not {label!r}; a number or yes needs quotes",
                "labels",
            )


def _fits_task(task: str, given: InputSpec, wanted: OutputSpec) -> None:
    """Refuse keys that mean nothing to the task: who writes them expects something of them."""
    for field in dataclasses.fields(OutputSpec):
        tasks = TASKS_OF[field.name]
        if getattr(wanted, field.name) != field.default and task not in tasks:
            raise ManifestInvalid(
                f"output.{field.name} belongs to {' and '.join(tasks)}; it means nothing to the task {task}",
                f"output.{field.name}",
            )
    if given.layout in CLIP_LAYOUTS and task != "activity":
        raise ManifestInvalid(
            f"input.layout {given.layout} is that of a clip, which only the task activity takes; {task} takes "
            "NCHW or NHWC",
            "input.layout",
        )


def _name(value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch("[a-z0-9-]+", value):
        raise ManifestInvalid(f"name must be of the letters a-z, digits and hyphens, not {value!r}", "name")


def _task(value: Any) -> None:
    if value in LATER_TASKS:
        raise ManifestInvalid(
            f"task {value!r} is not supported by this version; it knows {', '.join(TASKS)}", "task"
        )
    _choice(value or "", TASKS, "task")


def _choice(value: Any, choices: tuple[str, ...], key: str) -> None:
    if value is not None and value not in choices:
        raise ManifestInvalid(f"{key} must be one of {', '.join(choices)}, not {value!r}", key)


def _size(value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, tuple) or len(value) != 2:
        raise ManifestInvalid(f"input.size must be [width, height], not {value!r}", "input.size")
    for side in value:
        _whole(side, 1, LARGEST_SIDE, "input.size")


def _whole(value: Any, lowest: int, highest: int, key: str) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (whole and lowest <= value <= highest):
        raise ManifestInvalid(f"{key} must be a whole number from {lowest} to {highest}, not {value!r}", key)


def _truth(value: Any, key: str) -> None:
    if value is not None and not isinstance(value, bool):
        raise ManifestInvalid(f"{key} must be true or false, not {value!r}", key)


def _fraction(value: Any, key: str) -> None:
    if value is not None and not (_is_number(value) and 0 <= value <= 1):
        raise ManifestInvalid(f"{key} must be a number from 0 to 1, not {value!r}", key)


def _channels(value: Any, key: str) -> None:
    if value is None:
        return
    if not isinstance(value, tuple) or len(value) not in (1, 3) or not all(map(_is_number, value)):
        raise ManifestInvalid(f"{key} must be one number, or three (one a channel), not {value!r}", key)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
