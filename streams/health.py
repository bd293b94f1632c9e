"""The health message: how a thing fares, and where its pictures are."""

from collections.abc import Mapping
from typing import Any

from streams import envelope

INTERVAL_S = 30.0


def health_message(
    *,
    thing: str,
    now: float,
    wall_ms: int,
    uptime_s: float,
    project: str | None = None,
    http: str | None = None,
    sources: Mapping[str, Mapping[str, Any]] | None = None,
    messages: Mapping[str, Any] | None = None,
    kernels: Mapping[str, str] | None = None,
    hook: Mapping[str, float] | None = None,
    swaps: Mapping[str, Any] | None = None,
    ready: Mapping[str, Any] | None = None,
    spool: Mapping[str, Any] | None = None,
    connection: Mapping[str, Any] | None = None,
    process: Mapping[str, Any] | None = None,
    paused: bool = False,
    commands: Mapping[str, Any] | None = None,
    dialects: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The message `lensracer.health/1`, in plain Python types.

    now: monotonic seconds, wall_ms: wall time, both of this moment. uptime_s: since the runtime started.
    http: address of the pictures, without a token; None where none are served. sources: by name, at least
    `state`; further figures (captured, dropped, bad, fps) as they are known. messages: counts of project,
    device, acked, spooled, dropped. hook: counts of errors and slow answers, and the worst time. swaps: counts of
    asked, done, refused, rolled_back. ready: whether pictures are answered and messages accepted, and what is missing.
    spool: messages, bytes, oldest_s, refused, written_bytes and that for each message. connection: connected,
    since_s, reconnects, reason. process: cpu_seconds, cpu_share, rss_bytes, temperature_c. paused: whether the thing
    was told to look at no frame. commands: taken, refused (by reason), done, failed, repeated. dialects: by name,
    where their messages go.
    """
    return {
        "schema": envelope.HEALTH,
        "thing": thing,
        "project": project,
        **envelope.times(now, wall_ms, now),
        "uptime_s": round(uptime_s, 1),
        "http": http,
        "sources": {name: dict(state) for name, state in (sources or {}).items()},
        "messages": dict(messages or {}),
        "kernels": dict(kernels or {}),
        "hook": dict(hook or {}),
        "swaps": dict(swaps or {}),
        "ready": dict(ready or {}),
        "spool": dict(spool or {}),
        "connection": dict(connection or {}),
        "process": dict(process or {}),
        "paused": paused,
        "commands": dict(commands or {}),
        "dialects": dict(dialects or {}),
    }
