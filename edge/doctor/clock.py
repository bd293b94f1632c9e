"""Whether the wall clock can be believed: times in messages, certificates and AWS's signatures depend on it."""

from collections.abc import Iterator

from edge.doctor.check import Check, Patient
from streams import clock

THIS_WAS_WRITTEN = 1_763_000_000_000  # milliseconds, November 2025: no clock is right that says less
MEND = "sudo timedatectl set-ntp true (systemd-timesyncd), or install chrony"


def examine(patient: Patient) -> Iterator[Check]:
    yield judged(clock.wall_ms(), clock.ask_kernel())


def judged(now_ms: int, synchronised: str) -> Check:
    if now_ms < THIS_WAS_WRITTEN:
        return Check("clock", "fail", f"it is not {clock.utc(now_ms)}; no certificate is valid then", MEND)
    if synchronised == "unsynced":
        return Check("clock", "warn", f"{clock.utc(now_ms)}, not kept by a time server", MEND)
    if synchronised == "unknown":
        return Check("clock", "ok", f"{clock.utc(now_ms)}; whether a time server keeps it is not known here")
    return Check("clock", "ok", f"{clock.utc(now_ms)}, kept by a time server")
