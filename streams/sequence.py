"""Numbers that count on across restarts and kills, kept in one small file of the state folder.

The file is mapped into memory, so that a number costs no system call and is the kernel's at once: a killed
process loses none. (A power cut may lose the last seconds of writing; the boot_id beside each number tells
that apart.) Each counter stands twice and each copy proves itself, so that a write cut in half never hides
the other copy.

    page 0: magic, pid of the holder        then slots of 256 bytes:
    name (208 bytes, UTF-8, zero filled), crc32 of the name, 0, then two copies of (value, inverted value),
    u64 each
"""

import errno
import fcntl
import logging
import mmap
import os
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from streams.errors import StateBusy

log = logging.getLogger(__name__)

FILE = "sequence.bin"
_MAGIC = b"LRSEQ001"
_PAGE = 4096
_SLOT = 256
_NAME = 208
_SLOTS = 1024  # a source that has another name today leaves its old one behind
_SIZE = _PAGE + _SLOTS * _SLOT
_COPIES = (216, 232)  # places within a slot
_FULL = (1 << 64) - 1


class Sequence:
    """The numbers of every stream and source of one state folder; safe to share among threads.

    Raises StateBusy, naming the process, when another one holds the folder; OSError when the folder cannot be
    written.
    """

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / FILE
        self._lock = threading.Lock()
        self._descriptor = _opened(self.path)
        try:
            _claim(self._descriptor, self.path)
            _fill(self._descriptor, self.path)
            self._map = mmap.mmap(self._descriptor, _SIZE)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._words = memoryview(self._map).cast("Q")
        self._places = self._read()

    def next(self, stream: str, source: str) -> int:
        """The next number of a stream of a source, from 1.

        Raises ValueError when there are too many of them.
        """
        with self._lock:
            counter = self._places.get((stream, source)) or self._new(stream, source)
            counter.value += 1
            counter.write(self._words)
            return counter.value

    def last(self, stream: str, source: str) -> int:
        """The number given last, 0 if none was."""
        with self._lock:
            counter = self._places.get((stream, source))
            return counter.value if counter else 0

    def close(self) -> None:
        """Writes through to the disk and lets the folder go."""
        with self._lock:
            if self._descriptor < 0:
                return
            self._words.release()
            self._map.flush()
            self._map.close()
            os.close(self._descriptor)  # this lets the lock go
            self._descriptor = -1

    def __enter__(self) -> "Sequence":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> dict[tuple[str, str], "_Counter"]:
        """What the file tells; a slot that proves nothing is wiped, so that it can be used again."""
        found: dict[tuple[str, str], _Counter] = {}
        for start in _slots():
            slot = bytes(self._map[start : start + _SLOT])
            name, copies = _name_in(slot), _copies_in(slot)
            if name is not None and copies:
                older = 0 if copies.get(0, -1) < copies.get(1, -1) else 1
                found[name] = _Counter(start, max(copies.values()), older)
            elif any(slot):
                log.warning("A damaged counter in %s was dropped; its numbers begin again at 1.", self.path)
                self._map[start : start + _SLOT] = bytes(_SLOT)
        return found

    def _new(self, stream: str, source: str) -> "_Counter":
        used = {counter.start for counter in self._places.values()}
        free = next((start for start in _slots() if start not in used), None)
        name = f"{stream}/{source}".encode()
        if free is None:
            raise ValueError(
                f"{self.path} holds {_SLOTS} counters, and there is no room for {stream}/{source}"
            )
        if len(name) > _NAME or "/" in stream:
            raise ValueError(
                f"a counter's name has at most {_NAME} bytes and one slash, not {stream}/{source}"
            )
        counter = _Counter(free, 0, 0)
        counter.write(self._words)
        counter.write(self._words)
        self._map[free : free + _NAME] = name.ljust(_NAME, b"\0")
        self._map[free + _NAME : free + _NAME + 8] = struct.pack("<II", zlib.crc32(name), 0)
        self._places[stream, source] = counter
        return counter


class _Counter:
    """One slot: the value lives here, the file holds its two copies."""

    __slots__ = ("_turn", "_words", "start", "value")

    def __init__(self, start: int, value: int, older: int) -> None:
        self.start = start
        self.value = value
        self._turn = older
        self._words = tuple((start + place) // 8 for place in _COPIES)

    def write(self, words: memoryview) -> None:
        """Writes the older copy, so that the newer one stands until this one is whole."""
        place = self._words[self._turn]
        words[place] = self.value
        words[place + 1] = _FULL - self.value
        self._turn ^= 1


def _slots() -> Iterator[int]:
    return iter(range(_PAGE, _SIZE, _SLOT))


def _name_in(slot: bytes) -> tuple[str, str] | None:
    name = slot[:_NAME].rstrip(b"\0")
    (crc,) = struct.unpack_from("<I", slot, _NAME)
    if not name or crc != zlib.crc32(name):
        return None
    try:
        stream, slash, source = name.decode().partition("/")
    except UnicodeDecodeError:
        return None
    return (stream, source) if slash else None


def _copies_in(slot: bytes) -> dict[int, int]:
    """The values of those copies (0 and 1) that prove themselves."""
    copies = (struct.unpack_from("=QQ", slot, place) for place in _COPIES)
    return {turn: value for turn, (value, inverse) in enumerate(copies) if inverse == _FULL - value}


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OSError(
            error.errno, f"the state folder {path.parent} cannot be written: {error.strerror}"
        ) from None


def _claim(descriptor: int, path: Path) -> None:
    """Takes the lock, which the kernel gives back when this process ends, however it ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        pid = int.from_bytes(os.pread(descriptor, 4, len(_MAGIC)), "little")
        raise StateBusy(
            f"the state folder {path.parent} is in use by process {pid}: "
            "stop that one, or give this one a name (thing) or a folder (spool.path) of its own"
        ) from None


def _fill(descriptor: int, path: Path) -> None:
    """Makes the file whole, and every block of it real: a hole on a full disk would kill us at a write."""
    size = os.fstat(descriptor).st_size
    if 0 < size != _SIZE or (size and os.pread(descriptor, len(_MAGIC), 0) != _MAGIC):
        log.warning("%s was damaged: what can still be read of it is kept.", path)
    try:
        _reserve(descriptor, size)
        os.pwrite(descriptor, _MAGIC + os.getpid().to_bytes(4, "little"), 0)
        os.ftruncate(descriptor, _SIZE)
    except OSError as error:
        raise OSError(
            error.errno, f"the state folder {path.parent} cannot be written: {error.strerror}"
        ) from None


def _reserve(descriptor: int, size: int) -> None:
    """Room for the whole file, also where an earlier full disk left a hole. Raises OSError if there is none."""
    if sys.platform == "linux":
        os.posix_fallocate(descriptor, 0, _SIZE)
    while sys.platform != "linux" and size < _SIZE:  # a nearly full disk takes less than it is given
        size += os.pwrite(descriptor, bytes(_SIZE - size), size)
