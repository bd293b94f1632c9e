"""The pictures of a folder and the folders in it, or of a recording, each looked at once, and parted by a seed."""

import functools
import hashlib
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.errors import PicturesUnfit
from kernels import convert
from kernels.formats import PixelFormat
from streams import picture_packing
from streams.detail import Detail
from streams.errors import StreamError
from streams.recording import Recording
from streams.sources import PICTURES
from streams.sources.folder import Folder

Load = Callable[[], NDArray[np.uint8]]
Progress = Callable[[str, int, int], None]
MOST_TOLD = 3


class Still(NamedTuple):
    """A frame of a recording. at: where its record begins. digest: of its pixels."""

    path: Path
    at: int
    digest: str


Place = Path | Still


class Parts(NamedTuple):
    """Two parts of a set of pictures that have none in common."""

    first: tuple[Place, ...]
    second: tuple[Place, ...]


def found(folder: Path) -> list[Place]:
    """The pictures in a folder and the folders in it, by their names, without hidden ones; or frames of a recording.

    Raises PicturesUnfit where there is no such folder or recording, or none in it.
    """
    if folder.is_file():
        return list(stills(folder))
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise PicturesUnfit(f"the folder of pictures {folder} {what}")
    paths = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise PicturesUnfit(f"{folder} holds no picture; read are {', '.join(sorted(PICTURES))}")
    return [*sorted(paths, key=lambda path: counting(path.relative_to(folder)))]


def stills(path: Path) -> list[Still]:
    """The frames of a recording in their order. Raises PicturesUnfit."""
    try:
        with Recording(path) as recording:
            found = [Still(path, record.at, str(record.meta.get("pixels"))) for record in recording.shots()]
    except StreamError as error:
        raise PicturesUnfit(f"{path} is no folder of pictures, and no recording: {error}") from None
    if not found:
        raise PicturesUnfit(f"the recording {path} holds no frame")
    return found


def counting(path: Path) -> list[tuple[int, str]]:
    """What paths are sorted by: 2.jpg comes before 10.jpg."""
    parts = re.split(r"(\d+)", path.as_posix().lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def read(path: Place) -> NDArray[np.uint8]:
    """A picture, BGR (height, width, 3). Raises PicturesUnfit."""
    if isinstance(path, Still):
        return read_still(path)
    source = Folder(path)
    try:
        source.open()
        shot = source.read()
    except StreamError as error:
        raise PicturesUnfit(str(error)) from None
    finally:
        source.close()
    assert shot is not None, "one picture was listed"
    return shot.pixels


def read_still(still: Still) -> NDArray[np.uint8]:
    try:
        with Recording(still.path) as recording:
            frame = picture_packing.unpacked(recording.record(still.at), Detail())
    except StreamError as error:
        raise PicturesUnfit(str(error)) from None
    return frame.pixels if frame.format is PixelFormat.BGR else convert(frame.pixels, frame.format)


def digest(path: Place) -> bytes:
    """Tells pictures apart that are not the same. Raises OSError."""
    if isinstance(path, Still):
        return path.digest.encode()
    return hashlib.sha256(path.read_bytes()).digest()


def loads(paths: Sequence[Place]) -> list[Load]:
    return [functools.partial(read, path) for path in paths]


def distinct(paths: Sequence[Place], progress: Progress) -> list[Place]:
    """Those pictures that are not the same file as an earlier one. Every picture is read.

    Raises PicturesUnfit that names the pictures that cannot be read.
    """
    seen: dict[bytes, Place] = {}
    bad: list[str] = []
    for number, path in enumerate(paths, start=1):
        try:
            read(path)
            seen.setdefault(digest(path), path)
        except (PicturesUnfit, OSError) as error:
            bad.append(str(error))
        progress("looking at pictures", number, len(paths))
    if bad:
        more = f", and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
        raise PicturesUnfit(
            f"{len(bad)} of {len(paths)} pictures cannot be read; mend or remove them: "
            f"{'; '.join(bad[:MOST_TOLD])}{more}"
        )
    return list(seen.values())


def drawn(paths: Sequence[Place], most: int, seed: int) -> list[Place]:
    """At most so many of them, drawn by a seed, in their order."""
    if len(paths) <= most:
        return list(paths)
    return [paths[index] for index in sorted(random.Random(seed).sample(range(len(paths)), most))]


def parted(paths: Sequence[Place], share: float, *, seed: int, most: int, in_order: bool) -> Parts:
    """Two parts, the second of `share` (0..1) of the pictures, each of at most `most`, in the order of `paths`.

    in_order: the second part is the end of the pictures, which tell a story; else `seed` draws it.
    """
    chosen = list(range(len(paths)))
    if not in_order:
        random.Random(seed).shuffle(chosen)
    count = max(1, round(share * len(paths)))
    first, second = chosen[: len(paths) - count][:most], chosen[len(paths) - count :][:most]
    return Parts(*(tuple(paths[index] for index in sorted(part)) for part in (first, second)))
