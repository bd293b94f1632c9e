"""The project and configuration that last proved themselves, kept where a new version of the component finds them."""

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge import bundle
from edge.project import Project

log = logging.getLogger(__name__)

FOLDER = "last-good"
SETTINGS, PROJECT = "settings.json", "project"


class Kept(NamedTuple):
    """project: its folder. values: our part of the deployment's configuration. version: of the component then."""

    project: Path
    values: dict[str, Any]
    version: str


def keep(work: Path, project: Project, values: Mapping[str, Any], version: str) -> None:
    """Take the place of what was kept, whole or not at all. Raises OSError."""
    fresh, place = work / f"{FOLDER}.new", work / FOLDER
    shutil.rmtree(fresh, ignore_errors=True)
    for file in bundle.files_of(project.folder):
        target = fresh / PROJECT / file.relative_to(project.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    told = {"values": dict(values), "version": version}
    (fresh / SETTINGS).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    former = work / f"{FOLDER}.old"
    shutil.rmtree(former, ignore_errors=True)
    if place.exists():
        place.rename(former)
    fresh.rename(place)
    shutil.rmtree(former, ignore_errors=True)


def kept(work: Path) -> Kept | None:
    """What was kept; None where nothing was, or what is there cannot be read."""
    for place in (work / FOLDER, work / f"{FOLDER}.old"):  # the latter where keeping was cut off
        try:
            told = json.loads((place / SETTINGS).read_text(encoding="utf-8"))
            return Kept(place / PROJECT, dict(told["values"]), str(told["version"]))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("what is kept in %s cannot be read: %s", place, error)
    return None
