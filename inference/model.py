"""A model ready to use: a manifest, a backend that runs it, a task that knows what it says."""

import collections
import dataclasses
import functools
import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from inference.backends import UNTUNED, Backend, Opening, Tensor, Tuning
from inference.backends.choice import open_backend
from inference.cache import MOST_BYTES
from inference.errors import ManifestInvalid
from inference.files import check_file, sha256_of
from inference.manifest import CLIP_LAYOUTS, FAKE, Manifest
from inference.results import Result
from inference.stopwatch import Stopwatch
from inference.tasks import Prepared, Task, kind_of
from kernels.formats import Picture, PixelFormat

_log = logging.getLogger(__name__)
MOST_REQUESTS = 64
SIDE, CLIP = 224, 8  # pixels and pictures of a made-up model that stands in for one whose clips have no size
Clock = Callable[[], float]


class Identity(NamedTuple):
    """Which model answers. sha256: hexadecimal, of the model's file (of an IR's .xml, then its .bin)."""

    name: str
    sha256: str
    backend: str
    device: str


class _Underway(NamedTuple):
    slot: int | None  # None: there was nothing to run
    prepared: Prepared
    watch: Stopwatch
    token: object


class Model:
    """Predicts, one picture at a time or several under way at once. One thread uses it.

    The attributes manifest, labels (by class number), task, identity, outputs, requests and own_threshold (the one
    before any `set_threshold`) do not change. check:
    called with the raw outputs of each run before they are read; what it raises comes out of predict or collect.
    witness: shown what each run took in and gave out, after `check`; must not raise.
    """

    def __init__(
        self, manifest: Manifest, backend: Backend, task: Task, identity: Identity, clock: Clock
    ) -> None:
        self.manifest = manifest
        self.labels = task.labels
        self.task = manifest.task
        self.identity = identity
        self.outputs = backend.outputs
        self.requests = backend.slots
        self.own_threshold = task.threshold
        self.decoder: str | None = getattr(getattr(task, "decoder", None), "name", None)
        self.check: Callable[[tuple[Tensor, ...]], None] | None = None
        self.witness: Callable[[tuple[Tensor, ...], tuple[Tensor, ...]], None] | None = None
        self._backend = backend
        self._task = task
        self._watches = collections.deque(Stopwatch(clock) for _ in range(backend.slots))
        self._free = collections.deque(range(backend.slots))
        self._underway: collections.deque[_Underway] = collections.deque()
        self._closed = False

    @property
    def pending(self) -> int:
        """How many pictures were submitted and not yet collected."""
        return len(self._underway)

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        """To which size the model scales a picture of `size`, both (height, width) in pixels: more is of no use to it.

        May be called from any thread.
        """
        return self._task.needed(size)

    def predict(self, pixels: Picture, format: PixelFormat, source: str = "") -> Result:  # noqa: A002
        """What the model says of one picture: put in, run and read with the least overhead.

        pixels: uint8, C-contiguous, laid out as `format` says. source: whose pictures it belongs to, where the
        task looks at several together (tracks, activities). Raises TypeError and ValueError for another
        picture, InferenceError where the backend fails, RuntimeError while submitted pictures are not
        collected, or after close().
        """
        self._check_open()
        if self._underway:
            raise RuntimeError(f"{len(self._underway)} submitted pictures must be collected before predict")
        watch = self._watches[0]
        watch.start()
        prepared = self._task.prepare(pixels, format, 0, source)
        watch.prepared()
        if not prepared.run:
            watch.passed_over()
            return self._task.interpret((), prepared, watch)
        outputs = self._backend.run(0)
        watch.inferred()
        if self.check is not None:
            self.check(outputs)
        if self.witness is not None:
            self.witness(self._inputs(0), outputs)
        return self._task.interpret(outputs, prepared, watch)

    def submit(self, pixels: Picture, format: PixelFormat, token: object, source: str = "") -> None:  # noqa: A002
        """Puts a picture in and sets a request running; `collect` gives the token back with the result.

        Raises as predict does, and RuntimeError when all requests are under way (`pending == requests`). A
        picture that is refused takes no request.
        """
        self._check_open()
        if self.pending >= self.requests:
            raise RuntimeError(f"all {self.requests} requests are under way; collect one first")
        slot, watch = self._free[0], self._watches[0]
        watch.start()
        prepared = self._task.prepare(pixels, format, slot, source)
        watch.prepared()
        if prepared.run:
            self._backend.start(slot)
            self._free.popleft()
        self._watches.rotate(-1)
        self._underway.append(_Underway(slot if prepared.run else None, prepared, watch, token))

    def collect(self) -> tuple[object, Result]:
        """Waits for the oldest submitted picture: its token and its result. Results come in the order of
        submit.

        Raises RuntimeError when nothing is under way, InferenceError where the backend failed on that picture
        (which then counts as collected).
        """
        self._check_open()
        if not self._underway:
            raise RuntimeError("nothing was submitted that could be collected")
        slot, prepared, watch, token = self._underway.popleft()
        if slot is None:
            watch.passed_over()
            return token, self._task.interpret((), prepared, watch)
        try:
            outputs = self._backend.wait(slot)
            watch.inferred()
            if self.check is not None:
                self.check(outputs)
            if self.witness is not None:
                self.witness(self._inputs(slot), outputs)
            return token, self._task.interpret(outputs, prepared, watch)
        finally:
            self._free.append(slot)

    def _inputs(self, slot: int) -> tuple[Tensor, ...]:
        return tuple(self._backend.input(slot, index) for index in range(len(self._backend.inputs)))

    @property
    def threshold(self) -> float | None:
        """Results of a lower score are left out; None where the model gives none that could be."""
        return self._task.threshold

    def set_threshold(self, threshold: float) -> None:
        """From the next picture on another threshold, 0 to 1. On the model's own thread.

        Raises ValueError where the model gives no scores that could be left out.
        """
        if self._task.threshold is None:
            raise ValueError(
                f"{self.identity.name} gives the class of each pixel, and no score for a threshold"
            )
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"a threshold is from 0 to 1, not {threshold}")
        self._task.threshold = threshold

    def forget(self, source: str) -> None:
        """Lets go of what the task remembers of a source: its tracks, its window.

        None of its pictures may be under way.
        """
        self._task.forget(source)

    def close(self) -> None:
        """Waits for what is under way, drops it, and lets go of the backend. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._underway.clear()
            self._backend.close()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"the model {self.identity.name} is closed")


def load(
    manifest: Manifest,
    *,
    backend: str = "auto",
    device: str = "CPU",
    requests: int = 1,
    tuning: Tuning = UNTUNED,
    cache: Path | None = None,
    cache_bytes: int = MOST_BYTES,
    clock: Clock = time.perf_counter,
) -> Model:
    """Reads, compiles and settles a model; everything a frame needs is allocated here.

    backend: one of backends.choice.BACKENDS. A manifest whose model is `fake:...` always runs on `fake`; with
    backend="fake" a made-up model of the same task, labels and size stands in for the manifest's.
    device: one, several parted by commas of which the first that can is taken, or AUTO. requests: how many
    pictures may be under way at once, 1..64. cache: private folder for compiled models, of at most cache_bytes;
    None keeps none. clock: monotonic seconds.
    Raises ModelNotFound, ModelInvalid, ModelMismatch (with `key`) and BackendUnavailable.
    """
    if not 1 <= requests <= MOST_REQUESTS:
        raise ManifestInvalid(
            f"requests must be from 1 to {MOST_REQUESTS}, not {requests}", "inference.requests"
        )
    if backend == "fake":
        manifest = _faked(manifest)
    if not manifest.is_fake:
        check_file(manifest.model)
    kind = kind_of(manifest.task)
    arrange = functools.partial(kind.arrange, manifest)
    digest = _digest(manifest)
    opening = Opening(manifest.model, device, requests, arrange, digest, cache, cache_bytes, tuning)
    opened = open_backend("fake" if manifest.is_fake else backend, opening)
    try:
        task = kind.create(manifest, opened)
        identity = Identity(manifest.name, digest, opened.name, opened.device)
    except BaseException:
        opened.close()
        raise
    _log.info("%s runs on %s %s, %d request(s)", manifest.model.name, opened.name, opened.device, requests)
    return Model(manifest, opened, task, identity, clock)


def _faked(manifest: Manifest) -> Manifest:
    """The manifest with a made-up model in the place of a real one."""
    if manifest.is_fake:
        return manifest
    size = "" if manifest.input.size is None else ":{}x{}".format(*manifest.input.size)
    pictures = manifest.output.window or (CLIP if manifest.input.layout in CLIP_LAYOUTS else 0)
    if pictures:
        size = f"{size or f':{SIDE}x{SIDE}'}x{pictures}"
    model = Path(f"{FAKE}{manifest.task}:{len(manifest.labels) or 3}{size}")
    output = dataclasses.replace(manifest.output, decoder="auto")
    if manifest.task == "segmentation":
        output = dataclasses.replace(output, threshold=None)  # a fake has no mask of one plane
    plain = dataclasses.replace(manifest.input, layout=None)
    return dataclasses.replace(manifest, model=model, input=plain, output=output)


def _digest(manifest: Manifest) -> str:
    if manifest.is_fake:
        return hashlib.sha256(str(manifest.model).encode()).hexdigest()
    return sha256_of(manifest.model)
