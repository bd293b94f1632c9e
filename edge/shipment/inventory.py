"""What is inside a shipment: a bill of materials (CycloneDX 1.5), and every part's own licence."""

import email.message
import email.parser
import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edge.shipment.archive import Item

LICENCE = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE|AUTHORS|third[-_]party)[^/]*$", re.I)
LONGEST_NAME = 120


def bill(name: str, version: str, wheels: Iterable[Path]) -> bytes:
    """The bill of materials of a component, as JSON; the same wheels give the same bytes."""
    made: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": name, "version": version}},
        "components": [component(wheel) for wheel in sorted(wheels)],
    }
    return (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()


def component(wheel: Path) -> dict[str, Any]:
    told = metadata(wheel)
    name, version = str(told["Name"]), str(told["Version"])
    licence = told.get("License-Expression") or first_line(told.get("License")) or classified(told)
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
        "licenses": [{"license": {"name": licence or "see the licences beside"}}],
    }


def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.BytesParser().parsebytes(archive.read(name), headersonly=True)


def first_line(text: str | None) -> str | None:
    line = (text or "").strip().partition("\n")[0][:LONGEST_NAME]
    return line if line and line != "UNKNOWN" else None


def classified(told: email.message.Message) -> str | None:
    names = [str(each) for each in told.get_all("Classifier", []) if str(each).startswith("License ::")]
    return names[0].rpartition(" :: ")[2] if names else None


def licences(wheels: Iterable[Path]) -> Iterator[Item]:
    """The licence files of each wheel, under `licences/NAME/`."""
    for wheel in sorted(wheels):
        package = wheel.name.partition("-")[0]
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if LICENCE.search(name) and not name.endswith((".py", ".pyc", "/")):
                    yield Item(f"licences/{package}/{name.replace('/', '__')}", archive.read(name))
