"""Detection: boxes, decoded from the outputs, thinned out, and mapped back to the picture."""

import numpy as np
from numpy.typing import NDArray

import kernels
from inference import metadata as model_metadata
from inference.backends import Backend, Tensor
from inference.errors import ModelMismatch
from inference.labels import given_labels, settled_labels
from inference.manifest import Manifest, OutputSpec
from inference.picture import arrange, merged, picture_input
from inference.results import UNTRACKED, Detections
from inference.stopwatch import Stopwatch
from inference.tasks import Kind, Prepared
from inference.tasks.classification import classes_of
from inference.tasks.decoders import Decoder, Head, NoFit, fit_decoder
from inference.tracking import Tracker, floor_of
from kernels.candidates import Candidates
from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement

MOST = 100


class DetectionTask:
    """Reads boxes with one of the decoders. See inference.tasks.Task."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self._backend = backend
        self._picture = picture_input(manifest, backend.inputs[0], backend.metadata)
        self.decoder = _decoder(manifest, backend, self._picture.size)
        self.labels = settled_labels(manifest, backend.metadata, self.decoder.classes)
        own = OutputSpec(threshold=self.decoder.threshold, iou=self.decoder.iou, top_k=MOST)
        wanted = merged(manifest.output, model_metadata.read(backend.metadata).output, own)
        self._threshold = float(wanted.threshold or 0.0)
        self._iou = float(wanted.iou or 0.0)
        self._limit = wanted.top_k
        self._tracked = bool(wanted.track)
        self._trackers: dict[str, Tracker] = {}  # of each source
        self._reserve(self.decoder.anchors)

    @property
    def threshold(self) -> float | None:
        return self._threshold

    @threshold.setter
    def threshold(self, threshold: float | None) -> None:
        self._threshold = threshold or 0.0
        for tracker in self._trackers.values():
            tracker.follow(self._threshold)

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._picture.needed(size)

    def prepare(self, pixels: Picture, pixel_format: PixelFormat, slot: int, source: str) -> Prepared:
        return Prepared(self._picture.write(pixels, pixel_format, self._backend.input(slot)[0]), source)

    def forget(self, source: str) -> None:
        self._trackers.pop(source, None)

    def interpret(self, outputs: tuple[Tensor, ...], prepared: Prepared, watch: Stopwatch) -> Detections:
        placement = prepared.placement
        anchors = self.decoder.count(outputs)
        if anchors > len(self._found.scores):
            self._reserve(anchors)
        found = self._found
        least = floor_of(self._threshold) if self._tracked else self._threshold
        limit = max(MOST, self._limit or 0) if self._tracked else self._limit
        count = self.decoder.read(outputs, least, found)
        kept = kernels.nms(found, count, self._iou, limit=limit, keep=self._keep)
        boxes = kernels.boxes_to_frame(found.boxes[kept], placement)
        if self._tracked:
            return self._followed(kept, boxes, prepared, watch)
        points = self._points(kept, placement)
        return Detections(boxes, found.scores[kept], found.labels[kept], points, watch.timings())

    def _points(self, kept: NDArray[np.int32], placement: Placement) -> NDArray[np.float32] | None:
        points = self._found.landmarks
        return None if points is None else kernels.points_to_frame(points[kept], placement)

    def _followed(
        self, kept: NDArray[np.int32], boxes: NDArray[np.float32], prepared: Prepared, watch: Stopwatch
    ) -> Detections:
        """The things of high score, and weak ones that continue a track; boxes stay the detector's own."""
        tracker = self._trackers.get(prepared.source)
        if tracker is None:
            tracker = self._trackers[prepared.source] = Tracker(self._threshold)
        placement, scores, labels = prepared.placement, self._found.scores[kept], self._found.labels[kept]
        tracks = tracker.update(boxes, scores, labels, placement.source_width / placement.source_height)
        told = np.flatnonzero((scores >= self._threshold) | (tracks != UNTRACKED))[: self._limit]
        return Detections(
            boxes[told],
            scores[told],
            labels[told],
            self._points(kept[told], placement),
            watch.timings(),
            track_ids=tracks[told],
            alive=tracker.alive,
        )

    def _reserve(self, anchors: int) -> None:
        """Room for every anchor; grows only for models whose number of rows depends on what they see."""
        self._found: Candidates = kernels.candidates(anchors, landmarks=self.decoder.landmarks)
        self._keep = np.zeros(anchors, np.int32)


def _decoder(manifest: Manifest, backend: Backend, size: tuple[int, int]) -> Decoder:
    labels = given_labels(manifest, backend.metadata)
    head = Head(backend.outputs, size, len(labels) or None)
    try:
        return fit_decoder(manifest.output.decoder, head)
    except NoFit as error:
        outputs = ", ".join(map(str, backend.outputs))
        if len(backend.outputs) == 1 and classes_of(backend.outputs[0]):
            raise ModelMismatch(
                f"{manifest.model.name} has the output {outputs}, a classifier's; detection wants boxes",
                "task",
            ) from None
        raise ModelMismatch(f"{error}; {manifest.model.name} has {outputs}", "output.decoder") from None


KIND = Kind(arrange, DetectionTask)
