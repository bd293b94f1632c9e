"""Runs on the device, on its own Python and nothing else: puts a component's files into their place.

    python3.11 install.py dependencies FOLDER WORK    a virtual environment from the wheels of FOLDER
    python3.11 install.py runtime FOLDER WORK         the runtime itself

FOLDER is the unpacked artifact, WORK the component's work folder, where `current` leads to what is used. Greengrass
calls this at every start of the nucleus: what is there already is left alone. An installation that was cut off is made
anew; the one before stays until the next, no older one.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STAMP = ".complete"  # written last: without it a folder is half made
SPARE = 64 * 1024 * 1024  # bytes that must stay free


class Unfit(Exception):
    """This device cannot take the component; the sentence says why."""


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 3 or arguments[0] not in PARTS:
        sys.stderr.write("usage: install.py dependencies|runtime FOLDER WORK\n")
        return 2
    part, folder, work = arguments[0], Path(arguments[1]), Path(arguments[2])
    try:
        told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        fit(told)
        place = work / f"{part}-{told['digest'][:16]}"
        if not (place / STAMP).is_file():
            room(told, work)
            shutil.rmtree(place, ignore_errors=True)
            PARTS[part](folder, place)
            (place / STAMP).write_text(told["digest"] + "\n")
        use(place, work)
        clear(part, place, work)
    except (Unfit, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"{part}: {error}\n")
        return 1
    sys.stdout.write(f"{part}: {place} ({size(place) / 1e6:.0f} MB)\n")
    return 0


def fit(told: Mapping[str, Any]) -> None:
    """That this is the device which the component was packed for."""
    target = told["target"]
    if os.uname().machine != target["machine"]:
        raise Unfit(f"it was packed for {target['machine']}, and this is {os.uname().machine}")
    if sys.version_info[:2] != (3, target["python"]):
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise Unfit(f"it was packed for Python 3.{target['python']}, and this is Python {here}")
    name, version = platform.libc_ver()
    if name != "glibc" or int(version.split(".")[1]) < target["glibc"]:
        raise Unfit(
            f"it needs glibc 2.{target['glibc']} or later, and here is {name or 'no glibc'} {version}"
        )


def room(told: Mapping[str, Any], work: Path) -> None:
    """That there is room, before anything is written."""
    work.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(work).free, told["needs_bytes"] + SPARE
    if free < needed:
        raise Unfit(f"{work} has {free / 1e6:.0f} MB free, and {needed / 1e6:.0f} MB are needed")


def dependencies(folder: Path, place: Path) -> None:
    """A virtual environment; pip comes as a wheel, which Python runs as it is."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    installer = next((folder / "wheels").glob("pip-*.whl"))
    command = [str(place / "bin" / "python"), str(installer / "pip"), "install", "--quiet", "--no-input"]
    command += [
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-index",
        "--no-deps",
        "--require-hashes",
    ]
    command += ["--find-links", str(folder / "wheels"), "--requirement", str(folder / "requirements.txt")]
    subprocess.run(command, check=True)


def runtime(folder: Path, place: Path) -> None:
    """Our packages, as they are: they need no installer, and the environment stays as it is."""
    shutil.copytree(folder / "lensracer", place)
    shutil.copyfile(folder / "run", place / "run")
    (place / "run").chmod(0o755)


def use(place: Path, work: Path) -> None:
    """Let `current` lead there, from one moment to the next."""
    link, fresh = work / "current", work / "current.new"
    if link.is_symlink() and link.readlink() == Path(place.name):
        return
    if link.is_symlink():
        former = work / "previous.new"
        former.unlink(missing_ok=True)
        former.symlink_to(link.readlink())
        former.replace(work / "previous")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(place.name)
    fresh.replace(link)


def clear(part: str, place: Path, work: Path) -> None:
    """Remove all but what is used and what was used before."""
    kept = {place.name}
    if (work / "previous").is_symlink():
        kept.add((work / "previous").readlink().name)
    for path in work.glob(f"{part}-*"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


PARTS = {"dependencies": dependencies, "runtime": runtime}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
