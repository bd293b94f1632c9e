"""The one unpacker of archives (tar, tar.gz, zip): what comes from elsewhere can write nowhere but in its folder.

Nothing but plain files and folders is taken: no links, devices or absolute paths, no `..`, no name twice. How many
files there are, how large they get and how much larger than the archive is limited while they are written, not
by what the archive claims.
"""

import functools
import gzip
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from inference.errors import ModelInvalid, ModelNotFound
from inference.formats.tape import TapeFault, tape_entries

_BLOCK = 1 << 16
_LONGEST_NAME, _LONGEST_PATH, _DEEPEST = 255, 1024, 32
_ALWAYS_BYTES = 16 << 20  # so much may come from an archive however small
_END, _END64, _END_SEARCHED = b"PK\x05\x06", b"PK\x06\x07", (1 << 16) + 22
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, TapeFault, NotImplementedError, ValueError)


class Limits(NamedTuple):
    """files: how many files and folders. size: bytes unpacked, in all. ratio: those to the archive's own."""

    files: int = 10_000
    size: int = 4 << 30
    ratio: float = 100.0


class Entry(NamedTuple):
    """A file or folder of an archive; `blocks` gives a file's content piece by piece."""

    name: str
    is_folder: bool
    blocks: Callable[[], Iterator[bytes]]


def unpack(archive: Path, folder: Path, limits: Limits = Limits()) -> tuple[Path, ...]:  # noqa: B008 - immutable
    """Unpacks into a folder that does not exist yet, which appears whole or not at all. Returns its files.

    Raises ModelNotFound, and ModelInvalid with a sentence for what is refused; nothing is left behind then.
    """
    if os.path.lexists(folder):
        raise ModelInvalid(f"{folder} exists already; an archive is unpacked into a folder of its own")
    size = _size(archive)
    room = min(limits.size, max(_ALWAYS_BYTES, int(size * limits.ratio)))
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        files = _written(archive, fresh, limits.files, room)
        fresh.rename(folder)
    except BaseException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, _DAMAGE) and not isinstance(error, ModelInvalid):
            raise ModelInvalid(f"{archive} cannot be unpacked: {error or type(error).__name__}") from error
        raise
    return tuple(folder / file.relative_to(fresh) for file in files)


def _size(archive: Path) -> int:
    try:
        status = archive.stat()
    except FileNotFoundError:
        raise ModelNotFound(f"the archive {archive} does not exist") from None
    if not stat.S_ISREG(status.st_mode):
        raise ModelInvalid(f"{archive} is not a file")
    return status.st_size


def _written(archive: Path, fresh: Path, most: int, room: int) -> list[Path]:
    files: list[Path] = []
    seen: set[str] = set()
    with archive.open("rb") as file:
        for count, entry in enumerate(_entries(archive, file, most), 1):
            if count > most:
                raise ModelInvalid(f"{archive} holds more than {most} files; it is not unpacked")
            place = _place(archive, entry.name, seen)
            if place is None:
                continue
            if entry.is_folder:
                (fresh / place).mkdir(parents=True, exist_ok=True)
                continue
            room -= _write(archive, fresh / place, entry, room)
            files.append(fresh / place)
    if not files:
        raise ModelInvalid(f"{archive} holds no files")
    return files


def _write(archive: Path, path: Path, entry: Entry, room: int) -> int:
    """Writes a file that is not there yet; returns its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with path.open("xb") as file:
        for block in entry.blocks():
            size += len(block)
            if size > room:
                raise ModelInvalid(
                    f"{archive} grows too large when unpacked: {entry.name!r} goes beyond what is allowed"
                )
            file.write(block)
    return size


def _place(archive: Path, name: str, seen: set[str]) -> Path | None:
    """Where an entry goes, below the folder; None for the folder itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or "\\" in name or ".." in parts or (parts and parts[0].endswith(":")):
        raise ModelInvalid(f"{archive} is refused: {name!r} would be written outside its folder")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise ModelInvalid(f"{archive} is refused: the name {name!r} holds a control character")
    lengths = [len(os.fsencode(part)) for part in parts]
    if len(parts) > _DEEPEST or sum(lengths) > _LONGEST_PATH or max(lengths, default=0) > _LONGEST_NAME:
        raise ModelInvalid(f"{archive} is refused: the name {name[:60]!r}... is too long")
    if not parts:
        return None
    key = "/".join(parts).casefold()
    if key in seen and not name.endswith("/"):
        raise ModelInvalid(f"{archive} is refused: it holds {name!r} twice")
    seen.add(key)
    return Path(*parts)


def _entries(archive: Path, file: IO[bytes], most: int) -> Iterator[Entry]:
    head = file.read(512)
    file.seek(0)
    if head.startswith(_ZIP):
        _check_directory(archive, file, most)
        return _zip_entries(archive, file)
    if head.startswith(_GZIP):
        return _tape(archive, gzip.GzipFile(fileobj=file))
    if head[257:262] == b"ustar":
        return _tape(archive, file)
    raise ModelInvalid(f"{archive} is no archive that is read here: tar, tar.gz or zip was expected")


def _tape(archive: Path, file: Any) -> Iterator[Entry]:
    for name, kind, blocks in tape_entries(file):
        if kind not in ("file", "folder"):
            raise ModelInvalid(f"{archive} is refused: {name!r} is a {kind}, not a plain file")
        yield Entry(name, kind == "folder", blocks)


def _check_directory(archive: Path, file: IO[bytes], most: int) -> None:
    """Looks at how large a zip's directory is before all of it is read into memory.

    Source: end of central directory record, APPNOTE 6.3, section 4.3.16; zip64 (4.3.14) is not taken.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_SEARCHED))
    tail = file.read()
    file.seek(0)
    at = len(tail) - 22 if tail[-22:-18] == _END else tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise ModelInvalid(f"{archive} cannot be unpacked: it is no whole zip")
    if at >= 20 and tail[at - 20 : at - 16] == _END64:
        raise ModelInvalid(
            f"{archive} is refused: it is a zip64, for archives larger than what is unpacked here"
        )
    if int.from_bytes(tail[at + 12 : at + 16], "little") > most * (_LONGEST_PATH + 256):
        raise ModelInvalid(f"{archive} holds more than {most} files; it is not unpacked")


def _zip_entries(archive: Path, file: IO[bytes]) -> Iterator[Entry]:
    with zipfile.ZipFile(file) as opened:
        for info in opened.infolist():
            form = stat.S_IFMT(info.external_attr >> 16)
            if form not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ModelInvalid(
                    f"{archive} is refused: {info.filename!r} is a link or device, not a plain file"
                )
            if info.flag_bits & 0x1:
                raise ModelInvalid(f"{archive} is refused: {info.filename!r} is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ModelInvalid(
                    f"{archive} is refused: {info.filename!r} is packed in a way not read here"
                )
            yield Entry(info.orig_filename, info.is_dir(), functools.partial(_zip_blocks, opened, info))


def _zip_blocks(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with opened.open(info) as file:
        while block := file.read(_BLOCK):
            yield block
