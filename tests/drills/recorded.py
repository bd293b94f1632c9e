"""A spool and its numbers at work, for the drill of the power cut: python recorded.py FOLDER MESSAGES SYNC_S SEED.

What was given, committed, synchronised and removed is written to the file `marks` of the folder, so that it stands in
the record of all writes at its place in time. A mark is a line of JSON.
"""

import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
MARKS = "marks"
COUNTERS = 8192  # bytes of the file of numbers in which all that changes stands
LOOK_EVERY = 61  # numbers


def main() -> None:
    sys.path.insert(0, str(REPOSITORY))
    from streams import durable
    from streams.durable import DurableSpool
    from streams.ledger import Ledger, Row
    from streams.sequence import FILE, Sequence
    from streams.spool import Item, Kind

    folder, messages, sync = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    chance = random.Random(int(sys.argv[4]))
    marks = os.open(folder / MARKS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.monotonic()

    def mark(what: str, **more: Any) -> None:
        told = {"what": what, "at": round(time.monotonic() - began, 6), **more}
        os.write(marks, json.dumps(told).encode() + b"\n")

    class Marking(Ledger):
        def write(self, rows: Iterable[Row], removed: Iterable[int], *more: Any, **named: Any) -> None:
            committed, gone = list(rows), list(removed)
            mark("commits", removed=gone)
            super().write(committed, gone, *more, **named)
            told = {row.number: hashlib.sha1(row.payload).hexdigest() for row in committed}
            mark("committed", rows=told, removed=gone)

        def sync(self) -> None:
            mark("syncs")
            super().sync()
            mark("synced")

    durable.Ledger = Marking  # type: ignore[misc]
    sequence = Sequence(folder)
    spool = DurableSpool(folder, 1 << 26, sync=sync)
    looking = os.open(folder / FILE, os.O_RDONLY)
    for count in range(messages):
        number = sequence.next("infer", "main")
        mark("given", number=number)
        if count % LOOK_EVERY == 0:
            mark("counters", data=os.pread(looking, COUNTERS, 0).hex())
        filling = "x" * chance.choice([10, 200, 900, 6000 if count % 50 == 0 else 100])
        kind = chance.choice([Kind.INFER] * 8 + [Kind.TELEMETRY, Kind.ANSWER])
        spool.put(Item("dt/lensracer/cam-1/main/infer", {"seq": number, "filling": filling}, kind))
        while chance.random() < 0.45 and (entry := spool.take()) is not None:
            spool.done(entry) if chance.random() < 0.9 else spool.give_back(entry)
        if chance.random() < 0.2:
            time.sleep(chance.random() * 0.004)
    mark("end")
    os._exit(0)


if __name__ == "__main__":
    main()
