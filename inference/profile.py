"""How a model runs best on this machine, as it was measured: kept in a private folder, for later runs.

A profile is found by the digest of the model, the devices asked for, the processor's kind and number of cores,
and the versions of both runtimes: whatever changes, an older profile is no longer found.
"""

import importlib.metadata
import json
import logging
import os
import platform
from pathlib import Path
from typing import Any, NamedTuple

from inference import cache, private
from inference.backends import Tuning, processors
from inference.backends.choice import devices_of

_log = logging.getLogger(__name__)
FOLDER = "profiles"
LIBRARIES = ("openvino", "onnxruntime")
MOST = 64 * 1024  # bytes of a profile


class Profile(NamedTuple):
    """What won. aim: "latency" (lowest median) or "throughput" (most a second); both figures of the winner."""

    backend: str
    device: str
    requests: int
    hint: str
    threads: int | None
    aim: str
    median_ms: float
    per_second: float

    @property
    def tuning(self) -> Tuning:
        return Tuning(self.hint, self.threads)

    def __str__(self) -> str:
        threads = "" if self.threads is None else f", {self.threads} thread(s)"
        return f"{self.backend} {self.device}, {self.requests} request(s), hint {self.hint}{threads}"


def keep(folder: Path, digest: str, device: str, profile: Profile) -> Path:
    """Write a profile in the place of an older one; its file. Raises OSError, NotPrivate among them."""
    path = private.folder(private.folder(folder) / FOLDER) / _name(digest, device)
    part = path.with_suffix(f".{os.getpid()}")
    try:
        part.touch(mode=0o600, exist_ok=False)
        part.write_text(json.dumps(profile._asdict(), indent=2) + "\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def any_kept(folder: Path) -> bool:
    """Whether there is any profile: without one, the digest of the model need not be worked out."""
    try:
        with os.scandir(folder / FOLDER) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
    except OSError:
        return False


def find(folder: Path, digest: str, device: str) -> Profile | None:
    """The profile of a model, if there is one. One that cannot be used is told in the log, and is none."""
    path = folder / FOLDER / _name(digest, device)
    try:
        private.folder(folder / FOLDER)
        with os.fdopen(private.opened(path), "rb") as file:
            return _profile(json.loads(file.read(MOST)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        _log.warning("the profile %s is left out: %s", path, error)
        return None


def _profile(values: Any) -> Profile:
    """The values, of the right kinds. Raises ValueError, TypeError."""
    found = Profile(**values)
    if found.backend not in LIBRARIES or found.hint not in ("latency", "throughput"):
        raise ValueError(f"it names backend {found.backend!r} and hint {found.hint!r}")
    for number in (found.requests, found.threads):
        if number is not None and not (isinstance(number, int) and 1 <= number <= 1024):
            raise ValueError(f"a number in it is {number!r}")
    return found


def _name(digest: str, device: str) -> str:
    here = (platform.machine(), processors(), *map(_version, LIBRARIES))
    return f"{cache.key_of(digest, devices_of(device.upper()), *here)}.json"


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
