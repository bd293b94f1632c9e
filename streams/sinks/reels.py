"""The video files of one stream in a folder: named by when they began, private, and no more of them than fit."""

import os
import re
import time
from pathlib import Path

from streams.sinks.gate import SinkInvalid

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class Reels:
    """The files `<name>-20261122T202500.123Z<suffix>` of a folder, the oldest first; of others it takes no notice.

    The folder is made with the first file. Raises SinkInvalid where that could not be, or where it cannot be written.
    """

    def __init__(self, folder: Path, name: str, suffix: str) -> None:
        self.folder, self._name, self._suffix = folder, name, suffix
        self._pattern = re.compile(rf"{re.escape(name)}-\d{{8}}T\d{{6}}\.\d{{3}}Z(-\d+)?{re.escape(suffix)}")
        there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            why = "cannot be written" if there.is_dir() else "is no folder"
            raise SinkInvalid(f"streams.record.path: {folder} cannot be made or written: {there} {why}")
        found = sorted(folder.iterdir()) if there is folder else []
        self._sizes = {path: path.stat().st_size for path in found if self._is_ours(path)}
        self._open: Path | None = None

    @property
    def paths(self) -> list[Path]:
        return list(self._sizes)

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(list(self._sizes.values()))

    def new(self, wall_ms: int) -> tuple[Path, int]:
        """A new file of this user's alone, and its descriptor. wall_ms: when it begins. Raises OSError."""
        self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        seconds = time.strftime("%Y%m%dT%H%M%S", time.gmtime(wall_ms // 1000))
        stem = f"{self._name}-{seconds}.{wall_ms % 1000:03d}Z"
        for attempt in range(1000):
            path = self.folder / f"{stem}{f'-{attempt}' if attempt else ''}{self._suffix}"
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(path, flags, PRIVATE_FILE)
            except FileExistsError:
                continue
            self._open = path
            self._sizes[path] = 0
            return path, descriptor
        raise FileExistsError(17, "too many files of one moment are there", str(self.folder))

    def grown(self, size: int) -> None:
        """The newest file has so many bytes now."""
        if self._open is not None:
            self._sizes[self._open] = size

    def settled(self, path: Path) -> None:
        """A file is closed; one without anything in it goes."""
        self._open = None
        try:
            size = path.stat().st_size
        except OSError:
            size = 0
        if size:
            self._sizes[path] = size
        else:
            self._remove(path)

    def trim(self, max_bytes: int, max_files: int | None) -> None:
        """Remove the oldest until all together take no more than that."""
        while self._sizes and (
            self.size > max_bytes or (max_files is not None and len(self._sizes) > max_files)
        ):
            self._remove(next(iter(self._sizes)))

    def _remove(self, path: Path) -> None:
        self._sizes.pop(path, None)
        path.unlink(missing_ok=True)

    def _is_ours(self, path: Path) -> bool:
        return bool(self._pattern.fullmatch(path.name)) and path.is_file() and not path.is_symlink()
