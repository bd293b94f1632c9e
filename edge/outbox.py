"""The spool of a thing, seen from outside of a run: what waits in it, and sending it without one."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge import build, speaking
from edge.config import Config
from streams import clock as wall
from streams import wear
from streams.durable import DurableSpool
from streams.errors import StateBusy
from streams.ledger import Kept, Ledger, Sight, look
from streams.sender import Sender
from streams.sequence import FILE, Sequence

CLASSES = ("answers", "results", "telemetry")  # by streams.spool.Kind
POLL = 0.2  # seconds


def sight(config: Config) -> dict[str, Any]:
    """What waits, by class, as plain types; sizes in bytes, ages in seconds. Raises OSError and LedgerDamaged."""
    folder = config.spool.folder(config.thing)
    seen = look(folder)
    return {
        "folder": str(folder),
        "max_bytes": config.spool.max_bytes,
        "file_bytes": seen.file_bytes,
        "waiting": waiting(seen),
        "kept_apart": [kept_apart(kept) for kept in seen.aside],
        **wear.of(seen.noted.get("messages", 0), seen.noted.get("written_bytes")),
        "set_aside": seen.set_aside,
        "holder": holder(folder),
    }


def kept_apart(kept: Kept) -> dict[str, Any]:
    """A message that is not sent by itself any more, and why."""
    return {"topic": kept.topic, "bytes": kept.size, "since": wall.utc(kept.at_ms), "reason": kept.reason}


def waiting(seen: Sight) -> dict[str, dict[str, Any]]:
    now = wall.wall_ms()
    return {
        name: {
            "messages": total.messages,
            "bytes": total.bytes,
            "oldest_s": None if total.oldest is None else round(max(0, now - total.oldest) / 1000, 1),
        }
        for name, total in zip(CLASSES, seen.totals.values(), strict=True)
    }


def holder(folder: Path) -> str | None:
    """The sentence that names the process which uses the folder now, None if there is none."""
    if not (folder / FILE).exists():
        return None
    try:
        Sequence(folder).close()
    except StateBusy as error:
        return str(error)
    return None


def drain(
    config: Config, timeout: float, tell: Callable[[int, int], None], *, kept_apart: bool = False
) -> tuple[int, int]:
    """Send what waits, until nothing does or `timeout` seconds have passed: (sent, left).

    tell: gets both meanwhile. kept_apart: also try again what was kept apart. Raises StateBusy while a run uses the
    spool: it is the one that sends then.
    """
    with opened(config, kept_apart=kept_apart) as (spool, sender):
        first = spool.status().left
        end = time.monotonic() + timeout
        while not sender.drain(POLL) and time.monotonic() < end:
            left = spool.status().left
            tell(first - left, left)
        left = spool.status().left
        return first - left, left


@contextlib.contextmanager
def opened(config: Config, *, kept_apart: bool = False) -> Iterator[tuple[DurableSpool, Sender]]:
    """The spool of the configuration's thing and who sends it, as long as the context lasts."""
    folder = config.spool.folder(config.thing)
    transport = build.transport_of(config)
    with Sequence(folder):
        if kept_apart:
            with contextlib.closing(Ledger(folder)) as ledger:
                ledger.release()
        spool = build.spool_of(config)
        sender = build.sender_of(config, spool, speaking.outlet(config, transport, time.monotonic))
        transport.start()
        sender.start()
        try:
            yield spool, sender
        finally:
            sender.stop()
            transport.stop(1.0)
            spool.close()
