"""Classification: one score a class; the best few are the result."""

import numpy as np
from numpy.typing import NDArray

import kernels
from inference import metadata as model_metadata
from inference.backends import UNKNOWN, Backend, Tensor, TensorSpec
from inference.errors import ModelMismatch
from inference.labels import given_labels, settled_labels
from inference.manifest import Manifest, OutputSpec
from inference.picture import arrange, merged, picture_input
from inference.results import Classification
from inference.stopwatch import Stopwatch
from inference.tasks import Kind, Prepared
from kernels.formats import Picture, PixelFormat

DEFAULTS = OutputSpec(threshold=0.0, top_k=5)
PROBABILITIES_SUM_WITHIN = 1e-3
_BYTES = 255


class ClassificationTask:
    """Reads one output of N scores. See inference.tasks.Task."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        said = model_metadata.read(backend.metadata)
        self._backend = backend
        self._picture = picture_input(manifest, backend.inputs[0], backend.metadata)
        self._index, classes = scores_output(manifest, backend)
        self.labels = settled_labels(manifest, backend.metadata, classes)
        wanted = merged(manifest.output, said.output, DEFAULTS)
        self.threshold: float | None = float(wanted.threshold or 0.0)
        self._top_k = min(wanted.top_k or classes, classes)
        if wanted.softmax is None and said.multilabel:
            raise ModelMismatch(
                f"{manifest.model.name} says that several of its classes may hold at once, which is not "
                "supported; with output.softmax: false its scores are taken as they are",
                "output.softmax",
            )
        self._softmax = (
            not gives_probabilities(backend, self._index) if wanted.softmax is None else wanted.softmax
        )

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._picture.needed(size)

    def prepare(self, pixels: Picture, pixel_format: PixelFormat, slot: int, source: str) -> Prepared:
        return Prepared(self._picture.write(pixels, pixel_format, self._backend.input(slot)[0]), source)

    def forget(self, source: str) -> None:
        """Nothing is remembered of a source."""

    def interpret(self, outputs: tuple[Tensor, ...], prepared: Prepared, watch: Stopwatch) -> Classification:
        given = self._scores(outputs)
        if not np.isfinite(given.max()):  # a NaN passes through max, and minus infinity alone says as little
            return Classification(given[:0].astype(np.int32), given[:0].copy(), watch.timings(), finite=False)
        ids, scores = kernels.softmax_top_k(given, self._top_k, softmax=self._softmax)
        seen = int(np.count_nonzero(scores >= (self.threshold or 0.0)))
        return Classification(ids[:seen], scores[:seen], watch.timings())

    def _scores(self, outputs: tuple[Tensor, ...]) -> NDArray[np.float32]:
        return np.asarray(outputs[self._index], np.float32).reshape(-1)


def gives_probabilities(backend: Backend, index: int) -> bool:
    """Whether what output `index` says of noise are already probabilities: none below zero, and one in sum."""
    tensor = backend.input(0)
    noise = np.random.default_rng(0).random(tensor.shape, np.float32)
    tensor[...] = (noise * _BYTES).astype(tensor.dtype) if tensor.dtype == np.uint8 else noise
    scores = np.asarray(backend.run(0)[index], np.float32)
    return bool(scores.min() >= 0 and abs(float(scores.sum()) - 1) < PROBABILITIES_SUM_WITHIN)


def classes_of(spec: TensorSpec) -> int | None:
    """How many scores an output of one row has: (N,), (1, N), (1, N, 1, 1), ...; None for any other shape."""
    sizes = [size for size in spec.shape[1:] if size != 1] if len(spec.shape) > 1 else list(spec.shape)
    batch = spec.shape[0] if len(spec.shape) > 1 else 1
    if batch not in (1, UNKNOWN) or len(sizes) > 1 or UNKNOWN in sizes:
        return None
    return sizes[0] if sizes else 1


def scores_output(manifest: Manifest, backend: Backend) -> tuple[int, int]:
    """(index, classes) of the output to read; where several could be, the one that fits the labels."""
    fitting = [
        (index, classes) for index, spec in enumerate(backend.outputs) if (classes := classes_of(spec))
    ]
    if len(fitting) > 1:
        labels = len(given_labels(manifest, backend.metadata))
        fitting = [each for each in fitting if each[1] == labels]
    if len(fitting) != 1:
        raise ModelMismatch(
            f"{manifest.task} reads one output of one score a class, (1, N); {manifest.model.name} has "
            f"{', '.join(map(str, backend.outputs))}",
            "task",
        )
    return fitting[0]


KIND = Kind(arrange, ClassificationTask)
