"""Times of messages that were made before the wall clock was set, put right once it is."""

import json
from collections.abc import Mapping
from typing import Any

from streams import clock

UNSYNCED, CORRECTED = "unsynced", "corrected"


def is_unsynced(message: Mapping[str, Any] | bytes) -> bool:
    """Whether a message says that its wall time is not to be trusted, and has what it takes to mend it."""
    return not isinstance(message, bytes) and message.get("clock") == UNSYNCED and "mono_ms" in message


def corrected(payload: bytes, *, boot: str, wall_ms: int, mono_ms: float) -> bytes:
    """The message with `ts` and `ts_ms` as they would have been, and `"clock": "corrected"`.

    boot, wall_ms, mono_ms: of now, wall and monotonic milliseconds. A message of another boot keeps what it says:
    its monotonic time has no meaning any more.
    """
    try:
        message = json.loads(payload)
    except ValueError:
        return payload
    if not isinstance(message, dict) or message.get("boot_id") != boot or not is_unsynced(message):
        return payload
    ts_ms = round(wall_ms - (mono_ms - message["mono_ms"]))
    message |= {"ts": clock.utc(ts_ms), "ts_ms": ts_ms, "clock": CORRECTED}
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
