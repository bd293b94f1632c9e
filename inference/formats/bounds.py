"""Bounds on what a model file may claim, and files read within them."""

import mmap
from pathlib import Path

from inference.errors import ModelInvalid, ModelNotFound

MOST_TEXT_BYTES = 8 << 20
MOST_NODES = 100_000
MOST_DIMENSIONS = 8
MOST_NAME_BYTES = 4096


def mapped(path: Path) -> memoryview:
    """The file's bytes, mapped rather than read: none is in memory before it is looked at.

    Raises ModelNotFound, and ModelInvalid for an empty file or one that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        raise ModelNotFound(f"{path} does not exist") from None
    except ValueError:
        raise ModelInvalid(f"{path} is empty") from None
    except OSError as error:
        raise ModelInvalid(f"{path} cannot be read: {error.strerror}") from error


def text_of(path: Path) -> str:
    """A text file of at most MOST_TEXT_BYTES. Raises ModelNotFound and ModelInvalid."""
    content = mapped(path)
    if len(content) > MOST_TEXT_BYTES:
        raise ModelInvalid(
            f"{path} has {len(content)} bytes; a network's description has at most {MOST_TEXT_BYTES}"
        )
    try:
        return bytes(content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelInvalid(f"{path} is no text (not UTF-8 at byte {error.start})") from None
