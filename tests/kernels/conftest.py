"""Every kernel test runs on both implementations, or on the forced one; the end of the run says on which."""

import os
from types import SimpleNamespace

import hypothesis
import kernel_pair
import numpy as np
import pytest

import kernels

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=60, database=None)
hypothesis.settings.load_profile("house")


FORCED = os.environ.get("EDGE_KERNELS")


@pytest.fixture(scope="session", params=[FORCED] if FORCED else kernel_pair.NAMES)
def kernel(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The kernels of one implementation."""
    try:
        return kernel_pair.implementation(request.param)
    except ImportError as error:
        pytest.skip(f"the {request.param} kernels cannot be loaded: {error}")


@pytest.fixture(scope="session")
def twins() -> tuple[SimpleNamespace, SimpleNamespace]:
    """The compiled kernels, and the reference that they must equal."""
    try:
        return kernel_pair.implementation("compiled"), kernel_pair.implementation("reference")
    except ImportError as error:
        pytest.skip(f"the compiled kernels cannot be loaded: {error}")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240131)


def passed(terminalreporter: pytest.TerminalReporter) -> int:
    reports = terminalreporter.getreports("passed")
    return sum(each.when == "call" and "tests/kernels/" in each.nodeid for each in reports)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(
        f"kernels: {kernels.IMPLEMENTATION}, level {kernels.LEVEL}, "
        f"{passed(terminalreporter)} tests passed ({kernels.__file__})"
    )
