"""A recording: one file of records, each with checksums of its own, readable as far as it was written.

| part | bytes |
|---|---|
| the file | `MAGIC`, then records: one `HEAD`, a `SHOT` for each frame, at a proper end one `DONE` |
| a record | a head of 24 bytes, its meta (JSON, deflated), its blob (a picture as `streams.picture_packing` packs it) |
| a record's head | kind (4 letters), then big-endian words of 32 bits: lengths of meta and blob, CRC-32 of meta, of
blob, and of the 20 bytes before |

Nothing is written twice and nothing in place, so that a process that is killed leaves all records but the last.
"""

import contextlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, NoReturn

from streams.errors import RecordingInvalid, SourceNotFound

SCHEMA = "lensracer.recording/1"
SUFFIX = ".recording"
MAGIC = b"\x89LENSRACER\r\n\x1a\n"  # what a transfer as text would change is seen at once
HEAD, SHOT, DONE = b"HEAD", b"SHOT", b"DONE"
MOST_META = 16 << 20  # bytes, deflated or not
MOST_BLOB = 256 << 20
LEFT_FOR_THE_END = 4096  # bytes of the bound that frames do not use
PRIVATE = 0o600
_WORDS = struct.Struct(">4sIIIII")
Meta = dict[str, Any]


class Record(NamedTuple):
    """One record. at: the byte of the file where it begins."""

    kind: bytes
    meta: Meta
    blob: bytes
    at: int


class Writer:
    """Makes a recording. For use by one thread. path: must not exist. max_bytes: of the whole file.

    Raises OSError where the file cannot be made or written, FileExistsError where there is one, and ValueError for a
    bound that not even the header fits into.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], max_bytes: int) -> None:
        self.path = path
        self.size = 0
        self._max_bytes = max_bytes
        self._file = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), PRIVATE
        )
        try:
            self._put(MAGIC)
            if not self.append(HEAD, {"schema": SCHEMA, **header}):
                raise ValueError(f"a recording of {max_bytes} bytes has no room for anything but its header")
        except BaseException:
            os.close(self._file)
            path.unlink(missing_ok=True)
            raise

    def append(self, kind: bytes, meta: Mapping[str, Any], blob: bytes = b"") -> bool:
        """Add a record; False where it would grow over the bound. After an OSError the file ends as it did before."""
        told = zlib.compress(json.dumps(meta, separators=(",", ":"), ensure_ascii=False).encode(), 6)
        head = _WORDS.pack(kind, len(told), len(blob), zlib.crc32(told), zlib.crc32(blob), 0)[:-4]
        record = b"".join((head, zlib.crc32(head).to_bytes(4, "big"), told, blob))
        if kind != DONE and self.size + len(record) > self._max_bytes - LEFT_FOR_THE_END:
            return False
        self._put(record)
        return True

    def close(self, summary: Mapping[str, Any] | None = None) -> None:
        """Write the end, if there is one to tell, and let go of the file, also where that raises OSError."""
        try:
            if summary is not None:
                self.append(DONE, summary)
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def _put(self, data: bytes) -> None:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
                os.lseek(self._file, self.size, os.SEEK_SET)
            raise
        self.size += len(data)


class Recording:
    """Reads a recording. header: what its first record tells. summary: the end's; None until `shots` came to one.

    cut_at: the byte at which a recording without an end stops, once `shots` came there: it was being written when its
    process was killed, or is not wholly here. Raises SourceNotFound, and RecordingInvalid for a file that is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.summary: Meta | None = None
        self.cut_at: int | None = None
        self._file = opened(path)
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self.header = self._header()
        except BaseException:
            self._file.close()
            raise
        self._first = self._file.tell()

    def shots(self) -> Iterator[Record]:
        """The records of all frames in the order of the recording, from the first. Raises RecordingInvalid."""
        at = self._first
        while (record := self._record(at)) is not None:
            if record.kind == DONE:
                self.summary = record.meta
                return
            if record.kind == SHOT:
                yield record
            at = record.at + _WORDS.size + self._length
        self.cut_at = at

    def record(self, at: int) -> Record:
        """The record that begins at a byte, as `Record.at` tells. Raises RecordingInvalid."""
        record = self._record(at)
        if record is None:
            raise RecordingInvalid(f"{self.path} has no whole record at byte {at}")
        return record

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _header(self) -> Meta:
        begins = self._file.read(len(MAGIC))
        if begins != MAGIC:
            raise RecordingInvalid(
                f"{self.path} is no recording: it begins with {begins!r}, not with {MAGIC!r}"
            )
        record = self._record(len(MAGIC))
        if record is None or record.kind != HEAD:
            raise RecordingInvalid(f"{self.path} is cut off at byte {self._size}, in its header")
        schema = str(record.meta.get("schema"))[:80]
        if schema != SCHEMA:
            raise RecordingInvalid(f"{self.path} is of the schema {schema}; this version reads {SCHEMA}")
        return record.meta

    def _record(self, at: int) -> Record | None:
        """The record that begins at a byte; None where the file stops before it is whole."""
        self._file.seek(at)
        head = self._file.read(_WORDS.size)
        if len(head) < _WORDS.size or not (any(head) or self._holds_more(at)):
            return None
        kind, long, large, meta_sum, blob_sum, head_sum = _WORDS.unpack(head)
        if zlib.crc32(head[:-4]) != head_sum:
            self._refuse(at, "its head has another checksum")
        if long > MOST_META or large > MOST_BLOB:
            self._refuse(at, f"it says to have {long} and {large} bytes")
        if at + _WORDS.size + long + large > self._size:
            return None
        told, blob = self._file.read(long), self._file.read(large)
        if zlib.crc32(told) != meta_sum or zlib.crc32(blob) != blob_sum:
            self._refuse(at, "its content has another checksum")
        self._length = long + large
        return Record(kind, self._meta(told, at), blob, at)

    def _holds_more(self, at: int) -> bool:
        """Whether there is anything but zeros from here on: a lost power leaves such where nothing was written yet."""
        self._file.seek(at)
        more = any(any(part) for part in iter(lambda: self._file.read(1 << 20), b""))
        self._file.seek(at + _WORDS.size)
        return more

    def _meta(self, told: bytes, at: int) -> Meta:
        try:
            unpacker = zlib.decompressobj()
            meta = json.loads(unpacker.decompress(told, MOST_META))
        except (zlib.error, ValueError, RecursionError) as error:
            self._refuse(at, str(error))
        if not isinstance(meta, dict):
            self._refuse(at, "its meta is no mapping")
        return meta

    def _refuse(self, at: int, why: str) -> NoReturn:
        raise RecordingInvalid(
            f"{self.path} is damaged: the record at byte {at} of {self._size} cannot be read: {why}"
        )


def opened(path: Path) -> BinaryIO:
    """Raises SourceNotFound and RecordingInvalid."""
    try:
        if not path.is_file():
            if path.exists():
                raise RecordingInvalid(f"{path} is no recording: it is no file")
            raise SourceNotFound(f"the recording {path} does not exist, seen from {Path.cwd()}")
        return path.open("rb")
    except OSError as error:
        if isinstance(error, SourceNotFound):
            raise
        raise RecordingInvalid(f"the recording {path} cannot be read: {error.strerror}") from None
