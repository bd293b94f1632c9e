"""Compiled models, kept so that the next start need not compile: a private folder of entries.

An entry is one file: what the backend exported, a JSON description, then a tail of fixed size with the length
of the description and the SHA-256 of all before the digest. It appears under its name whole or not at all, is
read only if it is its owner's alone and its digest is right, and is removed otherwise.
"""

import hashlib
import json
import logging
import mmap
import os
import shutil
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inference import private
from inference.backends import Opening

_log = logging.getLogger(__name__)
FOLDER = "compiled"
SUFFIX = ".model"
MOST_BYTES = 1 << 30
MAGIC = b"lensracer-compiled-1"
TAIL = struct.Struct(f"<{len(MAGIC)}sQ32s")  # magic, length of the description, SHA-256
BLOCK = 1 << 20
UNFINISHED = 3600.0  # seconds after which what a crash left half made is swept away
SPARE = 256 << 20  # bytes of the disk that the cache never takes


class Entry(NamedTuple):
    """One compiled model. content: its bytes, mapped privately, so that a reader may scribble on them."""

    content: memoryview
    about: Mapping[str, Any]


def key_of(*parts: object) -> str:
    """A name for what these parts (of JSON's kinds) describe: equal parts, equal name."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Cache:
    """The entries of one folder. `most_bytes`: what they may take together; the longest unused go first."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Raises private.NotPrivate for a folder that others may touch, OSError where none can be made."""
        self._folder = private.folder(private.folder(folder) / FOLDER)
        self._most = most_bytes

    def find(self, key: str) -> Entry | None:
        """The entry of that key, its digest checked. What is damaged is removed, with a line in the log."""
        path = self._path(key)
        try:
            with os.fdopen(private.opened(path), "rb") as file:
                entry = _read(file.fileno())
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.warning("the compiled model %s is not usable and is made anew: %s", path, error)
            self.remove(key)
            return None
        return entry

    def remove(self, key: str) -> None:
        """Take an entry away, if there is one."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("the compiled model %s cannot be removed: %s", self._path(key), error.strerror)

    def make(self, key: str, build: Callable[[Path], Path], about: Mapping[str, Any], size: int) -> bool:
        """Make an entry of the file that `build` writes into the folder it is given; whether there is one now.

        size: about how many bytes that will be. Where there is no room for it, nothing is built. What goes
        wrong with the disk is logged and never raised; what `build` raises is.
        """
        if not self._has_room(size):
            return False
        self._sweep()
        making = self._folder / f"making-{os.getpid()}-{time.monotonic_ns()}"
        try:
            making.mkdir(mode=0o700)
            content = build(making)
            _seal(content, about)
            content.replace(self._path(key))
            self._trim(key)
        except OSError as error:
            _log.warning("the compiled model cannot be kept in %s: %s", self._folder, error)
            return False
        finally:
            shutil.rmtree(making, ignore_errors=True)
        return self._path(key).exists()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _has_room(self, size: int) -> bool:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            return False
        if size > self._most or size + SPARE > free:
            _log.info("a compiled model of %d MB finds no room in %s", size >> 20, self._folder)
            return False
        return True

    def _trim(self, newest: str) -> None:
        """Remove the longest unused entries until the rest is within the limit; the newest goes last."""
        found = [(path.stat(), path) for path in self._folder.glob(f"*{SUFFIX}")]
        found.sort(key=lambda each: (each[1] == self._path(newest), each[0].st_mtime_ns))
        total = sum(stat.st_size for stat, _ in found)
        for stat, path in found:
            if total <= self._most:
                return
            path.unlink(missing_ok=True)
            total -= stat.st_size

    def _sweep(self) -> None:
        """Remove what a crash left half made. The folders' own times are wall time, as is `time.time`'s."""
        for path in self._folder.glob("making-*"):
            try:
                if _age(path) > UNFINISHED:
                    shutil.rmtree(path, ignore_errors=True)
            except OSError:
                continue


def _age(path: Path) -> float:
    """Seconds since a folder changed, by the clock of its own disk: a new file beside it has the time of now."""
    probe = path.parent / f"now-{os.getpid()}"
    probe.touch(mode=0o600)
    try:
        return probe.stat().st_mtime - path.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _seal(path: Path, about: Mapping[str, Any]) -> None:
    """Append description and tail. Nothing is forced to the disk: what a power cut spoils, the digest tells."""
    described = json.dumps(about).encode()
    digest = hashlib.sha256()
    path.chmod(0o600)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    digest.update(described)
    begun = MAGIC + struct.pack("<Q", len(described))
    digest.update(begun)
    with path.open("ab") as file:
        file.write(described + begun + digest.digest())


def _read(number: int) -> Entry:
    """The entry in an open file. Raises ValueError for one that is damaged."""
    size = os.fstat(number).st_size
    if size <= TAIL.size:
        raise ValueError("it is too short")
    magic, length, expected = TAIL.unpack(os.pread(number, TAIL.size, size - TAIL.size))
    if magic != MAGIC or length > size - TAIL.size:
        raise ValueError("its end is not that of a compiled model")
    if _digest(number, size - len(expected)) != expected:
        raise ValueError("its digest is wrong")
    end = size - TAIL.size - length
    about = json.loads(os.pread(number, length, end))
    if end == 0 or not isinstance(about, dict):
        raise ValueError("it holds no model")
    return Entry(memoryview(mmap.mmap(number, size, access=mmap.ACCESS_COPY))[:end], about)


def _digest(number: int, size: int) -> bytes:
    """The SHA-256 of the first `size` bytes, block by block: pages that are only read do not stay with us."""
    digest, at = hashlib.sha256(), 0
    while at < size:
        block = os.pread(number, min(BLOCK, size - at), at)
        if not block:
            raise ValueError("it is shorter than it was")
        digest.update(block)
        at += len(block)
    return digest.digest()


def of(opening: Opening) -> Cache | None:
    """The cache that an opening names; None for none, or where it cannot be one (a line in the log says why)."""
    if opening.cache is None or not opening.digest:
        return None
    try:
        return Cache(opening.cache, opening.cache_bytes)
    except OSError as error:
        _log.warning("no compiled model is kept: %s", error)
        return None
