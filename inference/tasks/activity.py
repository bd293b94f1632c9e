"""Activity: what is going on, out of several pictures of a source that are looked at together.

Either the model itself takes clips of T pictures, or it takes one and its last answers are averaged. A class is told
only once it has led for some results in a row, and goes on being told until another has.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import kernels
from inference import clip, picture
from inference import metadata as model_metadata
from inference.backends import Backend, Shape, Tensor, TensorSpec
from inference.errors import ModelMismatch
from inference.labels import settled_labels
from inference.leader import Average, Leader
from inference.manifest import CLIP_LAYOUTS, Manifest, OutputSpec
from inference.picture import merged
from inference.results import NOBODY, Activity
from inference.stopwatch import Stopwatch
from inference.tasks import Kind, Prepared
from inference.tasks.classification import gives_probabilities, scores_output
from kernels.formats import Picture, PixelFormat, picture_size
from kernels.placement import Placement

BEST = 5
PICTURES_AVERAGED = 8  # answers of a model that sees one picture at a time
DEFAULTS = OutputSpec(threshold=0.0, step=1, stride=1, hold=3)
Floats = NDArray[np.float32]
_NOTHING = (np.empty(0, np.int32), np.empty(0, np.float32))


class ActivityTask:
    """Keeps a window, an average and a leader of each source. See inference.tasks.Task."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        said = model_metadata.read(backend.metadata)
        self._backend = backend
        is_clip = clip.is_clip(backend.inputs)
        self._way: _Way = _OfClips(manifest, backend) if is_clip else _OfPictures(manifest, backend)
        self._index, self._classes = scores_output(manifest, backend)
        self.labels = settled_labels(manifest, backend.metadata, self._classes)
        own = OutputSpec(average=1 if is_clip else PICTURES_AVERAGED)
        wanted = merged(manifest.output, said.output, DEFAULTS, own)
        self._step, self._stride = int(wanted.step or 1), int(wanted.stride or 1)
        self._answers, self._hold = int(wanted.average or 1), int(wanted.hold or 1)
        self.threshold: float | None = float(wanted.threshold or 0.0)
        self._softmax = (
            not gives_probabilities(backend, self._index) if wanted.softmax is None else wanted.softmax
        )
        self._sources: dict[str, _Memory] = {}
        self._probabilities = np.empty(self._classes, np.float32)
        self._order = np.empty(self._classes, np.int32)

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._way.needed(size)

    def prepare(self, pixels: Picture, pixel_format: PixelFormat, slot: int, source: str) -> Prepared:
        """Each picture that is one of the window's is prepared once; the model runs when a new answer is due."""
        memory = self._of(source)
        ready = False
        if memory.pictures % self._step:
            placement = self._way.placement(picture_size(pixels, pixel_format))
        else:
            placement, ready = self._way.put(pixels, pixel_format, slot, memory)
            memory.went_by(ran=ready)
        memory.pictures += 1
        return Prepared(placement, source, ready)

    def forget(self, source: str) -> None:
        self._sources.pop(source, None)

    def interpret(self, outputs: tuple[Tensor, ...], prepared: Prepared, watch: Stopwatch) -> Activity:
        memory, finite = self._of(prepared.source), True
        if prepared.run:
            finite = self._take_in(memory, outputs)
        return memory.told(watch, finite=finite)

    def _take_in(self, memory: "_Memory", outputs: tuple[Tensor, ...]) -> bool:
        """Add an answer to the average, and see who leads. False for an answer that is no number, which is left out."""
        scores = np.asarray(outputs[self._index], np.float32).reshape(-1)
        if not np.isfinite(scores.max()):
            memory.leader.follow(NOBODY)
            return False
        ids, values = kernels.softmax_top_k(
            scores, self._classes, softmax=self._softmax, ids=self._order, values=self._probabilities
        )
        mean = memory.average.add(ids, values)
        if mean is not None:
            memory.take(mean, self.threshold or 0.0)
        return True

    def _of(self, source: str) -> "_Memory":
        memory = self._sources.get(source)
        if memory is None:
            average = Average(self._answers, self._classes)
            memory = _Memory(self._way.ring(), average, Leader(self._hold), self._stride)
            self._sources[source] = memory
        return memory


class _Memory:
    """What is known of one source: its window, its answers, and its leader."""

    def __init__(self, ring: clip.Ring | None, average: Average, leader: Leader, stride: int) -> None:
        self.ring, self.average, self.leader = ring, average, leader
        self.pictures = 0
        self.mean: Floats | None = None
        self._stride = stride
        self._since = stride - 1  # pictures of the window since the last answer; the first may come at once

    @property
    def due(self) -> bool:
        """Whether a new answer is wanted with this picture of the window."""
        return self._since >= self._stride - 1

    def went_by(self, *, ran: bool) -> None:
        self._since = 0 if ran else self._since + 1

    def take(self, mean: Floats, threshold: float) -> None:
        best = int(mean.argmax())
        self.mean = mean
        self.leader.follow(best if mean[best] >= threshold else NOBODY)

    def told(self, watch: Stopwatch, *, finite: bool) -> Activity:
        if self.mean is None:
            return Activity(*_NOTHING, timings=watch.timings(), finite=finite)
        ids, scores = kernels.softmax_top_k(self.mean, BEST, softmax=False)
        shown = self.leader.shown
        score = float(self.mean[shown]) if shown != NOBODY else 0.0
        return Activity(ids, scores, shown, score, watch.timings(), finite)


class _Way(Protocol):
    """How pictures get into the model."""

    def needed(self, size: tuple[int, int]) -> tuple[int, int]: ...

    def placement(self, size: tuple[int, int]) -> Placement: ...

    def ring(self) -> clip.Ring | None: ...

    def put(
        self, pixels: Picture, pixel_format: PixelFormat, slot: int, memory: _Memory
    ) -> tuple[Placement, bool]:
        """Prepares a picture; whether the slot's input is ready for a run then."""
        ...


class _OfClips:
    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self._backend = backend
        self._spec = backend.inputs[0]
        self._input = clip.clip_input(manifest, self._spec, backend.metadata)

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._input.picture.needed(size)

    def placement(self, size: tuple[int, int]) -> Placement:
        return self._input.picture.placement(size)

    def ring(self) -> clip.Ring:
        channels = self._spec.shape[clip.CHANNELS[self._input.layout]]
        return clip.Ring(self._input, self._spec.dtype, channels)

    def put(
        self, pixels: Picture, pixel_format: PixelFormat, slot: int, memory: _Memory
    ) -> tuple[Placement, bool]:
        ring = memory.ring
        assert ring is not None  # `ring` made it
        placement = ring.put(pixels, pixel_format)
        ready = ring.full and memory.due
        if ready:
            ring.lay_out(self._backend.input(slot))
        return placement, ready


class _OfPictures:
    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self._backend = backend
        self._picture = picture.picture_input(manifest, backend.inputs[0], backend.metadata)

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._picture.needed(size)

    def placement(self, size: tuple[int, int]) -> Placement:
        return self._picture.placement(size)

    def ring(self) -> None:
        return None

    def put(
        self, pixels: Picture, pixel_format: PixelFormat, slot: int, memory: _Memory
    ) -> tuple[Placement, bool]:
        if not memory.due:
            return self._picture.placement(picture_size(pixels, pixel_format)), False
        return self._picture.write(pixels, pixel_format, self._backend.input(slot)[0]), True


def arrange(
    manifest: Manifest, inputs: tuple[TensorSpec, ...], metadata: Mapping[str, str]
) -> tuple[Shape, ...]:
    """The static shape of the input, a picture or a clip of several. Raises ModelMismatch."""
    if clip.is_clip(inputs):
        return clip.arrange(manifest, inputs, metadata)
    if manifest.output.window is not None:
        raise ModelMismatch(
            f"output.window is for models that take several pictures together; {manifest.model.name} takes one at a "
            "time, of whose answers output.average says how many count",
            "output.window",
        )
    if manifest.input.layout in CLIP_LAYOUTS:
        raise ModelMismatch(
            f"input.layout is {manifest.input.layout}, but {manifest.model.name} has "
            f"{', '.join(map(str, inputs))}, no input of five dimensions",
            "input.layout",
        )
    return picture.arrange(manifest, inputs, metadata)


KIND = Kind(arrange, ActivityTask)
