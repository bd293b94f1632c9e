"""A project's own golden pictures: `golden/NAME.png`, and beside it perhaps `NAME.json` with the results expected."""

import json
from pathlib import Path
from typing import Any

from edge.errors import ConfigInvalid, Fault
from edge.project import Project
from inference.golden import Golden, Row
from streams import sources
from streams.errors import StreamError

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
    return tuple(picture(path) for path in paths)


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
