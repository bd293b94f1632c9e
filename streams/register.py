"""Which numbers wait, kept beside the spool's file, so that what a damaged file has lost can be told by number.

SQLite ends a damaged log early and says nothing of it; the register knows what should be there. Removals are noted
before the commit that makes them and additions after it, so that a killed process never makes a message look lost.

One file with two slots of 32 KiB, each: crc32 of the rest and its length (u32 each), then JSON. A synchronisation ends
the use of a slot, so that a write cut in half leaves the other as it was on the disk.
"""

import bisect
import collections
import contextlib
import json
import logging
import os
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from streams import clock as wall
from streams import gaps

log = logging.getLogger(__name__)

FILE = "waiting.bin"
SLOT = 32 * 1024
_HEAD = struct.Struct("<II")
_SEQ = re.compile(rb'"seq": ?([0-9]{1,18})[,}]')
_MOST_RANGES = 1000  # in a slot; of more, the shortest are left out

Ranges = dict[str, list[gaps.Range]]  # by topic


class Message(Protocol):
    """What has a number in its payload: see streams.ledger.Row and streams.spool.Entry."""

    @property
    def topic(self) -> str: ...
    @property
    def payload(self) -> bytes: ...


class Register:
    """The numbers (`seq`) of the messages that wait, by topic. For one thread at a time.

    boot: the name of this boot; after another one that did not end in good order, what is missing is the power's doing.
    Never raises for what stands in the file; OSError where the folder cannot be written.
    """

    def __init__(self, folder: Path, boot: str | None = None) -> None:
        self.path = folder / FILE
        self._boot = boot or wall.boot_id()
        existed = self.path.exists()
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(
            OSError, AttributeError
        ):  # room now, for when the disk is full; not on every system
            os.posix_fallocate(self._descriptor, 0, 2 * SLOT)
        slots = [slot for slot in map(self._slot, (0, 1)) if slot is not None]
        noted = max(slots, key=lambda slot: int(slot["turn"]), default=None)
        if noted is None and existed:
            log.warning("%s is damaged: whether messages were lost is not known.", self.path)
        self._turn = int(noted["turn"]) + 1 if noted else 0
        self._was: dict[str, Any] = noted or {}
        self._waiting: Ranges = {topic: list(each) for topic, each in self._was.get("waiting", {}).items()}
        self._dirty = False

    def missing(self, there: Iterable[Message]) -> gaps.Lost:
        """What was noted and is not among the messages `there`, by topic and reason; from now on these wait."""
        numbers = _numbers(there)
        power = bool(self._was) and not self._was["ended"] and self._was["boot"] != self._boot
        lost = self._lost(numbers)
        told = {(topic, "power" if power else "damaged"): ranges for topic, ranges in lost.items()}
        told |= {(topic, "unwritten"): ranges for topic, ranges in self._was.get("unwritten", {}).items()}
        self._was, self._waiting = {}, numbers
        self._dirty = bool(told)
        return told

    def lost(self, there: Iterable[Message]) -> Ranges:
        """What was noted and is not there; it is noted no more."""
        return self._lost(_numbers(there))

    def _lost(self, there: Ranges) -> Ranges:
        lost = {
            topic: left
            for topic, ranges in self._waiting.items()
            if (left := without(ranges, there.get(topic, [])))
        }
        for topic, ranges in lost.items():
            self._waiting[topic] = without(self._waiting[topic], ranges)
            self._dirty = True
        return lost

    def add(self, messages: Iterable[Message]) -> None:
        """Messages that are in the spool's file now."""
        for topic, numbers in _numbers(messages).items():
            ranges = self._waiting.setdefault(topic, [])
            if ranges and numbers[0][0] > ranges[-1][1] + 1:
                ranges += numbers
            elif ranges and numbers[0][0] == ranges[-1][1] + 1:
                ranges[-1][1] = numbers[0][1]
                ranges += numbers[1:]
            else:
                self._waiting[topic] = gaps.merged(ranges, numbers)
            self._dirty = True

    def remove(self, messages: Iterable[Message]) -> None:
        """Messages that are about to leave the spool's file."""
        for topic, numbers in _numbers(messages).items():
            if topic in self._waiting:
                self._waiting[topic] = without(self._waiting[topic], numbers)
                self._dirty = True
                if not self._waiting[topic]:
                    del self._waiting[topic]

    def write(self, *, ended: bool = False, unwritten: Iterable[Message] = ()) -> None:
        """Gives what changed to the kernel, which has it also when this process is killed. Never raises.

        ended: in good order, unwritten: what ends with this process.
        """
        if not (self._dirty or ended):
            return
        self._dirty = False
        about: dict[str, Any] = {"turn": self._turn, "boot": self._boot, "ended": ended}
        if lost := _numbers(unwritten):
            about["unwritten"] = _bounded(lost, _MOST_RANGES // 4)
        about["waiting"] = _bounded(self._waiting, _MOST_RANGES)
        body = json.dumps(about, separators=(",", ":")).encode()
        if len(body) > SLOT - _HEAD.size:
            about["waiting"] = _bounded(self._waiting, _MOST_RANGES // 4)
            body = json.dumps(about, separators=(",", ":")).encode()[: SLOT - _HEAD.size]
        head = struct.pack("<I", len(body))
        data = struct.pack("<I", zlib.crc32(head + body)) + head + body
        try:
            os.pwrite(self._descriptor, data, self._turn % 2 * SLOT)
        except OSError as error:
            log.debug("%s cannot be written: %s", self.path, error)

    def sync(self) -> None:
        """What was written is the disk's when this returns. Raises OSError."""
        os.fdatasync(self._descriptor)
        self._turn += 1

    def close(self, unwritten: Iterable[Message] = ()) -> None:
        """Ends in good order. Safe to call twice; never raises."""
        if self._descriptor >= 0:
            self.write(ended=True, unwritten=unwritten)
            os.close(self._descriptor)
            self._descriptor = -1

    def _slot(self, which: int) -> dict[str, Any] | None:
        """What stands in a slot, where it proves itself."""
        data = os.pread(self._descriptor, SLOT, which * SLOT)
        if len(data) < _HEAD.size:
            return None
        crc, size = _HEAD.unpack_from(data)
        if size > SLOT - _HEAD.size or zlib.crc32(data[4 : _HEAD.size + size]) != crc:
            return None
        try:
            told: dict[str, Any] = json.loads(data[_HEAD.size : _HEAD.size + size])
        except ValueError:
            return None
        return told


def number_in(payload: bytes) -> int | None:
    """The `seq` of a message, looked for without reading all of it: it stands in front."""
    found = _SEQ.search(payload)
    return int(found[1]) if found else None


def without(ranges: list[gaps.Range], gone: list[gaps.Range]) -> list[gaps.Range]:
    """Ranges without the numbers of others; both in order."""
    left: list[gaps.Range] = []
    if not gone:
        return ranges
    begin = bisect.bisect_left(ranges, gone[0][0], key=lambda each: each[1])
    end = bisect.bisect_right(ranges, gone[-1][1], key=lambda each: each[0])
    for first, last in ranges[begin:end]:
        place = max(0, bisect.bisect_right(gone, first, key=lambda each: each[0]) - 1)
        while place < len(gone) and gone[place][0] <= last and first <= last:
            from_, to = gone[place]
            if from_ > first:
                left.append([first, from_ - 1])
            first = max(first, to + 1)
            place += 1
        if first <= last:
            left.append([first, last])
    return [*ranges[:begin], *left, *ranges[end:]]


def _numbers(messages: Iterable[Message]) -> Ranges:
    """The numbers of messages by topic, as ranges in order."""
    found: dict[str, list[int]] = collections.defaultdict(list)
    for message in messages:
        if (number := number_in(message.payload)) is not None:
            found[message.topic].append(number)
    return {topic: _joined(sorted(numbers)) for topic, numbers in found.items()}


def _joined(numbers: list[int]) -> list[gaps.Range]:
    ranges: list[gaps.Range] = []
    last = -2
    for number in numbers:
        if number > last + 1:
            ranges.append([number, number])
        elif number > last:
            ranges[-1][1] = number
        last = number
    return ranges


def _bounded(waiting: Mapping[str, list[gaps.Range]], most: int) -> Ranges:
    """At most so many ranges, the longest."""
    if sum(map(len, waiting.values())) <= most:
        return dict(waiting)
    every = [(last - first, topic, first, last) for topic, each in waiting.items() for first, last in each]
    kept: Ranges = collections.defaultdict(list)
    for _, topic, first, last in sorted(every, reverse=True)[:most]:
        kept[topic].append([first, last])
    return {topic: sorted(ranges) for topic, ranges in kept.items()}
