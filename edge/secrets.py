"""Secrets by name: `secret:NAME` in a setting is the content of a file that only this user can read.

Looked for in this order: systemd's `$CREDENTIALS_DIRECTORY/NAME`, `~/.config/lensracer/secrets/NAME` (or
below `$XDG_CONFIG_HOME`; mode 0600), and `/run/secrets/NAME` as containers have it.
"""

import dataclasses
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge import redaction
from edge.errors import EdgeError

PREFIX = "secret:"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
LARGEST = 64 * 1024  # bytes
CONTAINER = Path("/run/secrets")


class SecretUnreadable(EdgeError, LookupError):
    """A secret is missing, or others can read it, or it is no text."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder of secrets. `guarded`: its files must be ours and closed to everybody else."""

    folder: Path
    guarded: bool


def places(environ: Mapping[str, str]) -> Iterator[Place]:
    """Where secrets may lie, the first one first."""
    if given := environ.get("CREDENTIALS_DIRECTORY"):
        yield Place(Path(given), guarded=False)
    yield Place(config_home(environ) / "lensracer" / "secrets", guarded=True)
    yield Place(CONTAINER, guarded=False)


def config_home(environ: Mapping[str, str]) -> Path:
    if given := environ.get("XDG_CONFIG_HOME"):
        return Path(given)
    return Path(environ.get("HOME") or Path.home()) / ".config"


def named(value: object) -> str | None:
    """The NAME of `secret:NAME`; None for every other value."""
    return value.removeprefix(PREFIX) if isinstance(value, str) and value.startswith(PREFIX) else None


def read(name: str, environ: Mapping[str, str]) -> str:
    """The secret's text without its last line end, remembered for redaction. Raises SecretUnreadable."""
    path, content = found(name, environ)
    return text(name, path, content)


def locate(name: str, environ: Mapping[str, str]) -> Path:
    """The secret's file, for what is read by others: a private key. Raises SecretUnreadable."""
    path, _ = found(name, environ)
    return path.absolute()


def found(name: str, environ: Mapping[str, str]) -> tuple[Path, bytes]:
    if not NAME.fullmatch(name):
        raise SecretUnreadable(
            f"'{PREFIX}{name}' names no secret: a name has letters, digits, '_', '-' and '.', and no folder"
        )
    searched = []
    for place in places(environ):
        path = place.folder / name
        searched.append(str(path))
        try:
            content = opened(path, guarded=place.guarded)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise SecretUnreadable(
                f"the secret '{name}' cannot be read from {path}: {error.strerror}"
            ) from None
        return path, content
    raise SecretUnreadable(f"there is no secret '{name}'; looked for " + ", ".join(searched))


def opened(path: Path, *, guarded: bool) -> bytes:
    """The content, its mode checked on the very file that is read."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if guarded and (stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in (os.geteuid(), 0)):
            found = f"mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid}"
            raise SecretUnreadable(f"others may read {path} ({found}); mend it with: chmod 600 {path}")
        return file.read(LARGEST + 1)


def text(name: str, path: Path, content: bytes) -> str:
    if len(content) > LARGEST:
        raise SecretUnreadable(f"the secret '{name}' in {path} is larger than {LARGEST} bytes")
    try:
        value = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretUnreadable(f"the secret '{name}' in {path} is not text in UTF-8") from None
    if not value:
        raise SecretUnreadable(f"the secret '{name}' in {path} is empty")
    redaction.remember(value)
    return value
