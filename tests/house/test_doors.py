"""Package doors are lazy, every module can be imported alone, and every name a door promises is there."""

import subprocess
import sys

import pytest
from project_modules import PACKAGES, REPOSITORY, modules

VENDORS = frozenset(
    {
        "openvino",
        "onnxruntime",
        "cv2",
        "awscrt",
        "awsiot",
        "nicegui",
        "amqtt",
        "pydantic",
        "simplejpeg",
        "click",
    }
)


def in_fresh_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_no_vendor_library(package: str) -> None:
    loaded = in_fresh_python(f"import sys, {package}; print(*sys.modules)").split()
    assert not {name.partition(".")[0] for name in loaded} & VENDORS


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_a_door_promises_is_there_and_sorted(package: str) -> None:
    in_fresh_python(
        f"import {package} as p\n"
        "names = list(getattr(p, '__all__', []))\n"
        "assert names == sorted(names), names\n"
        "missing = [n for n in names if not hasattr(p, n)]\n"
        "assert not missing, missing"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [module.name for module in modules() if not module.name.endswith("__main__")]
)
def test_a_module_can_be_imported_alone(name: str) -> None:
    vendor_chatter = "import warnings; warnings.simplefilter('default'); " if name.startswith("edge.") else ""
    in_fresh_python(f"{vendor_chatter}import {name}")
