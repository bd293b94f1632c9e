"""The one who writes a spool's ledger: adds, removes, gives up what is over the bound, and synchronises the disk."""

import collections
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from streams import clock as wall
from streams import envelope, gaps, times
from streams.budget import units
from streams.errors import LedgerDamaged
from streams.ledger import Aside, Ledger, Row
from streams.register import Register
from streams.spool import OVERHEAD, Entry, Item, Kind
from streams.stock import READY, Stock
from streams.wear import Wear

log = logging.getLogger(__name__)

MOST_IN_MEMORY = 8 * 1024 * 1024  # bytes, while the disk refuses
TRY_AGAIN_S = 1.0  # after the disk refused
LOOK_AT_AGE_S = 30.0
MOST_RANGES = 64  # of one gap message: it has to fit any budget itself
IDLE_S = 60.0


class New(Protocol):
    """A message that was handed over: see streams.durable.Handed."""

    @property
    def number(self) -> int: ...
    @property
    def item(self) -> Item: ...
    @property
    def put_ms(self) -> int: ...
    @property
    def mono(self) -> float: ...


class Writer:
    """Belongs to one thread. max_bytes, max_age, sync, encode, clock, wall_ms: see streams.durable.DurableSpool."""

    def __init__(
        self,
        ledger: Ledger,
        register: Register,
        stock: Stock,
        max_bytes: int,
        *,
        max_age: float | None,
        sync: float,
        encode: Callable[[Mapping[str, Any]], bytes],
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rest = rest
        self._ledger, self._register = ledger, register
        self._stock, self._max_bytes = stock, max_bytes
        self._max_age, self._sync, self._encode = max_age, sync, encode
        self._clock, self._wall_ms = clock, wall_ms
        self._unwritten: dict[int, Row] = {}  # what the disk did not take
        self._unremoved: list[int] = []
        self._late: list[Row] = []  # of a turn that broke before the sender could see them
        self._captured: dict[int, float] = {}
        self._gaps: dict[tuple[str, str], tuple[int, list[gaps.Range]]] = {}
        self._aside: list[Aside] = []  # what the file does not know yet
        self.wear = Wear(ledger.noted(), clock)
        self.billed = dict.fromkeys(Kind, (0, 0))  # messages, and their billable units
        self._refused = self._dirty = False
        self._synced_at = self._aged_at = clock()

    @property
    def unwritten(self) -> int:
        """How many messages the disk has not taken."""
        return len(self._unwritten) + len(self._late)

    @property
    def refused(self) -> bool:
        """Whether the disk took nothing when it was asked last."""
        return self._refused

    def patience(self) -> float:
        """Seconds after which there is something to do even if nothing happens."""
        if self._refused:
            return TRY_AGAIN_S
        return max(0.001, self._synced_at + self._sync - self._clock()) if self._dirty else IDLE_S

    def work(
        self,
        handed: Iterable[New],
        finished: list[Entry],
        forgone: gaps.Lost,
        aside: Iterable[Aside] = (),
        *,
        closing: bool,
    ) -> None:
        """One turn: a commit, and what else is due. Raises nothing: what goes wrong is told and counted.

        forgone: the numbers of messages that were given up elsewhere. aside: finished ones that are kept apart.
        """
        self._aside += aside
        fresh = [*self._late, *self._rows(handed, forgone)]
        fresh += [
            row for (topic, reason), ranges in forgone.items() for row in self._gap(topic, reason, ranges)
        ]
        self._late = []
        self._register.remove(finished)
        numbers = [entry.number for entry in finished]
        try:
            self._turn(fresh, numbers)
        except LedgerDamaged as error:
            self._begin_anew(error, fresh)
        except Exception:  # a writer that dies would keep every message from being sent, in silence
            log.exception("The spool's writer failed; it goes on.")
            self._late = fresh  # what of it was shown to the sender is gone from here
            self._unremoved += numbers
            if not closing:
                self._rest(TRY_AGAIN_S)
        self._synchronise(at_once=closing)
        self._note(at_once=closing)

    def _note(self, *, at_once: bool) -> None:
        if (tally := self.wear.due(at_once=at_once)) is not None:
            try:
                self._ledger.note(tally)
            except (OSError, LedgerDamaged) as error:
                log.debug("The totals of the spool were not kept: %s", error)

    def close(self) -> None:
        self._ledger.close()
        self._register.close([*self._unwritten.values(), *self._late])

    def _turn(self, fresh: list[Row], finished: list[int]) -> None:
        kept = {each.number for each in self._aside}
        for number in finished:
            if number not in kept:
                self._unwritten.pop(number, None)
        old, told_of_old = self._lose(self._old(), "old")
        over, told_of_over = self._lose(self._excess(fresh, old), "full")
        told = [*told_of_old, *told_of_over]
        numbers = {row.number for row in (*old, *over)}
        fresh[:] = [row for row in fresh if row.number not in numbers]
        removed = [*self._unremoved, *finished, *numbers]
        standing = [*fresh, *told]
        if standing or removed or self._unwritten:
            standing = self._write(standing, removed)
        self._stock.show([self._entry(row) for row in standing])
        fresh.clear()
        self._refill()
        if removed and not self._stock.left and self._ledger.is_large():
            self._ledger.shrink()

    def _write(self, fresh: list[Row], removed: list[int]) -> list[Row]:
        """One commit; the rows of `fresh` that stand now, in the file or, where the disk refuses, in memory."""
        written = [*self._unwritten.values(), *fresh]
        self._register.write()
        try:
            self._ledger.write(written, removed, self._aside)
        except OSError as error:
            return self._keep(error, fresh, removed)
        self._register.add(written)
        self._register.write()
        self._aside = []
        self.wear.messages += len(fresh)
        self._dirty = True
        self._unwritten, self._unremoved = {}, []
        self._stock.removed(removed)
        if self._refused:
            self._refused = False
            log.warning("The spool's disk takes messages again.")
        return fresh

    def _keep(self, error: OSError, fresh: list[Row], removed: list[int]) -> list[Row]:
        """The disk refuses: as much as may be waits in memory."""
        if not self._refused:
            self._refused = True
            log.error("The spool cannot be written (%s): messages wait in memory, and end with it.", error)
        self._unremoved = removed
        self._unwritten |= {row.number: row for row in fresh}
        excess = sum(row.size for row in self._unwritten.values()) - MOST_IN_MEMORY
        worst_first = sorted(self._unwritten.values(), key=lambda row: (-row.kind, row.number))
        _, told = self._lose(enough(worst_first, excess), "unwritten")
        self._unwritten |= {row.number: row for row in told}
        return [*(row for row in fresh if row.number in self._unwritten), *told]

    def _begin_anew(self, error: LedgerDamaged, fresh: list[Row]) -> None:
        """The file is damaged: it is set aside, and what is known in memory goes into a new one."""
        log.error("The spool's file is damaged (%s); a new one is begun.", error)
        self._stock.count("damaged_file")
        known = {entry.number: self._row(entry) for entry in self._stock.ready()}
        kept = [*(known | self._unwritten | {row.number: row for row in fresh}).values()]
        self._stock.without_file(kept)
        kept += self._missed(kept)
        try:
            self._ledger = self._ledger.begun_anew()
        except OSError as refusal:
            log.error("A new one cannot be begun: %s", refusal)
        self._unwritten, self._unremoved = {}, []
        self._stock.show([self._entry(row) for row in self._write(kept, [])])

    def _missed(self, kept: list[Row]) -> list[Row]:
        """Messages of the gaps that the loss of the file leaves."""
        told: list[Row] = []
        for topic, ranges in self._register.lost([*kept, *self._stock.leaving()]).items():
            self._stock.count("damaged", sum(last - first + 1 for first, last in ranges))
            told += self._gap(topic, "damaged", ranges)
        return told

    def _rows(self, handed: Iterable[New], forgone: gaps.Lost) -> list[Row]:
        """Messages as rows; what is no message is counted and its number added to `forgone`."""
        rows = []
        for each in handed:
            payload = self._encoded(each.item)
            if payload is None:
                self._stock.refuse("invalid")
                gaps.note(forgone, each.item.topic, "invalid", each.item.payload)
                continue
            if each.item.captured_at is not None:
                self._captured[each.number] = each.item.captured_at
            messages, billed = self.billed[each.item.kind]
            self.billed[each.item.kind] = messages + 1, billed + units(len(payload))
            rows.append(_row(each.number, each.item, payload, each.put_ms, each.mono))
        with self._stock.lock:
            self._stock.bytes += sum(row.size for row in rows)
        return rows

    def _encoded(self, item: Item) -> bytes | None:
        if isinstance(item.payload, bytes):
            return item.payload
        try:
            return self._encode(item.payload)
        except Exception as error:  # nested too deep, say: it is this message's fault, and no other's
            log.error("A message for %s was given up: %s", item.topic, error)
            return None

    def _entry(self, row: Row) -> Entry:
        captured_at = self._captured.pop(row.number, None)
        numbers = row.number, row.topic, row.payload, row.kind, row.qos, row.retain, row.size
        return Entry(*numbers, captured_at=captured_at, unsynced=row.unsynced)

    def _row(self, entry: Entry) -> Row:
        item = Item(entry.topic, entry.payload, entry.kind, entry.qos, entry.retain)
        return _row(entry.number, item, entry.payload, self._wall_ms(), self._clock())._replace(
            unsynced=entry.unsynced
        )

    def _old(self) -> list[Row]:
        """What is older than it may be, looked for now and then."""
        now = self._clock()
        if self._max_age is None or now - self._aged_at < min(LOOK_AT_AGE_S, self._max_age):
            return []
        self._aged_at = now
        old: list[Row] = []
        for kind in Kind:
            for row in self._oldest(kind, []):
                if self._age(row, now) <= self._max_age:
                    break
                old.append(row)
        return old

    def _age(self, row: Row, now: float) -> float:
        """Seconds; by the clock that does not jump where this is still the same boot."""
        same = row.boot == wall.boot_id()
        return now - row.mono if same else (self._wall_ms() - row.put_ms) / 1000

    def _excess(self, fresh: list[Row], lost: list[Row]) -> list[Row]:
        """What must go so that the bound holds: the oldest of the least important."""
        gone = {row.number for row in lost}
        candidates = (
            row for kind in reversed(Kind) for row in self._oldest(kind, fresh) if row.number not in gone
        )
        return enough(candidates, self._stock.bytes - self._max_bytes)

    def _oldest(self, kind: Kind, fresh: list[Row]) -> Iterator[Row]:
        """The messages of a kind that are not on the wire, the oldest first."""
        after = 0
        while rows := self._ledger.read(kind, after, 256):
            after = rows[-1].number
            yield from filter(self._stock.on_hand, rows)
        later = (
            row for row in (*self._unwritten.values(), *fresh) if row.kind is kind and row.number > after
        )
        yield from filter(self._stock.on_hand, later)

    def _lose(self, rows: list[Row], reason: str) -> tuple[list[Row], list[Row]]:
        """Gives messages up: those that were lost, and new ones that say which numbers are gone."""
        lost = self._stock.lose(rows, reason) if rows else []
        self._register.remove(lost)
        gone: dict[str, list[gaps.Range]] = collections.defaultdict(list)
        for row in lost:
            self._unwritten.pop(row.number, None)
            self._captured.pop(row.number, None)
            number = gaps.number_of(row.payload)
            if number is not None:
                gone[row.topic].append([number, number])
        return lost, [row for topic, numbers in gone.items() for row in self._gap(topic, reason, numbers)]

    def _gap(self, topic: str, reason: str, lost: list[gaps.Range]) -> list[Row]:
        """The messages of a topic's gaps, each of so many ranges at most."""
        lost = gaps.merged([], lost)
        return [
            self._gap_of(topic, reason, lost[begin : begin + MOST_RANGES])
            for begin in range(0, len(lost), MOST_RANGES)
        ]

    def _gap_of(self, topic: str, reason: str, lost: list[gaps.Range]) -> Row:
        """A message of gaps; one that still waits, and has room, gains the new ranges instead."""
        with self._stock.lock:
            number, ranges = self._gaps.get((topic, reason), (0, []))
            waiting = self._stock.waiting(Kind.ANSWER, number)
            if waiting is None or len(gaps.merged(ranges, lost)) > MOST_RANGES:
                waiting, number, ranges = None, self._stock.born(put=False), []
            ranges = gaps.merged(ranges, lost)
            self._gaps[topic, reason] = number, ranges
            payload = envelope.dumps(gaps.message(topic, reason, ranges))
            item = Item(gaps.topic_of(topic), payload, Kind.ANSWER)
            row = _row(number, item, payload, self._wall_ms(), self._clock())
            self._stock.bytes += row.size - (waiting.size if waiting else 0)
            if waiting is not None:
                waiting.payload, waiting.size = row.payload, row.size
        return row

    def _refill(self) -> None:
        """Bring forward what does not stand ready yet: from the file, and then what the disk did not take."""
        for hunger in self._stock.hungry():
            kind, upto = hunger.kind, hunger.upto or sys.maxsize
            rows = self._ledger.read(kind, hunger.after, READY)
            more = len(rows) == READY and rows[-1].number < upto
            rows = self._whole([row for row in rows if row.number <= upto])
            if not more:
                last = max([hunger.after, *(row.number for row in rows)])
                rows += [
                    row for row in self._unwritten.values() if row.kind is kind and last < row.number <= upto
                ]
            self._stock.refill(hunger, map(self._entry, filter(self._stock.on_hand, rows)), more=more)

    def _whole(self, rows: list[Row]) -> list[Row]:
        """Without those that the disk has changed: these are counted, and removed with the next commit."""
        spoiled = [row for row in rows if not row.is_whole and row.number not in self._unremoved]
        for row in spoiled:
            self._stock.refuse("damaged")
            self._unremoved.append(row.number)
        with self._stock.lock:
            self._stock.bytes -= sum(row.size for row in spoiled)
        return [row for row in rows if row.is_whole]

    def _synchronise(self, *, at_once: bool) -> None:
        now = self._clock()
        if not self._dirty or not (at_once or now - self._synced_at >= self._sync):
            return
        try:
            self._register.sync()
            self._ledger.sync()
            self.wear.look()
        except OSError as error:
            log.warning("The spool cannot be synchronised: %s", error)
        self._dirty, self._synced_at = False, now


def enough(rows: Iterable[Row], excess: int) -> list[Row]:
    """As many of the rows, in their order, as have `excess` bytes together."""
    chosen = []
    for row in rows if excess > 0 else ():
        chosen.append(row)
        excess -= row.size
        if excess <= 0:
            break
    return chosen


def _row(number: int, item: Item, payload: bytes, put_ms: int, mono: float) -> Row:
    return Row(
        number,
        item.kind,
        item.topic,
        payload,
        item.qos,
        item.retain,
        len(payload) + OVERHEAD,
        put_ms,
        wall.boot_id(),
        mono,
        item.unsynced or times.is_unsynced(item.payload),
    )
