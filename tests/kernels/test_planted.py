"""The tests that watch over memory are watched too: a fault that is put there on purpose must not get through."""

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc to build with")
def test_one_byte_too_many_is_noticed_by_the_guard_bytes_and_by_the_sanitizer():
    done = subprocess.run(
        ["bash", "tests/tools/kernel-build", "planted"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "noticed by the guard bytes" in done.stdout
    assert "noticed by the address sanitizer" in done.stdout
