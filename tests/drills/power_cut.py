"""The drill of the power cut: the state folder rebuilt as a disk may hold it after a cut at any of 500 moments.

It opens, undamaged; what was committed before the last synchronisation that had ended is there, but for what had been
acknowledged and removed; what is there is what was put, under its old number; and no number is given a second time.
"""

import contextlib
import hashlib
import json
import logging
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import powercut
from powercut import WAYS, Disk, Op
from recorded import COUNTERS, MARKS

from streams.durable import DurableSpool
from streams.ledger import Ledger, Row
from streams.sequence import FILE as NUMBERS
from streams.sequence import Sequence
from streams.spool import Kind

HERE = Path(__file__).resolve().parent
MESSAGES, CUTS, SYNC_S = 12_000, 500, 0.1
LEFT_OUT = (".db-shm", MARKS)  # SQLite makes the first anew; the second is the drill's own
OPENED_WHOLLY = 10  # every so many-th cut the whole spool is opened, and not its file alone
ANOTHER_BOOT = "a boot after the cut"


@dataclass
class Moment:
    """What was so at one moment of the record, by the marks."""

    committed: dict[int, tuple[str, float]] = field(default_factory=dict)  # number: digest, seconds
    removed: set[int] = field(default_factory=set)
    leaving: set[int] = field(
        default_factory=set
    )  # removed, or just about to be: a commit may stand before it is told
    kept: set[int] = field(
        default_factory=set
    )  # committed when the last synchronisation began that has ended
    cleared: set[int] = field(default_factory=set)  # removed, likewise
    begun: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    given: int = 0
    now: float = 0.0
    longest: float = 0.0  # seconds between two synchronisations
    synced_at: float = 0.0

    def take(self, mark: dict[str, Any]) -> None:
        self.now = mark["at"]
        if mark["what"] == "given":
            self.given = max(self.given, mark["number"])
        elif mark["what"] == "commits":
            self.leaving |= set(mark["removed"])
        elif mark["what"] == "committed":
            self.committed |= {int(number): (digest, self.now) for number, digest in mark["rows"].items()}
            self.removed |= set(mark["removed"])
        elif mark["what"] == "syncs":
            self.begun = set(self.committed), set(self.removed)
        elif mark["what"] == "synced":
            self.kept, self.cleared = self.begun
            self.longest = max(self.longest, self.now - self.synced_at)
            self.synced_at = self.now


def record_of(folder: Path, messages: int, seed: int = 1) -> list[Op]:
    """All that a spool at work has written."""
    state, record = folder / "state", folder / "record"
    state.mkdir()
    subprocess.run(
        [sys.executable, str(HERE / "recorded.py"), str(state), str(messages), str(SYNC_S), str(seed)],
        env=powercut.environment(powercut.preload("write_recorder", folder), record, state),
        check=True,
        timeout=300,
    )
    return list(powercut.read(record))


class Judge:
    """Opens what a cut has left, and writes down what is wrong with it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.wrong: list[str] = []
        self.lost_ms: list[float] = []
        self.lost = self.back = self.opened = self.told = 0

    def see(self, cut: int, left: dict[str, bytes], moment: Moment) -> None:
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        for name, content in left.items():
            if not name.endswith(LEFT_OUT):
                (self._place / name).write_bytes(content)
        try:
            self._rows(cut, moment)
            self._numbers(cut, moment)
            if cut % OPENED_WHOLLY == 0:
                self._whole(cut)
        except Exception as error:
            self.wrong.append(f"cut {cut}: {error!r}")

    def _rows(self, cut: int, moment: Moment) -> None:
        ledger = Ledger(self._place)
        rows = {row.number: row for kind in Kind for row in ledger.read(kind, 0, 1 << 30)}
        if ledger.set_aside is not None:
            self.wrong.append(f"cut {cut}: the file was set aside as damaged")
        ledger.close()
        self.opened += 1
        missing = moment.kept - moment.leaving - rows.keys()
        if missing:
            self.wrong.append(
                f"cut {cut}: {len(missing)} synchronised messages are gone, such as {min(missing)}"
            )
        again = moment.cleared & rows.keys()
        if again:
            self.wrong.append(f"cut {cut}: {len(again)} messages whose removal was synchronised are back")
        self.wrong += [
            f"cut {cut}: message {row.number} is not what was put"
            for row in rows.values()
            if new(row, moment)
        ]
        lost = [moment.committed[each][1] for each in moment.committed.keys() - moment.leaving - rows.keys()]
        self.lost += len(lost)
        self.lost_ms += [1000 * (moment.now - min(lost))] if lost else []
        self.back += len(moment.removed & rows.keys())

    def _numbers(self, cut: int, moment: Moment) -> None:
        with Sequence(self._place, boot=ANOTHER_BOOT) as sequence:
            number = sequence.next("infer", "main")
        if number <= moment.given:
            self.wrong.append(f"cut {cut}: number {number} is given again, after {moment.given}")

    def _whole(self, cut: int) -> None:
        spool = DurableSpool(self._place, 1 << 26, boot=ANOTHER_BOOT)
        spool.close()
        dropped = spool.status().dropped
        self.told += dropped.pop("power", 0)
        if dropped:
            self.wrong.append(f"cut {cut}: the spool gave up {dropped}")


def new(row: Row, moment: Moment) -> bool:
    """Whether a message is another one than was committed under its number, or was committed under none."""
    known = moment.committed.get(row.number)
    # A commit that the cut came upon is not marked yet.
    return row.is_whole is False or (known is not None and hashlib.sha1(row.payload).hexdigest() != known[0])


def trial(folder: Path, messages: int, cuts: int, seed: int = 1) -> tuple[bool, dict[str, Any]]:
    """So many cuts of one record; whether all held, and the figures."""
    with hushed("streams"):  # 500 times the same
        return tried(folder, messages, cuts, seed)


@contextlib.contextmanager
def hushed(name: str) -> Iterator[None]:
    """A logger that says nothing until the end of the block."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def tried(folder: Path, messages: int, cuts: int, seed: int) -> tuple[bool, dict[str, Any]]:
    ops = record_of(folder, messages, seed)
    chance = random.Random(seed)
    places = sorted(chance.sample(range(len(ops)), min(cuts, len(ops))))
    disk, moment, judge = Disk(), Moment(), Judge(folder / "rebuilt")
    cut = 0
    for place, op in enumerate(ops):
        if op.name == MARKS:
            for line in op.data.splitlines():
                mark = json.loads(line)
                moment.take(mark)
                if (
                    mark["what"] == "counters"
                ):  # what stands in memory may have been written by the system at any time
                    disk.take(Op("W", NUMBERS, 0, bytes.fromhex(mark["data"])[:COUNTERS]))
        else:
            disk.take(op)
        if cut < len(places) and place == places[cut]:
            judge.see(cut, disk.left(WAYS[cut % len(WAYS)], chance), moment)
            cut += 1
    figures = {
        "cuts": cut,
        "opened": judge.opened,
        "writes": sum(op.op == "W" and op.name != MARKS for op in ops),
        "syncs": sum(op.op == "S" for op in ops),
        "committed": len(moment.committed),
        "sync_ms": round(1000 * SYNC_S),
        "longest_between_syncs_ms": round(1000 * moment.longest),
        "longest_loss_ms": round(max(judge.lost_ms, default=0.0)),
        "lost_a_cut": round(judge.lost / max(1, cut), 1),
        "told_as_power": judge.told,
        "sent_again_a_cut": round(judge.back / max(1, cut), 1),
        "wrong": judge.wrong[:10],
    }
    return not judge.wrong and judge.opened == cut == min(cuts, len(ops)), figures


def power_cut(folder: Path) -> tuple[bool, dict[str, Any]]:
    """500 cuts of 12,000 messages."""
    return trial(folder, MESSAGES, CUTS)


DRILLS = {"power-cut": power_cut}
