"""What a durable spool holds in memory: the messages that stand ready, which are on the wire, and the counts."""

import collections
import logging
import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streams.ledger import Row, Total
from streams.shelf import Shelf
from streams.spool import Entry, Kind, SpoolStatus

log = logging.getLogger(__name__)

READY = 512  # messages of a kind that stand ready; the others stay in the file until these become few
FEW = 128
_EVICTED = ("full", "old", "unwritten")  # of all other reasons the message's own log tells


class Hunger(NamedTuple):
    """A shelf for which more should be read from the file: numbers above `after`, up to `upto` (None: all)."""

    shelf: Shelf
    kind: Kind
    after: int
    upto: int | None
    splits: int


class Stock:
    """Safe to share among threads; `lock` is its own, and may be held by who needs several things at once.

    After a split there are two lanes of shelves: of what was there by then, and of what came since.
    """

    def __init__(self, last: int, totals: Mapping[Kind, Total]) -> None:
        self.lock = threading.RLock()
        self.handed = 0  # handed over, and not yet with the writer
        self._taken: dict[int, Entry] = {}
        self._finished: dict[int, Entry] = {}  # and still in the file
        self.bytes = self.left = self._put = 0
        self._number = last
        self._dropped: collections.Counter[str] = collections.Counter()
        self._news = False
        self._stirred = threading.Condition(self.lock)
        self._shelves = {kind: Shelf() for kind in Kind}
        self._live = self._shelves
        self._mark = 0  # the last number of the backlog
        self._splits = 0
        self._ordered = False
        self.wanting = False  # what was taken last left few behind
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

    def take(self, *, older: bool = False) -> Entry | None:
        """The oldest of the most important that stands ready; None too while older ones are still in the file.

        After a split it is one of the live ones, unless there are none or `older` asks for the others first.
        """
        with self.lock:
            if self._live is not self._shelves and not any(map(_holds, self._shelves.values())):
                self._shelves = self._live
            for shelf in self._in_turn(older):
                if shelf:
                    entry = shelf.pop()
                    self.wanting = shelf.more and len(shelf) < FEW
                    entry.backlog = self._live is not self._shelves and entry.number <= self._mark
                    self._taken[entry.number] = entry
                    return entry
                if shelf.more:
                    self.wanting = True
                    return None
            return None

    def _in_turn(self, older: bool) -> Iterable[Shelf]:
        if self._live is self._shelves:
            return self._shelves.values()
        answers, *others = self._shelves.values()
        live_answers, *live = self._live.values()
        older = older or self._ordered
        return [answers, live_answers, *(others if older else live), *(live if older else others)]

    def split(self, *, ordered: bool) -> None:
        """What is there now is backlog, and what comes need not wait for it; in order it does all the same."""
        with self.lock:
            if self._live is not self._shelves:
                for kind, shelf in self._shelves.items():
                    shelf.join(self._live[kind])
            self._mark = self._number
            self._live = {kind: Shelf(self._mark) for kind in Kind}
            self._ordered = ordered
            self._splits += 1

    def _shelf_of(self, entry: Entry) -> Shelf:
        return (self._live if entry.number > self._mark else self._shelves)[entry.kind]

    def _all_shelves(self) -> list[Shelf]:
        live = [] if self._live is self._shelves else self._live.values()
        return [*self._shelves.values(), *live]

    def give_back(self, entry: Entry, *, quietly: bool) -> None:
        with self.lock:
            self._taken.pop(entry.number, None)
            self._shelf_of(entry).give_back(entry)
            if not quietly:
                self.stir()

    def finish(self, entries: Iterable[Entry]) -> None:
        """Taken messages are no more, though they may still be in the file."""
        with self.lock:
            for entry in entries:
                self._taken.pop(entry.number, None)
                self._finished[entry.number] = entry
                self.left -= 1
                self.bytes -= entry.size

    def removed(self, numbers: Iterable[int]) -> None:
        """Finished messages are no more in the file either."""
        with self.lock:
            for number in numbers:
                self._finished.pop(number, None)

    def on_hand(self, row: Row) -> bool:
        """Whether a message in the file is neither on the wire nor finished."""
        return row.number not in self._taken and row.number not in self._finished

    def lose(self, rows: Iterable[Row], reason: str) -> list[Row]:
        """Messages are given up; which, since some may have left meanwhile."""
        with self.lock:
            lost = [row for row in rows if self.on_hand(row)]
            numbers = {row.number for row in lost}
            for shelf in self._all_shelves():
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
            if not self._dropped[reason] and reason in _EVICTED:
                log.warning("Messages are given up (%s), the oldest of the least important first.", reason)
            self._dropped[reason] += many
            self.stir()

    def show(self, entries: Iterable[Entry]) -> None:
        """Messages that may be sent now; what has no room here is brought forward by `refill` later."""
        with self.lock:
            for entry in entries:
                shelf = self._shelf_of(entry)
                if entry.number <= shelf.last:
                    self._show_late(shelf, entry)
                elif shelf.more or len(shelf) >= READY:
                    shelf.more = True
                else:
                    shelf.append(entry)
            self.stir()

    def _show_late(self, shelf: Shelf, entry: Entry) -> None:
        """One whose number was given before others' that stand here already; it may itself be among them."""
        gone = entry.number in self._taken or entry.number in self._finished
        if not gone and all(entry.number != other.number for other in shelf):
            shelf.give_back(entry)

    def hungry(self) -> list[Hunger]:
        """Which shelves more should be read for from the file."""
        with self.lock:
            wanting = [
                Hunger(shelf, kind, shelf.last, None, self._splits)
                for kind, shelf in self._live.items()
                if shelf.more and len(shelf) < FEW
            ]
            if self._live is not self._shelves:
                wanting += [
                    Hunger(shelf, kind, shelf.last, self._mark, self._splits)
                    for kind, shelf in self._shelves.items()
                    if shelf.more and len(shelf) < FEW
                ]
            return wanting

    def refill(self, hunger: Hunger, entries: Iterable[Entry], *, more: bool) -> None:
        """What was read; no use where a split came in between: then it is read again."""
        with self.lock:
            if hunger.splits != self._splits:
                return
            for entry in entries:
                hunger.shelf.append(entry)
            hunger.shelf.more = more
            self.stir()

    def waiting(self, kind: Kind, number: int) -> Entry | None:
        """The message of that number where it stands ready."""
        with self.lock:
            return next(
                (
                    entry
                    for lane in (self._shelves, self._live)
                    for entry in lane[kind]
                    if entry.number == number
                ),
                None,
            )

    def ready(self) -> list[Entry]:
        """All that stand ready."""
        with self.lock:
            return [entry for shelf in self._all_shelves() for entry in shelf]

    def leaving(self) -> list[Entry]:
        """All that are on the wire, or were acknowledged and are still in the file."""
        with self.lock:
            return [*self._taken.values(), *self._finished.values()]

    def without_file(self, kept: Iterable[Row]) -> None:
        """The file is lost: what is left is what is known in memory."""
        with self.lock:
            sizes = [row.size for row in kept]
            self.bytes, self.left = sum(sizes), len(sizes) + len(self._taken) + self.handed
            self._finished.clear()
            for shelf in self._all_shelves():
                shelf.more = False

    @property
    def backlog(self) -> bool:
        """Whether something from before the last split is left to be sent."""
        with self.lock:
            return self._live is not self._shelves and any(map(_holds, self._shelves.values()))

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


def _holds(shelf: Shelf) -> bool:
    return shelf.more or len(shelf) > 0
