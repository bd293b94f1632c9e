"""Where messages wait until the transport has acknowledged them: the protocol, and the store in memory.

A message has a kind, and kinds have an order: 0 answers, status and stops; 1 results; 2 health and telemetry.
The lower number leaves first, and the highest is given up first when the store is full. Pictures are never
spooled.
"""

import bisect
import collections
import enum
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from streams import envelope

log = logging.getLogger(__name__)

Payload = Mapping[str, Any] | bytes
OVERHEAD = 256  # bytes that a waiting message costs beside its payload
BOTTOMLESS = 1024 * 1024  # bytes: what is nested deeper than we can look counts as large until it is encoded


class Kind(enum.IntEnum):
    """What a message is; the lower leaves first and is given up last."""

    ANSWER = 0  # answers to commands, status, stops
    INFER = 1
    TELEMETRY = 2  # health, drive


@dataclass(frozen=True, slots=True)
class Item:
    """A message on its way.

    payload: a mapping of plain JSON types, which nobody changes any more, or bytes. captured_at: monotonic
    seconds of the picture that it tells of, None if it tells of none. unsynced: bytes tell times of before the wall
    clock was set (of a mapping this is seen, see streams.times).
    """

    topic: str
    payload: Payload
    kind: Kind = Kind.INFER
    qos: int = 1
    retain: bool = False
    captured_at: float | None = None
    unsynced: bool = False


@dataclass(slots=True)
class Entry:
    """A message in the store.

    number: counts up in the order of put. payload: as it goes over the wire; the sender may cut it. size:
    bytes that it takes in the store, whatever becomes of the payload. captured_at: as in Item. unsynced: its times
    were told before the wall clock was set, and are corrected when it leaves. cuts, alone: how often the connection
    was lost while it was on the wire, and how often while nothing else was. backlog: it was there before the last
    `split`.
    """

    number: int
    topic: str
    payload: bytes
    kind: Kind
    qos: int
    retain: bool
    size: int
    captured_at: float | None = None
    unsynced: bool = False
    cuts: int = 0
    alone: int = 0
    backlog: bool = False


class SpoolStatus(NamedTuple):
    """left: messages neither acknowledged nor given up. bytes: what they take. put: all that ever came.

    dropped: given up, by reason: "full" (the owner's bound), "invalid" (not plain JSON), and the sender's
    own. refused: the disk takes none now. former: how many of the dropped a former run has lost; None where
    nothing is kept from one run to the next.
    """

    left: int
    bytes: int
    put: int
    dropped: dict[str, int]
    refused: bool = False
    former: dict[str, int] | None = None


class Spool(Protocol):
    """A store of messages. Any thread may `put` and ask for `status`; the rest is the one sender's."""

    def put(self, item: Item) -> None:
        """Hands a message over. Never blocks and never raises for what the message holds."""
        ...

    def take(self, *, older: bool = False) -> Entry | None:
        """The next message to send: the lowest kind first, the oldest of it first. It stays in the store.

        After a `split` that is one put since then, where there is one, but answers from before it go first of all.
        older: rather one from before it.
        """
        ...

    def split(self, *, ordered: bool) -> None:
        """What is in the store now is backlog, and what is put from now on need not wait for it.

        ordered: it does wait, and only `Entry.backlog` tells the two apart.
        """
        ...

    def done(self, *entries: Entry) -> None:
        """Taken messages were acknowledged, and leave the store. Any thread may say so; `wait` takes no notice."""
        ...

    def give_back(self, entry: Entry, *, quietly: bool = False) -> None:
        """A taken message was not sent, or not acknowledged, and goes back to its old place. Any thread may
        say so.

        quietly: `wait` takes no notice.
        """
        ...

    def drop(self, entry: Entry, reason: str) -> None:
        """A taken message can never be sent, and is given up and counted. Any thread may say so."""
        ...

    def set_aside(self, entry: Entry, reason: str) -> None:
        """A taken message shall not be sent again by itself: it is kept apart, where the store can, and counted.

        reason: a sentence. Any thread may say so.
        """
        ...

    def wait(self, timeout: float | None) -> None:
        """Returns when anything above has happened since the last call, or after `timeout` seconds."""
        ...

    def wake(self) -> None:
        """Makes `wait` return."""
        ...

    def status(self) -> SpoolStatus:
        """The counts of this moment."""
        ...

    def close(self) -> int:
        """Lets the store's resources go; how many messages of what is left will not be there the next time."""
        ...


class MemorySpool:
    """Messages in memory, bounded by bytes: lost when the process ends. Encodes on the thread that takes.

    Keeps to the order of put, whatever is split, and nothing apart.

    max_bytes: what may wait, payloads and 256 bytes for each, sent ones not yet acknowledged included.
    encode: makes bytes of a mapping; ValueError and TypeError mean that it cannot.
    """

    def __init__(
        self, max_bytes: int, *, encode: Callable[[Mapping[str, Any]], bytes] = envelope.encode
    ) -> None:
        if max_bytes <= 0:
            raise ValueError(f"spool.max_bytes must be more than 0, not {max_bytes}")
        self._max_bytes = max_bytes
        self._encode = encode
        self._stirred = threading.Condition()
        self._news = False
        self._number = 0
        self._left = 0
        self._bytes = 0
        self._shelves = {kind: _Shelf() for kind in Kind}
        self._dropped: collections.Counter[str] = collections.Counter()

    def put(self, item: Item) -> None:
        size = weigh(item.payload) + OVERHEAD
        with self._stirred:
            self._number += 1
            self._shelves[item.kind].raw.append((self._number, item, size))
            self._left += 1
            self._bytes += size
            self._evict()
            self._stir()

    def split(self, *, ordered: bool) -> None:
        pass

    def take(self, *, older: bool = False) -> Entry | None:
        self._settle()
        with self._stirred:
            shelf = next((shelf for shelf in self._shelves.values() if shelf), None)
            return shelf.pop() if shelf else None

    def done(self, *entries: Entry) -> None:
        with self._stirred:
            for entry in entries:
                self._forget(entry.size)

    def give_back(self, entry: Entry, *, quietly: bool = False) -> None:
        with self._stirred:
            self._shelves[entry.kind].insert(entry)
            self._evict()
            if not quietly:
                self._stir()

    def drop(self, entry: Entry, reason: str) -> None:
        with self._stirred:
            self._forget(entry.size)
            self._dropped[reason] += 1
            self._stir()

    def set_aside(self, entry: Entry, reason: str) -> None:
        self.drop(entry, "set_aside")

    def wait(self, timeout: float | None) -> None:
        with self._stirred:
            self._stirred.wait_for(lambda: self._news, timeout)
            self._news = False
        self._settle()

    def wake(self) -> None:
        with self._stirred:
            self._stir()

    def status(self) -> SpoolStatus:
        with self._stirred:
            return SpoolStatus(self._left, self._bytes, self._number, dict(self._dropped))

    def close(self) -> int:
        self.wake()
        return self.status().left

    def _stir(self) -> None:
        self._news = True
        self._stirred.notify_all()

    def _settle(self) -> None:
        """Turns what was put into bytes, outside the lock: nobody who puts waits for JSON."""
        while True:
            with self._stirred:
                shelf = next((shelf for shelf in self._shelves.values() if shelf.raw), None)
                if shelf is None:
                    return
                number, item, size = shelf.raw.popleft()
            payload = self._encoded(item)
            with self._stirred:
                self._forget(size)
                if payload is None:
                    self._dropped["invalid"] += 1
                    self._stir()
                else:
                    self._shelve(
                        Entry(
                            number,
                            item.topic,
                            payload,
                            item.kind,
                            item.qos,
                            item.retain,
                            len(payload) + OVERHEAD,
                            item.captured_at,
                        )
                    )

    def _encoded(self, item: Item) -> bytes | None:
        if isinstance(item.payload, bytes):
            return item.payload
        try:
            return self._encode(item.payload)
        except Exception as error:  # nested too deep, say: it is this message's fault, and no other's
            if not self._dropped["invalid"]:
                log.error(
                    "A message for %s was given up: %s. Later ones are counted only.", item.topic, error
                )
            return None

    def _shelve(self, entry: Entry) -> None:
        self._shelves[entry.kind].insert(entry)
        self._left += 1
        self._bytes += entry.size
        self._evict()

    def _forget(self, size: int) -> None:
        self._left -= 1
        self._bytes -= size

    def _evict(self) -> None:
        """Gives up the oldest of the highest kind until the bound holds. What is on the wire is spared."""
        while self._bytes > self._max_bytes and (size := self._give_up_one()):
            self._forget(size)
            self._dropped["full"] += 1
            if self._dropped["full"] == 1:
                log.warning(
                    "The spool is full (%d bytes): the oldest messages are given up.", self._max_bytes
                )

    def _give_up_one(self) -> int:
        for shelf in reversed(self._shelves.values()):
            if shelf:
                return shelf.pop().size
            if shelf.raw:
                return shelf.raw.popleft()[2]
        return 0


class _Shelf:
    """The waiting messages of one kind in the order of their numbers; what comes back is the older, and few.

    raw: what was put and is not yet bytes, as (number, item, estimated bytes).
    """

    def __init__(self) -> None:
        self.raw: collections.deque[tuple[int, Item, int]] = collections.deque()
        self._returned: list[Entry] = []
        self._fresh: collections.deque[Entry] = collections.deque()

    def __len__(self) -> int:
        return len(self._returned) + len(self._fresh)

    def insert(self, entry: Entry) -> None:
        if not self._fresh or entry.number > self._fresh[-1].number:
            self._fresh.append(entry)
        else:
            bisect.insort(self._returned, entry, key=lambda waiting: waiting.number)

    def pop(self) -> Entry:
        returned, fresh = self._returned, self._fresh
        if returned and (not fresh or returned[0].number < fresh[0].number):
            return returned.pop(0)
        return fresh.popleft()


def weigh(payload: Payload) -> int:
    """About how many bytes of memory a payload takes.

    Looks at the first rows of a long list only: it must be quick.
    """
    try:
        return len(payload) if isinstance(payload, bytes) else _weigh(payload)
    except RecursionError:
        return BOTTOMLESS


def _weigh(value: Any) -> int:
    kind = type(value)
    if kind is str:
        return 50 + len(value)
    if kind is float or kind is int:  # most of a message: told without asking for abstract classes
        return 32
    if kind is dict or isinstance(value, Mapping):
        return 200 + 60 * len(value) + _some(value.values(), len(value))
    if isinstance(value, list | tuple):
        return 56 + 8 * len(value) + _some(value, len(value))
    return 50 + len(value) if isinstance(value, str) else 32


def _some(values: Iterable[Any], count: int) -> int:
    """What all values weigh: every one of a few, else four from the front stand for the rest."""
    if count <= 32:
        total = 0
        for value in values:
            kind = type(value)  # most of a message is numbers and short text: told without a call for each
            total += 32 if kind is float or kind is int else 50 + len(value) if kind is str else _weigh(value)
        return total
    first = [value for value, _ in zip(values, range(4), strict=False)]
    return sum(_weigh(value) for value in first) * count // len(first)
