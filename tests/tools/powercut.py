"""What a disk may hold after a power cut, rebuilt from a record of all writes and synchronisations (write_recorder.c).

What was synchronised is there. Of what was written since, a disk may hold nothing, all, the first part, or any of its
sectors of 512 bytes, whatever their order; also removals and truncations may not have come to it.
"""

import os
import random
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
WAYS = ("nothing", "everything", "first", "sectors")
_HEAD = struct.Struct("=cxHIQ")
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Op:
    """See write_recorder.c."""

    op: str
    name: str
    at: int
    data: bytes


def preload(name: str, folder: Path) -> Path:
    """A library of this folder (`name`.c) that can be preloaded, compiled in `folder`. Raises CalledProcessError."""
    made = folder / f"{name}.so"
    words = ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(_HERE / f"{name}.c"), "-ldl", "-lpthread"]
    subprocess.run(words, check=True, capture_output=True)
    return made


def environment(library: Path, record: Path, below: Path) -> dict[str, str]:
    """What makes a child process record its writes below a folder."""
    more = {"LD_PRELOAD": str(library), "WRITE_RECORD": str(record), "WRITE_RECORD_BELOW": str(below)}
    return {**os.environ, **more}


def read(record: Path) -> Iterator[Op]:
    """The record in its order."""
    data, at = record.read_bytes(), 0
    while at + _HEAD.size <= len(data):
        op, name, size, place = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield Op(op.decode(), data[at : at + name].decode(), place, data[at + name : at + name + size])
        at += name + size


@dataclass
class File:
    """durable: what the disk holds for sure, None: no such file. since: what was done since, in its order."""

    durable: bytearray | None = None
    since: list[Op] = field(default_factory=list)


class Disk:
    """Takes one operation after the other, and tells at any time what could be left of the files."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}

    def take(self, op: Op) -> None:
        file = self.files.setdefault(op.name, File())
        if op.op == "S":
            file.durable = applied(file.durable, file.since)
            file.since = []
            self._forget_the_removed()
        else:
            file.since.append(op)

    def _forget_the_removed(self) -> None:
        """A removal stands in the file system's journal, which goes to the disk with the next synchronisation."""
        for file in self.files.values():
            last = max((place for place, op in enumerate(file.since) if op.op == "U"), default=None)
            if last is not None:
                file.durable, file.since = None, file.since[last + 1 :]

    def left(self, way: str, chance: random.Random) -> dict[str, bytes]:
        """The files after a cut now, each by name. way: one of WAYS."""
        found = {}
        for name, file in self.files.items():
            content = applied(file.durable, survivors(file.since, way, chance))
            if content is not None:
                found[name] = bytes(content)
        return found


def survivors(ops: list[Op], way: str, chance: random.Random) -> list[Op]:
    """Of what was not synchronised, what has come to the disk."""
    if way == "nothing":
        return []
    if way == "everything":
        return ops
    if way == "first":
        return ops[: chance.randrange(len(ops) + 1)]
    return [part for op in ops for part in sectors(op) if chance.random() < 0.5]


def sectors(op: Op) -> Iterator[Op]:
    """A write as writes that each stay within one sector of its file; anything else as it is."""
    if op.op != "W":
        yield op
        return
    begin, end = op.at, op.at + len(op.data)
    while begin < end:
        edge = min(end, (begin // SECTOR + 1) * SECTOR)
        yield Op("W", op.name, begin, op.data[begin - op.at : edge - op.at])
        begin = edge


def applied(content: bytearray | None, ops: list[Op]) -> bytearray | None:
    """The content of a file after some operations."""
    after = None if content is None else bytearray(content)
    for op in ops:
        if op.op == "U":
            after = None
            continue
        after = bytearray() if after is None else after
        size = op.at + len(op.data)
        if op.op == "T":
            del after[op.at :]
        if len(after) < size:
            after += bytes(size - len(after))
        if op.op == "W":
            after[op.at : size] = op.data
    return after
