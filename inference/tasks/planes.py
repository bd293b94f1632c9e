"""How a segmentation's output is laid out: scores in planes or side by side, class numbers, or one plane of scores."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

import kernels
from inference.backends import UNKNOWN, Backend, Tensor, TensorSpec
from inference.errors import ModelMismatch
from inference.labels import given_labels
from inference.manifest import Manifest
from kernels.painting import CLASSES

Mask = NDArray[np.uint8]
FEWEST_CLASSES = 2
_FLOATS = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.float64))


class Form(Protocol):
    """One way to read masks out of a model's outputs. classes: how many it has, None where the output does not tell."""

    classes: int | None

    def read(self, outputs: tuple[Tensor, ...]) -> Mask | None:
        """The mask (h, w), a new array; None where the answer is no number somewhere."""
        ...

    def size(self, outputs: tuple[Tensor, ...]) -> tuple[int, int]:
        """(h, w) of the mask."""
        ...


class Scores:
    """One score a class and pixel: (1, C, h, w), or with `side_by_side` (1, h, w, C)."""

    def __init__(self, index: int, classes: int, *, side_by_side: bool) -> None:
        self.classes: int | None = classes
        self._index = index
        self._side_by_side = side_by_side

    def size(self, outputs: tuple[Tensor, ...]) -> tuple[int, int]:
        shape = outputs[self._index].shape
        return (shape[1], shape[2]) if self._side_by_side else (shape[2], shape[3])

    def read(self, outputs: tuple[Tensor, ...]) -> Mask | None:
        scores = outputs[self._index][0]
        mask = np.empty(self.size(outputs), np.uint8)
        if self._side_by_side:
            kernels.argmax_pixels(np.ascontiguousarray(scores, np.float32), mask)
            first = scores[..., 0]
        else:
            known = scores if scores.dtype in _FLOATS[:2] else scores.astype(np.float32)
            kernels.argmax_planes(np.ascontiguousarray(known), mask)
            first = scores[0]
        return mask if _known(first, mask) else None


class Numbers:
    """The class of each pixel as a number: (1, h, w), (1, 1, h, w) or (1, h, w, 1)."""

    def __init__(self, index: int) -> None:
        self.classes: int | None = None
        self._index = index

    def size(self, outputs: tuple[Tensor, ...]) -> tuple[int, int]:
        return _sides(outputs[self._index].shape)

    def read(self, outputs: tuple[Tensor, ...]) -> Mask | None:
        numbers = outputs[self._index].reshape(self.size(outputs))
        if numbers.dtype == np.uint8:
            return np.array(numbers)
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < CLASSES):  # a NaN neither
            return None
        return numbers.astype(np.uint8)


class Threshold:
    """One plane of scores: where it reaches the threshold a pixel is class 1, else class 0."""

    classes: int | None = 2

    def __init__(self, index: int, threshold: float) -> None:
        self._index = index
        self.threshold = threshold

    def size(self, outputs: tuple[Tensor, ...]) -> tuple[int, int]:
        return _sides(outputs[self._index].shape)

    def read(self, outputs: tuple[Tensor, ...]) -> Mask | None:
        scores = outputs[self._index].reshape(self.size(outputs))
        if scores.size and np.isnan(scores.min()):
            return None
        return (scores >= self.threshold).view(np.uint8)


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """(h, w) of a single plane, whichever axis it lies behind."""
    first = 1 if len(shape) == 3 or shape[1] != 1 else 2
    return shape[first], shape[first + 1]


def _known(first: Tensor, mask: Mask) -> bool:
    """Whether each pixel has a class that has a score. Of a pixel without any the mask says class 0.

    first: (h, w), the scores of class 0. An answer that is good costs one look at them.
    """
    if first.size == 0 or np.isfinite(first.min()):
        return True
    return not bool((~np.isfinite(first) & (mask == 0)).any())


class _Candidate(NamedTuple):
    place: int
    spec: TensorSpec
    form: Form


def form_of(manifest: Manifest, backend: Backend, threshold: float | None) -> Form:
    """The form of the one output that can be a mask. Raises ModelMismatch where none can, or several."""
    labels = len(given_labels(manifest, backend.metadata))
    found = [
        _Candidate(index, spec, form)
        for index, spec in enumerate(backend.outputs)
        for form in _forms(index, spec, labels, threshold)
    ]
    if len(found) > 1 and labels:
        found = [each for each in found if each.form.classes == labels] or found
    if len(found) != 1:
        raise _no_mask(manifest, backend, found)
    form = found[0].form
    if isinstance(form, Numbers) and found[0].spec.dtype in _FLOATS:
        _check_numbers(manifest, backend, found[0])
    if manifest.output.threshold is not None and not isinstance(form, Threshold):
        raise ModelMismatch(
            f"output.threshold is for a mask of one plane of scores; {manifest.model.name} has {found[0].spec}",
            "output.threshold",
        )
    if isinstance(form, Scores) and form.classes and form.classes > CLASSES:
        raise ModelMismatch(
            f"{manifest.model.name} has {form.classes} classes; a mask tells {CLASSES} apart", "task"
        )
    return form


def _forms(index: int, spec: TensorSpec, labels: int, threshold: float | None) -> list[Form]:
    shape = spec.shape
    if shape[:1] not in ((1,), (UNKNOWN,)) or len(shape) not in (3, 4):
        return []
    if len(shape) == 3 or 1 in (shape[1], shape[3]):
        if 1 in _sides(shape):
            return []
        one_plane = spec.dtype in _FLOATS and threshold is not None
        return [Threshold(index, float(threshold or 0.0))] if one_plane else [Numbers(index)]
    if spec.dtype not in _FLOATS:
        return []
    return _scores(index, shape, labels)


def _scores(index: int, shape: tuple[int, ...], labels: int) -> list[Form]:
    """Planes or side by side: where the labels are as many, else where there are fewer than pixels along a side."""
    planes = _is_classes(shape[1], shape[2:], labels)
    beside = _is_classes(shape[3], shape[1:3], labels)
    forms: list[Form] = []
    if planes:
        forms.append(Scores(index, shape[1], side_by_side=False))
    if beside:
        forms.append(Scores(index, shape[3], side_by_side=True))
    return forms


def _is_classes(size: int, sides: tuple[int, ...], labels: int) -> bool:
    if size < FEWEST_CLASSES or 1 in sides:
        return False
    return size == labels or all(side == UNKNOWN or size < side for side in sides)


def _no_mask(manifest: Manifest, backend: Backend, found: list[_Candidate]) -> ModelMismatch:
    outputs = ", ".join(map(str, backend.outputs))
    if len(found) > 1:
        return ModelMismatch(
            f"{manifest.model.name} has {outputs}: which of it is the mask, and where its classes stand, is not to "
            "be told; labels with as many names as there are classes say it, where only one axis is as long",
            "labels",
        )
    return ModelMismatch(
        "segmentation reads one output of scores (1, C, h, w) or (1, h, w, C), or of class numbers (1, h, w) or "
        f"(1, 1, h, w); {manifest.model.name} has {outputs}. Classes are taken for the shorter axis, or for the one "
        "that is as long as labels",
        "task",
    )


def _check_numbers(manifest: Manifest, backend: Backend, found: _Candidate) -> None:
    """Floats of one plane may be scores as well: what the model says of noise tells."""
    tensor = backend.input(0)
    noise = np.random.default_rng(0).random(tensor.shape, np.float32)
    tensor[...] = (noise * 255).astype(tensor.dtype) if tensor.dtype == np.uint8 else noise
    said = backend.run(0)[found.place]
    if not (np.isfinite(said).all() and (said == np.rint(said)).all()):
        raise ModelMismatch(
            f"the output {found.spec} of {manifest.model.name} holds scores of one class and no class numbers; "
            "output.threshold says from which score on a pixel is of that class",
            "output.threshold",
        )
