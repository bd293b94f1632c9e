"""Build of the compiled kernels; everything else stands in pyproject.toml.

EDGE_DEBUG_KERNELS=1  bounds, None and initialisation are checked, -O1 -g
EDGE_SANITIZE=1       address and undefined-behaviour sanitizers (run with libasan preloaded)
EDGE_PLANT=1          `prepare` alone, with one byte written past the tensor: what the tests must notice

Compiler directives stand here and nowhere else: a directive in a file's header would win over a debug build.
"""

import os
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("EDGE_DEBUG_KERNELS") == "1"
SANITIZE = os.environ.get("EDGE_SANITIZE") == "1"
PLANT = os.environ.get("EDGE_PLANT") == "1"
PACKAGES = ["edge", "kernels", "inference", "streams", "control"]
LIMITED_API = "0x030B0000"  # Python 3.11: one abi3 file serves every later version


def compile_flags() -> list[str]:
    if sys.platform == "win32":
        return []
    flags = ["-O1", "-g", "-UNDEBUG"] if DEBUG or SANITIZE else ["-O3", "-g0"]
    flags += ["-ffp-contract=off", "-fno-math-errno"]  # the same float on every CPU; sqrtf is one instruction
    if sysconfig.get_platform().endswith(
        ("x86_64", "amd64")
    ):  # of the target, also where that is another machine
        flags.append("-march=x86-64-v2")  # the floor: an Atom E3930 has SSE4.2 and no AVX
    return flags + sanitizer_flags()


def sanitizer_flags() -> list[str]:
    return ["-fsanitize=address,undefined,float-cast-overflow", "-fno-omit-frame-pointer"] if SANITIZE else []


def directives() -> dict[str, object]:
    return {
        "language_level": 3,
        "boundscheck": DEBUG,
        "initializedcheck": DEBUG,
        "nonecheck": DEBUG,
        "cdivision": not DEBUG,
        "wraparound": False,  # also in debug builds: a switch must not change what an index means
        "freethreading_compatible": True,
        "embedsignature": True,
        "binding": True,
    }


def extensions() -> list[Extension]:
    headers = sorted(
        str(path) for path in [*Path("kernels/simd").glob("*.h"), *Path("kernels").glob("*.pxd")]
    )
    return [
        Extension(
            f"kernels.{path.stem}",
            [str(path)],
            depends=headers,
            include_dirs=["kernels/simd"],
            define_macros=[("Py_LIMITED_API", LIMITED_API), *([("PLANTED_OVERRUN", "1")] if PLANT else [])],
            py_limited_api=True,
            extra_compile_args=compile_flags(),
            extra_link_args=sanitizer_flags(),
        )
        for path in sorted(Path("kernels").glob("_prepare.pyx" if PLANT else "_*.pyx"))
    ]


def packages() -> list[str]:
    """Every folder with an __init__.py below the five packages: auto-discovery refuses this layout."""
    found = [init.parent for name in PACKAGES for init in Path(name).rglob("__init__.py")]
    return sorted(".".join(folder.parts) for folder in found)


def modules() -> list[Extension]:
    build_dir = "build/cython-debug" if DEBUG else "build/cython"
    built: list[Extension] = cythonize(extensions(), compiler_directives=directives(), build_dir=build_dir)
    for module in built:
        module.optional = not (DEBUG or SANITIZE)  # without a compiler the NumPy twins serve, and say so
    return built


setup(
    packages=packages(),
    include_package_data=False,  # just what is named here
    package_data={
        "": ["py.typed", "*.pyi", "*.json", "schemas/*.json", "static/*"],
        "edge": ["samples/*/*.*"],
        "edge.shipment": ["device.lock", "on_device/*"],
    },
    exclude_package_data={"": ["*.pyx", "*.c"], "edge": ["samples/maker/*"]},
    ext_modules=modules(),
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
