"""What has come so far of a file: hidden beside the file wanted, locked, and gone on with the next time."""

import contextlib
import fcntl
import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from inference.errors import FetchFailed

_BLOCK = 1 << 20
_LONGEST_MARK = 1024


class Partial:
    """Use it in a `with`. One process at a time: raises FetchFailed where another has it.

    size: bytes that are there. mark: which version of the file they are of, "" if unknown. resumed: whether they
    came by more than one connection.
    """

    def __init__(self, into: Path, sha256: str) -> None:
        self.path = into.with_name(f".{into.name}.{sha256[:16]}.part")
        self._note = self.path.with_name(f"{self.path.name}.note")
        self._into = into
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self.size, self.mark, self.resumed = 0, "", False

    def __enter__(self) -> "Partial":
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise FetchFailed(f"another process is fetching {self._into.name} at this moment") from None
        self._read()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.size:
            self.discard()
        with contextlib.suppress(OSError):  # of a full disk it was told already
            self._opened().close()

    def append(self, block: bytes) -> None:
        """Written at once, so that it is there whatever becomes of this process. Raises FetchFailed."""
        try:
            self._opened().write(block)
            self._opened().flush()
        except OSError as error:
            raise FetchFailed(f"{self.path.parent} cannot be written: {error.strerror}") from None
        self._hash.update(block)
        self.size += len(block)

    def remember(self, mark: str) -> None:
        """Notes which version of the file the bytes are of."""
        if mark != self.mark:
            self.mark = mark[:_LONGEST_MARK]
            self._note.write_text(json.dumps({"mark": self.mark}), encoding="utf-8")

    def restart(self) -> None:
        """Forgets what was there."""
        file = self._opened()
        file.seek(0)
        file.truncate()
        self.size, self.mark, self.resumed, self._hash = 0, "", False, hashlib.sha256()
        self._note.unlink(missing_ok=True)

    def digest(self) -> str:
        """The SHA-256 of what is there, in hexadecimal."""
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Removes what was there."""
        self.restart()
        self.path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Gives the file its final name, in the place of any older one."""
        file = self._opened()
        file.flush()
        os.fsync(file.fileno())
        self.path.replace(self._into)
        self._note.unlink(missing_ok=True)

    def _read(self) -> None:
        """Hashes what is there, and reads the note of it."""
        file = self._opened()
        self._hash = hashlib.sha256()
        while block := file.read(_BLOCK):
            self._hash.update(block)
        self.size, self.mark, self.resumed = file.tell(), "", False
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            self.mark = str(json.loads(self._note.read_text(encoding="utf-8"))["mark"])[:_LONGEST_MARK]

    def _opened(self) -> BinaryIO:
        assert self._file is not None, "use it in a with"
        return self._file


def human(count: int) -> str:
    """Bytes as people say them: 512 bytes, 3.8 MB."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
