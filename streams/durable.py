"""Where messages wait that must outlive the process: handed over in memory, committed by one writer, then sent.

Nothing is sent before its commit. What a kill -9 can lose is what was handed over and not yet committed: what came
since the last commit, which was LONGEST_GROUP_S ago at most and a commit's own time; where the disk hangs, at most
MOST_UNWRITTEN bytes. The owner's bound is kept by the writer, who sees memory and disk together. What a power cut can
lose is what was committed since the last synchronisation. While the disk refuses (full, read-only) messages are kept
and sent from memory, within the same bound, and written as soon as it takes them. What a damaged file has lost is told
by number at the next start.
"""

import collections
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from streams import clock as wall
from streams import envelope, gaps, times
from streams.errors import LedgerDamaged
from streams.ledger import Aside, Ledger
from streams.register import Register
from streams.spool import OVERHEAD, Entry, Item, Kind, SpoolStatus, weigh
from streams.stock import Stock
from streams.wear import Wear
from streams.writer import Writer

log = logging.getLogger(__name__)

CLOSING_S = 10.0
GROUP_S = 0.003  # between two commits at least: more often, they would take the processor from the loop
LONGEST_GROUP_S = 0.02  # and at most
REST = 19  # times as long as a commit took: so the writer takes a twentieth of a processor, while that bound allows it
LINGER_S = 0.02  # until acknowledged messages are removed, where nothing else is to be written
MOST_UNWRITTEN = 32 * 1024 * 1024  # bytes in memory that wait for the disk


class Handed(NamedTuple):
    """What `put` was given, with its number and times (wall milliseconds, monotonic seconds)."""

    number: int
    item: Item
    size: int
    put_ms: int
    mono: float


class DurableSpool:
    """See streams.spool.Spool. Messages live in the folder's ledger until they are acknowledged or given up.

    max_bytes: what may wait, payloads and 256 bytes each. max_age: seconds after which a message is given up, None:
    never. sync: seconds between two synchronisations of the disk, 0: each commit is one. clock: monotonic seconds.
    boot: the name of this boot, the system's when None. Raises OSError where the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        *,
        max_age: float | None = None,
        sync: float = 1.0,
        encode: Callable[[Mapping[str, Any]], bytes] = envelope.encode,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = wall.wall_ms,
        synced: Callable[[], str] = wall.synced,
        boot: str | None = None,
    ) -> None:
        if max_bytes <= 0:
            raise ValueError(f"spool.max_bytes must be more than 0, not {max_bytes}")
        self._clock, self._wall_ms, self._synced = clock, wall_ms, synced
        ledger, register = Ledger(folder, synchronous=sync == 0), Register(folder, boot)
        try:
            missing = register.missing(ledger.every())
        except LedgerDamaged:  # in a place that opening it does not look at
            ledger = ledger.begun_anew()
            missing = register.missing(())
        self._stock = Stock(ledger.last(), ledger.totals())
        if ledger.set_aside is not None:
            self._stock.count("damaged_file")
        self._tell(missing, ledger.path)
        self._former = self._stock.status(0).dropped
        self._writer = Writer(
            ledger,
            register,
            self._stock,
            max_bytes,
            max_age=max_age,
            sync=sync,
            encode=encode,
            clock=clock,
            wall_ms=wall_ms,
        )
        self._stirred = threading.Condition(self._stock.lock)
        self._handed: collections.deque[Handed] = collections.deque()
        self._handed_bytes = 0
        self._soon = (
            min(max_bytes, MOST_UNWRITTEN) // 4
        )  # bytes in memory for which the writer waits no longer
        self._finished: list[Entry] = []
        self._forgone = missing
        self._aside: list[Aside] = []
        self._closing = False
        self._hurry = threading.Event()
        self._lingers = False  # the writer waits for more than it has to
        self._next_at = float("-inf")  # when the next group may be written
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        size = weigh(item.payload) + OVERHEAD
        put_ms, mono = self._wall_ms(), self._clock()
        with self._stirred:
            self._handed.append(Handed(self._stock.born(put=True), item, size, put_ms, mono))
            self._handed_bytes += size
            while self._handed_bytes > MOST_UNWRITTEN:
                self._give_up_handed()
            self._stirred.notify()
            if self._lingers or self._handed_bytes > self._soon:
                self._hurry.set()

    def split(self, *, ordered: bool) -> None:
        self._stock.split(ordered=ordered)

    def take(self, *, older: bool = False) -> Entry | None:
        entry = self._stock.take(older=older)
        if self._stock.wanting:
            with self._stirred:
                self._stirred.notify()
        if entry is not None and entry.unsynced and self._synced() == "synced":
            entry.payload = times.corrected(
                entry.payload, boot=wall.boot_id(), wall_ms=self._wall_ms(), mono_ms=self._clock() * 1000
            )
        return entry

    def done(self, *entries: Entry) -> None:
        with self._stirred:
            self._stock.finish(entries)
            self._finished += entries
            self._stirred.notify()

    def give_back(self, entry: Entry, *, quietly: bool = False) -> None:
        self._stock.give_back(entry, quietly=quietly)

    def drop(self, entry: Entry, reason: str) -> None:
        self._stock.count(reason)
        with self._stirred:
            gaps.note(self._forgone, entry.topic, reason, entry.payload)
        self.done(entry)

    def set_aside(self, entry: Entry, reason: str) -> None:
        with self._stirred:
            self._aside.append(Aside(entry.number, reason, self._wall_ms()))
        self.drop(entry, "set_aside")

    def wait(self, timeout: float | None) -> None:
        self._stock.wait(timeout)

    def wake(self) -> None:
        self._stock.stir()

    @property
    def wear(self) -> Wear:
        """What was written to the disk."""
        return self._writer.wear

    @property
    def billed(self) -> dict[Kind, tuple[int, int]]:
        """What was put in this run: messages, and their billable units (streams.budget), by kind."""
        return dict(self._writer.billed)

    def status(self) -> SpoolStatus:
        status = self._stock.status(self._handed_bytes)
        return status._replace(refused=self._writer.refused, former=self._former)

    def close(self) -> int:
        """Commits what was handed over, synchronises, and lets the file go; how many messages the disk did not take.

        Safe to call twice.
        """
        with self._stirred:
            self._closing = True
            self._hurry.set()
            self._stirred.notify()
        self.wake()
        self._thread.join(CLOSING_S)
        return self._writer.unwritten

    def _give_up_handed(self) -> None:
        """The disk hangs and memory is full: its oldest of the least important goes, and is counted.

        What is older may be on the disk; but giving that up would make no room in memory.
        """
        worst = max(handed.item.kind for handed in self._handed)
        place = next(at for at, handed in enumerate(self._handed) if handed.item.kind == worst)
        lost = self._handed[place]
        del self._handed[place]
        self._handed_bytes -= lost.size
        self._stock.handed -= 1
        self._stock.refuse("unwritten")
        gaps.note(self._forgone, lost.item.topic, "unwritten", lost.item.payload)

    def _tell(self, missing: gaps.Lost, path: Path) -> None:
        """Counts what should be in the file and is not."""
        for (topic, reason), ranges in missing.items():
            count = sum(last - first + 1 for first, last in ranges)
            self._stock.count(reason, count)
            log.error("%d messages for %s are not in %s any more (%s).", count, topic, path, reason)

    def _run(self) -> None:
        while not self._turn():
            pass
        self._writer.close()

    def _turn(self) -> bool:
        """Waits for work and does all of it in one commit; whether that was the last time."""
        with self._stirred:
            self._stirred.wait_for(self._has_work, self._writer.patience())
            self._lingers = not self._handed and not self._stock.hungry()
        if self._lingers:
            self._gather(LINGER_S)
        self._gather(self._next_at - self._clock())
        began = self._clock()
        with self._stirred:
            handed, self._handed, self._handed_bytes = self._handed, collections.deque(), 0
            self._stock.handed -= len(handed)
            finished, self._finished = self._finished, []
            forgone, self._forgone = self._forgone, {}
            aside, self._aside = self._aside, []
            closing = self._closing
        self._writer.work(handed, finished, forgone, aside, closing=closing)
        now = self._clock()
        self._next_at = now + min(LONGEST_GROUP_S, max(GROUP_S, REST * (now - began)))
        return closing

    def _gather(self, seconds: float) -> None:
        """Let more work come, so that one commit does for all of it; not while closing."""
        if seconds > 0 and not self._closing:
            self._hurry.wait(min(seconds, LINGER_S))
            self._lingers = False
            if not self._closing:
                self._hurry.clear()

    def _has_work(self) -> bool:
        return bool(self._handed or self._finished or self._forgone or self._closing or self._stock.hungry())
