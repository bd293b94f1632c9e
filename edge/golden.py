"""A project's own golden pictures: `golden/NAME.png`, and beside it perhaps `NAME.json` with the results expected.

A recording `golden/NAME.recording` gives its frames, with the results that were recorded: of these a share must come
out again, see inference.acceptance.
"""

import json
from pathlib import Path
from typing import Any

from edge.errors import ConfigInvalid, Fault
from edge.project import Project
from inference.golden import Golden, Row
from streams import picture_packing, sources
from streams.errors import StreamError
from streams.recording import SUFFIX, Record, Recording

FOLDER = "golden"
MOST = 64  # pictures; each is in memory while a model is looked at


def golden(project: Project) -> tuple[Golden, ...]:
    """The pictures in the order of their names, at most 64; none without such a folder. Raises ConfigInvalid."""
    folder = project.folder / FOLDER
    if not folder.is_dir():
        return ()
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in sources.PICTURES)
    if len(paths) > MOST:
        raise ConfigInvalid(Fault(f"has {len(paths)} pictures; at most {MOST} are taken", "", folder))
    recordings = sorted(folder.glob(f"*{SUFFIX}"))
    room = MOST - len(paths)
    if len(recordings) > room:
        raise ConfigInvalid(
            Fault(
                f"has {len(paths)} pictures and {len(recordings)} recordings; at most {MOST} are taken",
                "",
                folder,
            )
        )
    in_order = project.manifest.task == "activity"
    frames = [
        frame for path in recordings for frame in recorded(path, room // len(recordings), in_order=in_order)
    ]
    return (*map(picture, paths), *frames)


def picture(path: Path) -> Golden:
    reader = sources.reader(str(path))
    try:
        reader.open()
        shot = reader.read()
    except StreamError as error:
        raise ConfigInvalid(Fault(f"is no picture: {error}", "", path)) from error
    finally:
        reader.close()
    assert shot is not None, path
    return Golden(path.name, shot.pixels, shot.format, expected(path.with_suffix(".json")))


def recorded(path: Path, most: int, *, in_order: bool) -> list[Golden]:
    """Frames of a recording with their recorded results: from its whole length, or in_order: the first ones.

    Raises ConfigInvalid.
    """
    try:
        with Recording(path) as recording:
            places = [record.at for record in recording.shots()]
            if not in_order and len(places) > most:
                places = [places[round(step * (len(places) - 1) / max(1, most - 1))] for step in range(most)]
            return [of_record(path, recording.record(place)) for place in places[:most]]
    except (StreamError, KeyError, TypeError) as error:
        raise ConfigInvalid(Fault(f"is no golden recording: {error}", "", path)) from error


def of_record(path: Path, record: Record) -> Golden:
    frame = picture_packing.unpacked(record)
    rows = tuple(record.meta["result"]["rows"])
    return Golden(f"{path.name} frame {record.meta['n']}", frame.pixels, frame.format, rows, together=True)


def expected(path: Path) -> tuple[Row, ...] | None:
    """The rows of a file `{"results": [...]}`, as a message has them; None where there is no file."""
    if not path.exists():
        return None
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        rows = content["results"]
        if isinstance(rows, list) and all(isinstance(row, dict) and "label" in row for row in rows):
            return tuple(rows)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ConfigInvalid(Fault('is no {"results": [{"label": ...}, ...]}, the form of a message', "", path))
