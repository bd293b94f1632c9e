"""Models made into INT8 by NNCF, and held to what the original says of pictures that were kept from it.

Weights get seven bits of their eight: processors without VNNI, as the Atoms of the field are, add pairs of
products in 16 bits, which overflow otherwise, and an answer must not depend on the machine.
"""

import contextlib
import dataclasses
import functools
import importlib.metadata
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference import model as models
from inference.agreement import NOTHING, Agreement, ClassShare, Tally
from inference.backends import Opening, Tensor
from inference.backends.choice import open_backend
from inference.errors import ExtraMissing, InferenceError, ModelInvalid, PicturesUnfit
from inference.manifest import Manifest
from inference.optimize import carried
from inference.tasks import kind_of
from kernels.formats import PixelFormat

LIMIT = 0.97
LEAST = {"pictures": 5, "things": 5, "pixels": 1000}  # of a class that is seen less often nothing can be said
Load = Callable[[], NDArray[np.uint8]]
Progress = Callable[[str, int, int], None]
_QUANTIZED = "FakeQuantize"


class Compared(NamedTuple):
    """labels: names of the classes, by number; empty where nobody names them."""

    agreement: Agreement
    labels: tuple[str, ...]

    @property
    def unseen(self) -> tuple[str, ...]:
        """The classes that the original sees in no picture: of them the comparison tells nothing."""
        seen = {each.label_id for each in self.agreement.classes if each.left}
        return tuple(label for number, label in enumerate(self.labels) if number not in seen)


class Verdict(NamedTuple):
    """What became of the agreement. refused: the classes under the limit; whole: whether the whole is, too."""

    agreement: Agreement
    limit: float
    refused: tuple[ClassShare, ...]
    whole: bool

    @property
    def accepted(self) -> bool:
        return not self.refused and not self.whole


def quantize(manifest: Manifest, pictures: Sequence[Load], xml: Path, progress: Progress) -> dict[str, str]:
    """Writes the model in INT8 as `xml` and the .bin beside it; what is written into it as metadata.

    pictures: each gives a picture, BGR (height, width, 3), that is put in as a run would. progress: called with
    what is done, how many of how many pictures.
    Raises ExtraMissing, ModelNotFound, ModelInvalid (a model that is quantized already, too), ModelMismatch,
    BackendUnavailable, PicturesUnfit, and InferenceError where NNCF gives up.
    """
    nncf = _nncf()
    from inference.backends import openvino_writing as writing  # OpenVINO is needed only now

    model = writing.read(manifest.model)
    if _quantized(model):
        raise ModelInvalid(f"{manifest.model} is quantized already; the original is needed")
    kept = writing.metadata_of(model)
    kept |= carried(kept, manifest)
    with contextlib.closing(_Inputs(manifest, pictures, progress)) as inputs:
        model.reshape(dict(enumerate(map(list, inputs.shapes))))
        made = _made(nncf, model, inputs, manifest)
    if not _quantized(made):
        raise InferenceError(f"NNCF finds nothing in {manifest.model} that it could quantize")
    writing.write(made, xml, kept, half=True)
    return kept


def compare(manifest: Manifest, quantized: Path, pictures: Sequence[Load], progress: Progress) -> Compared:
    """How far the quantized model agrees with the manifest's on pictures, both on the processor."""
    tally = Tally()
    with contextlib.ExitStack() as stack:
        pair = []
        for each in (manifest, dataclasses.replace(manifest, model=quantized)):
            pair.append(models.load(each, backend="openvino", device="CPU"))
            stack.callback(pair[-1].close)
        for number, load in enumerate(pictures, start=1):
            pixels = load()
            left, right = (each.predict(pixels, PixelFormat.BGR) for each in pair)
            tally.add(left, right)
            progress("comparing", number, len(pictures))
    return Compared(tally.total(), pair[0].labels)


def judge(agreement: Agreement, limit: float = LIMIT) -> Verdict:
    """Whether the whole and each class that was seen often enough (LEAST) agree to the limit, 0..1.

    Raises PicturesUnfit where the original says nothing of any picture: nothing can be said of agreement then.
    """
    if not any(each.left and each.label_id != NOTHING for each in agreement.classes):
        raise PicturesUnfit(
            f"the model finds nothing in the {agreement.pictures} pictures that were held out; pictures are "
            "needed that show what it looks for"
        )
    refused = tuple(
        each for each in agreement.classes if decides(each, agreement.counted) and each.share < limit
    )
    return Verdict(agreement, limit, refused, agreement.share < limit)


def decides(share: ClassShare, counted: str) -> bool:
    """Whether a class was seen often enough, by one side at least."""
    return max(share.left, share.right) >= LEAST[counted]


def versions() -> dict[str, str]:
    """Which versions of which libraries quantize."""
    return {name: importlib.metadata.version(name) for name in ("nncf", "openvino")}


class _Inputs:
    """The pictures as the model's input, as often as NNCF wants to go through them. See kernels.prepare."""

    def __init__(self, manifest: Manifest, pictures: Sequence[Load], progress: Progress) -> None:
        kind = kind_of(manifest.task)
        arrange = functools.partial(kind.arrange, manifest)
        self._backend = open_backend("openvino", Opening(manifest.model, "CPU", 1, arrange))
        self._task = kind.create(manifest, self._backend)
        self._pictures = pictures
        self._progress = progress
        self.shapes = [spec.shape for spec in self._backend.inputs]
        self._round = 0

    def __iter__(self) -> Iterator[Tensor]:
        self._round += 1
        given = 0
        for number, load in enumerate(self._pictures, start=1):
            prepared = self._task.prepare(load(), PixelFormat.BGR, 0, f"round {self._round}")
            self._progress("calibrating", number, len(self._pictures))
            if prepared.run:
                given += 1
                yield self._backend.input(0).copy()
        if not given:
            raise PicturesUnfit(
                f"{len(self._pictures)} pictures are fewer than the model looks at together; it never ran"
            )

    def close(self) -> None:
        self._backend.close()


def _made(nncf: Any, model: Any, inputs: _Inputs, manifest: Manifest) -> Any:
    """NNCF's table of exceptions has one row: what it throws is of many kinds, and all mean that it gave up."""
    settings = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():  # its own bars
            warnings.simplefilter("ignore")
            return nncf.quantize(
                model,
                nncf.Dataset(inputs),
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=max(1, len(inputs._pictures)),
                advanced_parameters=settings,
            )
    except (InferenceError, OSError, MemoryError):
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = lines[-1] if lines else type(error).__name__
        raise InferenceError(f"NNCF cannot quantize {manifest.model}: {why[:300]}") from error


def _quantized(model: Any) -> bool:
    return any(node.get_type_name() == _QUANTIZED for node in model.get_ordered_ops())


def _nncf() -> Any:
    """NNCF with its own log on its own level, and without changing how this program logs."""
    from inference.formats import openvino_library  # noqa: F401 - first: it keeps OpenVINO's telemetry out

    usual = logging.getLoggerClass()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import nncf
    except ImportError as error:
        raise ExtraMissing(
            f"quantize needs NNCF, which is not installed ({error}): pip install 'lensracer[quantize]'"
        ) from error
    finally:
        logging.setLoggerClass(usual)
    logging.getLogger("nncf").setLevel(
        logging.ERROR
    )  # its own way would change the handlers of this program too
    return nncf
