"""What the bench says on a terminal, and about the machine."""

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import capped
from measure import Row

import kernels

PEERS = ("numpy", "opencv-python-headless", "openvino", "simplejpeg")


def machine() -> dict[str, Any]:
    """The CPU and the versions that were measured."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "kernels": {"implementation": kernels.IMPLEMENTATION, "level": kernels.LEVEL},
        "versions": {name: version(name) for name in PEERS},
        "caps": capped.caps(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def head(about: dict[str, Any]) -> None:
    say(f"{about['cpu']}, {about['cores']} cores, kernels {kernels.IMPLEMENTATION} at level {kernels.LEVEL}")
    say(f"{'case':<44}{'ours us':>10}{'fastest peer us':>28}{'ratio':>8}   targets")


def show(row: Row) -> None:
    name, fastest = min(row.peers.items(), key=lambda item: item[1]) if row.peers else ("", float("nan"))
    targets = ", ".join(
        f"{'ok' if judged.held else 'MISSED'} {judged.got:.2f} of {judged.at_least:g} {judged.against}"
        + (f" (held in {judged.held_in} of {judged.runs})" if judged.runs > 1 else "")
        for judged in row.targets
    )
    agrees = "" if row.agrees else "  DISAGREES"
    absent = "".join(f"; {name}: absent" for name in row.absent)
    say(
        f"{row.case:<44}{row.ours_us:>10.1f}{fastest:>10.1f} {name:<17}"
        f"{fastest / row.ours_us:>8.2f}   {targets}{agrees}{absent}"
    )


def foot(count: int, disagree: Sequence[str], missed: Sequence[str]) -> None:
    say(f"{count} rows; {len(disagree)} disagree, {len(missed)} miss a target")
    for name in disagree:
        say(f"  disagrees: {name}")
    for name in missed:
        say(f"  missed: {name}")
