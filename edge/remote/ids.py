"""Which commands were carried out, and what was answered: in memory, and in the state folder for the next start.

A command is noted before it is carried out and again with its answer before that is sent, so that whenever the process
ends, by whatever, it is known of each command whether it was begun. What happens when the disk refuses: it is told
once, and remembered in memory alone.
"""

import json
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

FILE = "commands.db"
MOST = 1000  # commands
MOST_BYTES = 4 << 20  # of all answers
AGE_MS = 24 * 3600 * 1000
TABLE = (
    "CREATE TABLE IF NOT EXISTS command (verb TEXT NOT NULL, id TEXT NOT NULL, ts_ms INTEGER NOT NULL, "
    "answer TEXT, told INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (verb, id)) WITHOUT ROWID"
)
Key = tuple[str, str]  # verb, id


class Known(NamedTuple):
    """answer: its JSON; None while it is not answered. told: whether it was handed on for good."""

    ts_ms: int
    answer: str | None = None
    told: bool = False

    @property
    def size(self) -> int:
        return len(self.answer or "")


class Ids:
    """The memory of one thing, for one thread; `known` may be asked from any. wall_ms: milliseconds since 1970."""

    def __init__(self, folder: Path, *, wall_ms: Callable[[], int]) -> None:
        self._file = folder / FILE
        self._wall_ms = wall_ms
        self._kept: OrderedDict[Key, Known] = OrderedDict()
        self._bytes = 0
        self._database: sqlite3.Connection | None = None
        try:
            self._database = self._opened()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def known(self, verb: str, id: str) -> bool:  # noqa: A002
        return (verb, id) in self._kept

    def answer_of(self, verb: str, id: str) -> dict[str, Any] | None:  # noqa: A002
        """What was answered; None where nothing was yet."""
        found = self._kept.get((verb, id))
        return json.loads(found.answer) if found is not None and found.answer is not None else None

    def begin(self, verb: str, id: str) -> None:  # noqa: A002
        """A command is about to be carried out."""
        self._keep((verb, id), Known(self._wall_ms()))

    def answered(self, answer: Mapping[str, Any]) -> None:
        """A command's answer, before it is sent."""
        key = answer["verb"], answer["id"]
        self._keep(key, Known(self._wall_ms(), json.dumps(answer, separators=(",", ":"), ensure_ascii=False)))

    def told(self, verb: str, id: str) -> None:  # noqa: A002
        """An answer is on its way for good: it stands in the spool."""
        found = self._kept.get((verb, id))
        if found is not None:
            self._keep((verb, id), found._replace(told=True))

    def open_ends(self) -> tuple[list[Key], list[dict[str, Any]]]:
        """What the last run left: commands that it began and did not answer, and answers it may not have sent."""
        begun = [key for key, known in self._kept.items() if known.answer is None]
        untold = [
            json.loads(known.answer)
            for known in self._kept.values()
            if known.answer is not None and not known.told
        ]
        return begun, untold

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._read(self._connected())
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # the disk, not what is in the file
                raise
            aside = self._file.with_suffix(".damaged")
            log.error("%s is damaged and was set aside as %s: %s", self._file, aside.name, error)
            self._file.replace(aside)
            for suffix in ("-wal", "-shm"):
                self._file.with_name(FILE + suffix).unlink(missing_ok=True)
            self._kept.clear()
            self._bytes = 0
            return self._read(self._connected())

    def _connected(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.execute(TABLE)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _read(self, database: sqlite3.Connection) -> sqlite3.Connection:
        try:
            rows = database.execute(
                "SELECT verb, id, ts_ms, answer, told FROM command ORDER BY ts_ms"
            ).fetchall()
        except sqlite3.Error:
            database.close()
            raise
        for verb, id_of, ts_ms, answer, told in rows:
            known = Known(ts_ms, answer, bool(told))
            self._kept[verb, id_of] = known
            self._bytes += known.size
        return database

    def _keep(self, key: Key, known: Known) -> None:
        before = self._kept.pop(key, None)
        self._kept[key] = known
        self._bytes += known.size - (before.size if before else 0)
        old = self._too_many()
        try:
            self._write(key, known, old)
        except sqlite3.Error as error:
            self._give_up(error)

    def _too_many(self) -> list[Key]:
        """Let go of the oldest beyond the bounds; never of the newest."""
        gone = []
        horizon = self._wall_ms() - AGE_MS
        while len(self._kept) > 1:
            key, known = next(iter(self._kept.items()))
            if len(self._kept) <= MOST and self._bytes <= MOST_BYTES and known.ts_ms >= horizon:
                break
            del self._kept[key]
            self._bytes -= known.size
            gone.append(key)
        return gone

    def _write(self, key: Key, known: Known, gone: list[Key]) -> None:
        if self._database is None:
            return
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute("REPLACE INTO command VALUES (?, ?, ?, ?, ?)", (*key, *known))
            self._database.executemany("DELETE FROM command WHERE verb = ? AND id = ?", gone)

    def _give_up(self, error: Exception) -> None:
        log.error("which commands were carried out is remembered in memory alone: %s: %s", self._file, error)
        self.close()
