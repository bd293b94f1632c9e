"""A project's files taken along into another folder, with another model in the place of its own."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge import project as projects
from edge import yamlfile
from edge.errors import ConfigInvalid, ProjectMissing
from edge.golden import FOLDER as GOLDEN
from edge.project import FILE, Project
from inference.formats.kinds import files_of

NAMED = ("labels", "hook", "clip")  # keys that name files
Values = Mapping[str, Any]


def carry(project: Project, into: Path, model: str) -> None:
    """Copies the project to `into`, where the model lies as `model`; its own model stays behind.

    Taken along are the files that lie in the project's folder itself, but no hidden ones, the golden pictures, and
    what the project file names. A file outside of the folder is named by its whole path.
    """
    home = project.folder.resolve()
    left = {path.resolve() for path in (*files_of(project.manifest.model), project.file)}
    for path in (*sorted(home.iterdir()), *sorted((home / GOLDEN).glob("*"))):
        if path.is_file() and not path.name.startswith(".") and path.resolve() not in left:
            copy(path, into / path.relative_to(home))
    changes: dict[str, Any] = {"model": model}
    values = yamlfile.load(project.file).values
    for key in NAMED:
        place = named(values.get(key), home)
        if place is not None and place.is_relative_to(home):
            copy(place, into / place.relative_to(home))
        elif place is not None:
            changes[key] = renamed(values[key], place)
    (into / FILE).write_text(changed(project, changes, into), encoding="utf-8")


def named(value: object, home: Path) -> Path | None:
    """The file that a key names, alone or as `{file: ...}`; None where it names none."""
    name = value.get("file") if isinstance(value, Mapping) else value
    place = (home / Path(name).expanduser()).resolve() if isinstance(name, str) else None
    return place if place is not None and place.is_file() else None


def renamed(value: object, place: Path) -> object:
    return {**value, "file": str(place)} if isinstance(value, Mapping) else str(place)


def copy(path: Path, target: Path) -> None:
    """What is there already, the new model above all, stays."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def changed(project: Project, changes: Values, into: Path) -> str:
    """The project file with other values for some keys, comments and all; written anew where that cannot be."""
    text = project.file.read_text(encoding="utf-8")
    for key, value in changes.items():
        line = f"{key}: {json.dumps(value, ensure_ascii=False)}"
        text = re.sub(rf"^{key}\s*:.*$", line.replace("\\", r"\\"), text, flags=re.M)
    if says(text, changes, into):
        return text
    values: dict[str, Any] = {**yamlfile.load(project.file).values, **changes}
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())


def says(text: str, changes: Values, into: Path) -> bool:
    """Whether a project file of this text says what it shall."""
    file = into / FILE
    file.write_text(text, encoding="utf-8")
    try:
        values = yamlfile.load(file).values
        projects.load(into)
    except (ConfigInvalid, ProjectMissing):
        return False
    return all(values.get(key) == value for key, value in changes.items())
