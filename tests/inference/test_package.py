import subprocess
import sys

import pytest

import inference


def test_every_exported_name_is_there() -> None:
    assert dir(inference) == sorted(inference.__all__)
    for name in inference.__all__:
        assert getattr(inference, name) is not None


def test_a_name_that_is_not_exported_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        inference.nothing  # noqa: B018


def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys, inference; print([m for m in sys.modules if m.startswith('inference.') or m == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
