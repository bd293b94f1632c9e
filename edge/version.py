"""Which version this is, and of what it is made; no vendor library is imported to tell."""

import importlib.metadata
import platform
from typing import Any

DISTRIBUTION = "lensracer"
PARTS = ("openvino", "onnxruntime", "opencv-python-headless", "numpy", "awscrt", "pydantic")
UNKNOWN = "unknown"


def version() -> str:
    """The version of this distribution; "unknown" where it runs without having been installed."""
    return installed(DISTRIBUTION) or UNKNOWN


def installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe() -> dict[str, Any]:
    """Version, Python, machine, kernels, and the versions of the libraries that are installed."""
    return {
        "version": version(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "kernels": kernels(),
        "libraries": {name: installed(name) for name in PARTS},
    }


def kernels() -> dict[str, str]:
    """Which kernels were chosen, or why that cannot be told; `edge doctor` says more."""
    try:
        import kernels as ours

        return {"implementation": ours.IMPLEMENTATION, "level": ours.LEVEL}
    except Exception as error:
        return {"implementation": UNKNOWN, "level": f"{type(error).__name__}: {error}"}
