"""The state folder: whether it can be written, and the room that is left there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from edge.doctor.check import Check, Patient
from edge.writable import can_be_written, nearest

MIB = 1 << 20
SPARE = 256 * MIB  # for logs, models and updates beside the spool


def examine(patient: Patient) -> Iterator[Check]:
    if patient.config is None:
        return
    spool = patient.config.spool
    folder = spool.folder(patient.config.thing)
    yield writable(folder)
    yield space(folder, shutil.disk_usage(nearest(folder)).free, spool.max_bytes)


def writable(folder: Path) -> Check:
    if can_be_written(folder):
        return Check("state folder", "ok", f"{folder} can be written")
    mend = f"sudo install -d -o $USER {folder}, or set spool.path to a folder of yours"
    return Check("state folder", "fail", f"{folder} cannot be written by this user", mend)


def space(folder: Path, free: int, wanted: int) -> Check:
    found = f"{free // MIB} MiB at {folder}"
    mend = "free some room, or lower spool.max_bytes, or set spool.path to another disk"
    if free < wanted:
        return Check("free space", "fail", f"{found}, less than spool.max_bytes ({wanted // MIB} MiB)", mend)
    if free < wanted + SPARE:
        return Check(
            "free space", "warn", f"{found}, little beside spool.max_bytes ({wanted // MIB} MiB)", mend
        )
    return Check("free space", "ok", found)
