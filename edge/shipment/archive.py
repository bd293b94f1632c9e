"""Zip files that are the same, byte for byte, whenever they are made of the same."""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
# To compress them again takes time and gives nothing.
_COMPRESSED = {".whl", ".zip", ".gz", ".png", ".jpg", ".mp4"}
_PLAIN, _RUNNABLE = 0o644, 0o755


class Item(NamedTuple):
    """One file of an archive. name: with slashes. content: a file's path, or the bytes themselves."""

    name: str
    content: Path | bytes
    runnable: bool = False


def write(path: Path, items: Iterable[Item]) -> int:
    """Write an archive, whole or not at all; its size in bytes. Raises OSError."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(unfinished, "w") as archive:
            for item in sorted(items, key=lambda item: item.name):
                add(archive, item)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def add(archive: zipfile.ZipFile, item: Item) -> None:
    info = zipfile.ZipInfo(item.name, _DATE)
    info.create_system = 3  # Unix, wherever it is made
    info.external_attr = (0o100000 | (_RUNNABLE if item.runnable else _PLAIN)) << 16
    stored = Path(item.name).suffix in _COMPRESSED
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    content = item.content if isinstance(item.content, bytes) else item.content.read_bytes()
    archive.writestr(info, content)


def of_folder(folder: Path, prefix: str = "") -> list[Item]:
    """Every file of a folder and below."""
    return [
        Item(prefix + path.relative_to(folder).as_posix(), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
