"""What a durable spool holds in memory: the messages that stand ready, which are on the wire, and the counts."""

import collections
import logging
import threading
from collections.abc import Iterable, Mapping

from streams.ledger import Row, Total
from streams.shelf import Shelf
from streams.spool import Entry, Kind, SpoolStatus

log = logging.getLogger(__name__)

READY = 512  # messages of a kind that stand ready; the others stay in the file until these become few
FEW = 128


class Stock:
    """Safe to share among threads; `lock` is its own, and may be held by who needs several things at once."""

    def __init__(self, last: int, totals: Mapping[Kind, Total]) -> None:
        self.lock = threading.RLock()
        self.handed = 0  # handed over, and not yet with the writer
        self._taken: set[int] = set()
        self._finished: set[int] = set()  # and still in the file
        self.bytes = self.left = self._put = 0
        self._number = last
        self._dropped: collections.Counter[str] = collections.Counter()
        self._news = False
        self._stirred = threading.Condition(self.lock)
        self._shelves = {kind: Shelf() for kind in Kind}
        for kind, total in totals.items():
            self.left += total.messages
            self.bytes += total.bytes
            self._shelves[kind].more = total.messages > 0

    def born(self, *, put: bool) -> int:
        """The number of a new message, which counts as left from now on. put: somebody handed it over."""
        with self.lock:
            self._number += 1
            self._put += put
            self.handed += put
            self.left += 1
            return self._number

    def take(self) -> Entry | None:
        """The oldest of the most important that stands ready; None too while older ones are still in the file."""
        with self.lock:
            for shelf in self._shelves.values():
                if shelf:
                    entry = shelf.pop()
                    self._taken.add(entry.number)
                    return entry
                if shelf.more:
                    return None
            return None

    def give_back(self, entry: Entry, *, quietly: bool) -> None:
        with self.lock:
            self._taken.discard(entry.number)
            self._shelves[entry.kind].give_back(entry)
            if not quietly:
                self.stir()

    def finish(self, entry: Entry) -> None:
        """A taken message is no more, though it may still be in the file."""
        with self.lock:
            self._taken.discard(entry.number)
            self._finished.add(entry.number)
            self.left -= 1
            self.bytes -= entry.size
            self.stir()

    def removed(self, numbers: Iterable[int]) -> None:
        """Finished messages are no more in the file either."""
        with self.lock:
            self._finished.difference_update(numbers)

    def on_hand(self, row: Row) -> bool:
        """Whether a message in the file is neither on the wire nor finished."""
        return row.number not in self._taken and row.number not in self._finished

    def lose(self, rows: Iterable[Row], reason: str) -> list[Row]:
        """Messages are given up; which, since some may have left meanwhile."""
        with self.lock:
            lost = [row for row in rows if self.on_hand(row)]
            numbers = {row.number for row in lost}
            for shelf in self._shelves.values():
                shelf.forget(numbers)
            self.left -= len(lost)
            self.bytes -= sum(row.size for row in lost)
            if lost:
                self.count(reason, len(lost))
            return lost

    def refuse(self, reason: str) -> None:
        """A message that was handed over never came to stand here."""
        with self.lock:
            self.left -= 1
            self.count(reason)

    def count(self, reason: str, many: int = 1) -> None:
        """Counts what was lost; the first of a reason is told."""
        with self.lock:
            if not self._dropped[reason]:
                log.warning("Messages are given up (%s), the oldest of the least important first.", reason)
            self._dropped[reason] += many
            self.stir()

    def show(self, entries: Iterable[Entry]) -> None:
        """Messages that may be sent now; what has no room here is brought forward by `refill` later."""
        with self.lock:
            for entry in entries:
                shelf = self._shelves[entry.kind]
                if entry.number <= shelf.last:
                    continue
                if shelf.more or len(shelf) >= READY:
                    shelf.more = True
                else:
                    shelf.append(entry)
            self.stir()

    def hungry(self) -> list[tuple[Kind, int]]:
        """Of which kinds more should be read from the file, and after which numbers."""
        with self.lock:
            return [
                (kind, shelf.last) for kind, shelf in self._shelves.items() if shelf.more and len(shelf) < FEW
            ]

    def refill(self, kind: Kind, entries: Iterable[Entry], *, more: bool) -> None:
        with self.lock:
            shelf = self._shelves[kind]
            for entry in entries:
                shelf.append(entry)
            shelf.more = more
            self.stir()

    def waiting(self, kind: Kind, number: int) -> Entry | None:
        """The message of that number where it stands ready."""
        with self.lock:
            return next((entry for entry in self._shelves[kind] if entry.number == number), None)

    def ready(self) -> list[Entry]:
        """All that stand ready."""
        with self.lock:
            return [entry for shelf in self._shelves.values() for entry in shelf]

    def without_file(self, kept: Iterable[Row]) -> None:
        """The file is lost: what is left is what is known in memory."""
        with self.lock:
            sizes = [row.size for row in kept]
            self.bytes, self.left = sum(sizes), len(sizes) + len(self._taken) + self.handed
            self._finished.clear()
            for shelf in self._shelves.values():
                shelf.more = False

    def stir(self) -> None:
        """Something happened that the sender waits for."""
        with self.lock:
            self._news = True
            self._stirred.notify_all()

    def wait(self, timeout: float | None) -> None:
        with self.lock:
            self._stirred.wait_for(lambda: self._news, timeout)
            self._news = False

    def status(self, handed_bytes: int) -> SpoolStatus:
        with self.lock:
            return SpoolStatus(self.left, self.bytes + handed_bytes, self._put, dict(self._dropped))
