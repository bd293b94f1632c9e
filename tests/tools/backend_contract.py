"""What every backend must do, whichever vendor is behind it: one check that each of them runs through."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from inference.backends import Arrange, Backend, Opening, Shape, TensorSpec
from inference.backends.choice import open_backend


def as_it_is(specs: tuple[TensorSpec, ...], metadata: Mapping[str, str]) -> tuple[Shape, ...]:
    return tuple(spec.shape for spec in specs)


def opened(name: str, path: Path, *, slots: int = 1, arrange: Arrange = as_it_is) -> Backend:
    return open_backend(name, Opening(path, "CPU", slots, arrange))


def check_backend(backend: Backend) -> None:
    """The promises of inference.backends.Backend, for a model of static float32 tensors."""
    assert backend.device == "CPU"
    assert all(spec.is_static for spec in (*backend.inputs, *backend.outputs))
    _check_inputs(backend)
    _check_runs(backend)
    backend.close()
    backend.close()


def _check_inputs(backend: Backend) -> None:
    addresses = set()
    for slot in range(backend.slots):
        for index, spec in enumerate(backend.inputs):
            tensor = backend.input(slot, index)
            assert tensor.shape == spec.shape
            assert tensor.dtype == spec.dtype
            assert tensor.flags.writeable
            assert tensor.flags.c_contiguous
            assert backend.input(slot, index).ctypes.data == tensor.ctypes.data
            addresses.add(tensor.ctypes.data)
    assert len(addresses) == backend.slots * len(backend.inputs), "every slot has a tensor of its own"


def _check_runs(backend: Backend) -> None:
    random = np.random.default_rng(0)
    for slot in range(backend.slots):
        backend.input(slot)[...] = random.random(backend.inputs[0].shape, np.float32)
    addresses = [backend.input(slot).ctypes.data for slot in range(backend.slots)]
    for slot in range(backend.slots):
        backend.start(slot)
    together = [[output.copy() for output in backend.wait(slot)] for slot in range(backend.slots)]
    for outputs in together:
        assert [output.shape for output in outputs] == [spec.shape for spec in backend.outputs]
        assert [output.dtype for output in outputs] == [spec.dtype for spec in backend.outputs]
    assert addresses == [backend.input(slot).ctypes.data for slot in range(backend.slots)]
    if backend.name != "fake":  # whose answers come in turn
        alone = [[output.copy() for output in backend.run(slot)] for slot in range(backend.slots)]
        for one, other in zip(together, alone, strict=True):
            for here, there in zip(one, other, strict=True):
                np.testing.assert_allclose(here, there, atol=1e-5)
