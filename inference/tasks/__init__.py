"""Tasks: what a model is for. Each settles a model's inputs, puts pictures in and reads its answers."""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast

from inference.backends import Backend, Shape, Tensor, TensorSpec
from inference.manifest import TASKS, Manifest
from inference.results import Result
from inference.stopwatch import Stopwatch
from kernels.formats import Picture, PixelFormat
from kernels.placement import Placement


class Prepared(NamedTuple):
    """What became of a picture: where it lies in the input, which source it is from, and whether the model is to run.

    A task that looks at several pictures together has nothing to run for some of them.
    """

    placement: Placement
    source: str
    run: bool = True


class Task(Protocol):
    """One model's task. Everything it needs is allocated at birth.

    labels: names of the classes by number; empty where nobody names them and the model does not say how many.
    threshold: from which score on a result is told, 0 to 1, and may be set between two pictures; None where there is no
    score.
    """

    labels: tuple[str, ...]
    threshold: float | None

    def needed(self, size: tuple[int, int]) -> tuple[int, int]:
        """To which size a picture of `size` is scaled, both (height, width): a source may give no more than that."""
        ...

    def prepare(self, pixels: Picture, pixel_format: PixelFormat, slot: int, source: str) -> Prepared:
        """Puts a picture of a source into the slot's input. Raises TypeError and ValueError for a misshapen one.

        What a task remembers of earlier pictures it keeps for each source apart.
        """
        ...

    def forget(self, source: str) -> None:
        """Lets go of what is remembered of a source's pictures; none of them may be under way."""
        ...

    def interpret(self, outputs: tuple[Tensor, ...], prepared: Prepared, watch: Stopwatch) -> Result:
        """Reads the slot's outputs into a Result that owns its arrays.

        Called in the order of prepare. Without outputs, (), where there was nothing to run for the picture.
        """
        ...


class Kind(NamedTuple):
    """A task before there is a model: how it settles inputs, and how it is born of an opened one.

    arrange: see inference.backends.Arrange, after the manifest. create raises ModelMismatch.
    """

    arrange: "Arranger"
    create: "Creator"


class Arranger(Protocol):
    def __call__(
        self, manifest: Manifest, inputs: tuple[TensorSpec, ...], metadata: Mapping[str, str]
    ) -> tuple[Shape, ...]: ...


class Creator(Protocol):
    def __call__(self, manifest: Manifest, backend: Backend) -> Task: ...


def kind_of(task: str) -> Kind:
    """The kind of a task of `manifest.TASKS`; its module is imported only now."""
    assert task in TASKS, task  # the manifest has refused any other
    module: Any = importlib.import_module(f"inference.tasks.{task}")
    return cast(Kind, module.KIND)
