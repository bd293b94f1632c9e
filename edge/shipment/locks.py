"""The exact versions, with digests, of what a device installs."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from edge.shipment.errors import ShipmentInvalid

FILE = Path(__file__).with_name("device.lock")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)")
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
NUMBER = re.compile(r"^# lock (\d+)$", re.M)


@dataclass(frozen=True)
class Pin:
    """One package: its exact version, and the digests of all the files that may be it."""

    name: str
    version: str
    digests: tuple[str, ...]

    @property
    def text(self) -> str:
        """As pip reads it, under --require-hashes."""
        hashes = "".join(f" \\\n    --hash=sha256:{digest}" for digest in self.digests)
        return f"{self.name}=={self.version}{hashes}\n"


@dataclass(frozen=True)
class Lock:
    """number: counts up whenever the lock is made anew; the version of the dependencies' component."""

    number: int
    pins: tuple[Pin, ...]

    @property
    def text(self) -> str:
        return "".join(pin.text for pin in self.pins)

    @property
    def digest(self) -> str:
        """SHA-256 of what is pinned: the same digest, the same environment."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def without(self, names: set[str]) -> "Lock":
        """The same, but for some packages."""
        return Lock(self.number, tuple(pin for pin in self.pins if pin.name not in names))


def read(path: Path = FILE) -> Lock:
    """The lock in a file. Raises ShipmentInvalid where it pins nothing, or something without a digest."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ShipmentInvalid(f"the lock {path} cannot be read: {error.strerror}") from None
    number, pins = NUMBER.search(text), tuple(pins_of(text))
    loose = [pin.name for pin in pins if not pin.digests]
    if number is None or not pins or loose:
        why = f"{', '.join(loose)} without a digest" if loose else "no number, or no packages"
        raise ShipmentInvalid(f"{path} is no lock: {why}; `make lock` makes one")
    return Lock(int(number[1]), pins)


def pins_of(text: str) -> list[Pin]:
    pins: list[Pin] = []
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M):
        found = PINNED.match(block)
        if found is not None:
            pins.append(Pin(found[1].lower(), found[2], tuple(sorted(DIGEST.findall(block)))))
    return pins
