"""Relative paths start where they were written: at their file's folder, else at the working directory."""

import re
from pathlib import Path
from typing import Any

from edge.config.origin import Origin
from edge.config.values import Kind

FILE = "file:"
HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
NAMES_A_FOLDER = re.compile(r"[./~]|.*/")


def settled(kind: Kind | None, value: Any, origin: Origin) -> Any:
    """The value, made absolute if it is a relative path of any kind."""
    if not isinstance(value, str) or not value:
        return value
    if kind is Kind.PATH:
        return str(absolute(value, origin))
    if kind is Kind.ADDRESS:
        return address(value, origin)
    if kind is Kind.PROJECT:
        return project(value, origin)
    return value


def address(value: str, origin: Origin) -> str:
    """A source's address, made absolute if it is a path. Whether it can be a source is for the source to judge."""
    if value.startswith(FILE) and not value.startswith(f"{FILE}/"):
        return FILE + str(absolute(value.removeprefix(FILE), origin))
    if HAS_SCHEME.match(value) or value.isdecimal():
        return value
    return str(absolute(value, origin)) + ("/" if value.endswith("/") else "")


def absolute(value: str, origin: Origin) -> Path:
    return origin.folder / Path(value).expanduser()


def project(value: str, origin: Origin) -> str:
    """A project's folder where there is one of that name beside the file, or where only one can be meant."""
    path = absolute(value, origin)
    return str(path) if NAMES_A_FOLDER.match(value) or path.is_dir() else value
