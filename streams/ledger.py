"""The spool's file: messages in an SQLite database that survives the process, and, once synchronised, the power.

Write-ahead logging: a commit is one append to the log, which is the kernel's at once, so that a killed process
loses none of it; `sync` makes it the disk's. All of it belongs to one thread at a time.
"""

import contextlib
import functools
import logging
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from streams import gaps
from streams.errors import LedgerDamaged
from streams.portions import insertions
from streams.spool import Kind

log = logging.getLogger(__name__)

FILE = "spool.db"
VERSION = 1
SPOILED = b"spoiled"  # stands for the payload of a message that is not what was written; known by identity
_LOGS = ("-wal", "-shm")
_COUNT = "SELECT kind, COUNT(*), SUM(size), MIN(put_ms) FROM messages GROUP BY kind"
_PAGES_OF_LOG = 1000  # after so many the log is folded into the file: 4 MB
_WORTH_SHRINKING = 1 << 20  # bytes
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, size INTEGER NOT NULL,
    put_ms INTEGER NOT NULL, boot TEXT NOT NULL, mono REAL NOT NULL, unsynced INTEGER NOT NULL,
    crc INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS by_kind ON messages (kind, number);
CREATE TABLE IF NOT EXISTS aside (
    number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, size INTEGER NOT NULL,
    put_ms INTEGER NOT NULL, boot TEXT NOT NULL, mono REAL NOT NULL, unsynced INTEGER NOT NULL,
    crc INTEGER NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
MOST_ASIDE = 200  # messages that are kept apart; beyond it the first are given up
_KINDS = {int(kind): kind for kind in Kind}
_REFUSALS = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    }
)
_COLUMNS = "number, kind, topic, payload, qos, retain, size, put_ms, boot, mono, unsynced, crc"


class Row(NamedTuple):
    """A message in the file.

    size: bytes that it counts for. put_ms: wall milliseconds at which it was put; boot, mono: in which boot, and
    at how many monotonic seconds. unsynced: the wall clock was not set yet, so that its times are to be corrected.
    """

    number: int
    kind: Kind
    topic: str
    payload: bytes
    qos: int
    retain: bool
    size: int
    put_ms: int
    boot: str
    mono: float
    unsynced: bool

    @property
    def is_whole(self) -> bool:
        """Whether it is what was written once: a disk may give back something else."""
        return self.payload is not SPOILED


class Aside(NamedTuple):
    """A message that is kept apart. at_ms: wall milliseconds since when, reason: a sentence."""

    number: int
    reason: str
    at_ms: int


class Total(NamedTuple):
    """The messages of one kind. oldest: wall milliseconds of the first, None where there is none."""

    messages: int
    bytes: int
    oldest: int | None


NOTHING = Total(0, 0, None)


class Ledger:
    """The messages of one state folder. synchronous: each commit is the disk's before it returns.

    A damaged file is set aside under another name, and `set_aside` tells which. Raises OSError where the folder
    cannot be written or has no room.
    """

    def __init__(self, folder: Path, *, synchronous: bool = False) -> None:
        self.path = folder / FILE
        self.set_aside: Path | None = None
        self._synchronous = synchronous
        try:
            self._open()
        except LedgerDamaged as error:
            self.set_aside = _moved_aside(self.path)
            log.error("%s is damaged (%s) and was set aside as %s.", self.path, error, self.set_aside.name)
            self._open()

    def last(self) -> int:
        """The highest number ever given, 0 for none."""
        found = self._ask("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
        return int(found[0][0]) if found else 0

    def totals(self) -> dict[Kind, Total]:
        """What there is of each kind."""
        return _totals(self._ask(_COUNT))

    def read(self, kind: Kind, after: int, limit: int) -> list[Row]:
        """At most `limit` messages of a kind whose numbers are above `after`, the oldest first.

        One whose contents were changed on the disk has no payload any more (`Row.is_whole`).
        """
        query = f"SELECT {_COLUMNS} FROM messages WHERE kind = ? AND number > ? ORDER BY number LIMIT ?"
        return [_read(values) for values in self._ask(query, (int(kind), after, limit))]

    def every(self) -> Iterator[Row]:
        """All messages that are what was written once. Raises OSError and LedgerDamaged."""
        with _told(self.path):
            for values in self._connection.execute(f"SELECT {_COLUMNS} FROM messages ORDER BY number"):
                if (row := _read(values)).is_whole:
                    yield row

    def write(self, rows: Iterable[Row], removed: Iterable[int], aside: Iterable[Aside] = ()) -> None:
        """Adds, puts aside and removes in one commit. A row whose number there is already takes the old one's place.

        Raises OSError where the disk refuses (nothing is changed then), LedgerDamaged for a damaged file.
        """
        with _told(self.path), self._connection:
            for statement, values in insertions("messages", _COLUMNS, [(*row, _crc(row)) for row in rows]):
                self._connection.execute(statement, values)
            for number, reason, at_ms in aside:
                self._put_aside(number, reason, at_ms)
            for first, last in gaps.merged((), ([number, number] for number in removed)):
                self._connection.execute("DELETE FROM messages WHERE number BETWEEN ? AND ?", (first, last))

    def _put_aside(self, number: int, reason: str, at_ms: int) -> None:
        self._connection.execute(
            f"INSERT OR REPLACE INTO aside ({_COLUMNS}, reason, at_ms) "
            f"SELECT {_COLUMNS}, ?, ? FROM messages WHERE number = ?",
            (reason, at_ms, number),
        )
        self._connection.execute(
            "DELETE FROM aside WHERE number NOT IN (SELECT number FROM aside ORDER BY at_ms DESC LIMIT ?)",
            (MOST_ASIDE,),
        )

    def release(self) -> int:
        """What was put aside waits again, each at its old place; how many. Raises OSError and LedgerDamaged."""
        with _told(self.path), self._connection:
            done = self._connection.execute(
                f"INSERT OR IGNORE INTO messages ({_COLUMNS}) SELECT {_COLUMNS} FROM aside"
            )
            self._connection.execute("DELETE FROM aside")
        return done.rowcount

    def note(self, tally: Mapping[str, int]) -> None:
        """Keeps totals that outlive the process. Raises OSError and LedgerDamaged."""
        with _told(self.path), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO tally VALUES (?, ?)", tally.items())

    def noted(self) -> dict[str, int]:
        """What `note` kept."""
        return dict(self._ask("SELECT name, value FROM tally"))

    def sync(self) -> None:
        """What was committed is the disk's when this returns. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(f"{self.path}-wal", os.O_RDONLY)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def is_large(self) -> bool:
        """Whether the file, with its log, is worth shrinking once it is empty."""
        files = (self.path, self.path.with_name(f"{FILE}-wal"))
        return sum(file.stat().st_size for file in files if file.exists()) > _WORTH_SHRINKING

    def shrink(self) -> None:
        """Gives room that is free in the file back to the disk. Raises OSError and LedgerDamaged."""
        with _told(self.path):
            self._connection.executescript("PRAGMA incremental_vacuum")  # `execute` would take one step only
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def begun_anew(self) -> "Ledger":
        """A new, empty file in the place of this one, which is set aside. Raises OSError."""
        self.close()
        aside = _moved_aside(self.path)
        fresh = Ledger(self.path.parent, synchronous=self._synchronous)
        fresh.set_aside = aside
        return fresh

    def close(self) -> None:
        """Folds the log into the file and lets it go. Safe to call twice; never raises."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _told(self.path):
            self._connection = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
            self._connection.text_factory = _text
            try:
                self._settle()
            except BaseException:
                self._connection.close()
                raise

    def _settle(self) -> None:
        for pragma in (
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            f"synchronous = {'FULL' if self._synchronous else 'NORMAL'}",
            f"wal_autocheckpoint = {_PAGES_OF_LOG}",
            "journal_size_limit = 0",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        (version,) = self._ask("PRAGMA user_version")[0]
        if version not in (0, VERSION):
            raise LedgerDamaged(f"it is of version {version}, and this program knows {VERSION}")
        (verdict,) = self._ask("PRAGMA quick_check(1)")[0]
        if verdict != "ok":
            raise LedgerDamaged(str(verdict))
        self._connection.executescript(_SCHEMA)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _ask(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with _told(self.path):
            return self._connection.execute(query, values).fetchall()


class Kept(NamedTuple):
    """A message that was put aside, as others see it. size: bytes of the payload. See Aside."""

    number: int
    topic: str
    size: int
    reason: str
    at_ms: int


class Sight(NamedTuple):
    """What stands in a state folder. file_bytes: of the file and its log. set_aside: names of damaged files.

    aside: messages that are kept apart. noted: totals that `Ledger.note` kept.
    """

    totals: dict[Kind, Total]
    file_bytes: int
    set_aside: list[str]
    aside: list[Kept]
    noted: dict[str, int]


def look(folder: Path) -> Sight:
    """A look at the ledger of a folder, also while another process writes it; changes nothing.

    Raises OSError for a file that cannot be read, LedgerDamaged for a damaged one.
    """
    aside = sorted(path.name for path in folder.glob(f"{FILE}.damaged-*") if path.name[-4:] not in _LOGS)
    files = [folder / f"{FILE}{ending}" for ending in ("", "-wal")]
    size = sum(file.stat().st_size for file in files if file.exists())
    if not files[0].exists():
        return Sight(dict.fromkeys(Kind, NOTHING), 0, aside, [], {})
    with _told(files[0]), contextlib.closing(_reading(files[0])) as connection:
        connection.text_factory = _text
        totals = _totals(connection.execute(_COUNT).fetchall())
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        kept, noted = [], {}
        if {"aside", "tally"} <= tables:  # not in a file of an older program
            asked = "SELECT number, topic, LENGTH(payload), reason, at_ms FROM aside ORDER BY number"
            kept = [Kept(*values) for values in connection.execute(asked)]
            noted = dict(connection.execute("SELECT name, value FROM tally").fetchall())
        return Sight(totals, size, aside, kept, noted)


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)


def _totals(rows: Iterable[Sequence[Any]]) -> dict[Kind, Total]:
    found = {Kind(kind): Total(count, size, oldest) for kind, count, size, oldest in rows}
    return {kind: found.get(kind, NOTHING) for kind in Kind}


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: what the disk refuses is an OSError, anything else means damage."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _REFUSALS:
            raise OSError(f"{path}: {error}") from error
        raise LedgerDamaged(str(error)) from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes a damaged name
        raise LedgerDamaged("its names are no text") from error


def _text(data: bytes) -> str:
    """Text of a file that may be damaged: what is no UTF-8 fails its checksum, and nothing else."""
    return data.decode(errors="replace")


def _read(values: Sequence[Any]) -> Row:
    number, kind, topic, payload, qos, retain, size, put_ms, boot, mono, unsynced, crc = values
    retain, unsynced = retain != 0, unsynced != 0
    try:
        whole = zlib.crc32(payload, _crc_of(topic, qos, retain, size, unsynced)) == crc and kind in _KINDS
    except TypeError:  # not even bytes any more
        whole = False
    if not whole:
        payload = SPOILED
    return Row(
        number, _KINDS.get(kind, Kind.INFER), topic, payload, qos, retain, size, put_ms, boot, mono, unsynced
    )


def _crc(row: Row) -> int:
    return zlib.crc32(row.payload, _crc_of(row.topic, row.qos, row.retain, row.size, row.unsynced))


@functools.lru_cache(1024, typed=True)
def _crc_of(*about: object) -> int:
    return zlib.crc32(repr(about).encode())


def _moved_aside(path: Path) -> Path:
    """The damaged file with its log, under the first name that is free."""
    for number in range(1, 1000):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not aside.exists():
            break
    for ending in _LOGS:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
    path.replace(aside)
    return aside
