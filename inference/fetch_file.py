"""`file:` addresses: a file of this machine, read like any other source."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, unquote

from inference.errors import AddressRefused, FetchFailed, ModelNotFound
from inference.fetch_address import Reach

_BLOCK = 1 << 20


class FileBody:
    """See inference.fetch.Body. The file begins anew each time: to read it again costs little."""

    start = 0
    mark = ""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self.total: int | None = os.fstat(file.fileno()).st_size

    def blocks(self) -> Iterator[bytes]:
        try:
            while block := self._file.read(_BLOCK):
                yield block
        except OSError as error:
            raise FetchFailed(f"{self._path} cannot be read: {error.strerror}") from None

    def close(self) -> None:
        self._file.close()


class FileSource:
    """See inference.fetch.Source."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, start: int, mark: str) -> FileBody:
        try:  # not blocking: a pipe with nobody at its other end would be waited for
            number = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ModelNotFound(f"the file {self._path} does not exist") from None
        except OSError as error:
            raise FetchFailed(f"{self._path} cannot be read: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise AddressRefused(f"{self._path} is no file")
        return FileBody(os.fdopen(number, "rb"), self._path)


def source(address: SplitResult, reach: Reach, patience: float) -> FileSource:
    return FileSource(Path(unquote(address.path)))
