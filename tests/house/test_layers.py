"""Imports point downward: edge, then inference / streams / control side by side, then kernels."""

import sys

import pytest
from project_modules import PACKAGES, Module, modules

BELOW = {
    "edge": {"edge", "inference", "streams", "control", "kernels"},
    "inference": {"inference", "kernels"},
    "streams": {"streams", "kernels"},
    "control": {"control", "kernels"},
    "kernels": {"kernels"},
}
GROUND = {"kernels": {"numpy"}}  # besides the standard library


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_imports_only_what_lies_below_it(module: Module) -> None:
    ours = {name.partition(".")[0] for name in module.imports} & set(PACKAGES)
    assert ours <= BELOW[module.package], f"{module.relative} imports {sorted(ours - BELOW[module.package])}"


@pytest.mark.parametrize(
    "module", [m for m in modules() if m.package in GROUND], ids=lambda module: module.name
)
def test_the_ground_floor_needs_numpy_and_nothing_else(module: Module) -> None:
    foreign = {name.partition(".")[0] for name in module.imports} - set(PACKAGES) - sys.stdlib_module_names
    assert foreign <= GROUND[module.package], f"{module.relative} imports {sorted(foreign)}"
