"""What an MXNet operator's translation is handed, and the table that it stands in."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.errors import ModelInvalid
from inference.formats.graph import Value, shape_of
from inference.formats.mxnet_symbol import Node, Port, Symbol

Array = NDArray[Any]
Translation = Callable[["Call"], Value | list[Value]]
F = TypeVar("F", bound=Callable[..., Any])
OPERATORS: dict[str, Translation] = {}
FIRST_INPUT_ONLY: set[str] = set()
PASSING = {
    "_copy",
    "identity",
    "BlockGrad",
    "stop_gradient",
    "MakeLoss",
    "make_loss",
    "Dropout",
    "Cast",
    "cast",
}
PASSING |= {"amp_cast", "_identity_with_attr_like_rhs"}


def operator(*names: str, first_only: bool = False) -> Callable[[F], F]:
    """Enters a translation into the table. first_only: its other inputs (labels) do not matter."""

    def enter(translation: F) -> F:
        OPERATORS.update(dict.fromkeys(names, translation))
        if first_only:
            FIRST_INPUT_ONLY.update(names)
        return translation

    return enter


@dataclasses.dataclass(frozen=True)
class Call:
    """One node to translate: its attributes, the values and the weights that go in."""

    node: Node
    symbol: Symbol
    params: Mapping[str, Array]
    values: Mapping[Port, Value]

    @property
    def x(self) -> Value:
        return self.value(0)

    def value(self, index: int) -> Value:
        port = self._port(index)
        if port not in self.values:
            raise self.refused(
                f"takes output {port.output} of {self.symbol.nodes[port.node].name}, which has fewer"
            )
        return self.values[port]

    def all_values(self) -> list[Value]:
        if not self.node.inputs:
            raise self.refused("has no inputs")
        return [self.value(index) for index in range(len(self.node.inputs))]

    def rank(self, index: int = 0) -> int:
        shape = shape_of(self.value(index))
        if shape is None:
            raise self.refused("needs to know how many dimensions its input has")
        return len(shape)

    def axis(self, key: str, default: int) -> int:
        """An axis, counted from the front."""
        axis, rank = self.node.whole(key, default), self.rank()
        if not -rank <= axis < rank:
            raise self.refused(f"has {key}={axis}, but its input has {rank} dimensions")
        return axis % rank

    def weights(self, index: int, shape: tuple[int, ...] | None = None) -> Array:
        """An input that must be known, as float32; its shape where one is expected."""
        port = self._port(index)
        node = self.symbol.nodes[port.node]
        while node.op in PASSING and node.inputs:
            node = self.symbol.nodes[node.inputs[0].node]
        return self.named(node.name, shape)

    def named(self, name: str, shape: tuple[int, ...] | None = None) -> Array:
        if name not in self.params:
            raise self.refused(f"needs the array {name!r}, which is not among the parameters")
        array = np.asarray(self.params[name])
        if shape is not None and array.shape != shape:
            raise self.refused(f"needs {name!r} of shape {shape}; it has {array.shape}")
        return array.astype(np.float32, copy=False)

    def refused(self, why: str) -> ModelInvalid:
        return ModelInvalid(f"the node {self.node.name} ({self.node.op}) {why}")

    def _port(self, index: int) -> Port:
        if index >= len(self.node.inputs):
            raise self.refused(f"has {len(self.node.inputs)} inputs; input {index + 1} is missing")
        return self.node.inputs[index]
