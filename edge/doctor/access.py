"""Whether this user may use the devices that are here: groups video, render and i2c instead of root."""

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

from edge.doctor.check import Check, Patient

DEV = Path("/dev")
GROUPS = {"video": "video*", "render": "dri/renderD*", "i2c": "i2c-*"}
PURPOSES = {"video": "cameras", "render": "the graphics processor", "i2c": "the I2C bus"}


def examine(patient: Patient) -> Iterator[Check]:
    for group, pattern in GROUPS.items():
        devices = sorted(DEV.glob(pattern))
        if devices:
            yield judged(group, devices)


def judged(group: str, devices: list[Path]) -> Check:
    closed = [str(device) for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    name = f"group {group}"
    if not closed:
        return Check(name, "ok", f"{PURPOSES[group]} may be used: {', '.join(map(str, devices))}")
    mend = f"sudo usermod -aG {group} {user()}, then log in again"
    found = f"{PURPOSES[group]} may not be used by {user()}: {', '.join(closed)}"
    return Check(name, "fail" if group == "video" else "warn", found, mend)


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
