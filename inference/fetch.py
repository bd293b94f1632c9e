"""A file from an address: whole and of the digest that was asked for, or not at all.

What came before a cut is kept in a hidden file beside the one wanted, and is gone on with the next time, also
after the program was killed. Only a file whose SHA-256 is right gets the final name; one whose digest is wrong
is removed.
"""

import contextlib
import hashlib
import importlib
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, cast
from urllib.parse import SplitResult

from inference.errors import AddressRefused, DigestWrong, FetchFailed
from inference.fetch_address import Reach, checked, shown
from inference.fetch_partial import Partial, human

_log = logging.getLogger(__name__)
Progress = Callable[[int, int | None], None]
_SLOWEST = 1024  # bytes a second over a stretch of `patience`
_LONGEST_PAUSE = 8.0  # seconds
_MOST_CUTS = 100  # connections that ended early


class Limits(NamedTuple):
    """What a transfer may cost.

    bytes: a longer file is refused. patience: seconds without an answer, or with less than a kibibyte a second,
    before the connection is given up. tries: connections in a row that bring less than that.
    """

    bytes: int = 8 << 30
    patience: float = 30.0
    tries: int = 5


class Body(Protocol):
    """What an opened address gives.

    start: the place in the file of its first byte, the one asked for, or 0 where it begins anew. total: bytes of
    the whole file, None where nobody says. mark: which version of the file this is (an ETag), "" if unknown.
    """

    start: int
    total: int | None
    mark: str

    def blocks(self) -> Iterator[bytes]:
        """The bytes, as they come. Raises FetchFailed."""
        ...

    def close(self) -> None: ...


class Source(Protocol):
    def open(self, start: int, mark: str) -> Body:
        """Asks for the bytes from `start` on, if the file is still the version `mark`; else for all of it.

        Raises FetchFailed and AddressRefused.
        """
        ...


def fetch(
    uri: str,
    sha256: str,
    into: Path,
    *,
    reach: Reach = Reach(),  # noqa: B008 - a tuple
    size: int | None = None,
    limits: Limits = Limits(),  # noqa: B008
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """The file `into`, which holds what `sha256` names; fetched unless it is there already.

    uri: https, or what `reach` allows besides (http, file, this machine), or s3. sha256: 64 hexadecimal digits.
    size: bytes that the file must have, None if unknown. progress: called with the bytes that are there and the
    bytes of the whole (None if unknown). clock: monotonic seconds.
    Raises AddressRefused, ModelNotFound (a `file:` that is not there), FetchFailed, DigestWrong, ExtraMissing.
    """
    digest = checked_digest(sha256)
    address = checked(uri, reach)
    if into.is_file() and digest_of(into) == digest:
        return into
    into.parent.mkdir(parents=True, exist_ok=True)
    with Partial(into, digest) as partial:
        source = _source(address, reach, limits)
        transfer = _Transfer(shown(uri), partial, source, size, limits, progress or _silent, clock, sleep)
        transfer.run(digest)
        partial.finish()
    return into


def checked_digest(sha256: str) -> str:
    """In small letters. Raises AddressRefused for what is no SHA-256."""
    digest = sha256.strip().lower().removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise AddressRefused(f"a SHA-256 has 64 hexadecimal digits; {sha256[:80]!r} is none")
    return digest


def digest_of(path: Path) -> str:
    """The SHA-256 of one file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source(address: SplitResult, reach: Reach, limits: Limits) -> Source:
    """Its module is imported only now: S3 needs a library that few have."""
    module = importlib.import_module(
        "inference.fetch_http" if address.scheme in ("http", "https") else f"inference.fetch_{address.scheme}"
    )
    return cast(Source, module.source(address, reach, limits.patience))


class _Transfer:
    """Fills a Partial from a source, connection by connection."""

    def __init__(
        self,
        told: str,
        partial: Partial,
        source: Source,
        size: int | None,
        limits: Limits,
        progress: Progress,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._told = told
        self._partial = partial
        self._source = source
        self._size = size
        self._limits = limits
        self._progress = progress
        self._clock = clock
        self._sleep = sleep

    def run(self, digest: str) -> None:
        """Goes on until what is there has the digest. Raises FetchFailed and DigestWrong."""
        partial = self._partial
        if partial.size and partial.digest() == digest:
            return
        self._fill()
        if partial.resumed and partial.digest() != digest:
            _log.info("what was gone on with is not what the digest names; %s is fetched anew", self._told)
            partial.restart()
            self._fill()
        found = partial.digest()
        if found != digest:
            partial.discard()
            raise DigestWrong(f"{self._told} has the SHA-256 {found}, not {digest}; what came was removed")

    def _fill(self) -> None:
        """One connection after the other until the whole is there."""
        fruitless = cuts = 0
        while True:
            before = self._partial.size
            try:
                return self._pour()
            except FetchFailed as error:
                brought = self._partial.size - before
                fruitless = 0 if brought >= _SLOWEST * self._limits.patience else fruitless + 1
                cuts += 1
                if not error.passing or fruitless >= self._limits.tries or cuts >= _MOST_CUTS:
                    raise
                _log.info("%s; it is tried again", error)
                self._sleep(min(0.5 * 2**fruitless, _LONGEST_PAUSE) if fruitless else 0.0)

    def _pour(self) -> None:
        """One connection: what it brings is appended. Raises FetchFailed where that is not the whole."""
        partial = self._partial
        with contextlib.closing(self._source.open(partial.size, partial.mark)) as body:
            if body.start == partial.size:
                partial.resumed = partial.size > 0
            else:
                partial.restart()
            total = self._checked_total(body)
            partial.remember(body.mark)
            self._append(body, total)
        if total is not None and partial.size < total:
            raise FetchFailed(
                f"{self._told} was cut off after {partial.size:,} of {total:,} bytes", passing=True
            )

    def _append(self, body: Body, total: int | None) -> None:
        partial, patience = self._partial, self._limits.patience
        most = self._limits.bytes if total is None else total
        since, counted = self._clock(), partial.size
        self._progress(partial.size, total)
        for block in body.blocks():
            if partial.size + len(block) > most:
                partial.discard()
                raise FetchFailed(f"{self._told} goes on after the {human(most)} that it may have")
            partial.append(block)
            self._progress(partial.size, total)
            if self._clock() - since >= patience:
                if partial.size - counted < _SLOWEST * patience:
                    raise FetchFailed(f"{self._told} comes too slowly", passing=True)
                since, counted = self._clock(), partial.size

    def _checked_total(self, body: Body) -> int | None:
        """The bytes of the whole, None if unknown. Raises FetchFailed for a wrong or too large number."""
        if self._size is not None and body.total not in (None, self._size):
            self._partial.discard()
            raise FetchFailed(f"{self._told} has {body.total:,} bytes; {self._size:,} were expected")
        total = self._size if body.total is None else body.total
        if total is None:
            return None
        if total > self._limits.bytes:
            raise FetchFailed(
                f"{self._told} has {human(total)}; at most {human(self._limits.bytes)} are taken"
            )
        folder, missing = self._partial.path.parent, total - self._partial.size
        free = shutil.disk_usage(folder).free
        if missing > free:
            raise FetchFailed(f"{self._told} needs {human(missing)}, but {folder} has {human(free)} left")
        return total


def _silent(done: int, total: int | None) -> None:
    pass
