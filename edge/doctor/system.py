"""Python, the C library, and the processor's instructions."""

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.doctor.check import Check, Patient

OLDEST_PYTHON = (3, 11)
# What OpenVINO's wheels of today were built against.
OPENVINO_NEEDS = {"x86_64": (2, 28), "aarch64": (2, 35)}
# The instructions of each level of x86-64, by their names in /proc/cpuinfo.
LEVELS = {
    "v2": {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    "v3": {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"},
    "v4": {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"},
}
CPUINFO = Path("/proc/cpuinfo")


def examine(patient: Patient) -> Iterator[Check]:
    yield python(sys.version_info[:3])
    if sys.platform == "linux":
        yield c_library(platform.machine(), platform.libc_ver())
    yield processor(platform.machine(), cpu_flags())


def python(version: tuple[int, ...]) -> Check:
    written = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Check("python", "fail", f"{written}, too old", "install Python 3.11 or later")
    return Check("python", "ok", written)


def c_library(machine: str, found: tuple[str, str]) -> Check:
    """Where glibc is too old for OpenVINO, ONNX Runtime serves, for ONNX models alone."""
    name, version = found
    if name != "glibc":
        mend = "use a distribution with glibc; wheels of OpenVINO and ONNX Runtime need it"
        return Check("C library", "warn", f"not glibc ({name or 'unknown'})", mend)
    needed = OPENVINO_NEEDS.get(machine)
    if needed and tuple(map(int, version.split(".")[:2])) < needed:
        text = f"glibc {version}; OpenVINO needs {needed[0]}.{needed[1]} or later here"
        return Check("C library", "warn", text, "a newer system; until then ONNX Runtime runs .onnx models")
    return Check("C library", "ok", f"glibc {version}")


def cpu_flags() -> frozenset[str]:
    """The names of the processor's features; empty where the system does not tell."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return frozenset()
    named = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return frozenset(next(named, "").split())


def level(flags: frozenset[str]) -> str:
    """The highest level of x86-64 whose instructions are all there, and those of the levels below it."""
    reached = "v1"
    for name, needed in LEVELS.items():
        if not needed <= flags:
            break
        reached = name
    return reached


def processor(machine: str, flags: frozenset[str]) -> Check:
    if machine not in ("x86_64", "AMD64") or not flags:
        return Check("processor", "ok", machine)
    found = level(flags)
    if found == "v1":
        os.environ.setdefault("EDGE_KERNELS", "reference")  # the compiled ones would end this very process
        missing = ", ".join(sorted(LEVELS["v2"] - flags))
        mend = "set EDGE_KERNELS=reference, which is slow; or use a processor of 2010 or later"
        return Check("processor", "fail", f"x86-64 without {missing}, which the kernels need", mend)
    return Check("processor", "ok", f"x86-64-{found}")
