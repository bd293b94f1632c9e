"""`edge run` whose spool tells a pipe what it has committed: python telling.py PIPE SETTINGS (JSON), in a folder.

Each message of the project stream is sixteen bytes: its number (`seq`) and a digest of its payload. They are written
when the commit has returned, and not before, so that whoever reads them may demand these messages.
"""

import hashlib
import json
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RECORD = struct.Struct("<QQ")
REPOSITORY = Path(__file__).resolve().parents[2]


def record(payload: bytes) -> bytes:
    """What is told of a message."""
    return RECORD.pack(json.loads(payload)["seq"], digest(payload))


def digest(payload: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(payload, digest_size=8).digest(), "little")


def main() -> int:
    sys.path.insert(0, str(REPOSITORY))
    from edge import config as configuration
    from edge import logs, project
    from edge.options import Options
    from edge.run import run
    from streams import durable
    from streams.ledger import Ledger, Row
    from streams.spool import Kind

    pipe, settings = int(sys.argv[1]), json.loads(sys.argv[2])

    class Telling(Ledger):
        def write(self, rows: Iterable[Row], *more: Any, **named: Any) -> None:
            committed = list(rows)
            super().write(committed, *more, **named)
            told = b"".join(record(row.payload) for row in committed if row.kind is Kind.INFER)
            while told:
                told = told[os.write(pipe, told) :]

    durable.Ledger = Telling  # type: ignore[misc]  # the one place where the spool's file is opened
    logs.setup("warning")
    folder, drain = settings.pop("project"), settings.pop("drain", 10.0)
    return run(configuration.load(None, {}, settings), project.load(Path(folder)), Options(drain=drain))


if __name__ == "__main__":
    sys.exit(main())
