"""`projects`: what could run here: installed and bundled projects with the digests of their models; and what does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import project as projects
from edge.errors import EdgeError
from edge.project import SAMPLES, Project
from edge.remote.handler import Result
from edge.remote.room import listed
from edge.watch import sight
from inference.errors import InferenceError
from inference.files import model_files, sha256_of
from streams.commands import Command
from streams.verb import Verb

if TYPE_CHECKING:
    from edge.run import Run

VERB = Verb("projects")
_DIGESTS: dict[object, str] = {}  # by names, sizes and times of a model's files: reading them takes a while
MOST_DIGESTS = 256


def answer(run: "Run", command: Command, room: int) -> Result:
    running = run.runtime.project
    folders = projects.installed()
    rows = [row(name, folder, running) for name, folder in sorted(folders.items())]
    if running.folder not in folders.values():
        rows.insert(0, {"name": running.name, **about(running), "kind": "folder", "running": True})
    now = {"name": running.name, "sha256": run.runtime.model.identity.sha256}
    return listed({"running": now}, "projects", rows, room)


def row(name: str, folder: Path, running: Project) -> dict[str, Any]:
    kind = "bundled" if folder.is_relative_to(SAMPLES) else "installed"
    told = {"name": name, "kind": kind, "running": folder == running.folder}
    try:
        return told | about(projects.load(folder))
    except (EdgeError, InferenceError, OSError) as error:
        return told | {"error": str(error).splitlines()[0][:200]}


def about(project: Project) -> dict[str, Any]:
    return {"task": project.manifest.task, "sha256": digest(project)}


def digest(project: Project) -> str | None:
    """The SHA-256 of the model's files; None for a made-up model."""
    if project.manifest.is_fake:
        return None
    model = project.manifest.model
    key = sight(model_files(model))
    if key not in _DIGESTS:
        if len(_DIGESTS) >= MOST_DIGESTS:
            _DIGESTS.clear()
        _DIGESTS[key] = sha256_of(model)
    return _DIGESTS[key]
