"""Models made into OpenVINO IR: with FP16 weights if wanted, with what a run needs to know written into them.

What was written is read again, and both models are asked about the same seeded pictures: a conversion that
changes answers is refused and leaves nothing behind.
"""

import contextlib
import dataclasses
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference import metadata as model_metadata
from inference.backends import UNKNOWN, Arrange, Backend, Opening, Shape, TensorSpec
from inference.backends.choice import open_backend
from inference.difference import Difference, difference
from inference.errors import ModelInvalid, ModelMismatch
from inference.manifest import InputSpec, Manifest, OutputSpec
from inference.picture import merged, picture_input
from inference.tasks import kind_of
from inference.vetted import size_of
from kernels.formats import PixelFormat

PRECISIONS = ("f16", "f32")
LIMITS = {"f16": 0.05, "f32": 1e-4}  # of a Difference's largest
PICTURES = 4
SIDE = 224  # of an input whose size nobody says
SEED = 20_261
MARK = ".converting-"  # begins the name of a folder that is being filled, before the number of the process
Floats = NDArray[np.float32]


class Converted(NamedTuple):
    """What a conversion wrote, and how it compares. before, after: bytes of the model's files."""

    xml: Path
    precision: str
    metadata: Mapping[str, str]
    before: int
    after: int
    differences: tuple[Difference, ...]


def targets(into: Path, name: str) -> tuple[Path, Path]:
    """The files that a conversion into a folder writes."""
    return into / f"{name}.xml", into / f"{name}.bin"


def convert(
    path: Path, into: Path, name: str, *, manifest: Manifest | None = None, precision: str = "f16"
) -> Converted:
    """Writes the model as `into/name.xml` and `.bin`; files of these names are replaced, once all is well.

    manifest: what the project says goes before the model's own metadata, and both are written. Raises
    ModelNotFound, ModelInvalid (also where the answers differ by more than LIMITS), ModelMismatch,
    BackendUnavailable, OSError.
    """
    from inference.backends import openvino_writing as writing  # OpenVINO is needed only now

    model = writing.read(path)
    said = writing.metadata_of(model)
    kept = {**said, **carried(said, manifest)}
    with _workshop(into) as making:
        xml, weights = targets(making, name)
        writing.write(model, xml, kept, half=precision == "f16")
        differences = tuple(compared(path, xml, _arranged(manifest), manifest))
        _check(path, precision, differences)
        after = xml.stat().st_size + weights.stat().st_size
        final, final_weights = targets(into, name)
        weights.replace(final_weights)  # first: an .xml without its weights is no model
        xml.replace(final)
    return Converted(final, precision, kept, size_of(path), after, differences)


@contextlib.contextmanager
def _workshop(into: Path) -> Iterator[Path]:
    """A folder in `into` that is gone afterwards, and with it `into` where it was not there and nothing came of it."""
    missing = [each for each in (into, *into.parents) if not each.exists()]
    into.mkdir(parents=True, exist_ok=True)
    for left in into.glob(f"{MARK}*-*"):  # by whoever was killed at it
        if not _lives(left.name.removeprefix(MARK).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{MARK}{os.getpid()}-", dir=into) as making:
            yield Path(making)
    finally:
        with contextlib.suppress(OSError):  # not empty: all is well
            for each in missing:
                each.rmdir()


def _lives(number: str) -> bool:
    """Whether there is a process of that number; what is no number is nobody's to remove."""
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, OverflowError):
        return True
    return True


def free_space_needed(path: Path) -> int:
    """Bytes that a conversion may write, at most about the model's own size, and some more."""
    return size_of(path) + (4 << 20)


def has_room(path: Path, into: Path) -> bool:
    """Whether the disk under a folder, or under the nearest one above it, has room for the converted model."""
    place = next(each for each in (into, *into.absolute().parents) if each.exists())
    return shutil.disk_usage(place).free >= free_space_needed(path)


def compared(left: Path, right: Path, arrange: Arrange, manifest: Manifest | None) -> Iterator[Difference]:
    """Each output of two models with the same outputs, over the same seeded pictures, both in float32."""
    models = [open_backend("openvino", Opening(path, "CPU", 1, arrange)) for path in (left, right)]
    try:
        pairs = [_outputs(models, seed, manifest) for seed in range(PICTURES)]
        for index, spec in enumerate(models[0].outputs):
            seen = [(first[index], second[index]) for first, second in pairs]
            yield difference(spec, seen)
    finally:
        for model in models:
            model.close()


def open_sizes(
    specs: tuple[TensorSpec, ...], metadata: Mapping[str, str], said: InputSpec | None = None
) -> tuple[Shape, ...]:
    """Sizes for what a model leaves open, where no task settles them: batch 1, what the metadata says, else
    SIDE pixels and three channels.
    """
    size = (said.size if said else None) or model_metadata.read(metadata).input.size or (SIDE, SIDE)
    return tuple(_filled(spec.shape, size) for spec in specs)


def _filled(shape: Shape, size: tuple[int, int]) -> Shape:
    if len(shape) != 4:
        return tuple(1 if each == UNKNOWN else each for each in shape)
    last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    wanted = (1, size[1], size[0], 3) if last else (1, 3, size[1], size[0])
    return (1, *(own if own != UNKNOWN else said for own, said in zip(shape[1:], wanted[1:], strict=True)))


def _arranged(manifest: Manifest | None) -> Arrange:
    return open_sizes if manifest is None else functools.partial(kind_of(manifest.task).arrange, manifest)


def carried(said: Mapping[str, str], manifest: Manifest | None) -> dict[str, str]:
    """What the project says, over what the model says, in the keys of the metadata."""
    if manifest is None:
        return {}
    own = model_metadata.read(said)
    output = merged(dataclasses.replace(manifest.output, decoder="auto"), own.output, OutputSpec())
    return model_metadata.write(merged(manifest.input, own.input), output, manifest.labels or own.labels)


def _outputs(models: list[Backend], seed: int, manifest: Manifest | None) -> list[list[Floats]]:
    """What each model says of one seeded picture, put in as a run would put it in."""
    for index, spec in enumerate(models[0].inputs):
        tensor = models[0].input(0, index)
        _fill(tensor, spec, seed, manifest, models[0].metadata)
        models[1].input(0, index)[...] = tensor
    return [[np.array(output, np.float32) for output in model.run(0)] for model in models]


def _fill(
    tensor: Any, spec: TensorSpec, seed: int, manifest: Manifest | None, said: Mapping[str, str]
) -> None:
    picture = seeded_picture(seed)
    known = manifest or Manifest("converted", "classification", Path("model"))
    try:
        picture_input(known, spec, said).write(picture, PixelFormat.RGB, tensor[0])
    except (ModelMismatch, ValueError, TypeError, IndexError):  # no picture: noise will do
        noise = np.random.default_rng(SEED + seed).random(tensor.shape, np.float32)
        tensor[...] = (noise * 255).astype(tensor.dtype) if tensor.dtype.kind in "iu" else noise


def seeded_picture(seed: int, height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of soft blotches and edges, the same for the same seed."""
    random = np.random.default_rng(SEED + seed)
    coarse = random.integers(0, 256, (height // 20, width // 20, 3)).astype(np.float32)
    soft = np.kron(coarse, np.ones((20, 20, 1), np.float32))
    ramp = np.linspace(-60, 60, width, dtype=np.float32)[None, :, None]
    grain = random.normal(0, 8, (height, width, 3)).astype(np.float32)
    return np.ascontiguousarray(np.clip(soft + ramp + grain, 0, 255).astype(np.uint8))


def _check(path: Path, precision: str, differences: tuple[Difference, ...]) -> None:
    for each in differences:
        if not each.largest <= LIMITS[precision]:
            raise ModelInvalid(
                f"{path} as {precision} answers otherwise: {each.output} differs by "
                f"{each.largest:.3g} of its largest value, and {LIMITS[precision]:g} is allowed"
                + ("; --precision f32 keeps the weights as they are" if precision == "f16" else "")
            )
