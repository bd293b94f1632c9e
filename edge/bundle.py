"""A project in one file for another device, with a signature beside it that says what it is and who sends it.

    lensracer.bundle/1        the text that is signed: four lines, each ended
    trash-sorter              name of the project
    3                         version: whole numbers parted by dots, each bundle's greater than the last one's
    ab12…                     SHA-256 of the archive

`NAME-VERSION.tar.gz.sig` holds the same as JSON, with the signature.
"""

import base64
import binascii
import gzip
import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import ConfigInvalid, EdgeError, Fault
from edge.project import Project
from edge.signing import Key
from inference.errors import InferenceError
from inference.files import check_file, model_files

SCHEMA = "lensracer.bundle/1"
VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,3}", re.ASCII)
NAME = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
LEFT_OUT = {"__pycache__", "node_modules", "venv"}
LONGEST = 4096  # characters of a signature's JSON


class BundleRefused(EdgeError, PermissionError):
    """A bundle that may not be taken. `cause` says why in a word: unsigned, signature, older."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class Statement(NamedTuple):
    """What is signed of a bundle."""

    name: str
    version: str
    sha256: str

    @property
    def text(self) -> bytes:
        return "".join(f"{line}\n" for line in (SCHEMA, *self)).encode()

    @property
    def order(self) -> tuple[int, ...]:
        """Versions as numbers: 1.10 comes after 1.9, and 1 is 1.0."""
        numbers = [int(part) for part in self.version.split(".")]
        return tuple(numbers + [0] * (4 - len(numbers)))

    def signed(self, key: Key) -> dict[str, str]:
        """The content of the file beside the archive, and of a request's `signature`."""
        signature = base64.b64encode(key.sign(self.text)).decode()
        return {"schema": SCHEMA, **self._asdict(), "key": key.name, "signature": signature}


def verified(given: object, keys: Sequence[Key]) -> Statement:
    """The statement of a signature, as a mapping or its JSON, if one of the keys made it. Raises BundleRefused."""
    if not keys:
        raise BundleRefused("no key is configured (swap.keys), so nothing from outside is taken", "unsigned")
    if given is None or given == "":
        raise BundleRefused("it is not signed, and a project brings code", "unsigned")
    statement, signature = read(given)
    if not any(key.made(signature, statement.text) for key in keys):
        named = ", ".join(key.name for key in keys)
        raise BundleRefused(f"its signature is by none of the configured keys ({named})", "signature")
    return statement


def read(given: object) -> tuple[Statement, bytes]:
    """The parts of a signature; nothing is proved by that. Raises BundleRefused."""
    try:
        if isinstance(given, str):
            given = json.loads(given) if len(given) <= LONGEST else None
        if not isinstance(given, Mapping) or given.get("schema") != SCHEMA:
            raise ValueError(f"it is none of {SCHEMA}")
        for name, form in (("name", NAME), ("version", VERSION), ("sha256", DIGEST)):
            if not form.fullmatch(str(given.get(name))):
                raise ValueError(f"its {name} is none")
        statement = Statement(str(given["name"]), str(given["version"]), str(given["sha256"]))
        return statement, base64.b64decode(str(given.get("signature")), validate=True)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BundleRefused(f"its signature cannot be read: {error}", "signature") from None


def write(project: Project, version: str, key: Key, into: Path) -> tuple[Path, dict[str, str]]:
    """Make archive and signature of a project; the archive's path, and the signature. Raises ConfigInvalid, OSError."""
    if not VERSION.fullmatch(version):
        raise ConfigInvalid(
            Fault(f"expected numbers parted by dots, such as 3 or 1.4.2, got {version!r}", "--version")
        )
    check_inside(project)
    if into.resolve().is_relative_to(project.folder.resolve()):
        raise ConfigInvalid(Fault(f"{into} is in the project's folder, and would be packed too", "--into"))
    into.mkdir(parents=True, exist_ok=True)
    archive = into / f"{project.name}-{version}.tar.gz"
    unfinished = archive.with_name(archive.name + ".part")
    pack(project.folder, unfinished)
    signature = Statement(project.name, version, sha256_of_file(unfinished)).signed(key)
    unfinished.replace(archive)
    beside = archive.with_name(archive.name + ".sig")
    beside.write_text(json.dumps(signature, indent=2) + "\n", encoding="utf-8")
    return archive, signature


def pack(folder: Path, into: Path) -> None:
    """A folder as tar.gz; the same content gives the same bytes. Raises OSError."""
    with (
        into.open("wb") as whole,
        gzip.GzipFile(filename="", fileobj=whole, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in files_of(folder):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                archive.addfile(entry, file)


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_inside(project: Project) -> None:
    """Raise ConfigInvalid where a project needs a file that does not lie in its folder."""
    folder = project.folder.resolve()
    for key, path in (("model", project.manifest.model), ("hook", project.hook), ("clip", project.clip)):
        if path is None or (key == "model" and project.manifest.is_fake):
            continue
        for part in model_parts(project) if key == "model" else (path,):
            if not part.resolve().is_relative_to(folder):
                raise ConfigInvalid(project.fault(f"names {part}, which is not in the project's folder", key))


def model_parts(project: Project) -> tuple[Path, ...]:
    """The files of the project's model. Raises ConfigInvalid where they cannot be told, or one is missing."""
    try:
        check_file(project.manifest.model)
        return model_files(project.manifest.model)
    except InferenceError as error:
        raise ConfigInvalid(project.fault(str(error), "model")) from error


def files_of(folder: Path) -> Iterator[Path]:
    """The files of a project's folder, in order; hidden ones and bytecode are left out, links are not followed."""
    for place, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name not in LEFT_OUT and not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


class Ledger:
    """The newest version of each project that was taken, in a file that outlives the run: no older one comes back."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, statement: Statement) -> None:
        """Raise BundleRefused for a version that is older than one taken before, or the same with another content."""
        kept = self._read().get(statement.name)
        if kept is None:
            return
        told = f"version {statement.version} of {statement.name}"
        if statement.order < kept.order:
            raise BundleRefused(f"{told} is older than {kept.version}, which was taken before", "older")
        if statement.order == kept.order and statement.sha256 != kept.sha256:
            raise BundleRefused(f"{told} was another bundle before; give it a new number", "older")

    def note(self, statement: Statement) -> None:
        """Remember what was taken. Raises OSError."""
        known = self._read() | {statement.name: statement}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_name(self._path.name + ".part")
        unfinished.write_text(
            json.dumps({name: each._asdict() for name, each in known.items()}, indent=2) + "\n"
        )
        unfinished.replace(self._path)

    def _read(self) -> dict[str, Statement]:
        if not self._path.exists():
            return {}
        try:
            content: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: Statement(**each) for name, each in content.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BundleRefused(
                f"{self._path} cannot be read, so no version can be told to be new: {error}", "older"
            ) from error
