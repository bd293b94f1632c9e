"""The kind of device that a shipment is for: processor, Python and C library."""

import os
import platform
import re
import sys
from dataclasses import dataclass

from edge.shipment.errors import ShipmentInvalid

WRITTEN = re.compile(r"linux-(x86_64|aarch64)-py3(\d{1,2})-glibc2\.(\d{1,2})", re.ASCII)
LEAST_PYTHON = 11
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "aarch64"}  # as Greengrass writes them
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # aliases of PEP 513, 571 and 599


@dataclass(frozen=True, order=True)
class Target:
    """machine: as `uname -m` tells it. python, glibc: the second number of their versions (3.11, 2.31)."""

    machine: str
    python: int
    glibc: int

    @classmethod
    def parse(cls, text: str) -> "Target":
        """A target as it is written on the command line. Raises ShipmentInvalid."""
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise ShipmentInvalid(
                "--target must be written like linux-x86_64-py311-glibc2.31 (or aarch64; py3XX is the device's "
                f"Python, glibc2.YY what `ldd --version` tells there), not {text!r}"
            )
        target = cls(found[1], int(found[2]), int(found[3]))
        if target.python < LEAST_PYTHON:
            raise ShipmentInvalid(f"--target {text}: Python 3.{LEAST_PYTHON} or later is needed")
        return target

    @classmethod
    def here(cls) -> "Target":
        """This machine. Raises ShipmentInvalid where it is no Linux with glibc."""
        name, version = platform.libc_ver()
        machine = os.uname().machine
        if name != "glibc" or machine not in ARCHITECTURES or not sys.platform.startswith("linux"):
            raise ShipmentInvalid(
                f"components are not made for a machine like this one ({machine}, {name or 'no glibc'}): name the "
                "device's kind with --target"
            )
        return cls(machine, sys.version_info.minor, int(version.split(".")[1]))

    def __str__(self) -> str:
        return f"linux-{self.machine}-py3{self.python}-glibc2.{self.glibc}"

    @property
    def architecture(self) -> str:
        """The processor as Greengrass recipes name it."""
        return ARCHITECTURES[self.machine]

    @property
    def tags(self) -> list[str]:
        """The platform tags of wheels that run there, the newest first (PEP 600)."""
        tags = []
        for minor in range(self.glibc, 4, -1):
            tags.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in _OLD_NAMES and (minor == 17 or self.machine == "x86_64"):
                tags.append(f"{_OLD_NAMES[minor]}_{self.machine}")
        return [*tags, f"linux_{self.machine}"]

    @property
    def abis(self) -> list[str]:
        return [f"cp3{self.python}", "abi3", "none"]
