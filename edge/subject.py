"""What `edge model` is asked about: a model file alone, or a project with its model."""

from pathlib import Path
from typing import NamedTuple

from edge import project as projects
from edge.config.inference import Cache
from edge.project import FILE, Project
from inference.errors import ManifestInvalid
from inference.files import check_file
from inference.manifest import Manifest
from inference.vetted import vetted


class Subject(NamedTuple):
    """A model's path, and the project that it belongs to, if one was named."""

    path: Path
    project: Project | None = None

    @property
    def manifest(self) -> Manifest | None:
        return self.project.manifest if self.project is not None else None

    @property
    def name(self) -> str:
        return self.project.name if self.project is not None else self.path.stem


def subject(named: str) -> Subject:
    """A folder with a project.yaml, or the name of a project, is a project; everything else is a model's path.

    Raises ProjectMissing for a bare name that is neither, ConfigInvalid for a project that is wrong,
    ManifestInvalid for one whose model is made up, ModelNotFound and ModelInvalid for what can be no model.
    """
    found = named_subject(named)
    if found.manifest is not None and found.manifest.is_fake:
        raise ManifestInvalid(f"{found.path} is a made-up model; there is no file to look at", "model")
    check_file(found.path)
    vetted(found.path, Cache().folder)
    return found


def named_subject(named: str) -> Subject:
    """The project or path of a name, whether there is a model or not."""
    path = Path(named).expanduser()
    is_project = (path / FILE).is_file() or (path.name == FILE and path.is_file())
    is_bare = not path.exists() and not path.suffix and path.name == named
    if not is_project and not is_bare:
        return Subject(path)
    found = projects.load(projects.find(path.parent if path.name == FILE else named))
    return Subject(found.manifest.model, found)
