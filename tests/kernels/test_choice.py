"""Which implementation serves is decided once, at import, and said."""

import os
import subprocess
import sys

import pytest

import kernels

SAY = "import kernels; print(kernels.IMPLEMENTATION, kernels.LEVEL)"
HIDE = "import sys; sys.modules['kernels._boxes'] = None; "


def run(code, **environ):
    """Run a line of Python in a process of its own, with the same kernels as this one."""
    kept = {key: value for key, value in os.environ.items() if key != "EDGE_KERNELS"}
    kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-c", "import logging; logging.basicConfig(); " + code]
    return subprocess.run(
        command, env=kept | environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_exported_name_exists_and_they_are_sorted():
    assert all(hasattr(kernels, name) for name in kernels.__all__)
    assert kernels.__all__ == sorted(kernels.__all__)


def test_both_implementations_have_the_same_kernels(twins):
    for name in ("prepare", "convert", "softmax_top_k", "nms", "boxes_to_frame", "points_to_frame"):
        assert all(callable(getattr(twin, name)) for twin in twins)
    decoders = [{name for name in vars(twin) if name.startswith("decode_")} for twin in twins]
    assert decoders[0] == decoders[1] != set()


def test_the_reference_can_be_forced():
    done = run(SAY, EDGE_KERNELS="reference")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["reference", "numpy"], "")


def test_the_compiled_kernels_can_be_forced(twins):
    done = run(SAY, EDGE_KERNELS="compiled")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["compiled", twins[0].LEVEL], "")


def test_the_compiled_kernels_are_chosen_where_they_stand(twins):
    done = run(SAY)
    assert (done.stdout.split()[0], done.stderr) == ("compiled", "")


def test_where_one_is_missing_the_reference_serves_and_one_warning_says_so():
    done = run(HIDE + SAY)
    assert (done.returncode, done.stdout.split()) == (0, ["reference", "numpy"])
    assert done.stderr.count("WARNING:kernels:the compiled kernels cannot be loaded") == 1


def test_forcing_compiled_kernels_that_are_missing_ends_with_a_sentence():
    done = run(HIDE + SAY, EDGE_KERNELS="compiled")
    assert done.returncode != 0
    assert "ImportError: EDGE_KERNELS=compiled, but the compiled kernels cannot be loaded: " in done.stderr


@pytest.mark.parametrize("value", ["Compiled", "numpy", "1"])
def test_an_unknown_choice_ends_with_a_sentence(value):
    done = run(SAY, EDGE_KERNELS=value)
    assert done.returncode != 0
    assert f"ValueError: EDGE_KERNELS must be compiled or reference, not '{value}'" in done.stderr
