"""The wheels of a target: every dependency as the lock pins it, and our own."""

import logging
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.shipment.errors import ShipmentFailed, ShipmentInvalid
from edge.shipment.locks import Lock
from edge.shipment.target import Target

log = logging.getLogger(__name__)

OPTIONAL = {"openvino": {"openvino", "openvino-telemetry"}}  # what may be missing, and what goes with it
ROOT = Path(__file__).resolve().parents[2]
SYMBOL = re.compile(rb"GLIBC_2\.(\d{1,2})(?:\.\d+)?\0")
PATIENCE_S = 1800.0


def gather(lock: Lock, target: Target, folder: Path) -> Lock:
    """Put the wheels of a lock for a target into a folder; the lock of what was found.

    A package of OPTIONAL that has no wheel there is left out, which is logged. Wheels that are there already are taken.
    Raises ShipmentFailed, naming the package.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing: set[str] = set()
    for name, company in OPTIONAL.items():
        pins = Lock(lock.number, tuple(pin for pin in lock.pins if pin.name == name))
        if pins.pins and (why := download(pins, target, folder)):
            log.warning("%s has no wheel for %s and is left out: %s", name, target, why)
            missing |= company
    found = lock.without(missing)
    if why := download(found, target, folder):
        raise ShipmentFailed(f"the wheels for {target} cannot be had: {why}")
    return found


def download(lock: Lock, target: Target, folder: Path) -> str | None:
    """Fetch what a lock pins, digests checked; None, or why that failed."""
    wanted = folder / "wanted.txt"
    wanted.write_text(lock.text, encoding="utf-8")
    system = ["--implementation", "cp", "--python-version", f"3.{target.python}"]
    system += [*each("--platform", target.tags), *each("--abi", target.abis)]
    try:
        done = pip(
            "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", *system,
            "--dest", str(folder), "--find-links", str(folder), "--requirement", str(wanted),
        )  # fmt: skip
    finally:
        wanted.unlink()
    return None if done.returncode == 0 else reason(done.stderr)


def each(option: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)


def pip(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ShipmentFailed(f"pip did not end within {PATIENCE_S:.0f} s") from error


def reason(told: str) -> str:
    """The last error that pip told."""
    errors = [line.removeprefix("ERROR: ") for line in told.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else (told.strip().splitlines() or ["pip said nothing"])[-1]


def installer(folder: Path) -> Path:
    """A wheel of pip itself: a device's Python may have none."""
    here = sorted(folder.glob("pip-*.whl"))
    if not here:
        done = pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder), "pip")
        here = sorted(folder.glob("pip-*.whl"))
        if done.returncode or not here:
            raise ShipmentFailed(f"the wheel of pip cannot be had: {reason(done.stderr)}")
    return here[-1]


def own(target: Target, folder: Path, given: Path | None = None) -> Path:
    """Our own wheel for a target: the given one, or one built from the source tree that this program runs from.

    Raises ShipmentInvalid where it is for another processor, ShipmentFailed where there is none, it has no compiled
    kernels, or needs a newer C library than the target has.
    """
    wheel = given or built(folder)
    try:
        check(wheel, target)
    except (OSError, zipfile.BadZipFile) as error:
        raise ShipmentFailed(f"{wheel} is no wheel: {error}") from None
    return wheel


def built(folder: Path) -> Path:
    if not (ROOT / "setup.py").is_file():
        raise ShipmentFailed(
            "the runtime's own wheel is needed: this program does not run from its source tree, so name a wheel with "
            "--wheel (`make wheel` makes one)"
        )
    done = pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    found = sorted(folder.glob("lensracer-*.whl"), key=lambda path: path.stat().st_mtime)
    if done.returncode or not found:
        raise ShipmentFailed(f"the runtime's wheel cannot be built: {reason(done.stderr)}")
    return found[-1]


def check(wheel: Path, target: Target) -> None:
    """That a wheel of ours runs on a target, by its name and by what its libraries ask of glibc."""
    if not wheel.name.startswith("lensracer-") or not wheel.name.endswith(f"{target.machine}.whl"):
        raise ShipmentInvalid(f"{wheel.name} is not our wheel for {target.machine}; name one with --wheel")
    with zipfile.ZipFile(wheel) as archive:
        kernels = [name for name in archive.namelist() if re.fullmatch(r"kernels/_\w+\.abi3\.so", name)]
        if not kernels:
            raise ShipmentFailed(f"{wheel.name} holds no compiled kernels: it was built without a compiler")
        for name in kernels:
            needed = newest_symbol(archive.read(name))
            if needed > target.glibc:
                raise ShipmentFailed(
                    f"{wheel.name} needs glibc 2.{needed} ({name}), and {target} has 2.{target.glibc}: build the wheel "
                    "on a system that is as old, and name it with --wheel"
                )


def newest_symbol(library: bytes) -> int:
    """The newest glibc that a shared library asks for: the second number of its version; 0 where it asks for none."""
    return max((int(found) for found in SYMBOL.findall(library)), default=0)
