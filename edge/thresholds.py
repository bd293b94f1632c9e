"""Thresholds that were changed while a project ran, and hold after a restart: a small file in the state folder."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from inference.model import Model

log = logging.getLogger(__name__)

FILE = "thresholds.json"


def kept(folder: Path) -> dict[str, float]:
    """The thresholds by the names of their projects. What cannot be read is nothing, and is told."""
    file = folder / FILE
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # who needs the folder will say that it is none
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read, thresholds are those of the projects: %s", file, error)
        return {}
    rows = found.items() if isinstance(found, dict) else ()
    return {name: float(value) for name, value in rows if is_threshold(value)}


def is_threshold(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def keep(folder: Path, project: str, threshold: float) -> None:
    """Have a threshold hold from the next start on, too. The file is whole at any time. Raises OSError."""
    written(folder, {**kept(folder), project: threshold})


def written(folder: Path, thresholds: Mapping[str, float]) -> None:
    unfinished = folder / f"{FILE}.part"
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(thresholds, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / FILE)


def apply(folder: Path, model: Model) -> None:
    """Give a model the threshold that is kept for its project, if one is."""
    name = model.identity.name
    threshold = kept(folder).get(name)
    if threshold is None:
        return
    try:
        model.set_threshold(threshold)
    except ValueError as error:
        log.warning("the threshold kept for %s in %s is of no use: %s", name, folder / FILE, error)
    else:
        log.info("%s has the threshold %g, as it was told to keep (%s)", name, threshold, folder / FILE)
