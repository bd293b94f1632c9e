"""Segmentation: a class for each part of the picture, and how much of the picture each class covers."""

import numpy as np
from numpy.typing import NDArray

import kernels
from inference import metadata as model_metadata
from inference.backends import Backend, Tensor
from inference.labels import settled_labels
from inference.manifest import Manifest
from inference.picture import arrange, merged, picture_input
from inference.results import Segmentation, seen_part
from inference.stopwatch import Stopwatch
from inference.tasks import Kind, Prepared
from inference.tasks.planes import Form, Mask, Threshold, form_of
from kernels.formats import Picture, PixelFormat
from kernels.painting import CLASSES
from kernels.placement import Placement

_NOTHING = np.empty(0, np.int32)


class SegmentationTask:
    """Reads one output of scores or class numbers a pixel. See inference.tasks.Task."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self._backend = backend
        self._picture = picture_input(manifest, backend.inputs[0], backend.metadata)
        wanted = merged(manifest.output, model_metadata.read(backend.metadata).output)
        self._form: Form = form_of(manifest, backend, wanted.threshold)
        self.labels = settled_labels(manifest, backend.metadata, self._form.classes)
        self._with_mask = bool(wanted.mask)
        self._counts = np.zeros(CLASSES, np.int64)

    @property
    def threshold(self) -> float | None:
        return self._form.threshold if isinstance(self._form, Threshold) else None

    @threshold.setter
    def threshold(self, threshold: float | None) -> None:
        if isinstance(self._form, Threshold):
            self._form.threshold = threshold or 0.0

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._picture.needed(size)

    def prepare(self, pixels: Picture, pixel_format: PixelFormat, slot: int, source: str) -> Prepared:
        return Prepared(self._picture.write(pixels, pixel_format, self._backend.input(slot)[0]), source)

    def forget(self, source: str) -> None:
        """Nothing is remembered of a source."""

    def interpret(self, outputs: tuple[Tensor, ...], prepared: Prepared, watch: Stopwatch) -> Segmentation:
        mask = self._form.read(outputs)
        finite = mask is not None
        if mask is None:
            mask = np.zeros(self._form.size(outputs), np.uint8)
        placement = in_mask(prepared.placement, self._picture.size, mask.shape)
        ids, areas = self._areas(mask, placement) if finite else (_NOTHING, _NOTHING.astype(np.float32))
        return Segmentation(mask, placement, ids, areas, watch.timings(), self._with_mask, finite)

    def _areas(self, mask: Mask, placement: Placement) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The classes that are there, the largest first (equal ones by number), and their shares of the picture."""
        part = seen_part(mask.shape, placement)
        counts = kernels.count_classes(mask, part, self._counts)
        ids = np.flatnonzero(counts)
        ids = ids[np.argsort(-counts[ids], kind="stable")]
        pixels = (part[2] - part[0]) * (part[3] - part[1])
        areas = counts[ids] * (seen_share(mask.shape, placement) / pixels)
        return ids.astype(np.int32), areas.astype(np.float32)


def in_mask(placement: Placement, size: tuple[int, int], mask: tuple[int, ...]) -> Placement:
    """The placement of the picture in the mask (h, w), which covers the input of `size` (height, width)."""
    down, across = mask[0] / size[0], mask[1] / size[1]
    return placement._replace(
        scale_y=placement.scale_y * down,
        scale_x=placement.scale_x * across,
        top=placement.top * down,
        left=placement.left * across,
    )


def seen_share(mask: tuple[int, ...], placement: Placement) -> float:
    """How much of the picture the mask covers, 0..1: all of it but for a crop."""
    down = mask[0] / (placement.scale_y * placement.source_height)
    across = mask[1] / (placement.scale_x * placement.source_width)
    return min(1.0, down) * min(1.0, across)


KIND = Kind(arrange, SegmentationTask)
