"""The cameras of this machine: which there are, what they deliver, who holds them, why one is refused."""

import dataclasses
import getpass
import os
import re
from pathlib import Path
from typing import NamedTuple

from streams.errors import SourceUnavailable
from streams.sources import v4l2
from streams.sources.v4l2 import Format, Ioctl


class Roots(NamedTuple):
    """Where the kernel shows its devices and processes; other folders in tests."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    proc: Path = Path("/proc")


HERE = Roots()


class Holder(NamedTuple):
    """A process that has a device open."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"


@dataclasses.dataclass(frozen=True)
class Device:
    """A camera. path: its node; links: names that stay whatever order cameras are plugged in, by-id first.

    formats: what it delivers, empty where it may not be asked; holders: processes that have it open, so far
    as this user may see; refusal: why its formats could not be asked.
    """

    path: str
    name: str
    driver: str
    links: tuple[str, ...]
    formats: tuple[Format, ...]
    holders: tuple[Holder, ...]
    refusal: str | None


def cameras(roots: Roots = HERE, ioctl: Ioctl = v4l2.linux_ioctl) -> tuple[Device, ...]:
    """All video devices that deliver pictures, by number. Empty where there is none, and on other systems."""
    nodes = sorted((roots.sys / "class" / "video4linux").glob("video*"), key=_number)
    found = (_device(node, roots, ioctl) for node in nodes)
    return tuple(device for device in found if device is not None)


def _number(node: Path) -> int:
    digits = re.search(r"\d+$", node.name)
    return int(digits.group()) if digits else -1


def _device(node: Path, roots: Roots, ioctl: Ioctl) -> Device | None:
    """None for a node that delivers no pictures: most webcams have a second one, for metadata."""
    path = roots.dev / node.name
    name, driver = _read(node / "name") or node.name, ""
    formats: tuple[Format, ...] = ()
    refusal = None
    try:
        capability, formats = v4l2.ask(str(path), ioctl)
    except OSError as error:
        refusal = (
            str(why_refused(path, roots))
            if isinstance(error, PermissionError)
            else error.strerror or str(error)
        )
        if _read(node / "index") not in ("", "0"):
            return None
    else:
        if not capability.captures:
            return None
        name, driver = capability.card or name, capability.driver
    return Device(str(path), name, driver, _links(path, roots), formats, holders(path, roots), refusal)


def _links(path: Path, roots: Roots) -> tuple[str, ...]:
    links = [link for kind in ("by-id", "by-path") for link in sorted((roots.dev / "v4l" / kind).glob("*"))]
    return tuple(str(link) for link in links if _real(link) == _real(path))


def holders(path: Path | str, roots: Roots = HERE) -> tuple[Holder, ...]:
    """The processes that have the device open. Those of other users are seen by root alone."""
    device = _real(path)
    pids = sorted(int(entry.name) for entry in roots.proc.glob("[0-9]*"))
    return tuple(
        Holder(pid, _name(pid, roots)) for pid in pids if _holds(roots.proc / str(pid) / "fd", device)
    )


def _holds(descriptors: Path, device: str) -> bool:
    try:
        return any(_target(entry) == device for entry in descriptors.iterdir())
    except OSError:
        return False


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def _name(pid: int, roots: Roots) -> str:
    return _read(roots.proc / str(pid) / "comm") or "an unnamed program"


def device_name(path: Path | str, roots: Roots = HERE) -> str:
    """What the maker calls the camera; empty where that is not known."""
    return _read(roots.sys / "class" / "video4linux" / Path(_real(path)).name / "name")


def why_refused(path: Path | str, roots: Roots = HERE) -> SourceUnavailable:
    """The most likely reason why a camera cannot be opened, with its mend."""
    path = Path(path)
    if not path.exists():
        return SourceUnavailable(f"{path} is not there: is the camera plugged in? {_others(roots)}")
    if not os.access(path, os.R_OK | os.W_OK):
        return SourceUnavailable(
            f"{path} may not be opened by the user {_user()}: cameras belong to the group video. "
            f"Mend: sudo usermod -aG video {_user()}, then log in again"
        )
    held = holders(path, roots)
    if held:
        return SourceUnavailable(f"{path} is busy: held by {', '.join(map(str, held))}")
    return SourceUnavailable(
        f"{path} is there, but gives no pictures: a program of another user may hold it, or it is no camera. "
        f"{_others(roots)}"
    )


def _others(roots: Roots) -> str:
    nodes = sorted((roots.sys / "class" / "video4linux").glob("video*"), key=_number)
    named = [f"{roots.dev / node.name} ({_read(node / 'name') or 'unnamed'})" for node in nodes]
    return f"Here are {', '.join(named)}" if named else "This machine has no video device"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _real(path: Path | str) -> str:
    return os.path.realpath(path)
