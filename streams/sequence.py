"""Numbers that count on across restarts and kills, kept in one small file of the state folder.

The file is mapped into memory, so that a number costs no system call and is the kernel's at once: a killed
process loses none. A power cut may lose the last seconds of writing: after one the counters go on 65,536 numbers
further, which `jumps` tells, so that no number is ever given twice; the file is brought to the disk, on a thread of its
own, long before so many have been given. Each counter stands twice and each copy proves itself, so that a write cut in
half never hides the other copy.

    page 0: magic, pid of the holder, at 64: boot in which numbers were given last (64 bytes, zero filled), at 128: 1
    from the first of them until they were brought to the disk in good order           then slots of 256 bytes:
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
from typing import NamedTuple

from streams import clock as wall
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
_BOOT, _OPEN = slice(64, 128), 128  # places in page 0
JUMP = 1 << 16
KEPT_EVERY = 1 << 14  # numbers: so often they are brought to the disk


class Jump(NamedTuple):
    """Numbers of a stream of a source, both ends included, that are left out."""

    stream: str
    source: str
    first: int
    last: int


class Sequence:
    """The numbers of every stream and source of one state folder; safe to share among threads.

    boot: the name of this boot; a former one may have ended, and lost numbers, without any order. Raises StateBusy,
    naming the process, when another one holds the folder; OSError when the folder cannot be written.
    """

    def __init__(self, folder: Path | str, boot: str | None = None) -> None:
        self.path = Path(folder) / FILE
        self._boot = (boot or wall.boot_id()).encode()[:64]
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
        self._known = self._read()
        self._places: dict[tuple[str, str], _Counter] = {}  # empty until numbers are given
        self._jumps: list[Jump] = []
        self._keeping = threading.Event()
        self._keeper: threading.Thread | None = None

    @property
    def jumps(self) -> list[Jump]:
        """The numbers that a power cut made us leave out, known from the first `prepare` or `next` on."""
        with self._lock:
            return list(self._jumps)

    def prepare(self, stream: str, source: str) -> None:
        """Makes sure that `next` need not wait for the disk. Raises ValueError as it does, and OSError."""
        with self._lock:
            if (stream, source) not in self._places:
                self._new(stream, source)

    def next(self, stream: str, source: str) -> int:
        """The next number of a stream of a source, from 1.

        Raises ValueError when there are too many of them.
        """
        with self._lock:
            counter = self._places.get((stream, source)) or self._new(stream, source)
            counter.value += 1
            counter.write(self._words)
            if not counter.value % KEPT_EVERY:
                self._keeping.set()
            return counter.value

    def last(self, stream: str, source: str) -> int:
        """The number given last, 0 if none was."""
        with self._lock:
            counter = self._places.get((stream, source)) or self._known.get((stream, source))
            return counter.value if counter else 0

    def close(self) -> None:
        """Writes through to the disk and lets the folder go."""
        with self._lock:
            if self._descriptor < 0:
                return
            descriptor, self._descriptor = self._descriptor, -1
            self._keeping.set()
        if self._keeper is not None:
            self._keeper.join()
        self._words.release()
        self._map.flush()
        if self._places:
            self._map[_OPEN] = 0
            self._map.flush()
        self._map.close()
        os.close(descriptor)  # this lets the lock go

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

    def _begin(self) -> None:
        """Numbers will be given from now on: leave out what a power cut may have taken, and say that it may come."""
        former = bytes(self._map[_BOOT]).rstrip(b"\0")
        if self._map[_OPEN] == 1 and former != self._boot:
            for (stream, source), counter in self._known.items():
                self._jumps.append(Jump(stream, source, counter.value + 1, counter.value + JUMP))
                counter.value += JUMP
                counter.write(self._words)
                counter.write(self._words)
            log.warning("The power was cut: numbers go on %d further, since the last may be lost.", JUMP)
        os.fsync(self._descriptor)  # the numbers first
        self._map[_BOOT] = self._boot.ljust(64, b"\0")
        self._map[_OPEN] = 1
        os.fsync(self._descriptor)
        _keep_name(self.path)
        self._places = self._known
        self._keeper = threading.Thread(
            target=self._keep, args=(self._descriptor,), name="numbers", daemon=True
        )
        self._keeper.start()

    def _keep(self, descriptor: int) -> None:
        """Brings the file to the disk whenever so many numbers were given that it is time."""
        while self._keeping.wait() and self._descriptor >= 0:
            self._keeping.clear()
            try:
                os.fsync(descriptor)  # of the mapped pages, too; unlike mmap.flush it lets other threads run
            except OSError as error:
                log.warning("%s could not be synchronised: %s", self.path, error.strerror)

    def _new(self, stream: str, source: str) -> "_Counter":
        """A counter that was not asked for since this began. Waits for the disk."""
        if self._keeper is None:
            self._begin()
        if (stream, source) not in self._places:
            self._places[stream, source] = self._made(f"{stream}/{source}".encode(), stream, source)
            os.fsync(self._descriptor)
        return self._places[stream, source]

    def _made(self, name: bytes, stream: str, source: str) -> "_Counter":
        used = {counter.start for counter in self._places.values()}
        free = next((start for start in _slots() if start not in used), None)
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


def _keep_name(path: Path) -> None:
    """The disk knows of the file: a new one would be gone with its folder's unwritten page."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
