"""Folders and files that only their owner can read or write: what is kept there is taken back on trust."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

OTHERS = 0o077  # the bits of a mode that let anybody but the owner in


class NotPrivate(OSError):
    """A folder or file that somebody else could have written, or that leads elsewhere."""


def folder(path: Path) -> Path:
    """The folder, made with mode 0700 where it is not there; those above it are made as usual.

    Raises NotPrivate for a symbolic link, for what is no folder, for another owner's, and for one that others
    may enter; OSError where it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        check(path, os.lstat(path), stat.S_ISDIR, "a folder")
    return path


def opened(path: Path) -> int:
    """A descriptor of a private file, open for reading.

    Raises FileNotFoundError, NotPrivate as `folder` does, and OSError.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotPrivate(f"{path} is not a file of its own: {error.strerror}") from error
    try:
        check(path, os.fstat(number), stat.S_ISREG, "a file")
    except BaseException:
        os.close(number)
        raise
    return number


def check(path: Path, found: os.stat_result, is_kind: Callable[[int], bool], kind: str) -> None:
    """Raises NotPrivate with what is wrong about a file or folder."""
    if not is_kind(found.st_mode):
        raise NotPrivate(f"{path} is not {kind} of its own")
    if found.st_uid != os.geteuid():
        raise NotPrivate(f"{path} belongs to another user (number {found.st_uid})")
    if found.st_mode & OTHERS:
        raise NotPrivate(f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):04o}, not 0700)")
